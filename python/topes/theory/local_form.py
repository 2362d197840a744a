"""The non-convex objective (3) around one network: signs of the pre-activations, a piecewise linear form for each neuron.

With v the slope of the loss at the outputs, (3) moves along (dw, dc) of neuron j at the rate

    D(dw) + (v'phi(X w_j) + beta c_j) dc,    D(dw) = base.dw + sum_i kink_i max(row_i.dw, 0),

the sum over the rows with x_i.w_j = 0, where phi turns by 1 - kappa: kink_i = (1 - kappa) c_j v_i. A kink is convex where
it is positive, concave where it is negative: at a concave one every step away from it falls below the tangents.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import exact_objects
from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..network import Bias, penalised

__all__ = ["LocalForm", "Piece", "preactivation_signs"]

_EPS = float(np.finfo(np.float64).eps)
_LEAST_SHARE = 1e-3
_TINY = 1e-300  # covers products that underflow; a sign this close to zero is decided exactly


def preactivation_signs(
    exact: npt.NDArray[Any], data: FloatArray, W: FloatArray, zero_tol: float
) -> tuple[npt.NDArray[np.int8], float]:
    """The signs of x_i.w_j, shape (m, n), and the smallest abs(x_i.w_j) / (||x_i|| ||w_j||) that is not called zero.

    With zero_tol = 0 each sign is that of the exact sum, X and W taken as the rational numbers they are: doubles decide
    where a bound on their rounding lets them, fractions elsewhere. Otherwise a cosine of at most `zero_tol` is zero too.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        H = data @ W
        bound = (data.shape[1] + 4) * _EPS * (np.abs(data) @ np.abs(W)) + _TINY
        lengths = np.linalg.norm(data, axis=1)[:, None] * np.linalg.norm(W, axis=0)
        cosines = np.abs(H) / np.where(lengths > 0.0, lengths, 1.0)
        decided = np.abs(H) > bound
    signs = np.sign(np.where(decided, H, 0.0)).T.astype(np.int8)
    undecided = np.argwhere(~decided)
    if len(undecided):
        rows = {int(i): exact_objects(exact[int(i)][None, :])[0] for i in np.unique(undecided[:, 0])}
        columns = {int(j): [Fraction(x) for x in W[:, int(j)].tolist()] for j in np.unique(undecided[:, 1])}
        for i, j in undecided.tolist():
            h = sum((Fraction(x) * w for x, w in zip(rows[i], columns[j], strict=True)), Fraction(0))
            signs[j, i] = (h > 0) - (h < 0)
    if zero_tol > 0.0:
        signs[(cosines <= zero_tol).T] = 0
    away = cosines.T[signs != 0]
    return signs, float(away.min(initial=np.inf))


@dataclass(frozen=True, eq=False)
class Piece:
    """One neuron's D(dw), and its slope in the output weight.

    Attributes
    ----------
    base : ndarray, shape (d,), float64
    rows, kinks : ndarray, shape (k, d) and (k,), float64
        No zero kinks.
    exact : ndarray, shape (k, d)
        The rows as they were given, for the arrangement they cut.
    output_slope : float
    """

    base: FloatArray
    rows: FloatArray
    kinks: FloatArray
    exact: npt.NDArray[Any]
    output_slope: float

    def slope(self, dw: FloatArray) -> float:
        """D(dw)."""
        return float(self.base @ dw + self.kinks @ np.maximum(self.rows @ dw, 0.0))


@dataclass(frozen=True, eq=False)
class LocalForm:
    """(3) and a network, ready to be asked for its pieces.

    Attributes
    ----------
    data, exact : ndarray, shape (n, d)
        X, with a last column of ones where there is a bias: doubles, and as given.
    W, c : ndarray, shape (d, m) and (m,), float64
        Input weights with the bias last, output weights.
    signs : ndarray, shape (m, n), int8
        Of the pre-activations.
    norm : float
        1 or 2.
    zero_tol : float
        Weights of at most this share of a neuron's largest are zero, for p = 1.
    on_kink : ndarray, shape (n,), bool
        Outputs on a kink of the loss, up to their rounding.
    """

    data: FloatArray
    exact: npt.NDArray[Any]
    W: FloatArray
    c: FloatArray
    signs: npt.NDArray[np.int8]
    y: FloatArray
    beta: float
    loss: Loss
    kappa: float
    bias: Bias
    norm: float
    zero_tol: float
    on_kink: npt.NDArray[np.bool_]

    @property
    def features(self) -> FloatArray:
        """phi(X W), zero where the pre-activation is called zero; shape (n, m)."""
        return np.asarray(np.where(self.signs.T == 0, 0.0, phi(self.data @ self.W, self.kappa)))

    @property
    def outputs(self) -> FloatArray:
        return np.asarray(phi(self.data @ self.W, self.kappa) @ self.c)

    @property
    def gates(self) -> FloatArray:
        """Slopes of phi at the pre-activations, shape (m, n); at zero the lower one, kappa."""
        return np.where(self.signs > 0, 1.0, self.kappa)

    def sizes(self) -> FloatArray:
        """sqrt(||w_j||^2 + c_j^2) of each neuron; a free bias does not count."""
        return np.asarray(np.hypot(np.linalg.norm(penalised(self.W, self.bias), axis=0), self.c))

    @property
    def unit(self) -> float:
        """Of gradients: that of the penalty here, beta ||theta||, or a thousandth of what it can be, as for `Solution.gap`.

        A network with less than the loss L(0) of the empty one has ||theta||^2 <= 2 L(0) / beta.
        """
        largest = np.sqrt(2.0 * self.loss.value(np.zeros_like(self.y), self.y) / self.beta)
        size = self.beta * max(float(np.linalg.norm(self.sizes())), _LEAST_SHARE * float(largest))
        return size if size > 0.0 else 1.0

    def penalty_piece(self, j: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """beta/2 ||w_j||_p^2: base, rows, kinks. For p = 1 a weight of zero is a convex kink."""
        d = len(self.W)
        counted = np.ones(d, dtype=bool)
        if self.bias == "free":
            counted[-1] = False
        w = np.where(counted, self.W[:, j], 0.0)
        if self.norm == 2.0:
            return self.beta * w, np.zeros((0, d)), np.zeros(0)
        size = self.beta * float(np.abs(w).sum())
        zero = counted & (np.abs(w) <= self.zero_tol * np.abs(w).max()) & (size > 0.0)
        return size * np.where(zero, -1.0, np.sign(w)), np.eye(d)[zero], np.full(int(zero.sum()), 2.0 * size)

    def piece(self, j: int, v: FloatArray) -> Piece:
        """Neuron j for the slope v of the loss, shape (n,)."""
        base, rows, kinks = self.penalty_piece(j)
        base = base + self.c[j] * (self.gates[j] * v) @ self.data
        turn = (1.0 - self.kappa) * self.c[j] * v
        zero = np.flatnonzero((self.signs[j] == 0) & (turn != 0.0) & np.any(self.data != 0.0, axis=1))
        exact = exact_objects(self.exact[zero]) if len(kinks) else self.exact[zero]
        if len(kinks):
            exact = np.vstack([exact, rows.astype(int).astype(object)])
        return Piece(
            base,
            np.vstack([self.data[zero], rows]),
            np.concatenate([turn[zero], kinks]),
            exact,
            float(self.features[:, j] @ v + self.beta * self.c[j]),
        )
