"""The neurons of a solution as the columns of the convex program (7), whatever found them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..network import penalised, weight_norm
from ..pricing.oracle import Pricer

__all__ = ["Blocks"]


@dataclass(frozen=True)
class Blocks:
    """Columns u_j = |w2_j| w1_j with the signs of their output weights, and what is added to all outputs.

    Attributes
    ----------
    columns : ndarray, shape (d, m), float64
        With a bias, its coefficients last.
    signs : ndarray, shape (m,), float64
    constant : float
        Zero but with a free bias.
    """

    columns: FloatArray
    signs: FloatArray
    constant: float = 0.0

    @classmethod
    def none(cls, d: int, constant: float = 0.0) -> Blocks:
        return cls(np.zeros((d, 0)), np.zeros(0), constant)

    def __len__(self) -> int:
        return len(self.signs)

    def by_sign(self) -> list[FloatArray]:
        """The columns w_i and w_i' of (7), for output weights above and below zero; what is added to all outputs is one."""
        U, signs = self.columns, self.signs
        if self.constant:
            U = np.column_stack([U, np.append(np.zeros(len(U) - 1), abs(self.constant))])
            signs = np.append(signs, np.sign(self.constant))
        return [U[:, signs == s] for s in (1.0, -1.0)]

    def outputs(self, pricer: Pricer) -> FloatArray:
        """Shape (n,)."""
        return np.asarray(pricer.pooled(phi(pricer.data @ self.columns, pricer.kappa)) @ self.signs + self.constant)

    def norms(self, pricer: Pricer) -> FloatArray:
        """Shape (m,)."""
        return weight_norm(penalised(self.columns, pricer.bias), pricer.norm)

    def objective(self, pricer: Pricer, y: FloatArray, beta: float, loss: Loss) -> float:
        """L(f, y) + beta * sum of norms: the value of (3) when each neuron's two layers are balanced."""
        return loss.value(self.outputs(pricer), y) + beta * float(self.norms(pricer).sum())
