"""Problem (32): the cones of (7) as a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.later import cvxpy as cp
from .._support.validation import as_beta, as_positive, as_vector
from ..activation import kappa_of
from ..losses import Loss, get_loss
from .scalar_output import Cones

__all__ = ["PenalisedProgram", "penalised"]


@dataclass(frozen=True, repr=False)
class PenalisedProgram:
    """A cvxpy problem of (32) and its parts.

    Attributes
    ----------
    problem : cvxpy.Problem
    positive, negative : cvxpy.Variable, shape (d, P)
        Columns w_i and w_i'.
    cones : Cones
    """

    problem: Any
    positive: Any
    negative: Any
    cones: Cones
    rho: float

    def __repr__(self) -> str:
        n, d = self.cones.X.shape
        return f"PenalisedProgram(n={n}, d={d}, P={len(self.cones)}, rho={self.rho:g})"


def penalised(
    X: Any,
    y: Any,
    beta: float,
    rho: float,
    *,
    patterns: Any = None,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    values: Values = "binary",
    max_cells: int | None = None,
) -> PenalisedProgram:
    """Build (32): min L(sum_i D_i X (w_i - w_i'), y) + beta * sum ||w|| + rho * sum 1'(-S_i X w)_+.

    S_i has the signs of the pattern on its diagonal. The paper writes 2D_i - I, which is the same for ReLU and scaled by
    2 kappa - 1 otherwise, and leaves X out. From some rho on, the largest multiplier of the cones of (7), the optimum is
    that of (7); below it the optimum is smaller, and the network read off the weights can be worse than none.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta, rho : float
        Weights of the norms and of the penalty, > 0.
    patterns, loss, activation, bias, values, max_cells
        As for `scalar_output`; a bias is penalised.

    Examples
    --------
    The five points of Figure 7: rho = 0.001 is too small, 0.003 is enough.

    >>> from topes.programs import penalised
    >>> X, y = [[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]], [1, -1, 1, 1, -1]
    >>> [round(float(penalised(X, y, 1e-3, rho).problem.solve(solver="CLARABEL")), 5) for rho in (0.001, 0.003)]
    [0.00741, 0.01012]
    """
    beta, rho, kappa = as_beta(beta), as_positive(rho, "rho"), kappa_of(activation)
    the_loss = get_loss(loss)
    cones = Cones.of(X, bias=bias, patterns=patterns, rows="all", values=values, max_cells=max_cells)
    n, d = cones.X.shape
    targets = the_loss.check_targets(as_vector(y, "y", length=n))
    V, W = cp.Variable((d, len(cones)), name="w"), cp.Variable((d, len(cones)), name="w'")
    on = cones.patterns.T.astype(np.float64)
    gates, signs = np.where(on == 1.0, 1.0, kappa), 2.0 * on - 1.0
    outputs = cp.sum(cp.multiply(gates, cones.X @ (V - W)), axis=1)
    wrong = cp.sum(cp.pos(cp.multiply(-signs, cones.X @ V))) + cp.sum(cp.pos(cp.multiply(-signs, cones.X @ W)))
    norms = cp.sum(cp.norm(V, 2, axis=0)) + cp.sum(cp.norm(W, 2, axis=0))
    problem = cp.Problem(cp.Minimize(the_loss.expression(outputs, targets) + beta * norms + rho * wrong))
    return PenalisedProgram(problem, V, W, cones, rho)
