"""From a gated-ReLU solution to a ReLU network with the same outputs.

A gated neuron D_i X u_i is no ReLU neuron unless (2 D_i - 1) X u_i >= 0. Where the pattern is a cell, its cone K_i is full
and u_i = v - w with v, w in K_i: two ReLU neurons. Of all such pairs the one of least ||v|| + ||w|| is taken, by cvxpy.
"""

from __future__ import annotations

import cvxpy as cp
import numpy as np

__all__ = ["decompose"]


def decompose(X: np.ndarray, masks: np.ndarray, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns v and w, each of the shape (d, m) of U; masks has shape (n, m)."""
    V, W = np.zeros_like(U), np.zeros_like(U)
    rows = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-300)
    for i in range(U.shape[1]):
        size = float(np.linalg.norm(U[:, i]))
        cone = (2.0 * masks[:, i, None] - 1.0) * rows
        if float((cone @ U[:, i]).min()) >= -1e-12 * size:
            V[:, i] = U[:, i]
            continue
        w = cp.Variable(len(U))
        v = U[:, i] / size + w
        cp.Problem(cp.Minimize(cp.norm(v) + cp.norm(w)), [cone @ v >= 0, cone @ w >= 0]).solve(solver="CLARABEL")
        W[:, i] = size * w.value
        V[:, i] = U[:, i] + W[:, i]
    return V, W
