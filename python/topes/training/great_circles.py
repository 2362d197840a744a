"""A local search for directions of high price, by exact steps along great circles (`cpp/src/great_circle.cpp`).

On the circle cos t u + sin t e each row changes sign at two opposite points, so that one sort gives the best of all 2 n
arcs between them. A step so goes over any number of walls, and past maxima that a gradient would end at.
"""

from __future__ import annotations

import math
import time

import numpy as np

from .. import _core
from .._support.validation import FloatArray
from ..activation import phi

__all__ = ["best_on_circles", "search"]

_STARTS = 64
_NOTHING = 1e-9  # of a direction, beside u: what is left is u and -u


def best_on_circles(
    data: FloatArray,
    v: FloatArray,
    U: FloatArray,
    heights: FloatArray,
    E: FloatArray,
    signs: FloatArray,
    kappa: float,
    penalised: int,
) -> tuple[FloatArray, FloatArray]:
    """The best point of each great circle through U[:, k] and E[:, k], by sign_k * v'phi(data u).

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
    v : ndarray, shape (n,), float64
    U, E : ndarray, shape (d, K), float64
        The first `penalised` entries of each column of U have norm 1; those of E are made orthogonal to them.
    heights : ndarray, shape (K, n), float64
        (data U)', contiguous: known from the step before.
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
    heights : ndarray, shape (K, n), float64
        Theirs.
    """
    size = np.linalg.norm(E[:penalised], axis=0)
    E = E - U * np.sum(U[:penalised] * E[:penalised], axis=0)
    left = np.linalg.norm(E[:penalised], axis=0)
    E = np.where(left > _NOTHING * size, E, 0.0) / np.where(left > _NOTHING * size, left, 1.0)
    slopes = np.ascontiguousarray(E.T @ data.T)
    cos, sin = _core.best_on_circles(heights, slopes, v, signs, kappa)
    return U * cos + E * sin, heights * cos[:, None] + slopes * sin[:, None]


def search(
    data: FloatArray,
    v: FloatArray,
    neurons: FloatArray,
    into: FloatArray,
    rng: np.random.Generator,
    *,
    kappa: float,
    penalised: int,
    circles: int,
    deadline: float = math.inf,
) -> tuple[FloatArray, FloatArray]:
    """Directions of high price, sought from those of the neurons and from random ones.

    Parameters
    ----------
    data, v, kappa, penalised
        As for `best_on_circles`.
    neurons : ndarray, shape (d, m), float64
    into : ndarray, shape (d, r), float64
        Random directions are `into` times Gaussian vectors.
    rng : Generator
    circles : int
        Steps: through the gradient and through a random direction in turn.
    deadline : float
        Of `time.perf_counter`: no step begins after it.

    Returns
    -------
    U : ndarray, shape (d, K), float64
        Of norm 1.
    prices : ndarray, shape (K,), float64
        v'phi(data u).
    """
    U = np.hstack([neurons, into @ rng.standard_normal((into.shape[1], _STARTS))])
    sizes = np.linalg.norm(U[:penalised], axis=0)
    U = U[:, sizes > 0.0] / sizes[sizes > 0.0]
    heights = np.ascontiguousarray(U.T @ data.T)
    signs = np.where(phi(heights, kappa) @ v < 0.0, -1.0, 1.0)
    for k in range(circles):
        if time.perf_counter() > deadline:
            break
        if k % 2 == 0:
            E = data.T @ (np.where(heights >= 0.0, 1.0, kappa) * v).T
        else:
            E = into @ rng.standard_normal((into.shape[1], U.shape[1]))
        U, heights = best_on_circles(data, v, U, heights, E, signs, kappa, penalised)
    return U, np.asarray(phi(heights, kappa) @ v)
