"""Training where the loss is smooth and p = 2: Newton's method across the cells, and pricing, in turn."""

from __future__ import annotations

import time

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss, is_own
from ..result import Status
from .blocks import Blocks
from .descent import Descent
from .entering import enter_priced
from .judge import Judge

__all__ = ["descend", "is_smooth"]

_MOST_ROUNDS = 300
# Rounds in which neither side of the gap moves before giving up.
_MOST_STUCK = 10
# Prices of the neurons are met to this share of the gap, at last to that share of the gap asked for.
_PRECISION, _LAST = 1e-2, 2e-2


def is_smooth(loss: Loss, y: FloatArray, f: FloatArray | None = None) -> bool:
    """Whether the core knows the loss, and it has second derivatives at these outputs, by default the empty network's."""
    return not is_own(loss) and loss.curvature(np.zeros_like(y) if f is None else f, y, np.zeros((len(y), 0))) is not None


def descend(judge: Judge, blocks: Blocks) -> tuple[Blocks, Status | None]:
    """Rounds until the gap is met or a limit is; None as the status where nothing moves any more."""
    pricer, y, beta = judge.pricer, judge.y, judge.beta
    descent = Descent(pricer, y, beta, judge.loss, judge.deadline)
    descent.enter(blocks.columns, blocks.signs)
    descent.constant = blocks.constant
    entered, stuck = True, 0
    for _ in range(_MOST_ROUNDS):
        begin = time.perf_counter()
        if entered:
            descent.minimise(max(_LAST * judge.tol, _PRECISION * judge.gap if judge.history else 0.0))
        judge.seconds["solve"] += time.perf_counter() - begin
        f = descent.outputs()
        if not is_smooth(judge.loss, y, f):
            return descent.blocks(), None
        v = judge.loss.gradient(f, y)
        pricing, moved = judge.round(descent.blocks(), v, tight=True)
        status = judge.ended()
        stuck = 0 if moved else stuck + 1
        if status is not None or stuck > _MOST_STUCK or not len(pricing.values):
            return descent.blocks(), status
        entered = enter_priced(descent, judge, pricing, v)
    return descent.blocks(), None
