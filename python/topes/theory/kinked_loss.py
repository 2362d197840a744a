"""The same where outputs lie on kinks of the loss: its slope v is a set too, shared by all neurons; one program finds it.

The chain rule gives the convex hull of { (X'D_j v c_j + penalty, phi(X w_j)'v + beta c_j)_j } over v in the
subdifferential of the loss and D_j with entries in [kappa, 1] where the pre-activation is zero. It contains the Clarke
subdifferential, and is equal to it where no kink can be concave: its support function then is the directional derivative.
With v = p - q and D v = a - b, p, q >= 0, kappa p <= a <= p, kappa q <= b <= q, it is a set that a conic program can take: a
point with both p_i and q_i positive is a mean of one with v_i = p_i + q_i and one with its negative. Theorem II.2 needs no
more than 0 in this set: the rows with x_i.w_j = 0 do not see its program's cone.

Where some can be concave, the slope down is found cell by cell of these rows: on the cone {G d >= 0} of a cell the
directional derivative is convex with a subdifferential C at 0, and its least value over unit d is minus the distance of 0
to C - {G'lam : lam >= 0}.
"""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..errors import SolverError
from .local_form import LocalForm

__all__ = ["MOST_PROGRAMS", "joint_descent", "joint_distance"]

_ACCURACY = 1e-11
MOST_PROGRAMS = 64  # one for each choice of cells, tens of milliseconds each

Signs = dict[int, int]  # rows of X and the side on which a neuron moves


def joint_distance(form: LocalForm) -> tuple[FloatArray, FloatArray]:
    """The point of least norm of the chain rule's set over all neurons, and its slope of the loss.

    Returns
    -------
    point : ndarray, shape (d + 1, m), float64
        The parts of the neurons, the slope in the output weight last.
    v : ndarray, shape (n,), float64

    Raises
    ------
    SolverError
        The conic solver returned no point.
    """
    return _least_norm(form, [{} for _ in form.c])


def joint_descent(form: LocalForm, nearest: FloatArray) -> tuple[FloatArray | None, bool]:
    """The point whose negative is the steepest way down, at the rate of its norm; whether all kinks are convex.

    Then it is `nearest`, the point of `joint_distance`. None where there are more than `MOST_PROGRAMS` choices of cells.
    """
    rows = [_maybe_concave(form, j) for j in range(len(form.c))]
    if not any(len(r) for r in rows):
        return nearest, True
    count = 1
    for r in rows:
        count *= Arrangement(form.exact[r]).count(n_threads=1) if len(r) <= MOST_PROGRAMS else MOST_PROGRAMS + 1
        if count > MOST_PROGRAMS:
            return None, False
    cells = [
        [dict(zip(r.tolist(), s, strict=True)) for s in Arrangement(form.exact[r]).sign_vectors(n_threads=1).tolist()]
        for r in rows
    ]
    points = [_least_norm(form, list(sides))[0] for sides in product(*cells)]
    return max(points, key=lambda g: float(np.linalg.norm(g))), False


def _maybe_concave(form: LocalForm, j: int) -> npt.NDArray[np.int64]:
    """Rows on whose kink neuron j is, and where c_j v_i < 0 for some slope v of the loss."""
    low, high = _slopes(form)
    least = np.minimum(form.c[j] * low, form.c[j] * high)
    return np.flatnonzero((form.signs[j] == 0) & np.any(form.data != 0.0, axis=1) & (least < 0.0))


def _slopes(form: LocalForm) -> tuple[FloatArray, FloatArray]:
    """Least and largest slope of the loss of each sample."""
    gradient = form.loss.gradient(form.outputs, form.y)
    if form.loss.name == "hinge":
        ends = np.minimum(0.0, -form.y), np.maximum(0.0, -form.y)
    else:
        ends = -np.ones_like(form.y), np.ones_like(form.y)
    return np.where(form.on_kink, ends[0], gradient), np.where(form.on_kink, ends[1], gradient)


