"""The program (46) of a network's own sign vectors: is the network its optimum, as Theorem II.2 says of stationary points?

First by duality alone: the slope v of the loss at the network, scaled until abs(v'D X u) <= beta over the faces of its
neurons, bounds the program from below, and at a stationary point that bound is the network's own objective. A conic solver
runs only where it is not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values
from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..dual import lower_bound
from ..errors import SolverError
from ..network import penalised, weight_norm
from ..pricing.over_cells import price
from ..programs.scalar_output import Cones
from ..programs.stationary import face_of, stationary
from .local_form import LocalForm

__all__ = ["OwnProgram", "own_program"]

_ACCURACY = 1e-10
_FLAT = 1e-10  # as for `programs.stationary`


@dataclass(frozen=True, eq=False)
class OwnProgram:
    """Both sides of (46).

    Attributes
    ----------
    sign_vectors : ndarray, shape (P, n), int8
    value : float
        The least objective known in the program, of its solver or of the network with its layers balanced.
    lower_bound : float
        No point of the program has less, up to rounding.
    """

    sign_vectors: npt.NDArray[np.int8]
    value: float
    lower_bound: float


def own_program(form: LocalForm, v: FloatArray, tol: float, values: Values) -> OwnProgram:
    """Bound, and where that is not within `tol` of the network solve, the program of the neurons that are not zero.

    Raises
    ------
    SolverError
        The conic solver returned no point.
    """
    sizes = weight_norm(penalised(form.W, form.bias), form.norm)
    used = np.any(form.W != 0.0, axis=0) & (form.c != 0.0)
    signs = np.unique(form.signs[used], axis=0) if len(form.data) else form.signs[used][:1]
    here = form.loss.value(form.outputs, form.y) + form.beta * float(np.abs(form.c) @ sizes)
    tolerance = max(_FLAT, 10.0 * form.zero_tol)
    arrangement = Arrangement(form.exact, values=values)
    faces = [_cone(form.data, s, tolerance, arrangement) for s in signs]
    bound = _bound(form, faces, v)
    enough = tol * max(abs(here), 1e-3 * form.loss.value(np.zeros_like(form.y), form.y))
    if here - bound <= enough or not len(signs):
        return OwnProgram(signs, here, bound)
    X = form.exact if form.bias is False else form.exact[:, :-1]
    program = stationary(
        X, form.y, form.beta, signs,
        loss=form.loss, activation=form.kappa, bias=form.bias, norm=form.norm, values=values, tolerance=tolerance,
    )  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last digits asked for may not be reached
            options = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), _ACCURACY)
            value = float(program.problem.solve(solver="CLARABEL", **options))
    except cp.SolverError as error:
        raise SolverError(f"CLARABEL failed on (46): {error}") from None
    if program.output.value is None:
        raise SolverError(f"CLARABEL returned no point of (46): status {program.problem.status}")
    multiplier = -np.asarray(program.output_constraint.dual_value, dtype=np.float64).reshape(len(form.y))
    gradient = form.loss.gradient(np.asarray(program.output.value), form.y)
    best = max(bound, *(_bound(form, faces, w) for w in (multiplier, gradient)))
    return OwnProgram(signs, min(here, value), best)


def _cone(X: FloatArray, signs: npt.NDArray[np.int8], tolerance: float, arrangement: Arrangement) -> Cones:
    """The face as one cell of more rows, its own normals after those of X: an equality is two, and no output sees any."""
    flat, normals = face_of(X, signs, tolerance=tolerance, arrangement=arrangement)
    own = np.vstack([normals, flat, -flat])
    pattern = np.concatenate([signs > 0, np.ones(len(own), dtype=bool)]).astype(np.uint8)[None, :]
    held = np.arange(len(X), len(X) + len(own))
    return Cones(np.vstack([X, own]), pattern, np.array([0, len(held)]), held, complete=False)


def _bound(form: LocalForm, faces: list[Cones], v: FloatArray) -> float:
    """The better one where a free bias asks for v'1 = 0 or not: only faces that hold a neuron of the bias alone do."""
    bound = _bound_at(form, faces, form.loss.project_dual(v, form.y, zero_sum=form.bias == "free"))
    if form.bias != "free" or any(_holds_constants(face) for face in faces):
        return bound
    return max(bound, _bound_at(form, faces, form.loss.project_dual(v, form.y)))


def _holds_constants(face: Cones) -> bool:
    leaning = face.normals(0)[:, -1]
    return not (leaning.min(initial=0.0) < 0.0 < leaning.max(initial=0.0))


def _bound_at(form: LocalForm, faces: list[Cones], v: FloatArray) -> float:
    worst = 0.0
    for face in faces:
        w = np.concatenate([v, np.zeros(len(face.X) - len(v))])
        worst = max(worst, price(face, w, form.kappa, bias=form.bias, norm=form.norm, enough=worst)[0])
    return lower_bound(form.loss, v, form.y, form.beta, worst)[0]
