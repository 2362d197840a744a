"""Losses of outputs against labels -1 and +1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, xlogy

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from .base import BoolArray, Loss, ours

__all__ = ["HingeLoss", "LogisticLoss", "SquaredHingeLoss"]


class _MarginLoss(Loss):
    """A sum of functions of the margins y_i f_i, non-increasing with slope at least -1 (unbounded if `_unbounded`)."""

    needs_labels = True
    _unbounded: ClassVar[bool] = False

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        # p = -y v in [0, 1], or [0, inf): v lies between 0 and -y (times infinity).
        end = -y * (np.inf if self._unbounded else 1.0)
        return np.minimum(end, 0.0), np.maximum(end, 0.0)

    def lipschitz(self, n: int) -> float | None:
        return None if self._unbounded else math.sqrt(n)


@ours
class LogisticLoss(_MarginLoss):
    """sum log(1 + exp(-y_i f_i)), labels -1 and +1."""

    name = "logistic"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.logaddexp(0.0, -y * f)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.asarray(-y * expit(-y * f))

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.asarray(expit(f) * expit(-f))

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum(cp.logistic(cp.multiply(-y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        p = -y * v
        # xlogy gives 0 log 0 = 0; log1p keeps the digits of (1 - p) log(1 - p) for tiny p, and q = 0 is its own case.
        q = 1.0 - p
        with np.errstate(divide="ignore", invalid="ignore"):
            complement = np.where(q > 0.0, q * np.log1p(-p), 0.0)
        return float(np.sum(xlogy(p, p) + complement))

    def conjugate_size(self, v: FloatArray, y: FloatArray) -> float:
        # The entropy of p is at most 1, and its second term rounds like p.
        return super().conjugate_size(v, y) + float(np.count_nonzero(v))


@ours
class HingeLoss(_MarginLoss):
    """sum max(0, 1 - y_i f_i), labels -1 and +1."""

    name = "hinge"

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)  # y f = 1 is f = y for a label

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.maximum(0.0, 1.0 - y * f)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.where(y * f < 1.0, -y, 0.0)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum(cp.pos(1.0 - cp.multiply(y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(y @ v)


@ours
class SquaredHingeLoss(_MarginLoss):
    """sum max(0, 1 - y_i f_i)^2, labels -1 and +1; no factor 1/2, as in LIBLINEAR and scikit-learn."""

    name = "squared_hinge"
    _unbounded = True

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.maximum(0.0, 1.0 - y * f) ** 2))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return -2.0 * y * np.maximum(0.0, 1.0 - y * f)

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.where(y * f < 1.0, 2.0, 0.0)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum_squares(cp.pos(1.0 - cp.multiply(y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.25 * v + y))

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.where(y > 0.0, -np.inf, 0.0), np.where(y > 0.0, 0.0, np.inf)
