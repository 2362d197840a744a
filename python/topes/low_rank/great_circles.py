"""The largest price on a great circle, exactly up to rounding: the step of the local search for directions.

On the circle u(t) = cos t u + sin t e each row's x.u(t) changes sign at two opposite points. Between them the price is
P cos t + Q sin t, whose coefficients change at a crossing by those of one row: one sort gives the best of 2 n arcs. A
step so goes over any number of walls, and past maxima that a gradient would end at.
"""

from __future__ import annotations

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi

__all__ = ["best_on_circles"]

_NOTHING = 1e-9  # of a direction, beside u: what is left is u and -u
_ENTRIES = 1 << 18  # rows times circles that are looked at together


def best_on_circles(
    data: FloatArray, v: FloatArray, U: FloatArray, E: FloatArray, signs: FloatArray, kappa: float, penalised: int
) -> tuple[FloatArray, FloatArray]:
    """The best point of each great circle through U[:, k] and E[:, k], by sign_k * v'phi(data u).

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
    v : ndarray, shape (n,), float64
    U, E : ndarray, shape (d, K), float64
        The first `penalised` entries of each column of U have norm 1; those of E are made orthogonal to them.
    signs : ndarray, shape (K,), float64
        1 or -1.
    kappa : float
        phi(x) = max(x, kappa x).
    penalised : int
        So many coordinates count in the norm: all d but for a free bias.

    Returns
    -------
    U : ndarray, shape (d, K), float64
        Never worse than those given, up to rounding.
    values : ndarray, shape (K,), float64
    """
    step = max(1, _ENTRIES // max(1, len(data)))
    out = np.array(U)
    for first in range(0, U.shape[1], step):
        part = slice(first, first + step)
        out[:, part] = _moved(data, v, U[:, part], E[:, part], signs[part], kappa, penalised)
    return out, np.asarray(signs * (v @ phi(data @ out, kappa)))


def _moved(
    data: FloatArray, v: FloatArray, U: FloatArray, E: FloatArray, signs: FloatArray, kappa: float, penalised: int
) -> FloatArray:
    size = np.linalg.norm(E[:penalised], axis=0)
    E = E - U * np.sum(U[:penalised] * E[:penalised], axis=0)
    left = np.linalg.norm(E[:penalised], axis=0)
    E = np.where(left > _NOTHING * size, E, 0.0) / np.where(left > _NOTHING * size, left, 1.0)
    a, b = data @ U, data @ E
    K = U.shape[1]
    # phi(x) = kappa x + (1 - kappa) max(0, x)
    weight = (1.0 - kappa) * v[:, None] * signs
    linear = kappa * signs * (v @ a), kappa * signs * (v @ b)
    wa, wb = weight * a, weight * b
    above = (a > 0.0) | ((a == 0.0) & (b > 0.0))  # just after 0
    crossing = np.where(a == 0.0, np.pi, np.mod(np.arctan2(-a, b), np.pi))
    order = np.argsort(crossing, axis=0)
    crossing = np.take_along_axis(crossing, order, axis=0)
    low, high = np.vstack([np.zeros((1, K)), crossing]), np.vstack([crossing, np.full((1, K), np.pi)])
    best, where = np.full(K, -np.inf), np.zeros(K)
    P, Q = (_on_arcs(w, above, order) for w in (wa, wb))
    # On the other half of the circle, u(t + pi) = -u(t), the rows that are above are those that are not here.
    halves = (P + linear[0], Q + linear[1]), (P - wa.sum(axis=0) - linear[0], Q - wb.sum(axis=0) - linear[1])
    for half, (p, q) in enumerate(halves):
        peak = np.mod(np.arctan2(q, p), 2.0 * np.pi)
        inside = (low <= peak) & (peak <= high)
        values = np.where(inside, np.hypot(p, q), p * np.cos(low) + q * np.sin(low))
        k = values.argmax(axis=0)
        value = np.take_along_axis(values, k[None], axis=0)[0]
        angle = np.take_along_axis(np.where(inside, peak, low), k[None], axis=0)[0]
        better = value > best
        best, where = np.where(better, value, best), np.where(better, angle + half * np.pi, where)
    return np.asarray(U * np.cos(where) + E * np.sin(where))


def _on_arcs(weight: FloatArray, above: np.ndarray, order: np.ndarray) -> FloatArray:
    """Sums over the rows above, on each arc from 0 to pi, shape (n + 1, K)."""
    first = np.sum(np.where(above, weight, 0.0), axis=0, keepdims=True)
    change = np.take_along_axis(np.where(above, -weight, weight), order, axis=0)
    return np.vstack([first, first + np.cumsum(change, axis=0)])
