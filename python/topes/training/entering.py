"""Which of the directions found become neurons, and how large these are at first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..activation import phi
from ..network import pooled
from ..pricing.found import Pricing
from ..pricing.oracle import Pricer
from .descent import Descent
from .judge import Judge

__all__ = ["distinct", "enter_priced", "enter_small", "far_apart"]

# A round's new neurons: at most so many, this share of the width of a bump apart, and no less than this angle (radians).
_ENTERING, _APART, _LEAST_ANGLE = 64, 0.5, 1e-3


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
