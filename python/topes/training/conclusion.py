"""From the best of both sides of a run to the `Solution` it returns, whatever the model."""

from __future__ import annotations

import time

import numpy as np

from ..network import TwoLayerNetwork
from ..result import KKTResiduals, Solution, Status, relative_gap
from .judge import Judge

__all__ = ["conclude", "worth_of_few"]

_LITTLE = 1e-9  # next to what solvers leave


def worth_of_few(judge: Judge) -> float:
    """What share of the objective fewer neurons may cost: what the gap leaves, or a gap more where `tol` is missed."""
    missed = min(judge.gap, _LITTLE) if judge.gap > judge.tol else 0.0
    return max(0.01 * judge.tol, 0.9 * (judge.tol - judge.gap), missed)


def conclude(judge: Judge, status: Status, network: TwoLayerNetwork, objective: float) -> Solution:
    """The solution of a run whose best blocks became this network, with this objective (3)."""
    pricer, y, beta, loss, units = judge.pricer, judge.y, judge.beta, judge.loss, judge.units
    blocks, value, dual = judge.best, judge.best_value, judge.best_dual
    gap = relative_gap(objective, judge.best_bound, judge.empty)
    if status is Status.CERTIFIED and gap > judge.tol:
        status = Status.NUMERICAL_FAILURE
    elif status is Status.NUMERICAL_FAILURE and gap <= judge.tol:
        status = Status.CERTIFIED
    f = blocks.outputs(pricer)
    at_f = loss.value(f, y)
    whole = 1.0 + units.value(at_f)
    residuals = KKTResiduals(
        stationarity=units.value(max(0.0, at_f + loss.conjugate(dual, y) - float(dual @ f))) / whole,
        primal_feasibility=0.0,  # each column lies in the cell of its own pattern
        dual_feasibility=max(0.0, judge.price_at_best / beta - 1.0),
        complementarity=units.value(abs(value - at_f + float(dual @ f))) / whole,
    )
    patterns = (pricer.data @ blocks.columns >= 0.0).T.astype(np.uint8)
    dual = units.dual(dual.reshape(judge.asked.y.shape))
    for array in (patterns, dual):
        array.setflags(write=False)
    rest = time.perf_counter() - judge.start - sum(judge.seconds.values())
    return Solution(
        status,
        units.network(network),
        units.value(objective),
        units.bound(judge.best_bound),
        gap,
        patterns,
        dual,
        units.value(value),
        residuals,
        judge.n_priced,
        "working set",
        {**judge.seconds, "other": max(0.0, rest)},
        tuple(judge.history),
        judge.asked,
    )
