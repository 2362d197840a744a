"""Interpolation as a loss, (24)-(25): zero where the outputs are as asked, infinite elsewhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..losses import Loss
from ..losses.base import ours

__all__ = ["InterpolationLoss", "MarginLoss"]


@ours
class InterpolationLoss(Loss):
    """0 where f = y, infinite elsewhere; L*(v) = v'y.

    Training with it is (24): the least sum of norms of a network that takes the values y, whatever beta is.
    """

    name = "interpolation"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return 0.0 if np.array_equal(f, y) else math.inf

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.zeros_like(f)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.transforms.indicator([f == y])

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def lipschitz(self, n: int) -> float | None:
        return None


@ours
class MarginLoss(Loss):
    """0 where y_i f_i >= 1 for all i, infinite elsewhere, labels -1 and +1; L*(v) = v'y for -y_i v_i >= 0.

    It is the limit of the hinge loss as beta goes to 0: a network of maximal margin.
    """

    name = "margin"
    needs_labels = True

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return 0.0 if bool(np.all(y * f >= 1.0)) else math.inf

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.zeros_like(f)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.transforms.indicator([cp.multiply(y, f) >= 1.0])

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.where(y > 0.0, -np.inf, 0.0), np.where(y > 0.0, 0.0, np.inf)

    def lipschitz(self, n: int) -> float | None:
        return None
