"""Training where the loss has kinks and p = 2: Newton's method with the kinks rounded off by less and less.

The dual points are feasible for the loss itself, so that every round bounds p*. What rounding costs is known: half its
width times ||v||^2. Near the optimum most samples lie on a kink, and a conic program over all of them is what this saves.
"""

from __future__ import annotations

import math
import time

import numpy as np

from ..losses.smoothed import SMOOTHED
from ..result import Status
from .blocks import Blocks
from .descent import Descent
from .entering import enter_priced
from .judge import Judge

__all__ = ["is_smoothed", "smooth"]

# The first width, a share of the largest target; each next one, a share of the one before.
_FIRST, _NEXT = 0.1, 0.1
# A width is done with when its gap is this share of what rounding costs.
_ENOUGH = 0.5
# The conic program takes over where rounding costs less than this share of the gap asked for.
_HAND_OVER = 0.1
_MOST_ROUNDS = 40
# Nor more than so many in a row in which the objective falls by less than this share of what rounding costs: a neuron that
# vanishes with the width may be too small beside the others to be held.
_MOST_STUCK, _PROGRESS = 3, 1e-6
# Prices of the neurons are met to this share of the gap asked for, but no better: with less, rounds were many times as many.
_SHARE, _FINEST = 2e-2, 1e-6


def is_smoothed(judge: Judge) -> bool:
    """Whether `smooth` is for this problem."""
    return judge.loss.name in SMOOTHED and judge.pricer.norm == 2.0


def smooth(judge: Judge, blocks: Blocks) -> tuple[Blocks, Status | None]:
    """Rounds of descent and pricing until the gap or a limit is met; no status where rounding costs hardly a thing."""
    width = _FIRST * float(np.abs(judge.y).max(initial=0.0))
    while width > 0.0:
        blocks, status, cost = _at_width(judge, blocks, width)
        if status is not None or cost <= _HAND_OVER * judge.tol * judge.best_value:
            return blocks, status
        width *= _NEXT
    return blocks, None


def _at_width(judge: Judge, blocks: Blocks, width: float) -> tuple[Blocks, Status | None, float]:
    """Training of the rounded loss, in units of the width, to a gap as large as what rounding costs; which comes last."""
    pricer, y, beta, loss = judge.pricer, judge.y, judge.beta, judge.loss
    descent = Descent(pricer, y / width, beta, SMOOTHED[loss.name], judge.deadline)
    descent.enter(blocks.columns / width, blocks.signs)
    descent.constant = blocks.constant / width
    cost, least, stuck = 0.0, math.inf, 0
    for _ in range(_MOST_ROUNDS):
        begin = time.perf_counter()
        descent.minimise(max(_SHARE * judge.tol, _FINEST))
        judge.seconds["solve"] += time.perf_counter() - begin
        small = descent.blocks()
        blocks = Blocks(width * small.columns, small.signs, width * small.constant)
        v = loss.project_dual(descent.outputs() - y / width, y)
        pricing, _ = judge.round(blocks, v, tight=True)
        status = judge.ended()
        cost = 0.5 * width * float(v @ v)
        if status is not None:
            return blocks, status, cost
        t = min(1.0, beta / pricing.upper_bound) if pricing.upper_bound > 0.0 else 1.0
        value = width * descent.value()
        gap = value + loss.conjugate(t * v, y) + t * t * cost
        stuck = 0 if value < least - _PROGRESS * cost else stuck + 1
        least = min(least, value)
        if gap <= _ENOUGH * cost or stuck > _MOST_STUCK or not enter_priced(descent, judge, pricing, v, width):
            break
    return blocks, None, cost
