"""Fully connected networks, `train`: one output (7), several under weight decay (27), or several by themselves (30)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from .._support.exact_input import Values
from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_positive, as_tolerance, as_vector, choice, has_columns
from ..errors import InputError
from ..jobs.pricing import Workers, workers
from ..jobs.supply import ExecutorLike
from ..losses import Loss, get_loss
from ..network import TwoLayerNetwork
from ..pricing import Pricer, warn_if_costly
from ..result import Round, Solution
from ..training import Judge, Training
from ..vector_network import as_targets
from .vector_output import VectorJudge, VectorTraining, check_separable, joined

__all__ = ["train"]


def train(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    max_cones: int | None = None,
    callback: Callable[[Round], Any] | None = None,
    warm_start: Solution | TwoLayerNetwork | None = None,
    n_threads: int | None = None,
    executor: ExecutorLike | Workers | None = None,
    output_norm: float = 2,
) -> Solution:
    """Train a two-layer network to its certified global optimum, whatever the number of cells.

    Minimises (3), L(f, y) + beta/2 * sum of ||w1_j||_p^2 + w2_j^2. Each round minimises over the neurons at hand,
    takes the dual point v of (9) there, and prices it over all cells: the largest price bounds the optimum from below, and
    directions whose price exceeds beta become neurons.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,), or (n, C) for several outputs
        Two-dimensional targets give a `VectorNetwork`, the loss of all n C entries as one vector, and weight decay over
        both layers, (27): needs norm = 2.
    beta : float
        Weight of the regulariser, > 0.
    loss : str or Loss
        A name of `topes.losses`, or a loss of one's own (see `topes.losses.Loss`).
    activation : {"relu", "abs"} or float
        Slope kappa < 1 on the negative side.
    bias : {False, "penalized", "free"}
        A column of ones (Corollary II.1), or the same with its coefficient left out of the norm.
    norm : {1, 2, inf}
        p of the input weights, eq. (23).
    values : {"binary", "decimal"}
        How floats of X are read where cells are told apart.
    tol : float
        The `Solution.gap` to reach, < 1.
    max_time : float, optional
        Seconds; beyond it the best network and the bounds proved so far are returned.
    max_cones : int, optional
        The same for the cones that pricing looks at (`Solution.n_priced`), about: a limit that no machine's speed decides.
    callback : callable, optional
        Called with a `Round` after each round; a true result stops.
    warm_start : Solution or TwoLayerNetwork, optional
        Its neurons are the first working set.
    n_threads : int, optional
        Of pricing; default all processors. The result does not depend on it.
    executor : concurrent.futures.Executor or callable, optional
        Does the pricing that takes this process more than a quarter of a second: processes, or other machines. A function
        that makes one is better: it makes another where workers die. The result does not depend on it, unless `max_time`
        ends the run. See `docs/jobs.md`.
    output_norm : {2, 1}
        For several outputs, the norm of each neuron's output weights: 2 for (27), 1 for (30), which is a problem for each
        output by itself. One output knows no difference.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        An argument does not meet its requirement, or the rank of X is too high to price over all cells.
    JobError
        The executor keeps failing.

    Examples
    --------
    >>> from topes import train
    >>> s = train([[2, 2], [3, 3], [1, 0]], [1, -1, 1], beta=0.1)
    >>> s.status.value, round(s.objective, 5), s.gap <= 1e-6
    ('certified', 1.10027, True)
    """
    start = time.perf_counter()
    the_loss, beta, tol = get_loss(loss), as_beta(beta), as_tolerance(tol)
    deadline = start + (math.inf if max_time is None else as_positive(max_time, "max_time"))
    if max_cones is not None:
        check_count(max_cones, "max_cones", 1)
    several = has_columns(y)
    by_output = choice(output_norm, "output_norm", (2, 1)) == 1 and several
    with workers(executor, n_threads) as at_work:
        if by_output:
            return _each_output(
                X,
                as_targets(y, the_loss),
                beta,
                the_loss,
                tol,
                max_time,
                warm_start,
                activation=activation,
                bias=bias,
                norm=norm,
                values=values,
                callback=callback,
                n_threads=n_threads,
                executor=at_work,
                max_cones=max_cones,
            )
        targets = as_targets(y, the_loss) if several else the_loss.check_targets(as_vector(y, "y"))
        pricer = Pricer(X, activation=activation, bias=bias, norm=norm, values=values)
        warn_if_costly(pricer, max_time if max_cones is None else 0.0)
        limits: tuple[Any, ...] = (tol, deadline, callback, n_threads, start, max_cones, at_work)
        if several:
            targets = as_targets(targets, the_loss, length=len(pricer.data))
            return VectorTraining(VectorJudge(pricer, targets, beta, the_loss, *limits)).run(warm_start)
        targets = as_vector(targets, "y", length=len(pricer.data))
        return Training(Judge(pricer, targets, beta, the_loss, *limits)).run(warm_start)


def _each_output(
    X: Any,
    Y: FloatArray,
    beta: float,
    loss: Loss,
    tol: float,
    max_time: float | None,
    warm_start: Solution | TwoLayerNetwork | None,
    **options: Any,
) -> Solution:
    """(30): a scalar problem for each column of Y, and what their certificates say together."""
    check_separable(loss)
    if warm_start is not None:
        raise InputError("warm_start must be None for output_norm=1")
    end = math.inf if max_time is None else time.perf_counter() + max_time
    solutions = []
    for c, y in enumerate(Y.T):
        left = None if max_time is None else max(0.01, (end - time.perf_counter()) / (Y.shape[1] - c))
        solutions.append(train(X, y, beta, loss=loss, tol=tol, max_time=left, **options))
    return joined(solutions, Y, loss, tol)
