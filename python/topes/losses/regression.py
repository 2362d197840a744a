"""Losses of outputs against targets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..errors import InputError
from .base import BoolArray, Loss, is_own, ours

__all__ = ["AbsoluteLoss", "HuberLoss", "L2Loss", "SquaredLoss"]


class _RegressionLoss(Loss):
    """A loss of targets of any size."""

    def check_targets(self, y: FloatArray) -> FloatArray:
        """Return y, or raise `InputError` when its loss at outputs of 0 is beyond doubles."""
        y = super().check_targets(y)
        with np.errstate(over="ignore"):
            value = self.value(np.zeros(y.size), y.ravel())
        if not math.isfinite(value):
            largest = float(np.abs(y).max(initial=0.0))
            raise InputError(
                f"y must be so small that its {self.name} loss at outputs of 0 lies within the range of doubles, 1.8e308; "
                f"got entries up to {largest:.3g}"
            )
        return y


@ours
class SquaredLoss(_RegressionLoss):
    """0.5 * ||f - y||_2^2 (Example II.1)."""

    name = "squared"
    homogeneity = 2

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return 0.5 * float(np.sum((f - y) ** 2))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return f - y

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.ones_like(f)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum_squares(f - y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.5 * v + y))

    def lipschitz(self, n: int) -> float | None:
        return None


@ours
class L2Loss(_RegressionLoss):
    """||f - y||_2, not squared: 1-Lipschitz, the loss of Theorem III.1's example and of Figure 5."""

    name = "l2"
    homogeneity = 1
    kink_is_joint = True
    separable = False

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return _length(f - y)

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        residual = f - y
        norm = _length(residual)
        return residual / norm if norm > 0.0 else np.zeros_like(residual)

    def curvature(self, f: FloatArray, y: FloatArray, A: FloatArray) -> FloatArray | None:
        residual = f - y
        size = float(np.linalg.norm(residual))
        if size <= 1e-6 * float(np.linalg.norm(y)):
            return None
        along = A.T @ (residual / size)
        return np.asarray((A.T @ A - np.outer(along, along)) / size)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.norm(f - y, 2)

    def in_domain(self, v: FloatArray, y: FloatArray) -> bool:
        # A unit vector in floating point, such as `project_dual` and `gradient` make, has norm 1 up to rounding.
        return bool(np.linalg.norm(v) <= 1.0 + len(v) * float(np.finfo(np.float64).eps))

    def project_dual(self, v: FloatArray, y: FloatArray, *, zero_sum: bool = False) -> FloatArray:
        centred = v - v.mean() if zero_sum else v
        return centred / max(1.0, float(np.linalg.norm(centred)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def lipschitz(self, n: int) -> float | None:
        return 1.0


def _length(v: FloatArray) -> float:
    """The 2-norm, also where squares are beyond doubles."""
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(v))
    if length < math.inf:
        return length
    largest = float(np.abs(v).max())
    return largest * float(np.linalg.norm(v / largest))


@ours
class AbsoluteLoss(_RegressionLoss):
    """||f - y||_1."""

    name = "absolute"
    homogeneity = 1

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.abs(f - y)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.sign(f - y)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.norm1(f - y)

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return -np.ones_like(y), np.ones_like(y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def lipschitz(self, n: int) -> float | None:
        return math.sqrt(n)


@ours
class HuberLoss(_RegressionLoss):
    """Huber's loss with threshold 1: t^2 / 2 for |t| <= 1, |t| - 1/2 beyond, t = f - y."""

    name = "huber"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        t = np.abs(f - y)
        return float(np.sum(np.where(t <= 1.0, 0.5 * np.minimum(t, 1.0) ** 2, t - 0.5)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.clip(f - y, -1.0, 1.0)

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return (np.abs(f - y) <= 1.0).astype(np.float64)

    def simplest(self, y: FloatArray) -> Loss:
        """The squared loss where ||y|| < 1: one residual of 1 costs more than all of y, so none of these is beyond."""
        short = float(np.abs(y).max(initial=0.0)) < 1.0 and float(y @ y) < 0.999
        return SquaredLoss() if short and not is_own(self) else self

    def expression(self, f: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum(cp.huber(f - y, 1))  # cvxpy's huber is t^2 near 0: twice ours

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return -np.ones_like(y), np.ones_like(y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.5 * v + y))

    def lipschitz(self, n: int) -> float | None:
        return math.sqrt(n)
