"""A conic program put together piece by piece, for Clarabel, and the pieces that the losses are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import clarabel
import numpy as np
import scipy.sparse as sp

from .._support.validation import FloatArray
from ..losses import Loss, is_own
from .own_loss import conic_form

__all__ = ["Conic", "add_loss", "column"]

_Entries = tuple[FloatArray, Any, Any]  # values, rows, columns


@dataclass
class Conic:
    """min x'Px/2 + q'x subject to b - A x in a product of cones. Matrices are arrays, or sparse ones of scipy."""

    n: int = 0  #: variables
    m: int = 0  #: rows
    cost: list[float] = field(default_factory=list)
    sides: list[FloatArray] = field(default_factory=list)
    cones: list[Any] = field(default_factory=list)
    entries: list[_Entries] = field(default_factory=list)
    quadratic_entries: list[_Entries] = field(default_factory=list)

    def variables(self, count: int, cost: float = 0.0) -> int:
        """Add variables; returns the place of the first."""
        self.cost += [cost] * count
        self.n += count
        return self.n - count

    def quadratic(self, place: int, matrix: Any) -> None:
        """Add x'Hx/2, x the variables from this place on."""
        self.quadratic_entries.append(_entries(matrix, place, place))

    def constrain(self, cone: Any, terms: list[tuple[int, Any]], b: FloatArray) -> None:
        """b - sum of matrix times the variables from its place on, in the cone, or the product of a list of cones."""
        self.entries += [_entries(matrix, self.m, place) for place, matrix in terms]
        self.m += len(b)
        self.sides.append(b)
        self.cones += cone if isinstance(cone, list) else [cone]

    def solve(self, accuracy: float) -> Any:
        """Clarabel's solution."""
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = accuracy
        settings.max_threads = 1
        P = sp.triu(_matrix(self.quadratic_entries, (self.n, self.n)), format="csc")
        A = _matrix(self.entries, (self.m, self.n))
        b = np.concatenate([*self.sides, np.zeros(0)])
        P, A = sp.csc_matrix(P), sp.csc_matrix(A)
        return clarabel.DefaultSolver(P, np.array(self.cost), A, b, self.cones, settings).solve()


def column(length: int, value: float) -> FloatArray:
    """One column, zero but for its first entry: what the bound of a second-order cone is multiplied by."""
    top = np.zeros((length, 1))
    top[0] = value
    return top


def _entries(matrix: Any, row: int, col: int) -> _Entries:
    """The entries of a matrix whose corner lies here."""
    if isinstance(matrix, np.ndarray):  # most blocks are small, and a sparse matrix of each takes longer than the solver
        i, j = np.nonzero(matrix)
        return matrix[i, j], i + row, j + col
    part = sp.coo_array(matrix)
    return part.data, part.row + row, part.col + col


def _matrix(entries: list[_Entries], shape: tuple[int, int]) -> Any:
    if not entries:
        return sp.csc_array(shape)
    data, row, col = (np.concatenate([e[k] for e in entries]) for k in range(3))
    return sp.csc_array((data, (row, col)), shape=shape)


def add_loss(conic: Conic, loss: Loss, y: FloatArray, F: FloatArray, size: float = 1.0) -> int | None:
    """Add L(F x, y), x the first variables; of Huber's loss, L(size F x, size y) / size.

    Returns where the multipliers of f = F x are, or None for the squared loss, whose outputs are no variables.
    """
    n = len(y)
    if is_own(loss):
        form = conic_form(loss, y)
        z = conic.variables(len(form.q))
        conic.cost[z:] = form.q.tolist()
        if form.P is not None:
            conic.quadratic(z, form.P)
        if len(form.b):
            conic.constrain(form.cones, [(z, form.A)], form.b)
        rows = conic.m
        conic.constrain(clarabel.ZeroConeT(n), [(0, F), (z + form.place, -sp.eye_array(n))], np.zeros(n))
        return rows
    if loss.name == "squared":
        conic.quadratic(0, F.T @ F)
        for j, slope in enumerate(-(F.T @ y)):
            conic.cost[j] += float(slope)
        return None
    rows = conic.m
    if loss.name == "interpolation":
        conic.constrain(clarabel.ZeroConeT(n), [(0, F)], y)
        return rows
    f = conic.variables(n)
    identity = sp.eye_array(n)
    conic.constrain(clarabel.ZeroConeT(n), [(0, F), (f, -identity)], np.zeros(n))
    nonnegative = clarabel.NonnegativeConeT(n)
    if loss.name == "l2":
        t = conic.variables(1, 1.0)
        below = sp.vstack([sp.coo_array((1, n)), -identity])
        cone = clarabel.SecondOrderConeT(n + 1)
        conic.constrain(cone, [(t, column(n + 1, -1.0)), (f, below)], np.concatenate([[0.0], -y]))
    elif loss.name == "margin":
        conic.constrain(nonnegative, [(f, -sp.diags_array(y))], -np.ones(n))
    elif loss.name in ("absolute", "huber"):
        e = conic.variables(n, 1.0)  # |f - y - s| <= e, s the quadratic part
        square: list[tuple[int, Any]] = []
        if loss.name == "huber":
            s = conic.variables(n)
            conic.quadratic(s, size * identity)
            square = [(s, identity)]
        conic.constrain(nonnegative, [(f, identity), (e, -identity), *[(s, -m) for s, m in square]], y)
        conic.constrain(nonnegative, [(f, -identity), (e, -identity), *square], -y)
    elif loss.name in ("hinge", "squared_hinge"):
        e = conic.variables(n, 1.0 if loss.name == "hinge" else 0.0)
        if loss.name == "squared_hinge":
            conic.quadratic(e, 2.0 * identity)
        conic.constrain(nonnegative, [(f, -sp.diags_array(y)), (e, -identity)], -np.ones(n))
        conic.constrain(nonnegative, [(e, -identity)], np.zeros(n))
    else:  # logistic: exp(-y f - t) + exp(-t) <= 1
        t, a, b = conic.variables(n, 1.0), conic.variables(n), conic.variables(n)
        conic.constrain(nonnegative, [(a, identity), (b, identity)], np.ones(n))
        one = np.array([0.0, 1.0, 0.0])
        up, out = column(3, 1.0), np.array([[0.0], [0.0], [-1.0]])
        for i in range(n):
            conic.constrain(clarabel.ExponentialConeT(), [(f + i, up * y[i]), (t + i, up), (a + i, out)], one)
            conic.constrain(clarabel.ExponentialConeT(), [(t + i, up), (b + i, out)], one)
    return rows
