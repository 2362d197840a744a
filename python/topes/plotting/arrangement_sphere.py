"""A central arrangement of rank 3 as great circles on the sphere."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.validation import FloatArray, read_only
from ..arrangement import Arrangement
from ..errors import InputError
from ..solid_angle import solid_angles
from ._canvas import (
    colour_bar,
    coloured_pieces,
    edges_seen,
    name_space,
    norm_of,
    require_matplotlib,
    row_space,
    show_body,
    space_axes,
)

__all__ = ["arrangement_sphere"]

# Points of half a circle.
_STEPS = 91
# A circle this close to the rim (radians) is the rim.
_EDGE_ON = 1e-9
# Cells that together take this share of the sphere may be off the scale of colours.
_BELOW = 0.02
# A cell within so many radians of its middle is one flat piece.
_FLAT = 0.12


def arrangement_sphere(A: Arrangement, *, ax: Any = None, max_cells: int = 10_000) -> Any:
    """Draw a central arrangement of rank 3 on the unit sphere, its cells coloured by their solid angles.

    The hyperplanes are great circles. Only the half that is seen from ``ax.elev`` and ``ax.azim`` is drawn: the other one
    is its mirror image, and a cell has the solid angle of its antipode. Beyond d = 3 the sphere is that in the span of the
    rows.

    Parameters
    ----------
    A : Arrangement
        Central, of rank 3.
    ax : matplotlib 3-D Axes, optional
        Default those of a new figure.
    max_cells : int
        No more cells are drawn.

    Returns
    -------
    matplotlib Axes
        ``ax.collections[0].get_array()`` holds the solid angle of the cell of each piece.

    Raises
    ------
    InputError
        A is affine, or its rank is not 3.
    CellLimitError
        There are more than `max_cells` cells.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from topes import Arrangement
    >>> from topes.plotting import arrangement_sphere
    >>> ax = arrangement_sphere(Arrangement(np.eye(3, dtype=int)))
    >>> set(ax.collections[0].get_array().round(12).tolist())
    {0.125}
    """
    require_matplotlib()
    if not isinstance(A, Arrangement):
        raise InputError(f"A must be a topes.Arrangement, got {type(A).__name__}")
    if not A.is_central:
        raise InputError(f"A must be central for a picture on the sphere: arrangement_plane draws affine lines; got {A!r}")
    if A.rank != 3:
        instead = "; arrangement_plane takes rank 2" if A.rank == 2 else ""
        raise InputError(f"arrangement_sphere needs an arrangement of rank 3, this one has rank {A.rank}{instead}")
    angles = solid_angles(A, max_cells=max_cells).angles
    basis = row_space(A)
    ax = space_axes(ax)
    to_viewer = show_body(ax, np.vstack([np.eye(3), -np.eye(3)]))
    pieces, cells = [], []
    for k, rays in enumerate(cell_corners(A, basis)):
        if (rays @ to_viewer).max() <= 0.0:  # then all of the cell faces away
            continue
        for piece in triangulated(rays):
            if (piece @ to_viewer).max() > 0.0:
                pieces.append(piece)
                cells.append(k)
    drawn = coloured_pieces(ax, pieces, angles[cells], norm_of(angles, _BELOW))
    rows = A.normals @ basis.T
    edges_seen(ax, [half_circle(row, to_viewer) for row in rows[rows.any(axis=1)]])
    ax.plot(*rim(to_viewer).T, color="0.5", linewidth=1.0, zorder=1.5)
    colour_bar(ax, drawn, "solid angle of the cell (share of the sphere)", shrink=0.8, pad=0.12)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_ticks([-0.5, 0, 0.5])
    named = "w{}" if A.dimension == 3 else "coordinate {}, span of the rows"
    name_space(ax, [named.format(number) for number in (1, 2, 3)])
    return ax


def cell_corners(A: Arrangement, basis: FloatArray) -> list[FloatArray]:
    """The extreme rays of each cell as unit vectors in the basis, shape (its rays, 3), in order about the cell."""
    found = []
    for batch in A.cells():
        rays = batch.rays @ basis.T
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        for first, end in zip(batch.ray_indptr[:-1], batch.ray_indptr[1:], strict=True):
            found.append(_in_order(rays[first:end]))
    return found


def _in_order(rays: FloatArray) -> FloatArray:
    middle = rays.mean(axis=0)
    across = rays[0] - rays[0] @ middle / (middle @ middle) * middle
    beside = np.cross(middle, across)
    turn = np.arctan2(rays @ beside / np.linalg.norm(beside), rays @ across / np.linalg.norm(across))
    return read_only(rays[np.argsort(turn)])


def triangulated(rays: FloatArray) -> list[FloatArray]:
    """A cell as flat pieces close to the sphere: a fan of triangles about its middle, halved until they are small."""
    middle = rays.mean(axis=0)
    middle /= np.linalg.norm(middle)
    if np.linalg.norm(rays - middle, axis=1).max() <= _FLAT:
        return [rays]
    small, left = [], [np.array([middle, a, b]) for a, b in zip(rays, np.roll(rays, -1, axis=0), strict=True)]
    while left:
        triangle = left.pop()
        sides = np.linalg.norm(triangle - np.roll(triangle, -1, axis=0), axis=1)
        k = int(sides.argmax())
        if sides[k] <= _FLAT:
            small.append(triangle)
            continue
        a, b, c = np.roll(triangle, -k, axis=0)
        half = (a + b) / np.linalg.norm(a + b)
        left += [np.array([a, half, c]), np.array([half, b, c])]
    return small


def half_circle(normal: FloatArray, to_viewer: FloatArray) -> FloatArray:
    """The half of the great circle with this normal that faces the viewer, shape (k, 3)."""
    normal = normal / np.abs(normal).max()
    beside = np.cross(normal, to_viewer)
    if np.linalg.norm(beside) <= _EDGE_ON * np.linalg.norm(normal):  # all of it is the rim
        return rim(to_viewer)
    nearest = np.cross(beside, normal)
    turn = np.linspace(-0.5 * np.pi, 0.5 * np.pi, _STEPS)[:, None]
    return _unit(nearest) * np.cos(turn) + _unit(beside) * np.sin(turn)


def rim(to_viewer: FloatArray) -> FloatArray:
    """The circle in which the sphere is seen against the ground."""
    across = np.linalg.svd(to_viewer[None])[2][1:]
    turn = np.linspace(0.0, 2 * np.pi, 2 * _STEPS)[:, None]
    return np.asarray(np.cos(turn) * across[0] + np.sin(turn) * across[1])


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
