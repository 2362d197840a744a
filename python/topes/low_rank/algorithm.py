"""Training where the rank is too high to price over all cells: Algorithm 1, and a certificate that holds at any rank.

1. Local training of (3) on the data as they are: an upper bound, and a dual point.
2. A program that is convex and small enough: that of the rank-k data (`method="data"`), (10) over the cells of the
   rank-k data with the features of X (`"cells"`), or (7) over sampled patterns (`"samples"`).
3. Its network, trained further on the data as they are.
4. Dual points of 1 and 2, and combinations, priced through `topes.low_rank_split`: a lower bound on p*.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from .. import _core
from .._support.exact_input import as_exact_array, as_floats
from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_positive, as_vector, choice
from ..activation import kappa_of, phi
from ..dual import lower_bound
from ..errors import InputError
from ..losses import Loss, get_loss
from ..models import train
from ..network import Bias, TwoLayerNetwork, check_bias, penalised
from ..result import Solution, Status, relative_gap
from ..sampling import sample_patterns
from .any_rank import AnyRankBound, DualBound
from .cells_program import CellsSolution, cells_of_rank_k, patterns_as_cones, solve_over_cells
from .guarantee import Guarantee, guarantee_of_cells, guarantee_of_data, guarantee_of_samples
from .local_training import LocalProblem, Neurons, train_locally
from .solution import LowRankSolution
from .split import LowRankSplit

__all__ = ["train_low_rank"]

Method = Literal["data", "cells", "samples"]

# Shares of the time: until the end of local training, the choice of a rank, the program, training from it, the bound.
_LOCAL, _RANKS, _PROGRAM, _AGAIN, _IMPROVE = 0.25, 0.4, 0.55, 0.65, 0.95
# A rank is taken further while its pricing took less than this share of what is left.
_GROWTH = 0.1
_PRICE_TOL = 1e-3
# A dual point takes less than this share of the time at the rank at which cutting planes begin, and at which they end.
_CHEAP, _AFFORDABLE = 0.002, 0.02
_FINEST = 1e-4  # of the smoothings of a loss with kinks
_DEFAULT_SAMPLES = 1000


def train_low_rank(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    rank: int | None = None,
    method: Method | None = None,
    n_samples: int | None = None,
    sampling: Any = "gaussian",
    max_cells: int = 20_000,
    seed: int = 0,
    tol: float = 1e-3,
    max_time: float = 60.0,
    n_threads: int | None = None,
) -> LowRankSolution:
    """Train a two-layer network on data of any rank, and bound from below what any network could reach (Algorithm 1).

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser in (3), > 0.
    loss, activation, bias
        As for `train`.
    norm : {2}
        The bound rests on orthogonal directions: other norms of the weights are not taken.
    rank : int, optional
        k. Default: the one with the best bound, found by pricing the same dual point at growing k while time allows. At most
        `_core.MAX_PRICING_DIMENSION`, a free bias counted.
    method : {"data", "cells", "samples"}, optional
        The program to solve: that of the rank-k data over all their cells; (10) over the enumerated cells of the rank-k data
        with the features of X; (7) over patterns sampled from X. Default "samples" where `n_samples` is given, else "data".
        "cells" and "samples" take no free bias.
    n_samples : int, optional
        Random directions of "samples"; default 1000.
    sampling : "gaussian" or ConvolutionalSampling
        As for `sample_patterns`.
    max_cells : int
        "cells" refuses beyond this number.
    seed : int
        Of all that is random.
    tol : float
        The gap at which the result is called certified.
    max_time : float
        Seconds, about: a step that has begun is finished.
    n_threads : int, optional
        Of pricing.

    Returns
    -------
    LowRankSolution

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    CellLimitError
        "cells": the rank-k data have more than `max_cells` cells.

    Examples
    --------
    >>> import numpy as np
    >>> from topes import train_low_rank
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((30, 2)) @ rng.standard_normal((2, 12)) + 1e-4 * rng.standard_normal((30, 12))
    >>> s = train_low_rank(X, np.maximum(X[:, 0], 0.0), beta=0.1, rank=2, max_time=20.0)
    >>> s.status.value, s.gap < 1e-3, s.lower_bound <= s.objective
    ('certified', True, True)
    """
    run = _Run(X, y, beta, loss, activation, bias, tol, max_time, n_threads, seed)
    choice(norm, "norm", (2,))
    if method is None:
        method = "data" if n_samples is None else "samples"
    choice(method, "method", ("data", "cells", "samples"))
    if n_samples is not None:
        check_count(n_samples, "n_samples", 1)
        if method != "samples":
            raise InputError(f"n_samples goes with method 'samples', got method {method!r}")
    if method != "data" and run.bias == "free":
        raise InputError(f"method must be 'data' where the bias is free, got {method!r}")
    return run.solve(rank, method, _DEFAULT_SAMPLES if n_samples is None else int(n_samples), sampling, max_cells)


class _Run:
    """One call. The data are scaled by a power of two, exactly: phi(2^e X'u) = 2^e phi(X'u), so beta scales with them."""

    def __init__(
        self,
        X: Any,
        y: Any,
        beta: float,
        loss: str | Loss,
        activation: str | float,
        bias: Any,
        tol: float,
        max_time: float,
        n_threads: int | None,
        seed: int,
    ) -> None:
        self.start = time.perf_counter()
        check_count(seed, "seed", 0)
        self.loss, beta, self.kappa = get_loss(loss), as_beta(beta), kappa_of(activation)
        self.bias: Bias = check_bias(bias)
        self.tol, self.seed, self.n_threads = as_positive(tol, "tol"), int(seed), n_threads
        self.max_time = as_positive(max_time, "max_time")
        self.inputs = as_floats(as_exact_array(X, "X", 2, "binary"))
        n, d = self.inputs.shape
        if d == 0:
            raise InputError(f"X must have at least 1 column, got shape {self.inputs.shape}")
        self.y = self.loss.check_targets(as_vector(y, "y", length=n))
        ones = np.ones((n, 1))
        full = self.inputs if self.bias is False else np.hstack([self.inputs, ones])
        # With a free bias the price grows with the inputs alone, and so does what a constant costs: nothing.
        most = float(np.abs(self.inputs if self.bias == "free" else full).max(initial=0.0))
        self.exponent = math.frexp(most)[1] if most > 0.0 else 0
        self.beta = math.ldexp(beta, -self.exponent)
        self.given_beta = beta
        if not 0.0 < self.beta < math.inf:
            raise InputError(f"beta over the largest entry of X must be a positive finite number, got {beta} and {most}")
        if self.bias == "free":
            self.priced = np.ldexp(self.inputs, -self.exponent)
            self.data = np.hstack([self.priced, ones])
        else:
            self.data = self.priced = np.ldexp(full, -self.exponent)
        self.problem = LocalProblem(self.data, self.y, self.beta, self.loss, self.kappa, self.bias)
        self.empty = self.loss.value(np.zeros(n), self.y)
        self.price_tol = min(_PRICE_TOL, 0.25 * self.tol)
        self.bounds: list[tuple[AnyRankBound, DualBound]] = []
        self.judges: list[tuple[AnyRankBound, float]] = []  # and the seconds that one dual point took
        self.cut_short = False
        self.seconds: dict[str, float] = {}

    def deadline(self, share: float) -> float:
        return self.start + share * self.max_time

    def left(self) -> float:
        return self.start + self.max_time - time.perf_counter()

    def most_rank(self) -> int:
        free = self.bias == "free"
        return max(1, min(int(_core.MAX_PRICING_DIMENSION) - free, int(self.priced.shape[1])))

    def solve(
        self, rank: int | None, method: Method, n_samples: int, sampling: Any, max_cells: int
    ) -> LowRankSolution:
        if rank is not None:
            check_count(rank, "rank", 1)
            if rank > self.most_rank():
                raise InputError(f"rank must be at most {self.most_rank()} for these data, got {rank}")
        d = self.data.shape[1]
        nothing = Neurons(np.zeros((d, 0)), np.zeros(0))
        best = train_locally(self.problem, nothing, seed=self.seed, deadline=self.deadline(_LOCAL))
        v = self.slope(self.problem, best)
        self.lap("local")
        k = self.chosen_rank(v, rank)
        self.lap("rank")
        split = LowRankSplit.of(self.priced, k)
        program, n_cells, value, guarantee = self.program(split, method, n_samples, sampling, max_cells)
        self.lap("program")
        neurons = Neurons.of(program, self.bias)
        at_program = self.problem.value(neurons)
        if at_program < self.problem.value(best):
            best = neurons
        if not self.is_done(best):
            again = train_locally(self.problem, neurons, seed=self.seed + 1, deadline=self.deadline(_AGAIN))
            if self.problem.value(again) < self.problem.value(best):
                best = again
                self.assess(self.chosen(), self.slope(self.problem, best))
        if not self.is_done(best):
            self.improve(best)
        return self.result(best, split, method, n_cells, at_program, value, guarantee)

    @staticmethod
    def slope(problem: LocalProblem, neurons: Neurons) -> FloatArray:
        """The gradient of the loss, or of its finest smoothing: what local training has as its dual point."""
        return problem.slope(problem.outputs(neurons), _FINEST)[1]

    def judge(self, split: LowRankSplit) -> AnyRankBound:
        return AnyRankBound(split, self.y, self.beta, self.loss, self.kappa, self.bias, self.n_threads)

    def assess(self, judge: AnyRankBound, v: FloatArray, deadline: float = math.inf) -> DualBound:
        deadline = min(deadline, time.perf_counter() + max(0.3 * self.left(), 0.05 * self.max_time))
        bound = judge.assess(v, tol=self.price_tol, deadline=deadline)
        self.bounds.append((judge, bound))
        self.cut_short |= not bound.complete
        return bound

    def best_bound(self) -> tuple[AnyRankBound, DualBound]:
        return max(self.bounds, key=lambda pair: pair[1].value)

    def chosen_rank(self, v: FloatArray, rank: int | None) -> int:
        """The rank asked for; or the best of those that can be priced in the time there is."""
        chosen = 1
        for k in range(1, self.most_rank() + 1) if rank is None else [int(rank)]:
            judge = self.judge(LowRankSplit.adapted(self.priced, k, v, self.kappa))
            begin = time.perf_counter()
            bound = judge.assess(v, tol=self.price_tol, deadline=self.deadline(_RANKS if rank is None else 1.0))
            took = time.perf_counter() - begin
            self.bounds.append((judge, bound))
            if k == 1 or rank is not None or bound.complete:
                self.judges.append((judge, took))
                chosen = k if took < _AFFORDABLE * self.max_time or rank is not None else chosen
            negligible = bound.tail <= 0.1 * math.sqrt(self.tol) * self.beta
            left = self.deadline(_RANKS) - time.perf_counter()
            if negligible or not bound.complete or left < 0.0 or took > max(_GROWTH * left, _AFFORDABLE * self.max_time):
                break
        return chosen

    def chosen(self) -> AnyRankBound:
        """That of the largest rank at which many dual points can be priced."""
        return self.cheap(_AFFORDABLE)

    def cheap(self, share: float) -> AnyRankBound:
        """That of the largest rank at which one dual point takes no more than a share of the time; of the first one else."""
        return [judge for k, (judge, took) in enumerate(self.judges) if k == 0 or took < share * self.max_time][-1]

    def program(
        self, split: LowRankSplit, method: Method, n_samples: int, sampling: Any, max_cells: int
    ) -> tuple[TwoLayerNetwork, int | None, float, Guarantee]:
        """Solve it: network, number of patterns, value, guarantee; its dual points are assessed."""
        if method == "data":
            return self.rank_k_data(split)
        if method == "cells":
            cones = cells_of_rank_k(split, max_cells=max_cells)
            basis = split.basis
        else:
            patterns = sample_patterns(self.inputs, n_samples, method=sampling, bias=self.bias, seed=self.seed)
            cones, basis = patterns_as_cones(self.data, patterns), np.eye(self.data.shape[1])
        solution = solve_over_cells(
            self.data, cones, basis, self.y, self.beta, self.loss, self.kappa,
            tol=0.25 * self.tol, deadline=self.deadline(_PROGRAM),
        )
        self.cut_short |= not solution.complete
        self.assess(self.chosen(), solution.dual)
        network = self.network_of(solution)
        if method == "cells":
            guarantee = guarantee_of_cells(split, solution, self.loss, self.y, self.beta, self.kappa)
        else:
            guarantee = guarantee_of_samples(len(cones))
        return network, len(cones), solution.value, guarantee

    def network_of(self, solution: CellsSolution) -> TwoLayerNetwork:
        parts = [solution.U[:, solution.signs == s] for s in (1.0, -1.0)]
        return TwoLayerNetwork.from_convex(*parts, activation=self.kappa, bias=self.bias)

    def rank_k_data(self, split: LowRankSplit) -> tuple[TwoLayerNetwork, None, float, Guarantee]:
        """The optimum of the rank-k data: local training and pricing, `train` where these leave a gap."""
        judge, wanted = self.judge(split), 0.25 * self.tol
        coordinates = split.coordinates
        if self.bias == "free":
            coordinates = np.hstack([coordinates, np.ones((len(coordinates), 1))])
        inner: Bias = "free" if self.bias == "free" else False
        problem = LocalProblem(coordinates, self.y, self.beta, self.loss, self.kappa, inner)
        nothing = Neurons(np.zeros((coordinates.shape[1], 0)), np.zeros(0))
        soon = min(self.deadline(_PROGRAM), time.perf_counter() + 0.3 * max(self.left(), 0.0))
        neurons = train_locally(problem, nothing, seed=self.seed, deadline=soon)
        value = problem.value(neurons)
        dual = self.assess(judge, self.slope(problem, neurons), self.deadline(_PROGRAM))
        at_least = lower_bound(self.loss, dual.raw, self.y, self.beta, dual.rank_k_price)[0]
        left = self.deadline(_PROGRAM) - time.perf_counter()
        if relative_gap(value, at_least, self.empty) > wanted and left > 0.0:
            trained = self.trained(split, neurons.network(self.kappa, inner), wanted, 0.7 * left)
            at_least = max(at_least, trained.lower_bound)
            if trained.objective < value:
                value, neurons = trained.objective, Neurons.of(trained.network, inner)
            if trained.lower_bound > 0.0:
                self.assess(judge, trained.dual, self.deadline(_PROGRAM))
        U = split.basis @ neurons.U if inner is False else np.vstack([split.basis @ neurons.U[:-1], neurons.U[-1:]])
        network = replace(neurons, U=U).network(self.kappa, self.bias)
        return network, None, value, guarantee_of_data(split, value, at_least, self.loss, self.y, self.beta, self.kappa)

    def trained(self, split: LowRankSplit, warm: TwoLayerNetwork, tol: float, max_time: float) -> Solution:
        return train(
            split.coordinates,
            self.y,
            self.beta,
            loss=self.loss,
            activation=self.kappa,
            bias="free" if self.bias == "free" else False,
            tol=tol,
            max_time=max(max_time, 0.01),
            warm_start=warm,
            n_threads=self.n_threads,
        )

    def is_done(self, neurons: Neurons) -> bool:
        """Whether the gap is met with room to spare."""
        return relative_gap(self.problem.value(neurons), self.best_bound()[1].value, self.empty) <= 0.5 * self.tol

    def improve(self, neurons: Neurons) -> None:
        """A better dual point, where the tail costs the best one more than the gap asked for.

        First where prices are cheap, at a rank below the chosen one; from there at the chosen one.
        """
        P = penalised(neurons.U, self.bias)
        sizes = np.linalg.norm(P, axis=0)
        used = sizes > 1e-6 * sizes.max(initial=0.0)
        H = self.data @ (neurons.U[:, used] / np.where(sizes > 0.0, sizes, 1.0)[used])
        atoms = -phi(H, self.kappa) * neurons.signs[used]  # where the output weight is positive, v'phi(Xu) is near -beta
        chosen, dearest = self.chosen(), self.judges[-1][0]
        for judge, share in ((self.cheap(_CHEAP), 0.5 * (_AGAIN + _IMPROVE)), (chosen, _IMPROVE)):
            bound = self.best_bound()[1]
            if bound.price <= bound.rank_k_price * (1.0 + 0.1 * self.tol) or self.left() <= 0.0:
                return
            start = self.assess(judge, bound.raw)
            better = judge.improve(start, atoms, deadline=self.deadline(share))
            if better is not start:
                self.assess(judge, better.raw)
        # The best point again, at the largest rank, and along directions that suit it.
        v = self.best_bound()[1].raw
        for judge in (self.judge(LowRankSplit.adapted(self.priced, chosen.split.rank, v, self.kappa)), dearest):
            if self.left() > 0.0 and judge is not chosen:
                self.assess(judge, v)

    def lap(self, name: str) -> None:
        self.seconds[name] = time.perf_counter() - self.start - sum(self.seconds.values())

    def result(
        self,
        best: Neurons,
        program: LowRankSplit,
        method: str,
        n_cells: int | None,
        at_program: float,
        value: float,
        guarantee: Guarantee,
    ) -> LowRankSolution:
        bound = self.best_bound()[1]
        network, objective = self.smallest(best, bound.value)
        gap = relative_gap(objective, bound.value, self.empty)
        status = Status.CERTIFIED if gap <= self.tol else Status.TIME_LIMIT if self.cut_short else Status.RANK_LIMIT
        bound.dual.setflags(write=False)
        self.lap("certificate")
        unit = 2.0**self.exponent
        return LowRankSolution(
            status, network, objective, bound.value, gap, program.rank, program.residual_norm * unit, method, n_cells,
            at_program, value, guarantee, bound.dual, bound.price * unit, bound.rank_k_price * unit, bound.tail * unit,
            self.seconds,
        )

    def smallest(self, best: Neurons, bound: float) -> tuple[TwoLayerNetwork, float]:
        """For the data as given: the reduced network unless that costs more than the gap leaves, or the empty one."""
        scaled = replace(best, U=self.unscaled(best.U))
        empty = replace(best, U=np.zeros((len(best.U), 0)), signs=np.zeros(0), constant=0.0)
        candidates = []
        for neurons, data in ((empty, None), (scaled, self.inputs), (scaled, None)):
            network = neurons.network(self.kappa, self.bias, data)
            value = network.objective(
                self.inputs, self.y, self.given_beta, loss=self.loss, bias=self.bias or "penalized"
            )
            candidates.append((network, value))
        least = min(value for _, value in candidates)
        worth = 1e-3 * self.tol * max(abs(least), 1e-3 * self.empty)
        return next(c for c in candidates if c[1] <= least + worth)

    def unscaled(self, U: FloatArray) -> FloatArray:
        """Weights for the data as given; a free bias is in units of its own, as its column of ones was not scaled."""
        out = np.ldexp(U, -self.exponent)
        if self.bias == "free":
            out[-1] = U[-1]
        return out
