"""The first minimum along a line on which the outputs bend at known places: twin of `cpp/src/line_minimum.cpp`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..losses import Loss

__all__ = ["Bends", "line_minimum"]

_HALVINGS = 60
_SLOPE = 1e-9
_ROUNDING = 1e-15


class Bends(NamedTuple):
    """Where outputs bend, in increasing order: the place, the row, and by how much its slope grows."""

    at: FloatArray
    rows: npt.NDArray[np.intp]
    by: FloatArray


def line_minimum(
    f0: FloatArray,
    f1: FloatArray,
    bends: Bends,
    squares: list[FloatArray],
    loss: Loss,
    y: FloatArray,
    beta: float,
    most: float,
) -> tuple[float, int | None] | None:
    """A minimum of L(f(t), y) + beta * sum of norms over 0 < t <= most, no higher than the value at 0.

    Parameters
    ----------
    f0, f1 : ndarray, shape (n,), float64
        Outputs and their slope at 0.
    bends : Bends
    squares : list of ndarray, shape (m,)
        z.z, z.d and d.d of the blocks z + t d.
    most : float

    Returns
    -------
    (float, int or None), or None
        t, and the number of the bend it lies on, if the slope changes its sign there; None where nothing descends.
    """
    zz, zd, dd = squares

    def look(t: float, k: int) -> tuple[float, float]:
        """Slope and value at t with the first k bends behind."""
        rows, by, at = bends.rows[:k], bends.by[:k], bends.at[:k]
        slope = f1 + np.bincount(rows, by, len(f0))
        f = f0 + t * f1 + np.bincount(rows, by * (t - at), len(f0))
        norms = np.sqrt(np.maximum(zz + t * (2.0 * zd + t * dd), 1e-300))
        value = loss.value(f, y) + beta * float(norms.sum())
        return float(loss.gradient(f, y) @ slope) + beta * float(((zd + t * dd) / norms).sum()), value

    count = len(bends.at)
    first, start = look(0.0, 0)
    if not first < 0.0:
        return None
    start += _ROUNDING * abs(start)  # near the end slopes tell more than values
    last, end = look(most, count)
    if last <= 0.0 and end <= start:
        return most, None
    # The slope is negative behind bend `low` (0: the start) and the value no higher than at the start; not so at `high`.
    places = np.concatenate([[0.0], bends.at, [most]])
    low, high = 0, count + 1
    while high - low > 1:
        place = places[(low + high) // 2]  # bends at one place are passed together
        passed = int(np.searchsorted(bends.at, place, side="right"))
        slope, value = look(place, passed)
        low, high = (passed, high) if slope < 0.0 and value <= start else (low, int(np.searchsorted(bends.at, place)) + 1)
    a, b = float(places[low]), float(places[high])
    before, value = look(b, low)
    if before < 0.0 and high <= count and value <= start:
        return b, high - 1
    slope_a, slope_b = look(a, low)[0], before
    t = a
    for _ in range(_HALVINGS):
        t = a + (b - a) * (slope_a / (slope_a - slope_b)) if slope_b > 0.0 else 0.5 * (a + b)
        t = min(max(t, a + 0.02 * (b - a)), b - 0.02 * (b - a))
        slope, value = look(t, low)
        if slope < 0.0 and value <= start:
            a, slope_a = t, slope
        else:
            b, slope_b = t, slope
        if abs(slope) <= _SLOPE * abs(first) or b - a <= 1e-15 * b:
            break
    slope, value = look(t, low)
    return (t, None) if value <= start else ((a, None) if a > 0.0 else None)
