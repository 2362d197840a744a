"""One unit normal for each hyperplane of a data matrix, and the rows as multiples of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray

__all__ = ["unit_normals"]


def unit_normals(data: FloatArray, hyperplanes: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """The normals, (m, d), and what each row is a multiple of them by, (n,).

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
    hyperplanes : ndarray, shape (n,), int64
        Which hyperplane each row lies on, -1 for a zero row.

    Examples
    --------
    >>> import numpy as np
    >>> normals, factors = unit_normals(np.array([[3.0, 4.0], [0.0, 0.0], [-6.0, -8.0]]), np.array([0, -1, 0]))
    >>> normals.tolist(), factors.tolist()
    ([[0.6, 0.8]], [5.0, 0.0, -10.0])
    """
    n, d = data.shape
    m = int(hyperplanes.max(initial=-1)) + 1
    used = hyperplanes >= 0
    normals = np.zeros((m, d))
    normals[hyperplanes[used][::-1]] = data[used][::-1]  # the first row of each
    # The squares of tiny and of huge entries leave the range of doubles: a power of two first, which rounds nothing.
    normals = np.ldexp(normals, -np.frexp(np.abs(normals).max(axis=1, keepdims=True, initial=0.0))[1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) if m else 1.0
    factors = np.zeros(n)
    factors[used] = np.einsum("ij,ij->i", data[used], normals[hyperplanes[used]])
    return normals, factors
