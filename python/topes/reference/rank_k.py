"""Problem (10) as the paper writes it: all cells of the rank-k data, every row of every cone, the features of X."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from ..losses import get_loss
from .cells import sign_vectors
from .exact import to_exact

__all__ = ["RankKProgram", "rank_k_program"]


class RankKProgram:
    """The optimal value of (10), and (3) of the network read off the minimiser; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
    rank : int
        k.
    loss : str
    kappa : float
        Slope of the activation below zero, < 1.

    Attributes
    ----------
    value : float
        The optimal value of (10). It can lie below the optimum of (3).
    objective : float
        p_cvx-k of Theorem III.1: the non-convex objective of the network with the minimiser's weights, each neuron in its
        cheapest scaling.
    sigma : float
        sigma_(k+1) of X.
    n_cells : int
    """

    def __init__(self, X: Any, y: Any, beta: float, rank: int, *, loss: str = "squared", kappa: float = 0.0) -> None:
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
        U, s, Vt = np.linalg.svd(X, full_matrices=False)
        coordinates = U[:, :rank] * s[:rank]
        self.sigma = float(s[rank]) if rank < len(s) else 0.0
        X_k = coordinates @ Vt[:rank]
        outputs: Any = np.zeros(len(X))
        penalty: Any = 0.0
        constraints: list[Any] = []
        columns: list[tuple[float, Any]] = []
        cells = sorted(sign_vectors(to_exact(coordinates, "binary")))
        for cell in cells:
            D = np.diag([1.0 if x >= 0 else kappa for x in cell])
            S = np.diag(np.array(cell, dtype=np.float64))
            for sign in (1.0, -1.0):
                w = cp.Variable(X.shape[1])
                constraints.append(S @ X_k @ w >= 0)
                outputs = outputs + sign * (D @ X @ w)
                penalty = penalty + cp.norm(w, 2)
                columns.append((sign, w))
        the_loss = get_loss(loss)
        problem = cp.Problem(cp.Minimize(the_loss.expression(outputs, y) + beta * penalty), constraints)
        accuracy = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last digits asked for may not be reached
            self.value = float(problem.solve(solver="CLARABEL", **accuracy))
        f, cost = np.zeros(len(X)), 0.0
        for sign, w in columns:
            h = X @ w.value
            f += sign * np.where(h >= 0.0, h, kappa * h)
            cost += float(np.linalg.norm(w.value))
        self.objective = the_loss.value(f, y) + beta * cost
        self.n_cells = len(cells)


def rank_k_program(X: Any, y: Any, beta: float, rank: int, *, loss: str = "squared", kappa: float = 0.0) -> RankKProgram:
    """Solve (10) as it is written; see `RankKProgram`.

    Examples
    --------
    >>> from topes.reference import rank_k_program
    >>> program = rank_k_program([[2, 2], [3, 3], [1, 0]], [1, -1, 1], 0.1, 2)
    >>> round(program.value, 5), round(program.objective, 5)  # rank 2 is all of it
    (1.10027, 1.10027)
    """
    return RankKProgram(X, y, beta, rank, loss=loss, kappa=kappa)
