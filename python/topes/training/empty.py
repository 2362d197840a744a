"""The network without neurons: the gradient of the loss at it, where it is optimal from some beta on."""

from __future__ import annotations

import math

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss, is_own

__all__ = ["empty_dual"]

# Where the logistic loss has no slope left in doubles, and further.
_FAR = 1000.0
_FURTHEST = 1e100


def empty_dual(loss: Loss, y: FloatArray, *, free: bool) -> FloatArray:
    """A gradient of the loss at outputs of zero or, with a free bias, at the best constants; y and it (n,) or (n, C).

    Those of each output sum to zero then, up to rounding; where the loss has a kink, all samples on it have the same share.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.losses import get_loss
    >>> empty_dual(get_loss("absolute"), np.array([1.0, 2.0, 2.0, 5.0, 1e300]), free=True)
    array([ 1. ,  0.5,  0.5, -1. , -1. ])
    """
    if y.ndim == 2 and loss.separable:
        return np.stack([empty_dual(loss, column, free=free) for column in y.T], axis=1)
    if loss.name == "l2" and free and len(y):
        for _ in range(2):  # where all are alike rounding leaves something, and its direction would be the gradient
            y = y - y.mean(axis=0)
        free = False
    if not free or not len(y):
        return loss.gradient(np.zeros(y.size), y.ravel()).reshape(y.shape)
    low, high = (-_FAR, _FAR) if loss.needs_labels else (float(y.min()), float(y.max()))
    if is_own(loss):  # the best constants may lie beyond the targets
        low, high = _bracket(loss, y, low, high)
    left, right = (loss.gradient(np.full_like(y, c), y) for c in (low, high))
    while low < (middle := 0.5 * low + 0.5 * high) < high:
        at = loss.gradient(np.full_like(y, middle), y)
        total = math.fsum(at)
        if total == 0.0:
            return at
        if total < 0.0:
            low, left = middle, at
        else:
            high, right = middle, at
    below, above = -math.fsum(left), math.fsum(right)
    return left if below <= 0.0 else left + (below / (below + above)) * (right - left)


def _bracket(loss: Loss, y: FloatArray, low: float, high: float) -> tuple[float, float]:
    """Constants between which the slope changes its sign, or far out."""
    step = max(high - low, 1.0)
    while low > -_FURTHEST and math.fsum(loss.gradient(np.full_like(y, low), y)) > 0.0:
        low, step = low - step, 2.0 * step
    while high < _FURTHEST and math.fsum(loss.gradient(np.full_like(y, high), y)) < 0.0:
        high, step = high + step, 2.0 * step
    return low, high
