"""A loss of one's own as a piece of a conic program: what cvxpy makes of its expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..errors import InputError
from ..losses import Loss

__all__ = ["ConicForm", "conic_form"]


@dataclass(frozen=True, eq=False)
class ConicForm:
    """L(f, y), but for a constant, as min over z of z'Pz/2 + q'z subject to b - A z in cones; f is z from `place` on.

    P is None for 0.
    """

    P: Any
    q: FloatArray
    A: Any
    b: FloatArray
    cones: list[Any]
    place: int


def conic_form(loss: Loss, y: FloatArray) -> ConicForm:
    """That of the loss's cvxpy expression; `InputError` where it is none."""
    from cvxpy.reductions.solvers.conic_solvers.clarabel_conif import dims_to_solver_cones

    f = cp.Variable(len(y))
    try:
        data = cp.Problem(cp.Minimize(loss.expression(f, y))).get_problem_data(cp.CLARABEL)[0]
    except (cp.DCPError, ValueError) as error:
        raise InputError(f"loss must have a convex cvxpy expression, one number, got that of {loss!r}: {error}") from None
    q = np.asarray(data["c"], dtype=np.float64)
    place = int(data["param_prob"].var_id_to_col[f.id])
    return ConicForm(data.get("P"), q, data["A"], data["b"], dims_to_solver_cones(data["dims"]), place)
