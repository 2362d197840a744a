"""Prices of several outputs that are all but flat: a bound by norms, and directions that attain it.

phi is Lipschitz with max(1, abs(kappa)) and phi(0) = 0, so ||V'phi(Xu)|| <= max(1, abs(kappa)) ||V|| ||X|| over unit u,
spectral norms. Where the columns of X are orthonormal and V is, say, a multiple of one-hot labels, this is the price of so
many directions that a search over cones, whose bounds are near but not at the price, would never end.
"""

from __future__ import annotations

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi

__all__ = ["ascend", "spectral_norm"]

_EPS = float(np.finfo(np.float64).eps)
_STEPS, _NEAR = 20, 1.5


def spectral_norm(A: FloatArray) -> float:
    """No smaller than the largest singular value, and larger by few roundings.

    For B = A V, ||A|| <= ||B|| / s, s the least singular value of V. ||B'B|| and ||V'V - I|| are at most their largest
    absolute row sums, which are close where V holds singular vectors; that it does is not relied on. A sum of k products is
    off by at most k roundings of the sum of absolute values.
    """
    most = float(np.abs(A).max(initial=0.0))
    if most == 0.0:
        return 0.0
    unit = int(np.frexp(most)[1])
    A = np.ldexp(A, -unit)  # squares of huge and of tiny entries leave the range of doubles
    n, d = A.shape
    V = np.linalg.eigh(A.T @ A)[1]
    B = A @ V
    lost = d * _EPS * float(np.linalg.norm(A) * np.linalg.norm(V))
    square = float(np.abs(B.T @ B).sum(axis=1).max()) + (n + d) * d * _EPS * float(np.sum(B * B))
    defect = min(0.5, float(np.abs(V.T @ V - np.eye(d)).sum(axis=1).max()) + (d + 4) * d * _EPS)
    bound = (np.sqrt(square) + lost) / np.sqrt(1.0 - defect) if defect < 0.5 else np.linalg.norm(A) * (1.0 + (n + d) * _EPS)
    return float(np.ldexp(bound, unit)) * (1.0 + 16.0 * _EPS)


def ascend(
    X: FloatArray, V: FloatArray, kappa: float, starts: FloatArray, wanted: float
) -> tuple[FloatArray, FloatArray]:
    """Unit directions whose price ||V'phi(Xu)|| steps of the power method have raised, and these prices, best first.

    Starts are the given ones, shape (d, k), and both signs of the right singular vectors of V'X. No steps are taken
    where the best of them is far below the price wanted.
    """
    units = [int(np.frexp(np.abs(A).max(initial=0.0))[1]) for A in (X, V)]
    X, V = np.ldexp(X, -units[0]), np.ldexp(V, -units[1])  # squares of huge and of tiny entries leave the range of doubles
    wanted = float(np.ldexp(wanted, -sum(units)))
    _, _, basis = np.linalg.svd(V.T @ X, full_matrices=False)
    U = np.hstack([starts, basis.T, -basis.T])
    U = U[:, np.any(U != 0.0, axis=0)]
    U = U / np.linalg.norm(U, axis=0)
    best, prices = U, np.linalg.norm(V.T @ phi(X @ U, kappa), axis=0)
    for _ in range(_STEPS if wanted < _NEAR * prices.max(initial=0.0) else 0):
        H = X @ U
        step = X.T @ (np.where(H >= 0.0, 1.0, kappa) * (V @ (V.T @ phi(H, kappa))))
        sizes = np.linalg.norm(step, axis=0)
        U = np.where(sizes > 0.0, step / np.where(sizes > 0.0, sizes, 1.0), U)
        now = np.linalg.norm(V.T @ phi(X @ U, kappa), axis=0)
        better = now > prices * (1.0 + _EPS)
        best, prices = np.where(better, U, best), np.where(better, now, prices)
        if not better.any():
            break
    order = np.argsort(-prices, kind="stable")
    return best[:, order], np.ldexp(prices[order], sum(units))
