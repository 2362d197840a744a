"""Problem (26): for spike-free data the network of any width is a convex program without cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.validation import as_matrix
from ..losses import Loss
from .scalar_output import ScalarOutputProgram, scalar_output

__all__ = ["spike_free"]


def spike_free(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    values: Values = "binary",
    tol: float = 1e-9,
    check: bool = True,
) -> ScalarOutputProgram:
    """Build (26): min L(X(w - w'), y) + beta * (||w|| + ||w'||) with Xw >= 0, Xw' >= 0. ReLU, weights in the 2-norm.

    It is (7) with the one cell D = I, and never below the optimum of all cells. For spike-free data {(Xu)_+ : ||u|| <= 1} =
    {Xz : ||z|| <= 1, Xz >= 0}, so the two are equal (Theorem VII.1). A slope on the negative side breaks that.

    Parameters
    ----------
    X : array_like, shape (n, d)
        A bias is a column of ones, and is penalised.
    y, beta, loss
        As for `scalar_output`.
    values : {"binary", "decimal"}
        How floats of X are read by the check.
    tol : float
        X passes where `SpikeFree.within(tol)` holds: the optimum is then at most a share of `tol` above that of (7).
    check : bool
        False builds the program for any X: the optimum is then an upper bound.

    Returns
    -------
    ScalarOutputProgram
        `positive` and `negative` have one column each, w and w'.

    Raises
    ------
    NotSpikeFree
        X is not; the error holds a witness. It is an `InputError`.

    Examples
    --------
    >>> from topes.programs import spike_free
    >>> program = spike_free([[1, 0], [0, 1]], [2, -1], beta=0.5)
    >>> program.positive.shape, round(float(program.problem.solve(solver="CLARABEL")), 6)  # 1 - 1/8 + 1/2 - 1/8
    ((2, 1), 1.25)
    """
    if check:
        from ..theory.spike_free import NotSpikeFree  # theory stands on programs, so not at the top
        from ..theory.spike_free import spike_free as decide

        result = decide(X, values=values)
        if not result.within(tol):
            raise NotSpikeFree(result)
    one = np.ones((1, len(as_matrix(X))), dtype=np.uint8)
    return scalar_output(X, y, beta, patterns=one, loss=loss, rows="all", values=values)
