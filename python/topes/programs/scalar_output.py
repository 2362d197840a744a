"""Problem (7): the two-layer network with one output as a convex program over the cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._support.exact_input import Values, as_exact_array, as_floats
from .._support.later import cvxpy as cp
from .._support.validation import FloatArray, as_beta, as_vector, choice
from ..activation import kappa_of
from ..arrangement import Arrangement
from ..errors import CellLimitError, InputError
from ..losses import Loss, get_loss
from ..network import Bias, check_bias

__all__ = ["Cones", "ScalarOutputProgram", "scalar_output"]

Rows = Literal["facets", "all"]


@dataclass(frozen=True)
class Cones:
    """The cells of a data matrix as the program needs them.

    Attributes
    ----------
    X : ndarray, shape (n, d) or (n, d + 1), float64
        The data, with a last column of ones where there is a bias.
    patterns : ndarray, shape (P, n), uint8
    indptr, rows : ndarray, shape (P + 1,) and (m,), int64
        Cone i is {u : s_ik x_k.u >= 0 for k in rows[indptr[i]:indptr[i + 1]]}, s = 2 * pattern - 1.
    complete : bool
        These are all cells of X, enumerated exactly.
    """

    X: FloatArray
    patterns: npt.NDArray[np.uint8]
    indptr: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    complete: bool

    def __len__(self) -> int:
        return len(self.patterns)

    def normals(self, i: int) -> FloatArray:
        """Inward unit normals of cone i, shape (k, d)."""
        rows = self.rows[self.indptr[i] : self.indptr[i + 1]]
        G = self.X[rows] * (2.0 * self.patterns[i, rows, None] - 1.0)
        return np.asarray(G / np.linalg.norm(G, axis=1, keepdims=True))

    @classmethod
    def of(
        cls,
        X: Any,
        *,
        bias: Bias = False,
        patterns: Any = None,
        rows: Rows = "facets",
        values: Values = "binary",
        max_cells: int | None = None,
        n_threads: int | None = None,
        progress: Any = False,
    ) -> Cones:
        """Enumerate the cells of X (with its column of ones where there is a bias), or take the given patterns."""
        choice(rows, "rows", ("facets", "all"))
        exact = as_exact_array(X, "X", 2, values)
        if bias is not False:
            ones = np.ones((len(exact), 1), dtype=exact.dtype)
            exact = np.hstack([exact, ones])  # of one dtype: nothing is rounded
        data = as_floats(exact)
        nonzero = np.flatnonzero(np.any(data != 0.0, axis=1))
        if patterns is not None:
            given = np.asarray(patterns)
            if given.ndim != 2 or given.shape[1] != len(data) or not np.isin(given, (0, 1)).all():
                raise InputError(f"patterns must be 0/1 of shape (P, {len(data)}), got shape {given.shape}")
            given = np.ascontiguousarray(given, dtype=np.uint8)
            indptr = np.arange(len(given) + 1, dtype=np.int64) * len(nonzero)
            return cls(data, given, indptr, np.tile(nonzero, len(given)), complete=False)
        parts = list(Arrangement(exact, values=values).cells(n_threads=n_threads, progress=progress, max_cells=max_cells))
        found = np.concatenate([part.patterns for part in parts])
        if rows == "all":
            indptr = np.arange(len(found) + 1, dtype=np.int64) * len(nonzero)
            return cls(data, found, indptr, np.tile(nonzero, len(found)), complete=True)
        counts = np.concatenate([np.diff(part.facet_indptr) for part in parts])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(data, found, indptr, np.concatenate([part.facet_indices for part in parts]), complete=True)


@dataclass(frozen=True, repr=False)
class ScalarOutputProgram:
    """A cvxpy problem of (7) and its parts.

    Attributes
    ----------
    problem : cvxpy.Problem
    positive, negative : cvxpy.Variable, shape (d, P)
        Columns w_i and w_i'; with a bias its coordinate is the last row.
    output : cvxpy.Variable, shape (n,)
        f = sum_i D_i X (w_i - w_i'), tied to the columns by `output_constraint`, whose dual is the v of (9).
    cones : Cones
    """

    problem: Any
    positive: Any
    negative: Any
    output: Any
    output_constraint: Any
    cones: Cones
    loss: Loss
    beta: float
    kappa: float
    bias: Bias
    norm: float

    def __repr__(self) -> str:
        n, d = self.cones.X.shape
        return (
            f"ScalarOutputProgram(n={n}, d={d}, P={len(self.cones)}, {2 * d * len(self.cones)} variables, "
            f"{2 * len(self.cones.rows)} cone constraints, loss={self.loss.name!r}, beta={self.beta:g}, "
            f"kappa={self.kappa:g}, bias={self.bias!r}, norm={self.norm})"
        )


def scalar_output(
    X: Any,
    y: Any,
    beta: float,
    patterns: Any = None,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    *,
    rows: Rows = "facets",
    values: Values = "binary",
    max_cells: int | None = None,
    cones: Cones | None = None,
    pool: int = 1,
) -> ScalarOutputProgram:
    """Build (7): min L(sum_i D_i X (w_i - w_i'), y) + beta * sum_i ||w_i||_p + ||w_i'||_p, w_i and w_i' in cone i.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    patterns : array_like, shape (P, n), optional
        Cells to use, 0/1; default all of them, enumerated exactly.
    loss : str or Loss
        A name of `topes.losses`.
    activation : {"relu", "abs"} or float
        Slope kappa < 1 on the negative side; D_i is 1 or kappa. Cones are told by signs, not by 2D - I, so that every
        kappa is right.
    bias : {False, "penalized", "free"}
        A column of ones (Corollary II.1), or the same with its coefficient left out of the norm.
    norm : {1, 2, inf}
        p of the input weights, eq. (23).
    rows : {"facets", "all"}
        Which rows describe a cone: its facets (the others are implied), or all n as the paper writes.
    values : {"binary", "decimal"}
        How floats of X are read when cells are enumerated.
    max_cells : int, optional
        Refuse beyond this number of cells.
    cones : Cones, optional
        Cells found before, in place of `patterns`.
    pool : int
        Each output is the mean over so many consecutive rows of X, as in (14); y then has one entry for each.

    Returns
    -------
    ScalarOutputProgram

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    CellLimitError
        X has more than `max_cells` cells.

    Examples
    --------
    >>> from topes.programs import scalar_output
    >>> program = scalar_output([[2, 2], [3, 3], [1, 0]], [1, -1, 1], beta=0.1)
    >>> len(program.cones), program.problem.is_dcp()
    (4, True)
    >>> round(float(program.problem.solve(solver="CLARABEL")), 5)
    1.10027
    """
    beta, kappa, bias = as_beta(beta), kappa_of(activation), check_bias(bias)
    the_loss = get_loss(loss)
    norm = choice(norm, "norm", (1, 2, np.inf))
    if cones is None:
        try:
            cones = Cones.of(X, bias=bias, patterns=patterns, rows=rows, values=values, max_cells=max_cells)
        except CellLimitError as error:
            raise CellLimitError(
                f"{error}: the full program takes 2 d variables a cell. Give fewer samples, patterns= or a larger max_cells",
                bound=error.bound,
            ) from None
    targets = the_loss.check_targets(as_vector(y, "y", length=len(cones.X) // pool, of="rows of X"))
    (m, d), n = cones.X.shape, len(targets)
    P = len(cones)
    V, W = cp.Variable((d, P), name="w"), cp.Variable((d, P), name="w'")
    f = cp.Variable(n, name="f")
    gates = np.where(cones.patterns == 1, 1.0, kappa)
    features = sp.csr_array((gates.T[:, :, None] * cones.X[:, None, :]).reshape(m, P * d))
    if pool > 1:
        features = sp.kron(sp.eye_array(n), np.full((1, pool), 1.0 / pool), format="csr") @ features
    tie = f == features @ cp.vec(V - W, order="F")
    constraints = [tie]
    if len(cones.rows):
        G = _cone_rows(cones)
        constraints += [G @ cp.vec(V, order="F") >= 0, G @ cp.vec(W, order="F") >= 0]
    penalty: Any = 0.0
    weights = d - 1 if bias == "free" else d
    if weights and P:
        penalty = cp.sum(cp.norm(V[:weights], norm, axis=0)) + cp.sum(cp.norm(W[:weights], norm, axis=0))
    fit = the_loss.expression(f, targets) if n else 0.0
    problem = cp.Problem(cp.Minimize(fit + beta * penalty), constraints)
    return ScalarOutputProgram(problem, V, W, f, tie, cones, the_loss, beta, kappa, bias, float(norm))


def _cone_rows(cones: Cones) -> Any:
    """One row for each inequality, acting on the stacked columns of a (d, P) variable; rows have unit norm."""
    d = cones.X.shape[1]
    cell = np.repeat(np.arange(len(cones)), np.diff(cones.indptr))
    normals = cones.X[cones.rows] * (2.0 * cones.patterns[cell, cones.rows, None] - 1.0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    columns = cell[:, None] * d + np.arange(d)
    starts = np.arange(len(cones.rows) + 1) * d
    return sp.csr_array((normals.ravel(), columns.ravel(), starts), shape=(len(cones.rows), d * len(cones)))
