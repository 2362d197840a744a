"""Losses with their kinks rounded off, for training only: nobody asks for them by name.

Where |f_i - y_i| <= t a kink of slope 1 becomes a parabola of curvature 1 / t (the Moreau envelope of the loss):

    L_t(f, y) = min_g L(g, y) + ||f - g||^2 / (2 t) = t S(f / t, y / t),    0 <= L - L_t <= n t / 2,

and the gradient of L_t is the point of the domain of L* next to (f - y) / t. S is Huber's loss, or half of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from .base import Loss, ours
from .regression import HuberLoss

__all__ = ["SMOOTHED", "HalfHuberLoss"]


@ours
class HalfHuberLoss(Loss):
    """Huber's loss, threshold 1, of what f_i lacks of y_i: none where f_i is y_i or further from zero on its side."""

    name = "half_huber"
    needs_labels = True  # times any number

    def _lack(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.where((f - y) * y < 0.0, f - y, 0.0)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        t = np.abs(self._lack(f, y))
        return float(np.sum(np.where(t <= 1.0, 0.5 * np.minimum(t, 1.0) ** 2, t - 0.5)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.clip(self._lack(f, y), -1.0, 1.0)

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        t = self._lack(f, y)
        return np.asarray((t != 0.0) & (np.abs(t) <= 1.0), dtype=np.float64)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum(cp.huber(cp.pos(cp.multiply(np.sign(y), y - f)), 1))

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.minimum(-np.sign(y), 0.0), np.maximum(-np.sign(y), 0.0)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.5 * v + y))

    def lipschitz(self, n: int) -> float | None:
        return math.sqrt(n)


SMOOTHED: dict[str, Loss] = {"absolute": HuberLoss(), "hinge": HalfHuberLoss()}
"""S above, by the name of L: what is left of L when its kinks are rounded off."""
