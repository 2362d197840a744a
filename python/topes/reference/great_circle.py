"""The largest price on a great circle, arc by arc: the readable twin of `cpp/src/great_circle.cpp`."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .._support.validation import FloatArray

__all__ = ["largest_on_circle"]


def largest_on_circle(data: FloatArray, v: FloatArray, u: FloatArray, e: FloatArray, kappa: float) -> float:
    """The largest v'phi(data (cos t u + sin t e)) over all t.

    Between two angles at which a row changes sign all rows keep theirs, and the price is P cos t + Q sin t.

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
    v : ndarray, shape (n,), float64
    u, e : ndarray, shape (d,), float64
    kappa : float
        phi(x) = max(x, kappa x).

    Examples
    --------
    >>> import numpy as np
    >>> largest_on_circle(np.eye(2), np.array([3.0, 4.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.0)
    5.0
    """
    a, b = data @ u, data @ e

    def price(t: float) -> float:
        x = math.cos(t) * a + math.sin(t) * b
        return float(v @ np.where(x > 0.0, x, kappa * x))

    angles = {0.0, 2.0 * math.pi}
    for x, y in zip(a, b, strict=True):
        t = math.atan2(-x, y) % math.pi
        angles |= {t, t + math.pi}
    ends = sorted(angles)
    values = [price(t) for t in ends]
    for first, last in pairwise(ends):
        middle = 0.5 * (first + last)
        x = math.cos(middle) * a + math.sin(middle) * b
        slope = np.where(x > 0.0, 1.0, kappa) * v
        peak = math.atan2(float(slope @ b), float(slope @ a)) % (2.0 * math.pi)
        if first <= peak <= last:
            values.append(price(peak))
    return max(values)
