"""Which outputs networks have, by the span of the features of all cells, and (24) as the paper writes it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from .cells import sign_vectors
from .exact import Matrix, dot, echelon, to_exact

__all__ = ["gauge_value", "is_interpolable", "outputs_vanish_on"]


def _features(X: Any, kappa: float, bias: Any) -> Matrix:
    """Columns of D_i X for all cells i, which span the outputs of all networks."""
    slope = Fraction(kappa)
    rows = [(*row, Fraction(1)) if bias else row for row in to_exact(X)]
    columns: Matrix = []
    for s in sorted(sign_vectors(rows)):
        gated = [tuple((1 if x >= 0 else slope) * e for e in row) for x, row in zip(s, rows, strict=True)]
        columns += [tuple(row[j] for row in gated) for j in range(len(rows[0]))]
    return columns


def is_interpolable(X: Any, y: Any, *, kappa: float = 0.0, bias: Any = False) -> bool:
    """Whether some network has exactly the outputs y; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    kappa : float
        Slope of the activation below zero, < 1.
    bias : {False, "penalized", "free"}

    Examples
    --------
    >>> from topes.reference import is_interpolable
    >>> is_interpolable([[1], [2]], [1, 2]), is_interpolable([[1], [2]], [1, 3])
    (True, False)
    """
    columns = _features(X, kappa, bias)
    (target,) = to_exact([list(y)])
    return len(echelon([*columns, target])[0]) == len(echelon(columns)[0])


def outputs_vanish_on(X: Any, z: Sequence[Fraction], *, kappa: float = 0.0, bias: Any = False) -> bool:
    """Whether z'f = 0 for the outputs f of every network, in exact arithmetic; slow."""
    return all(dot(column, tuple(z)) == 0 for column in _features(X, kappa, bias))


def gauge_value(
    X: Any, y: Any, *, margin: bool = False, kappa: float = 0.0, bias: Any = False, norm: float = 2
) -> float:
    """The optimal value of (24): the gauge (36) of y; slow.

    Parameters
    ----------
    X, y, kappa, bias
        As for `is_interpolable`.
    margin : bool
        y_i f_i >= 1 in place of f = y.
    norm : {1, 2, inf}

    Returns
    -------
    float

    Examples
    --------
    >>> from topes.reference import gauge_value
    >>> round(gauge_value([[3.0, 4.0]], [10.0]), 6)
    2.0
    """
    data = np.asarray(X, dtype=np.float64)
    data = np.hstack([data, np.ones((len(data), 1))]) if bias else data
    y = np.asarray(y, dtype=np.float64)
    outputs: Any = cp.Variable() * np.ones(len(data)) if bias == "free" else np.zeros(len(data))
    penalty: Any = 0.0
    constraints: list[Any] = []
    for s in sorted(sign_vectors(to_exact(data))):
        D = np.diag([1.0 if x >= 0 else kappa for x in s])
        S = np.diag(np.array(s, dtype=np.float64))
        for sign in (1.0, -1.0):
            w = cp.Variable(data.shape[1])
            constraints.append(S @ data @ w >= 0)
            outputs = outputs + sign * (D @ data @ w)
            penalty = penalty + cp.norm(w[:-1] if bias == "free" else w, norm)
    constraints.append(cp.multiply(y, outputs) >= 1.0 if margin else outputs == y)
    accuracy = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits asked for may not be reached
        return float(cp.Problem(cp.Minimize(penalty), constraints).solve(solver="CLARABEL", **accuracy))
