"""Problem (7) and its dual constraint as the paper writes them: loops over the cells, every row of every cone."""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from ..losses import get_loss
from .cells import sign_vectors
from .exact import to_exact

__all__ = ["price", "scalar_output_value"]


def scalar_output_value(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str = "squared",
    kappa: float = 0.0,
    bias: Any = False,
    norm: float = 2,
) -> float:
    """The optimal value of (7); slow.

    Parameters
    ----------
    X, y, beta, loss, bias, norm
        As for `topes.programs.scalar_output`.
    kappa : float
        Slope of the activation below zero, < 1.

    Returns
    -------
    float
        In units of the loss; the infimum, where it is only approached.

    Examples
    --------
    >>> from topes.reference import scalar_output_value
    >>> round(scalar_output_value([[2, 2], [3, 3], [1, 0]], [1, -1, 1], 0.1), 5)
    1.10027
    """
    data = _data(X, bias)
    y = np.asarray(y, dtype=np.float64)
    if loss == "logistic" and bias == "free" and len(set(y.tolist())) == 1:
        return 0.0  # a bias that grows, which costs nothing: a solver stops somewhere on the way
    outputs: Any = np.zeros(len(data))
    penalty: Any = 0.0
    constraints: list[Any] = []
    for s in sorted(sign_vectors(_exact(X, bias))):
        D = np.diag([1.0 if x >= 0 else kappa for x in s])
        S = np.diag(np.array(s, dtype=np.float64))
        for sign in (1.0, -1.0):
            w = cp.Variable(data.shape[1])
            constraints.append(S @ data @ w >= 0)
            outputs = outputs + sign * (D @ data @ w)
            penalty = penalty + cp.norm(w[:-1] if bias == "free" else w, norm)
    problem = cp.Problem(cp.Minimize(get_loss(loss).expression(outputs, y) + beta * penalty), constraints)
    accuracy = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits asked for may not be reached
        return float(problem.solve(solver="CLARABEL", **accuracy))


def price(X: Any, v: Any, *, kappa: float = 0.0, bias: Any = False) -> float:
    """The left side of the dual constraint (9): the largest abs(v'phi(Xu)) over unit u; slow.

    On the cone of one cell v'phi(Xu) is linear, c'u, and its largest value is reached on a face: at the projection of c
    onto the span of that face, the null space of some rows. All are tried, each at its true value.

    Parameters
    ----------
    X : array_like, shape (n, d)
    v : array_like, shape (n,)
    kappa : float
        Slope of the activation below zero, < 1.
    bias : {False, "penalized"}

    Examples
    --------
    >>> from topes.reference import price
    >>> price([[3.0, 4.0]], [2.0])
    10.0
    """
    data, v = _data(X, bias), np.asarray(v, dtype=np.float64)
    n, d = data.shape
    projections = [np.eye(d)]
    for size in range(1, d):
        for rows in combinations(range(n), size):
            _, sizes, directions = np.linalg.svd(data[list(rows)])
            if sizes[-1] > 1e-12 * sizes[0]:
                projections.append(directions[size:].T @ directions[size:])
    best = 0.0
    for s in sign_vectors(_exact(X, bias)):
        c = (np.where(np.array(s) >= 0, 1.0, kappa) * v) @ data
        for P in projections:
            for u in (P @ c, -P @ c):
                length = float(np.linalg.norm(u))
                if length > 1e-12:
                    h = data @ (u / length)
                    best = max(best, abs(float(v @ np.where(h >= 0, h, kappa * h))))
    return best


def _exact(X: Any, bias: Any) -> list[tuple[Any, ...]]:
    return [(*row, 1) if bias else row for row in to_exact(X, "binary")]


def _data(X: Any, bias: Any) -> Any:
    data = np.asarray(X, dtype=np.float64)
    return np.hstack([data, np.ones((len(data), 1))]) if bias else data
