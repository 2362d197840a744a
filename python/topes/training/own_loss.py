"""A loss of one's own as a piece of a conic program: what cvxpy makes of its expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..errors import InputError
from ..losses import Loss

if TYPE_CHECKING:
    from .conic import Conic

__all__ = ["add_expression"]


def add_expression(conic: Conic, loss: Loss, y: FloatArray) -> int:
    """Add L(f, y), but for a constant: min over z of z'Pz/2 + q'z subject to b - A z in cones, f a part of z.

    Returns the place of f, n variables.
    """
    from cvxpy.reductions.solvers.conic_solvers.clarabel_conif import dims_to_solver_cones

    f = cp.Variable(len(y))
    try:
        data = cp.Problem(cp.Minimize(loss.expression(f, y))).get_problem_data(cp.CLARABEL)[0]
    except (cp.DCPError, ValueError) as error:
        raise InputError(f"loss must have a convex cvxpy expression, one number, got that of {loss!r}: {error}") from None
    place = conic.variables(len(data["c"]))
    conic.cost[place:] = np.asarray(data["c"], dtype=np.float64).tolist()
    if data.get("P") is not None:
        conic.quadratic(place, data["P"])
    if len(data["b"]):
        conic.constrain(dims_to_solver_cones(data["dims"]), [(place, data["A"])], data["b"])
    return place + int(data["param_prob"].var_id_to_col[f.id])
