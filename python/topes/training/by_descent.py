"""Training where the loss is smooth and p = 2: Newton's method across the cells, and pricing, in turn."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..network import pooled
from ..pricing.oracle import Pricer, Pricing
from ..result import Status
from .blocks import Blocks
from .descent import Descent
from .judge import Judge

__all__ = ["descend", "distinct", "enter_small", "far_apart", "is_smooth"]

_MOST_ROUNDS = 300
# Rounds in which neither side of the gap moves before giving up.
_MOST_STUCK = 10
# A round's new neurons: at most so many, this share of the width of a bump apart, and no less than this angle (radians).
_ENTERING, _APART, _LEAST_ANGLE = 64, 0.5, 1e-3
# Prices of the neurons are met to this share of the gap, at last to that share of the gap asked for.
_PRECISION, _LAST = 1e-2, 2e-2


def is_smooth(loss: Loss, y: FloatArray, f: FloatArray | None = None) -> bool:
    """Whether the loss has second derivatives at these outputs, by default those of the empty network."""
    return loss.curvature(np.zeros_like(y) if f is None else f, y, np.zeros((len(y), 0))) is not None


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


def enter_priced(descent: Descent, judge: Judge, pricing: Pricing, v: FloatArray, unit: float = 1.0) -> bool:
    """Small neurons on the priced directions, in units of so much output; whether there were any."""
    pricer = judge.pricer
    chosen = distinct(pricer, pricing, judge.violation)
    signs = -pricing.signs[chosen].astype(np.float64)  # the loss falls against v
    return enter_small(descent, pricing.directions[:, chosen], signs, v, unit)


def enter_small(descent: Descent, U: FloatArray, signs: FloatArray, v: FloatArray, unit: float = 1.0) -> bool:
    """Neurons as large as each alone should be for the squared loss, shared among them; whether there were any."""
    rows = descent.rows
    if not len(signs):
        return False
    A = pooled(phi(rows.data @ U, rows.kappa), rows.pool) * signs / unit
    gain = np.maximum(-unit * (A.T @ v) - descent.beta, 0.0) / np.maximum(np.sum(A * A, axis=0), 1e-300) / len(signs)
    descent.enter(U[:, gain > 0.0] * gain[gain > 0.0], signs[gain > 0.0])
    return bool(gain.any())


def distinct(pricer: Pricer, pricing: Pricing, violation: float) -> list[int]:
    """Directions of different bumps of the price, best first, in the data's own metric."""
    return far_apart(pricer.unwhitening @ pricing.directions, pricing.signs, violation)


def far_apart(Z: FloatArray, signs: npt.NDArray[Any], violation: float, most: int = _ENTERING) -> list[int]:
    """Columns of Z, the best first, no two of one sign on one bump.

    A price exceeds beta by the share `violation` at most, so a bump above beta is about its square root wide.
    """
    units = Z / np.maximum(np.linalg.norm(Z, axis=0), 1e-300) * signs
    near = np.cos(max(_LEAST_ANGLE, _APART * min(1.0, violation) ** 0.5))
    chosen: list[int] = []
    open_ = np.ones(units.shape[1], dtype=bool)
    for k in range(units.shape[1]):
        if open_[k]:
            chosen.append(k)
            if len(chosen) == most:
                break
            open_ &= ~((signs == signs[k]) & (units.T @ units[:, k] > near))
    return chosen
