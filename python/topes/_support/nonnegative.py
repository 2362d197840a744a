"""Nonnegative least squares whose outcome is looked at: scipy's `nnls` has returned points that are not the minimum."""

from __future__ import annotations

import numpy as np
from scipy.optimize import lsq_linear, nnls

from .validation import FloatArray

__all__ = ["nonnegative_least_squares"]

# The slopes at the minimum are at least 0: up to this share of the length of a column times that of b.
_SLOPE = 1e-9


def nonnegative_least_squares(A: FloatArray, b: FloatArray, *, maxiter: int | None = None) -> FloatArray:
    """The x >= 0 with the least ||A x - b||, by `nnls`; or, where that finds none, by another method.

    Examples
    --------
    >>> nonnegative_least_squares(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, -1.0])).tolist()
    [2.0, 0.0]
    """
    if not A.size:  # of no columns scipy 1.17 frees the memory twice
        return np.zeros(A.shape[1])
    found = []
    try:
        found.append(nnls(A, b, maxiter=maxiter)[0])
        if _is_least(A, b, found[0]):
            return np.asarray(found[0])
    except RuntimeError:
        pass
    other = lsq_linear(A, b, bounds=(0.0, np.inf), method="bvls", tol=1e-15, max_iter=maxiter or 3 * A.shape[1])
    found.append(np.maximum(other.x, 0.0))
    return np.asarray(min(found, key=lambda x: float(np.linalg.norm(A @ x - b))))


def _is_least(A: FloatArray, b: FloatArray, x: FloatArray) -> bool:
    rest = b - A @ x
    room = _SLOPE * float(np.linalg.norm(b)) * np.linalg.norm(A, axis=0)
    slope = rest @ A
    return bool(np.all(slope <= room) and np.all(np.abs(slope[x > 0.0]) <= room[x > 0.0]))
