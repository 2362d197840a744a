"""Lower bounds from the dual (9): a point scaled until it is feasible, and what rounding may have added to its value."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar

from ._support.validation import FloatArray
from .losses import Loss, is_own

__all__ = ["lower_bound", "zero_sum"]

_EPS = float(np.finfo(np.float64).eps)
_LEAST = float(np.finfo(np.float64).smallest_subnormal)


def lower_bound(loss: Loss, v: FloatArray, y: FloatArray, beta: float, price: float) -> tuple[float, FloatArray]:
    """The best -L*(t v) over t in [0, beta / price], by weak duality a lower bound on p*.

    Parameters
    ----------
    loss : Loss
    v : ndarray, shape (n,), float64
        In the domain of L*.
    y : ndarray, shape (n,), float64
    beta : float
    price : float
        An upper bound on m(v).

    Returns
    -------
    bound : float
        In units of the loss.
    dual : ndarray, shape (n,), float64
        t v.
    """
    most = 1.0 if price <= beta else beta / price * (1.0 - 4.0 * _EPS)
    t = _best_scale(loss, v, y, most)
    return -loss.conjugate(t * v, y) - _rounding(loss, t * v, y), t * v


def _best_scale(loss: Loss, v: FloatArray, y: FloatArray, most: float) -> float:
    """The t in [0, most] with the largest -L*(t v), a concave function of t."""
    result = minimize_scalar(
        lambda t: loss.conjugate(t * v, y), bounds=(0.0, most), method="bounded", options={"xatol": 1e-6 * most}
    )
    return min((0.0, float(result.x), most), key=lambda t: loss.conjugate(t * v, y))


def _rounding(loss: Loss, v: FloatArray, y: FloatArray) -> float:
    """Covers the roundings of a conjugate, a sum over n, and the sums here; below the normal numbers they are absolute."""
    if not np.any(v) and not is_own(loss):
        return 0.0  # sums of zeros
    return (len(v) + 8) * (_EPS * loss.conjugate_size(v, y) + _LEAST)


def zero_sum(v: FloatArray) -> FloatArray:
    """v rounded towards zero to a grid on which its entries, one of them moved towards zero, sum to zero exactly."""
    most = float(np.abs(v).max(initial=0.0))
    if most == 0.0:
        return v
    unit = 2.0 ** (math.ceil(math.log2(most)) - 40)
    grid = np.trunc(v / unit)
    while (rest := float(grid.sum())) != 0.0:
        k = int(np.argmax(np.sign(rest) * grid))
        grid[k] -= math.copysign(min(abs(rest), abs(grid[k])), rest)
    return np.asarray(grid * unit)
