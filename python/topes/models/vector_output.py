"""Training with several outputs: (27)-(29) by a working set and pricing, (30)-(31) as scalar problems."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .._support.validation import FloatArray
from ..activation import phi
from ..dual import zero_sum
from ..errors import InputError
from ..losses import Loss, is_own
from ..network import TwoLayerNetwork
from ..pricing.found import Pricing
from ..pricing.oracle import Pricer
from ..result import KKTResiduals, Solution, Status, relative_gap
from ..training.blocks import Blocks
from ..training.conclusion import conclude, worth_of_few
from ..training.entering import distinct
from ..training.judge import Judge
from ..training.warm_start import neurons_of
from ..vector_network import VectorNetwork
from .vector_program import VectorProgram

__all__ = ["VectorJudge", "VectorTraining", "check_separable", "joined"]

_MOST_ROUNDS = 200
# Rounds in which neither side of the gap moves before giving up.
_MOST_STUCK = 20


@dataclass(frozen=True)
class VectorBlocks(Blocks):
    """Columns u_j with output weights g_j in R^C, of atoms phi(X u_j) g_j' whose norm is ||u_j|| ||g_j||.

    Attributes
    ----------
    columns : ndarray, shape (d, m), float64
    signs : ndarray, shape (m, C), float64
        The g_j.
    shift : ndarray, shape (C,), float64
        Added to each row of outputs; zero but with a free bias.
    """

    shift: FloatArray = field(kw_only=True)

    def outputs(self, pricer: Pricer) -> FloatArray:
        """Shape (n C,)."""
        return np.asarray(pricer.pooled(phi(pricer.data @ self.columns, pricer.kappa)) @ self.signs + self.shift).ravel()

    def norms(self, pricer: Pricer) -> FloatArray:
        return np.asarray(super().norms(pricer) * np.linalg.norm(self.signs, axis=1))


class VectorJudge(Judge):
    """Keeps targets, outputs and dual points as vectors of n C entries, row by row, and prices them as matrices."""

    def __init__(self, pricer: Pricer, Y: FloatArray, *given: Any) -> None:
        super().__init__(pricer, Y, *given)
        self.n_outputs = Y.shape[1]
        if self.free and not self.loss.separable and is_own(self.loss):
            what = f"several outputs whose loss is no sum over them, got {self.loss!r}"
            raise InputError(f"bias must not be 'free' for {what}")
        none = np.zeros((self.pricer.data.shape[1], 0))
        self.best = VectorBlocks(none, np.zeros((0, self.n_outputs)), shift=np.zeros(self.n_outputs))

    def feasible(self, v: FloatArray) -> FloatArray:
        """As `Judge.feasible`; with a free bias the entries of each column sum to zero exactly."""
        if not self.free:
            return self.loss.project_dual(v, self.y)
        V: FloatArray = v.reshape(-1, self.n_outputs)
        if not self.loss.separable:  # l2: its domain is a ball around zero, of all columns
            V = self.loss.project_dual((V - V.mean(axis=0)).ravel(), self.y).reshape(V.shape)
        else:
            Y = self.y.reshape(V.shape)
            columns = [self.loss.project_dual(a, b, zero_sum=True) for a, b in zip(V.T, Y.T, strict=True)]
            V = np.stack(columns, axis=1)
        return np.stack([zero_sum(a) for a in V.T], axis=1).ravel()

    def _price(self, v: FloatArray, *given: Any) -> Pricing:
        return super()._price(v.reshape(-1, self.n_outputs), *given)


class VectorTraining:
    """One run of (27): conic programs over the directions at hand, and pricing, in turn."""

    def __init__(self, judge: VectorJudge) -> None:
        if judge.pricer.norm != 2.0:
            raise InputError(f"norm must be 2 for several outputs with output_norm=2, got {judge.pricer.norm:g}")
        self.judge = judge

    def run(self, warm_start: Solution | TwoLayerNetwork | None = None) -> Solution:
        with threadpool_limits(limits=1, user_api="blas"):
            status = self._work(self.judge.units.neurons(*neurons_of(warm_start, self.judge.pricer))[0])
            return self._finish(status)

    def _work(self, U: FloatArray) -> Status:
        """Rounds of conic programs and pricing."""
        judge = self.judge
        program = VectorProgram(judge, judge.n_outputs)
        stuck, waiting = 0, U[:, :0]
        for _ in range(_MOST_ROUNDS):
            begin = time.perf_counter()
            # Where nothing moves the dual point is not unique, and one that all directions so far agree to makes progress.
            U, G, shift, V = program.solve(np.hstack([U, waiting]), fixed=stuck % 2 == 1)
            judge.seconds["solve"] += time.perf_counter() - begin
            pricing, moved = judge.round(VectorBlocks(U, G, shift=shift), V.ravel(), tight=True)
            status = judge.ended()
            if status is not None:
                return status
            stuck = 0 if moved else stuck + 1
            if stuck > _MOST_STUCK:
                break
            entering = pricing.directions[:, distinct(judge.pricer, pricing, judge.violation)]
            waiting = np.hstack([waiting, entering]) if stuck else entering
        return Status.NUMERICAL_FAILURE

    def _finish(self, status: Status) -> Solution:
        blocks = self.judge.best
        assert isinstance(blocks, VectorBlocks)
        network, objective = self._network(blocks, worth_of_few(self.judge))
        return conclude(self.judge, status, network, objective)

    def _network(self, blocks: VectorBlocks, worth: float) -> tuple[VectorNetwork, float]:
        """The network of the blocks, reduced to at most n C neurons where that costs no more than this share."""
        judge = self.judge
        pricer = judge.pricer
        data = pricer.data if pricer.bias is False else pricer.data[:, :-1]
        shift = blocks.shift
        none = np.zeros((len(pricer.data[0]), 0)), np.zeros((0, judge.n_outputs))
        candidates = []
        for U, G, c, X in (
            (*none, 0.0 * shift, None),
            (blocks.columns, blocks.signs, shift, data),
            (blocks.columns, blocks.signs, shift, None),
        ):
            net = VectorNetwork.from_atoms(U, G, c, activation=pricer.kappa, bias=pricer.bias, X=X)
            fit = judge.loss.value(net.predict(data).ravel(), judge.y)
            candidates.append((net, fit + judge.beta * net.penalty(bias=pricer.bias or "penalized")))
        least = min(value for _, value in candidates)
        limit = least + worth * max(abs(least), 1e-3 * judge.empty)
        return candidates[0] if candidates[0][1] <= least else next(c for c in candidates[1:] if c[1] <= limit)


def check_separable(loss: Loss) -> None:
    """`InputError` where (30) is no sum over the outputs."""
    if not loss.separable:
        raise InputError(f"loss must be a sum over the outputs for output_norm=1, got {loss.name!r}")


def joined(solutions: Sequence[Solution], Y: FloatArray, loss: Loss, tol: float) -> Solution:
    """The solution of (30), l1 over the output weights of a neuron, from those of its C scalar problems.

    Splitting a neuron with several outputs into one for each output, of the same direction, leaves the outputs and does not
    raise the penalty: ||w1|| ||w2||_1 = sum_c ||w1|| |w2_c|. So the problem is a sum over outputs where the loss is.
    """
    networks = [s.network for s in solutions]
    W2 = np.zeros((sum(net.n_neurons for net in networks), len(networks)))
    at = 0
    for c, net in enumerate(networks):
        W2[at : at + net.n_neurons, c] = net.w2
        at += net.n_neurons
    first = networks[0]
    b1 = None if first.b1 is None else np.concatenate([net.b1 for net in networks if net.b1 is not None])
    network = VectorNetwork(np.hstack([net.W1 for net in networks]), b1, W2, first.activation)
    objective, bound = (math.fsum(values) for values in zip(*((s.objective, s.lower_bound) for s in solutions), strict=True))
    bound -= len(solutions) * float(np.finfo(np.float64).eps) * abs(bound)
    gap = relative_gap(objective, bound, loss.value(np.zeros(Y.size), Y.ravel()))
    worst = next((s.status for s in solutions if s.status is not Status.CERTIFIED), Status.CERTIFIED)
    dual = np.stack([s.dual for s in solutions], axis=1)
    dual.setflags(write=False)
    residuals = KKTResiduals(
        *(max(getattr(s.residuals, name) for s in solutions) for name in KKTResiduals.__dataclass_fields__)
    )
    problem = solutions[0].problem
    return replace(
        solutions[0],
        status=Status.CERTIFIED if gap <= tol else worst if worst is not Status.CERTIFIED else Status.NUMERICAL_FAILURE,
        network=network,
        objective=objective,
        lower_bound=bound,
        gap=gap,
        patterns=np.concatenate([s.patterns for s in solutions]),
        dual=dual,
        convex_objective=math.fsum(s.convex_objective for s in solutions),
        residuals=residuals,
        n_priced=sum(s.n_priced for s in solutions),
        seconds={k: sum(s.seconds[k] for s in solutions) for k in solutions[0].seconds},
        history=(),
        problem=None if problem is None else replace(problem, y=Y, output_norm=1),
    )
