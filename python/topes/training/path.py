"""The regularisation path: where it begins, and certified solutions along it."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.validation import as_beta, as_positive, as_vector
from ..errors import InputError
from ..losses import Loss, get_loss
from ..pricing.oracle import Pricer
from ..result import Solution
from .by_cones import empty_dual
from .judge import Judge
from .loop import Training

__all__ = ["beta_max", "path"]


def beta_max(
    X: Any,
    y: Any,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-9,
    n_threads: int | None = None,
) -> float:
    """The least beta at which the network without neurons is optimal; with a free bias, the best constant.

    It is the largest price m(v) of the gradient v of the loss at that network: the dual constraint of (9) holds from
    there on.

    Parameters
    ----------
    X, y, loss, activation, bias, norm, values
        As for `train`.
    tol : float
        Relative accuracy; the number returned is an upper bound.

    Examples
    --------
    >>> from topes import beta_max
    >>> round(beta_max([[3.0, 4.0]], [2.0]), 6)
    10.0
    """
    the_loss = get_loss(loss)
    pricer = Pricer(X, activation=activation, bias=bias, norm=norm, values=values)
    y = the_loss.check_targets(as_vector(y, "y", length=len(pricer.data)))
    judge = Judge(pricer, y, 1.0, the_loss, as_positive(tol, "tol"), math.inf, None, n_threads, time.perf_counter())
    v = judge.feasible(empty_dual(judge))
    return pricer.price(v, tol=tol, n_threads=n_threads).upper_bound


def path(
    X: Any,
    y: Any,
    betas: Any = 20,
    *,
    least: float = 1e-3,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    n_threads: int | None = None,
) -> list[Solution]:
    """Solve for a sequence of beta, from the largest down, each started at the last and certified on its own.

    Parameters
    ----------
    X, y, loss, activation, bias, norm, values, tol, n_threads
        As for `train`.
    betas : int or array_like
        The values of beta, or how many, spaced evenly in their logarithm from `beta_max` down to `least` times it.
    least : float
        Share of `beta_max` at which the path ends.
    max_time : float, optional
        Seconds for each beta.

    Returns
    -------
    list of Solution
        In the order of decreasing beta.

    Examples
    --------
    >>> from topes import path
    >>> [s.n_neurons for s in path([[2, 2], [3, 3], [1, 0]], [1, -1, 1], betas=[10.0, 0.1])]
    [0, 2]
    """
    the_loss, tol = get_loss(loss), as_positive(tol, "tol")
    if isinstance(betas, int) and not isinstance(betas, bool):
        if betas < 1:
            raise InputError(f"betas must be at least 1 or an array, got {betas}")
        share = as_positive(least, "least")
        top = beta_max(X, y, loss=the_loss, activation=activation, bias=bias, norm=norm, values=values)
        chosen = [top * share**k for k in np.linspace(0.0, 1.0, betas)]
    else:
        chosen = sorted((as_beta(float(beta)) for beta in as_vector(betas, "betas")), reverse=True)
    pricer = Pricer(X, activation=activation, bias=bias, norm=norm, values=values)
    y = the_loss.check_targets(as_vector(y, "y", length=len(pricer.data)))
    solutions: list[Solution] = []
    for beta in chosen:
        start = time.perf_counter()
        deadline = math.inf if max_time is None else start + as_positive(max_time, "max_time")
        judge = Judge(pricer, y, as_beta(beta), the_loss, tol, deadline, None, n_threads, start)
        solutions.append(Training(judge).run(solutions[-1] if solutions else None))
    return solutions
