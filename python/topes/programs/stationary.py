"""Problem (46): the program of Theorem II.2 over trichotomies, the sign vectors of a network's own pre-activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.exact_input import Values, as_exact_array, as_floats
from .._support.later import cvxpy as cp
from .._support.validation import FloatArray, as_beta, as_vector, choice
from ..activation import kappa_of
from ..arrangement import Arrangement
from ..errors import InputError
from ..losses import Loss, get_loss
from ..network import check_bias
from .scalar_output import Rows

__all__ = ["StationaryProgram", "face_of", "stationary"]

# Rows of unit length that meet in a direction up to this have it in common.
_FLAT = 1e-10


@dataclass(frozen=True, repr=False)
class StationaryProgram:
    """A cvxpy problem of (46) and its parts.

    Attributes
    ----------
    problem : cvxpy.Problem
    positive, negative : cvxpy.Variable, shape (d, P)
        Columns w_i and w_i'; with a bias its coordinate is the last row.
    output : cvxpy.Variable, shape (n,)
        The outputs, tied to the columns by `output_constraint`, whose dual is a dual point.
    sign_vectors : ndarray, shape (P, n), int8
    """

    problem: Any
    positive: Any
    negative: Any
    output: Any
    output_constraint: Any
    sign_vectors: npt.NDArray[np.int8]

    def __repr__(self) -> str:
        P, n = self.sign_vectors.shape
        zeros = int(np.count_nonzero(self.sign_vectors == 0))
        return f"StationaryProgram(n={n}, d={self.positive.shape[0]}, P={P}, {zeros} equalities)"


def face_of(
    X: FloatArray,
    signs: npt.NDArray[np.int8],
    *,
    tolerance: float = _FLAT,
    arrangement: Arrangement | None = None,
) -> tuple[FloatArray, FloatArray]:
    """The cone {w : x_i.w = 0 where s_i = 0, s_i x_i.w >= 0}: orthonormal normals of its span (k, d), inward unit normals.

    The dimension of the span is that of the rows with s_i = 0 up to `tolerance`, a singular value of rows of unit length.
    With the arrangement of X only the rows on facets of a cell around the face, which imply the others; if rounding chose
    signs that no cell has, all rows.
    """
    size = np.linalg.norm(X, axis=1)
    units = X / np.where(size > 0.0, size, 1.0)[:, None]
    zero = (signs == 0) & (size > 0.0)
    flat = np.zeros((0, X.shape[1]))
    if zero.any():
        _, s, directions = np.linalg.svd(units[zero], full_matrices=False)
        flat = directions[s > tolerance]
    kept = (signs != 0) & (size > 0.0)
    if arrangement is not None:
        aside = np.where(zero, units @ (1.0 + np.sqrt(np.arange(X.shape[1]))), signs)  # off the face, into a cell beside it
        pattern = np.where(size > 0.0, aside > 0.0, True)
        facets = _core.find_facets(arrangement._core, np.packbits(pattern, bitorder="little"))
        if facets is not None:
            kept &= np.isin(np.arange(len(X)), facets)
    return flat, signs[kept, None] * units[kept]


def stationary(
    X: Any,
    y: Any,
    beta: float,
    sign_vectors: Any,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    rows: Rows = "facets",
    values: Values = "binary",
    tolerance: float = _FLAT,
) -> StationaryProgram:
    """Build (46): (7) over the faces of given sign vectors, a pre-activation of zero an equality.

    Without zeros it is (7) over the cells given.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    sign_vectors : array_like, shape (P, n)
        Entries -1, 0, +1.
    loss, activation, bias, norm
        As for `scalar_output`.
    rows : {"facets", "all"}
        Which rows describe a cone: those on facets of a cell around it (the others are implied), or all.
    values : {"binary", "decimal"}
        How floats of X are read where facets are found.
    tolerance : float
        Rows of unit length with s_i = 0 leave the directions in which their singular values are no larger.

    Returns
    -------
    StationaryProgram

    Raises
    ------
    InputError
        An argument does not meet its requirement.

    Examples
    --------
    The two-point counterexample to the dichotomy form of Theorem II.2: a neuron along (1, 0), its first pre-activation zero.

    >>> from topes.programs import stationary
    >>> X, y = [[0, 1], [1, -1]], [1, 1]
    >>> for signs in ([0, 1], [1, 1]):
    ...     print(round(float(stationary(X, y, 0.1, [signs]).problem.solve(solver="CLARABEL")), 5))
    0.595
    0.21062
    """
    beta, kappa, bias, the_loss = as_beta(beta), kappa_of(activation), check_bias(bias), get_loss(loss)
    norm = choice(norm, "norm", (1, 2, np.inf))
    choice(rows, "rows", ("facets", "all"))
    exact = as_exact_array(X, "X", 2, values)
    if bias is not False:
        exact = np.hstack([exact, np.ones((len(exact), 1), dtype=exact.dtype)])  # of one dtype: nothing is rounded
    data = as_floats(exact)
    targets = the_loss.check_targets(as_vector(y, "y", length=len(data)))
    signs = np.asarray(sign_vectors)
    if signs.ndim != 2 or signs.shape[1] != len(data) or not np.isin(signs, (-1, 0, 1)).all():
        raise InputError(f"sign_vectors must be -1, 0, +1 of shape (P, {len(data)}), got shape {signs.shape}")
    signs = np.ascontiguousarray(signs, dtype=np.int8)
    n, d = data.shape
    V, W = cp.Variable((d, len(signs)), name="w"), cp.Variable((d, len(signs)), name="w'")
    f = cp.Variable(n, name="f")
    outputs: Any = np.zeros(n)
    constraints: list[Any] = []
    arrangement = Arrangement(exact, values=values) if rows == "facets" else None
    for i, s in enumerate(signs):
        flat, normals = face_of(data, s, tolerance=tolerance, arrangement=arrangement)
        gated = np.where(s > 0, 1.0, np.where(s < 0, kappa, 0.0))[:, None] * data
        outputs = outputs + gated @ (V[:, i] - W[:, i])
        for w in (V[:, i], W[:, i]):
            constraints += [normals @ w >= 0] if len(normals) else []
            constraints += [flat @ w == 0] if len(flat) else []
    tie = f == outputs
    penalty: Any = 0.0
    weights = d - 1 if bias == "free" else d
    if weights and len(signs):
        penalty = cp.sum(cp.norm(V[:weights], norm, axis=0)) + cp.sum(cp.norm(W[:weights], norm, axis=0))
    fit = the_loss.expression(f, targets) if n else 0.0
    problem = cp.Problem(cp.Minimize(fit + beta * penalty), [tie, *constraints])
    signs.setflags(write=False)
    return StationaryProgram(problem, V, W, f, tie, signs)
