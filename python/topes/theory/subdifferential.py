"""Distance of 0 to the Clarke subdifferential of (3), and the steepest slope down: stationary in two senses.

*Clarke.* The gradients near neuron j are base + sum of kink_i row_i over the rows i on whose positive side one is, so the
subdifferential is the convex hull of these points over the cells of the arrangement of the rows with x_i.w_j = 0. The
chain rule lets each kink choose its side for itself: a zonotope, which contains that hull. The two are equal where all
kinks have one sign, and where the rows are linearly independent; else the cells are enumerated, exactly. Duplicate rows
with opposite kinks show that they can differ: max(t, 0) - max(t, 0) has no kink at all. The neurons' parts are independent
of each other, as their weights are.

*d-stationary*: no direction leads down. The concave kinks are minima of linear functions, so D = min over the cells s of
the concave rows of a convex function with subdifferential P(s) = base + sum of concave kinks on in s + sum of [0, kink_i]
row_i over the convex ones, and the steepest slope is -max over s of the distance of 0 to P(s). Without concave kinks both
senses are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from .._support.nonnegative import nonnegative_least_squares
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..errors import CellLimitError
from .local_form import Piece

__all__ = ["Distance", "clarke_distance", "steepest_descent"]


@dataclass(frozen=True, eq=False)
class Distance:
    """A point of least norm.

    Attributes
    ----------
    point : ndarray, shape (d,), float64
    exact : bool
        It is that of the set asked for; else of one that contains it, and nearer to 0.
    """

    point: FloatArray
    exact: bool


def clarke_distance(piece: Piece, max_cells: int) -> Distance:
    """The point of least norm of the Clarke subdifferential in the input weights of one neuron.

    Where it takes more than `max_cells` cells, that of the chain rule's zonotope, `exact` False.
    """
    kinks = piece.kinks
    one_sign = bool(np.all(kinks > 0.0) or np.all(kinks < 0.0))
    if one_sign or Arrangement(piece.exact).rank == len(kinks):
        return Distance(_least_norm_of_zonotope(piece.base, piece.rows, kinks), True)
    try:
        patterns = Arrangement(piece.exact).patterns(n_threads=1, max_cells=max_cells)
    except CellLimitError:
        return Distance(_least_norm_of_zonotope(piece.base, piece.rows, kinks), False)
    return Distance(_least_norm_of_hull(piece.base + (patterns * kinks) @ piece.rows), True)


def steepest_descent(piece: Piece, max_cells: int) -> FloatArray | None:
    """g such that -g / ||g|| is the direction in which D falls most, at the rate ||g||; 0 where it falls in none.

    None where the concave rows have more than `max_cells` cells.
    """
    concave = piece.kinks < 0.0
    rows, kinks = piece.rows[~concave], piece.kinks[~concave]
    if not concave.any():
        return _least_norm_of_zonotope(piece.base, rows, kinks)
    try:
        patterns = Arrangement(piece.exact[concave]).patterns(n_threads=1, max_cells=max_cells)
    except CellLimitError:
        return None
    starts = piece.base + (patterns * piece.kinks[concave]) @ piece.rows[concave]
    points = [_least_norm_of_zonotope(start, rows, kinks) for start in starts]
    return max(points, key=lambda g: float(g @ g))


def _least_norm_of_zonotope(base: FloatArray, rows: FloatArray, kinks: FloatArray) -> FloatArray:
    """Of base + sum of [0, kink_i] row_i, by an active set method."""
    if not len(kinks):
        return base
    generators = (kinks[:, None] * rows).T
    unit = max(float(np.abs(base).max()), float(np.abs(generators).max()), 1e-300)
    lengths = np.linalg.norm(generators / unit, axis=0)
    columns = generators / unit / lengths
    found = lsq_linear(columns, -base / unit, bounds=(0.0, lengths), method="bvls", tol=1e-15, max_iter=50 * len(kinks))
    return np.asarray(base + generators @ np.clip(found.x / lengths, 0.0, 1.0))


def _least_norm_of_hull(points: FloatArray) -> FloatArray:
    """Of the convex hull of the rows.

    min ||P mu||^2 + (sum mu - 1)^2 over mu >= 0 has the weights of the point of least norm, up to a factor: for mu = t times
    weights with sum 1 the best t leaves x / (1 + x), x the square of the norm, which grows with x.
    """
    unit = max(float(np.abs(points).max()), 1e-300)
    columns = np.vstack([(points / unit).T, np.ones(len(points))])
    mu = nonnegative_least_squares(columns, np.append(np.zeros(points.shape[1]), 1.0), maxiter=50 * (len(points) + 10))
    return np.asarray((mu / mu.sum()) @ points)
