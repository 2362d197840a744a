"""The regularisation path: where it begins, and certified solutions along it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.validation import FloatArray, as_beta, as_positive, as_tolerance, as_vector, choice, has_columns
from ..errors import InputError
from ..jobs.pricing import Workers, workers
from ..jobs.supply import ExecutorLike
from ..losses import Loss, get_loss
from ..patches import Size
from ..pricing.oracle import Pricer
from ..result import Solution
from ..training.empty import empty_dual
from ..training.judge import Judge
from ..training.loop import Training
from ..vector_network import as_targets
from .convolutional import as_convolutional, patch_rows
from .vector_output import VectorJudge, VectorTraining, check_separable, joined

__all__ = ["beta_max", "path"]

# Relative accuracy of the beta at which a path begins.
_SHARP = 1e-9


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
    executor: ExecutorLike | Workers | None = None,
    output_norm: float = 2,
    kernel_size: Size | None = None,
    stride: Size = 1,
) -> float:
    """The least beta at which the network without neurons is optimal; with a free bias, the best constant.

    It is the largest price m(v) of the gradient v of the loss at that network: the dual constraint of (9) holds from
    there on.

    Parameters
    ----------
    X, y, loss, activation, bias, norm, values, n_threads, executor, output_norm
        As for `train`.
    tol : float
        Relative accuracy; the number returned is an upper bound.
    kernel_size, stride : optional
        As for `train_cnn`, whose problem this is then; so it is where X has shape (n, K, d), of patches.

    Examples
    --------
    >>> from topes import beta_max
    >>> round(beta_max([[3.0, 4.0]], [2.0]), 6)
    10.0
    """
    family = _family(X, y, loss, activation, bias, norm, values, output_norm, kernel_size, stride)
    with workers(executor, n_threads) as at_work:
        return family.beta_max(as_positive(tol, "tol"), n_threads, at_work)


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
    executor: ExecutorLike | Workers | None = None,
    output_norm: float = 2,
    kernel_size: Size | None = None,
    stride: Size = 1,
    callback: Callable[[Solution], Any] | None = None,
) -> list[Solution]:
    """Solve for a sequence of beta, from the largest down, each started at the last and certified on its own.

    Parameters
    ----------
    X, y, loss, activation, bias, norm, values, tol, n_threads, executor, output_norm
        As for `train`.
    betas : int or array_like
        The values of beta, or how many, spaced evenly in their logarithm from `beta_max` down to `least` times it.
    least : float
        Share of `beta_max` at which the path ends.
    max_time : float, optional
        Seconds for each beta.
    kernel_size, stride : optional
        As for `train_cnn`, whose problem this is then; so it is where X has shape (n, K, d), of patches.
    callback : callable, optional
        Called with each solution once it is there.

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
    tol = as_tolerance(tol)
    family = _family(X, y, loss, activation, bias, norm, values, output_norm, kernel_size, stride)
    with workers(executor, n_threads) as at_work:
        if isinstance(betas, int) and not isinstance(betas, bool):
            if betas < 1:
                raise InputError(f"betas must be at least 1 or an array, got {betas}")
            share = as_positive(least, "least")
            if share > 1.0:
                raise InputError(f"least must be at most 1, got {least}")
            top = family.beta_max(_SHARP, n_threads, at_work)
            if top == 0.0:
                raise InputError(
                    "betas must be values of beta where beta_max is 0, as for targets that the network without neurons fits "
                    f"exactly (all zero, or all alike with a free bias); got {betas}"
                )
            chosen = [top * share**k for k in np.linspace(0.0, 1.0, betas)]
        else:
            chosen = sorted((as_beta(float(beta)) for beta in as_vector(betas, "betas")), reverse=True)
        solutions: list[Solution] = []
        parts: list[Solution | None] = [None] * len(family.parts)
        for beta in chosen:
            parts = [*family.solve(as_beta(beta), tol, max_time, n_threads, at_work, parts)]
            solutions.append(family.whole([part for part in parts if part is not None], tol))
            if callback is not None:
                callback(solutions[-1])
    return solutions


@dataclass(frozen=True)
class _Family:
    """The problem of any beta. Its parts are solved each by itself: the outputs of (30); else there is one."""

    pricer: Pricer
    loss: Loss
    targets: FloatArray  # (n,) or (n, C)
    parts: list[FloatArray]
    kernel: tuple[Size | None, Size] | None  # of a convolutional network

    def judge(
        self,
        part: FloatArray,
        beta: float,
        tol: float,
        deadline: float,
        n_threads: int | None,
        at_work: Workers | None = None,
    ) -> Judge:
        kind = Judge if part.ndim == 1 else VectorJudge
        start = time.perf_counter()
        return kind(self.pricer, part, beta, self.loss, tol, deadline, None, n_threads, start, None, at_work)

    def beta_max(self, tol: float, n_threads: int | None, at_work: Workers | None) -> float:
        """The largest price of the gradients at the empty networks."""
        prices = []
        for part in self.parts:
            judge = self.judge(part, 1.0, tol, math.inf, n_threads)
            v = empty_dual(judge.loss, judge.y.reshape(part.shape), free=judge.free)
            v = judge.feasible(v.ravel()).reshape(part.shape)
            price = judge.pricer.price(v, tol=tol, n_threads=n_threads, workers=at_work).upper_bound
            prices.append(judge.units.price(price))
        return max(prices)

    def solve(
        self,
        beta: float,
        tol: float,
        max_time: float | None,
        n_threads: int | None,
        at_work: Workers | None,
        before: list[Solution | None],
    ) -> list[Solution]:
        """The solutions of the parts, each started at the one before."""
        start = time.perf_counter()
        end = math.inf if max_time is None else start + as_positive(max_time, "max_time")
        found = []
        for k, (part, earlier) in enumerate(zip(self.parts, before, strict=True)):
            now = time.perf_counter()
            judge = self.judge(part, beta, tol, now + (end - now) / (len(self.parts) - k), n_threads, at_work)
            training = VectorTraining(judge) if isinstance(judge, VectorJudge) else Training(judge)
            found.append(training.run(earlier))
        return found

    def whole(self, parts: list[Solution], tol: float) -> Solution:
        """The solution of the whole problem."""
        solution = joined(parts, self.targets, self.loss, tol) if self.targets.ndim > self.parts[0].ndim else parts[0]
        return solution if self.kernel is None else as_convolutional(solution, *self.kernel)


def _family(
    X: Any,
    y: Any,
    loss: str | Loss,
    activation: str | float,
    bias: Any,
    norm: float,
    values: Values,
    output_norm: float,
    kernel_size: Size | None,
    stride: Size,
) -> _Family:
    the_loss = get_loss(loss)
    by_output = choice(output_norm, "output_norm", (2, 1)) == 1
    convolutional = kernel_size is not None or np.ndim(X) == 3
    rows, pool = patch_rows(X, kernel_size, stride, values) if convolutional else (X, 1)
    pricer = Pricer(rows, activation=activation, bias=bias, norm=norm, values=values, pool=pool)
    n, of = pricer.n_samples, "samples of X" if convolutional else "rows of X"
    if not has_columns(y):
        targets = the_loss.check_targets(as_vector(y, "y", length=n, of=of))
        parts = [targets]
    else:
        if convolutional:
            raise InputError(f"y must have one axis for a convolutional network, got shape {np.shape(y)}")
        targets = as_targets(y, the_loss, length=n)
        if by_output:
            check_separable(the_loss)
        parts = [np.ascontiguousarray(column) for column in targets.T] if by_output else [targets]
    return _Family(pricer, the_loss, targets, parts, (kernel_size, stride) if convolutional else None)