def _least_norm(form: LocalForm, sides: list[Signs]) -> tuple[FloatArray, FloatArray]:
    """The same within the cones of the sides given: multiples of their normals may be taken away."""
    kinked = np.flatnonzero(form.on_kink)
    v0 = np.where(form.on_kink, 0.0, form.loss.gradient(form.outputs, form.y))
    p, q = cp.Variable(len(kinked), nonneg=True), cp.Variable(len(kinked), nonneg=True)
    constraints = _subdifferential(form, kinked, p, q)
    columns, last, features = [], cp.Variable(len(sides)), form.features
    for j, held in enumerate(sides):
        column, more = _column(form, j, kinked, v0, p, q, held)
        constraints += more
        # An equation of its own, with entries about one: features of a free bias alone are in the millions.
        size = max(form.unit, float(np.abs(features[:, j]).max(initial=0.0)))
        slope = (features[:, j] / size) @ v0 + form.beta * form.c[j] / size
        constraints.append(last[j] * (form.unit / size) == slope + (features[kinked, j] / size) @ (p - q))
        columns.append(cp.hstack([column / form.unit, last[j : j + 1]]))
    if not columns:
        return np.zeros((len(form.W) + 1, 0)), v0
    problem = cp.Problem(cp.Minimize(cp.norm(cp.hstack(columns), 2)), constraints)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last digits asked for may not be reached
            problem.solve(solver="CLARABEL", **dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), _ACCURACY))
    except cp.SolverError as error:
        raise SolverError(f"CLARABEL failed on the subdifferential: {error}") from None
    if p.value is None:
        raise SolverError(f"CLARABEL returned no point of the subdifferential: status {problem.status}")
    v = v0.copy()
    v[kinked] = p.value - q.value
    return np.stack([np.asarray(column.value) * form.unit for column in columns], axis=1), v


def _column(
    form: LocalForm, j: int, kinked: npt.NDArray[np.int64], v0: FloatArray, p: Any, q: Any, held: Signs
) -> tuple[Any, list[Any]]:
    """The part of neuron j in its input weights, as an expression, and what constrains it."""
    base, rows, kinks = form.penalty_piece(j)
    zero = (form.signs[j] == 0) & np.any(form.data != 0.0, axis=1) & (form.c[j] != 0.0)
    gates = form.gates[j].copy()
    for i, side in held.items():
        gates[i], zero[i] = (1.0 if side > 0 else form.kappa), False
    column: Any = base + form.c[j] * (gates * v0) @ form.data
    turn = (1.0 - form.kappa) * form.c[j] * v0
    turning = zero & (turn != 0.0)
    rows, kinks = np.vstack([form.data[turning], rows]), np.concatenate([turn[turning], kinks])
    constraints: list[Any] = []
    if len(kinks):
        t = cp.Variable(len(kinks))
        constraints += [t >= 0.0, t <= 1.0]
        column = column + (kinks[:, None] * rows).T @ t
    X, free = form.data[kinked], np.flatnonzero(zero[kinked])
    sure = np.setdiff1d(np.arange(len(kinked)), free)
    if len(sure):
        column = column + form.c[j] * (gates[kinked[sure]][:, None] * X[sure]).T @ (p[sure] - q[sure])
    if len(free):
        a, b = cp.Variable(len(free)), cp.Variable(len(free))
        constraints += [a <= p[free], a >= form.kappa * p[free], b <= q[free], b >= form.kappa * q[free]]
        column = column + form.c[j] * X[free].T @ (a - b)
    if held:
        G = np.array([side * form.data[i] for i, side in held.items()])
        multiplier = cp.Variable(len(G), nonneg=True)
        column = column - (G / np.linalg.norm(G, axis=1, keepdims=True)).T @ multiplier * form.unit
    return column, constraints


def _subdifferential(form: LocalForm, kinked: npt.NDArray[np.int64], p: Any, q: Any) -> list[Any]:
    """p - q a slope of the loss: in an interval for each sample, or together in the unit ball for the l2 loss."""
    if form.loss.kink_is_joint:
        return [cp.norm(p + q, 2) <= 1.0]
    low, high = (ends[kinked] for ends in _slopes(form))
    return [p <= high, q <= -low, p + q <= 1.0]
