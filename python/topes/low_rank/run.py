"""One run of `train_low_rank`: its four steps, the time each may take, and the best of both sides."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from .. import _core
from .._support.exact_input import as_exact_array, as_floats
from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_positive, as_vector
from ..activation import kappa_of, phi
from ..dual import lower_bound
from ..errors import InputError
from ..losses import Loss, get_loss
from ..models import train
from ..network import Bias, TwoLayerNetwork, check_bias, penalised
from ..result import Solution, Status, relative_gap
from ..sampling import sample_patterns
from ..training.blocks import Blocks
from ..training.local_descent import WIDTHS
from .any_rank import AnyRankBound, DualBound
from .cells_program import CellsSolution, cells_of_rank_k, patterns_as_cones, solve_over_cells
from .guarantee import Guarantee, guarantee_of_cells, guarantee_of_data, guarantee_of_samples
from .local_training import LocalProblem, blocks_of, network_of, train_locally
from .solution import LowRankSolution
from .split import LowRankSplit

__all__ = ["Method", "Run"]

Method = Literal["data", "cells", "samples"]

# Shares of the time: until the end of local training, the choice of a rank, the program, training from it, the bound.
_LOCAL, _RANKS, _PROGRAM, _AGAIN, _IMPROVE = 0.25, 0.4, 0.55, 0.65, 0.95
# A rank is taken further while its pricing took less than this share of what is left.
_GROWTH = 0.1
_PRICE_TOL = 1e-3
# A dual point takes less than this share of the time at the rank at which cutting planes begin, and at which they end.
_CHEAP, _AFFORDABLE = 0.002, 0.02


class Run:
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
        self.first = Blocks(np.zeros((self.data.shape[1], 0)), np.zeros(0))
        self.empty = self.loss.value(np.zeros(n), self.y)
        self.price_tol = min(_PRICE_TOL, 0.25 * self.tol)
        self.bounds: list[tuple[AnyRankBound, DualBound]] = []
        self.judges: list[tuple[AnyRankBound, float]] = []  # and the seconds that one dual point took
        self.cut_short = False
        self.seconds: dict[str, float] = {}

    def start_at(self, network: TwoLayerNetwork) -> None:
        """Begin local training there."""
        d, biases = len(network.W1), network.b1 is not None and bool(np.any(network.b1))
        if d != self.inputs.shape[1] or (biases and self.bias is False):
            raise InputError(
                f"warm_start must have {self.inputs.shape[1]} inputs and no biases where bias=False, got {d} inputs"
                + (" and biases" if biases else "")
            )
        given = blocks_of(network, self.bias)
        columns = np.ldexp(given.columns, self.exponent)
        if self.bias == "free":
            columns[-1] = given.columns[-1]
        self.first = replace(given, columns=columns)

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
        best = train_locally(self.problem, self.first, seed=self.seed, deadline=self.deadline(_LOCAL))
        v = self.slope(self.problem, best)
        self.lap("local")
        k = self.chosen_rank(v, rank)
        self.lap("rank")
        split = LowRankSplit.of(self.priced, k)
        program, n_cells, value, guarantee = self.program(split, method, n_samples, sampling, max_cells)
        self.lap("program")
        neurons = blocks_of(program, self.bias)
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
    def slope(problem: LocalProblem, neurons: Blocks) -> FloatArray:
        """The gradient of the loss, or of its finest smoothing: what local training has as its dual point."""
        return problem.slope(problem.outputs(neurons), WIDTHS[-1])[1]

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
        network = self.network_of_cells(solution)
        if method == "cells":
            guarantee = guarantee_of_cells(split, solution, self.loss, self.y, self.beta, self.kappa)
        else:
            guarantee = guarantee_of_samples(len(cones))
        return network, len(cones), solution.value, guarantee

    def network_of_cells(self, solution: CellsSolution) -> TwoLayerNetwork:
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
        nothing = Blocks(np.zeros((coordinates.shape[1], 0)), np.zeros(0))
        soon = min(self.deadline(_PROGRAM), time.perf_counter() + 0.3 * max(self.left(), 0.0))
        neurons = train_locally(problem, nothing, seed=self.seed, deadline=soon)
        value = problem.value(neurons)
        dual = self.assess(judge, self.slope(problem, neurons), self.deadline(_PROGRAM))
        at_least = lower_bound(self.loss, dual.raw, self.y, self.beta, dual.rank_k_price)[0]
        left = self.deadline(_PROGRAM) - time.perf_counter()
        if relative_gap(value, at_least, self.empty) > wanted and left > 0.0:
            trained = self.trained(split, network_of(neurons, self.kappa, inner), wanted, 0.7 * left)
            at_least = max(at_least, trained.lower_bound)
            if trained.objective < value:
                value, neurons = trained.objective, blocks_of(trained.network, inner)
            if trained.lower_bound > 0.0:
                self.assess(judge, trained.dual, self.deadline(_PROGRAM))
        U = neurons.columns
        U = split.basis @ U if inner is False else np.vstack([split.basis @ U[:-1], U[-1:]])
        network = network_of(replace(neurons, columns=U), self.kappa, self.bias)
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

    def is_done(self, neurons: Blocks) -> bool:
        """Whether the gap is met with room to spare."""
        return relative_gap(self.problem.value(neurons), self.best_bound()[1].value, self.empty) <= 0.5 * self.tol

    def improve(self, neurons: Blocks) -> None:
        """A better dual point, where the tail costs the best one more than the gap asked for.

        First where prices are cheap, at a rank below the chosen one; from there at the chosen one.
        """
        P = penalised(neurons.columns, self.bias)
        sizes = np.linalg.norm(P, axis=0)
        used = sizes > 1e-6 * sizes.max(initial=0.0)
        H = self.data @ (neurons.columns[:, used] / np.where(sizes > 0.0, sizes, 1.0)[used])
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
        best: Blocks,
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

    def smallest(self, best: Blocks, bound: float) -> tuple[TwoLayerNetwork, float]:
        """For the data as given: the reduced network unless that costs more than the gap leaves, or the empty one."""
        scaled = replace(best, columns=self.unscaled(best.columns))
        empty = replace(best, columns=np.zeros((len(best.columns), 0)), signs=np.zeros(0), constant=0.0)
        candidates = []
        for neurons, data in ((empty, None), (scaled, self.inputs), (scaled, None)):
            network = network_of(neurons, self.kappa, self.bias, data)
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
