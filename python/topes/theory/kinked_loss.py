"""The same where outputs lie on kinks of the loss: its slope v is a set too, shared by all neurons; one program finds it.

The chain rule gives the convex hull of { (X'D_j v c_j + penalty, phi(X w_j)'v + beta c_j)_j } over v in the
subdifferential of the loss and D_j with entries in [kappa, 1] where the pre-activation is zero. It contains the Clarke
subdifferential, and is equal to it where no pre-activation is zero in a row whose output is on a kink. With v = p - q and
D v = a - b, p, q >= 0, kappa p <= a <= p, kappa q <= b <= q, it is a set that a conic program can take: a point with both
p_i and q_i positive is a mean of one with v_i = p_i + q_i and one with its negative. Theorem II.2 needs no more than 0 in
this set: the rows with x_i.w_j = 0 do not see its program's cone.
"""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

from .._support.validation import FloatArray
from ..errors import SolverError
from .local_form import LocalForm

__all__ = ["joint_distance"]

_ACCURACY = 1e-11


def joint_distance(form: LocalForm) -> tuple[FloatArray, FloatArray, bool]:
    """The point of least norm over all neurons, its slope v of the loss, and whether no direction leads further down.

    Returns
    -------
    point : ndarray, shape (d + 1, m), float64
        The parts of the neurons, the slope in the output weight last.
    v : ndarray, shape (n,), float64
    convex : bool
        (3) has only convex kinks here, so that the norm of the point is the steepest slope too.

    Raises
    ------
    SolverError
        The conic solver returned no point.
    """
    kinked = np.flatnonzero(form.on_kink)
    v0 = np.where(form.on_kink, 0.0, form.loss.gradient(form.outputs, form.y))
    p, q = cp.Variable(len(kinked), nonneg=True), cp.Variable(len(kinked), nonneg=True)
    constraints = _subdifferential(form, kinked, p, q)
    columns, convex = [], True
    for j in range(form.W.shape[1]):
        piece = form.piece(j, v0)
        convex &= bool(np.all(piece.kinks > 0.0))
        X = form.data[kinked]
        zero = np.flatnonzero((form.signs[j, kinked] == 0) & np.any(X != 0.0, axis=1)) if form.c[j] else np.zeros(0, int)
        sure = np.setdiff1d(np.arange(len(kinked)), zero)
        column: Any = piece.base
        if len(piece.kinks):
            t = cp.Variable(len(piece.kinks))
            constraints += [t >= 0.0, t <= 1.0]
            column = column + (piece.kinks[:, None] * piece.rows).T @ t
        if len(sure):
            column = column + form.c[j] * (form.gates[j, kinked[sure]][:, None] * X[sure]).T @ (p[sure] - q[sure])
        if len(zero):
            a, b = cp.Variable(len(zero)), cp.Variable(len(zero))
            constraints += [a <= p[zero], a >= form.kappa * p[zero], b <= q[zero], b >= form.kappa * q[zero]]
            column = column + form.c[j] * X[zero].T @ (a - b)
            low, high = _slopes(form, kinked[zero])
            convex &= bool(np.all(form.c[j] * low >= 0.0) if form.c[j] > 0.0 else np.all(form.c[j] * high >= 0.0))
        last = piece.output_slope + form.features[kinked, j] @ (p - q)
        columns.append(cp.hstack([column, cp.hstack([last])]))
    if not columns:
        return np.zeros((len(form.W) + 1, 0)), v0, True
    problem = cp.Problem(cp.Minimize(cp.norm(cp.hstack(columns) / form.unit, 2)), constraints)
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
    return np.stack([np.asarray(column.value) for column in columns], axis=1), v, convex


def _slopes(form: LocalForm, rows: Any) -> tuple[FloatArray, FloatArray]:
    """Least and largest slope of the loss of each sample on its kink."""
    if form.loss.name == "hinge":
        return np.minimum(0.0, -form.y[rows]), np.maximum(0.0, -form.y[rows])
    return np.full(len(rows), -1.0), np.ones(len(rows))


def _subdifferential(form: LocalForm, kinked: Any, p: Any, q: Any) -> list[Any]:
    """p - q a slope of the loss: in an interval for each sample, or together in the unit ball for the l2 loss."""
    if form.loss.kink_is_joint:
        return [cp.norm(p + q, 2) <= 1.0]
    low, high = _slopes(form, kinked)
    return [p <= high, q <= -low, p + q <= 1.0]
