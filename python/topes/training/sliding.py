"""Local training of (3) from the neurons at hand: moves all directions at once, where faces move one cell a round.

A heuristic for the primal side only (the sliding step of [DDPS19]): what it returns becomes faces like any other direction,
and nothing is claimed of it.

[DDPS19] Q. Denoyelle, V. Duval, G. Peyre, E. Soubies. The sliding Frank-Wolfe algorithm. Inverse Problems 36 (2019).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from .._support.validation import FloatArray
from ..losses import Loss
from ..pricing.oracle import Pricer

__all__ = ["slide"]


def slide(
    pricer: Pricer,
    U: FloatArray,
    signs: FloatArray,
    y: FloatArray,
    beta: float,
    loss: Loss,
    constant: float,
    iterations: int,
) -> tuple[FloatArray, float]:
    """L-BFGS on (3), p = 2, the signs of the output weights kept.

    Parameters
    ----------
    U : ndarray, shape (d, m), float64
        Columns |w2_j| w1_j, as in (7).
    signs : ndarray, shape (m,), float64
        Of the output weights.
    constant : float
        What is added to all outputs; moved where the bias is free.

    Returns
    -------
    ndarray, shape (d, m), float64
    constant : float
    """
    X, kappa = pricer.data @ pricer.whitening, pricer.kappa
    d, m = len(U), U.shape[1]
    B = pricer.whitening  # u = B z: the outputs depend on z evenly
    r = B.shape[1]
    free = pricer.bias == "free"
    penalised = slice(0, d - 1) if free else slice(0, d)
    scale = np.sqrt(np.maximum(np.linalg.norm(U[penalised], axis=0), 1e-300))

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        Z, w2 = z[: r * m].reshape(r, m), z[r * m : -1]
        W, H = B @ Z, X @ Z
        D = np.where(H >= 0.0, 1.0, kappa)
        A = pricer.pooled(D * H)
        f = A @ (signs * w2) + z[-1]
        v = loss.gradient(f, y)
        gradient = X.T @ (D * (pricer.spread(v / pricer.pool)[:, None] * (signs * w2)))
        gradient += beta * (B[penalised].T @ W[penalised])
        value = loss.value(f, y) + 0.5 * beta * float(np.sum(W[penalised] ** 2) + np.sum(w2**2))
        return value, np.concatenate([gradient.ravel(), signs * (A.T @ v) + beta * w2, [v.sum() if free else 0.0]])

    start = np.concatenate([(pricer.unwhitening @ (U / scale)).ravel(), scale, [constant]])
    end = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 20}).x
    W, w2 = B @ end[: r * m].reshape(r, m), end[r * m : -1]
    return np.asarray(W * np.maximum(w2, 0.0)), float(end[-1])
