"""What is proved of the network read off a rank-k program, before any certificate: Theorem III.1 and a sharper one.

Let L >= 0 be l-Lipschitz in the 2-norm, sigma = sigma_(k+1) of X, and p* the optimum of (3) on X.

*Rank-k data.* The network trained on X_k has the same outputs on X where its weights lie in the k directions, and
  p* <= objective <= p* sqrt(1 + rho^2),  rho = l R sigma / beta,  R = max(1, abs(kappa)):
the dual optimum v of the rank-k problem has ||v|| <= l, so m(v) <= sqrt(beta^2 + (l R sigma)^2); scaled until it is
feasible it keeps that share of its value, as -L*(t v) >= t (-L*(v)) for L >= 0 and 0 <= t <= 1.

*Cells of the rank-k data, features of X*: (10). Theorem III.1 with the constant 1 - kappa, which its proof supports:
  p* <= objective <= p* (1 + rho)^2,  rho = l (1 - kappa) sigma / beta,
for the non-convex objective (3) of the network; the value of (10) itself may lie below p*, not below p* / (1 + rho).

Where there is no Lipschitz constant (squared losses) there is no factor; a bound after the fact takes its place, for the
squared loss and (10): objective <= F + ||r|| delta + delta^2 / 2, F the value of (10), r its residual,
delta = (1 - kappa) sigma sum_i ||w_i||.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss
from .cells_program import CellsSolution
from .split import LowRankSplit

__all__ = ["Guarantee", "guarantee_of_cells", "guarantee_of_data", "guarantee_of_samples"]


@dataclass(frozen=True)
class Guarantee:
    """What a theorem says of the objective (3) of the network read off the program.

    Attributes
    ----------
    factor : float or None
        The objective is at most this many times p*; None where no theorem gives a number. Accuracy of the solver included.
    rho : float or None
        The theorem's l * (constant) * sigma_(k+1) / beta.
    at_most : float or None
        A bound on the objective found after the program was solved; None where there is none.
    statement : str
        The same in words.
    """

    factor: float | None
    rho: float | None
    at_most: float | None
    statement: str


def guarantee_of_data(
    split: LowRankSplit, objective: float, lower_bound: float, loss: Loss, y: FloatArray, beta: float, kappa: float
) -> Guarantee:
    """For the network of the rank-k data, solved to the bounds given."""
    constant = loss.lipschitz(len(y))
    if constant is None:
        words = f"the {loss.name} loss has no Lipschitz constant: no factor before the fact, see lower_bound"
        return Guarantee(None, None, objective, words)
    rho = constant * max(1.0, abs(kappa)) * split.residual_norm / beta
    factor = math.hypot(1.0, rho) * _ratio(objective, lower_bound)
    words = f"objective <= {factor:.6g} p*: sqrt(1 + rho^2) with rho = {rho:.6g}, times what the solver left"
    return Guarantee(factor, rho, objective, words)


def guarantee_of_cells(
    split: LowRankSplit, solution: CellsSolution, loss: Loss, y: FloatArray, beta: float, kappa: float
) -> Guarantee:
    """For the network of (10): Theorem III.1, and what is known after the fact."""
    constant = loss.lipschitz(len(y))
    delta = (1.0 - kappa) * split.residual_norm * float(np.linalg.norm(solution.U, axis=0).sum())
    if constant is None:
        if loss.name != "squared":
            return Guarantee(None, None, None, f"the {loss.name} loss has no Lipschitz constant: see lower_bound")
        at_most = solution.value + float(np.linalg.norm(solution.outputs - y)) * delta + 0.5 * delta * delta
        return Guarantee(None, None, at_most, f"objective <= {at_most:.6g}, found after the fact; no Lipschitz constant")
    rho = constant * (1.0 - kappa) * split.residual_norm / beta
    factor = (1.0 + rho) ** 2 * _ratio(solution.value, solution.lower_bound)
    words = f"objective <= {factor:.6g} p*: (1 + rho)^2 of Theorem III.1 with rho = {rho:.6g}, times what the solver left"
    return Guarantee(factor, rho, solution.value + constant * delta, words)


def guarantee_of_samples(n_cells: int) -> Guarantee:
    """For sampled patterns: none beforehand."""
    words = (
        f"{n_cells} distinct patterns were sampled; Theorem III.2 asks for log(P / eps) / theta_min draws to see every "
        "cell, and the least solid angle theta_min is not known: only lower_bound is proved"
    )
    return Guarantee(None, None, None, words)


def _ratio(value: float, lower_bound: float) -> float:
    """How far the solver's value may be above the optimum of its program."""
    if value <= 0.0:
        return 1.0
    return max(1.0, value / lower_bound) if lower_bound > 0.0 else math.inf
