"""The boundary of a zonotope, coloured by the solid angles of the normal cones at its vertices."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..errors import InputError
from ..solid_angle import solid_angles
from ..zonotope import Facets, Zonotope
from ._canvas import (
    COLOUR_MAP,
    colour_bar,
    coloured_pieces,
    edges_seen,
    name_space,
    norm_of,
    plane_axes,
    require_matplotlib,
    row_space,
    show_body,
    space_axes,
)
from ._texts import as_names, name_axes, number_ticks

__all__ = ["zonotope"]

# Vertices that together have this share of all directions may be off the scale of colours.
_BELOW = 0.002
# Width of a vertex in points; in a row, all of them together are so wide at most, unless that makes them too small.
_SMALLEST, _LARGEST, _ROW = 2.5, 7.4, 800.0
_ANGLE = "solid angle of the\nnormal cone (share of 1)"


def zonotope(Z: Zonotope | Arrangement, *, ax: Any = None, names: Any = None, max_cells: int = 20_000) -> Any:
    """Draw the zonotope of a data matrix of rank 2 or 3; each vertex has the colour of its normal cone's solid angle.

    At rank 2 the polygon is drawn with its vertices. At rank 3 every facet is cut into one piece for each of its corners,
    so that the colour about a vertex is the value at that vertex. Only the sides that are seen from ``ax.elev`` and
    ``ax.azim`` are drawn: a zonotope is its own mirror image in its centre.

    Parameters
    ----------
    Z : Zonotope, or Arrangement
        Of rank 2 or 3; the zonotope of a central arrangement has its normals as generators.
    ax : matplotlib Axes, optional
        Of the plane at rank 2, 3-D at rank 3; default those of a new figure.
    names : sequence of d str, optional
        Of the columns of X, for the axes. Below rank d the axes are an orthonormal basis of the span of the rows.
    max_cells : int
        No more vertices are drawn.

    Returns
    -------
    matplotlib Axes
        ``ax.collections[0].get_array()`` holds the angles: of the vertices in the order of `Zonotope.vertices` at rank 2,
        of the pieces at rank 3.

    Raises
    ------
    InputError
        The rank is neither 2 nor 3, or the arrangement is affine.
    CellLimitError
        There are more than `max_cells` vertices.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> from topes import Zonotope
    >>> from topes.plotting import zonotope
    >>> ax = zonotope(Zonotope([[1, 0], [0, 1], [1, 1]]))
    >>> sorted(ax.collections[0].get_array().round(12).tolist())
    [0.125, 0.125, 0.125, 0.125, 0.25, 0.25]
    """
    require_matplotlib()
    body = _as_zonotope(Z)
    A = body.arrangement
    if A.rank not in (2, 3):
        raise InputError(
            f"zonotope needs rank 2 or 3 for a picture, this one has rank {A.rank}; project(columns) lowers the rank"
        )
    columns = _columns(A, names)
    angles = solid_angles(A, max_cells=max_cells).angles
    ax = plane_axes(ax) if A.rank == 2 else space_axes(ax)
    draw = _polygon if A.rank == 2 else _polyhedron
    drawn = draw(ax, body, row_space(A), angles)
    colour_bar(ax, drawn, _ANGLE, **({} if A.rank == 2 else {"shrink": 0.8, "pad": 0.12}))
    if A.rank == 3:
        name_space(ax, columns)
    else:
        name_axes(ax, *columns)
        number_ticks(ax.xaxis, ax.yaxis)
    return ax


def _as_zonotope(Z: Any) -> Zonotope:
    if isinstance(Z, Zonotope):
        return Z
    if not isinstance(Z, Arrangement):
        raise InputError(f"Z must be a topes.Zonotope or a topes.Arrangement, got {type(Z).__name__}")
    if not Z.is_central:
        raise InputError(f"Z must be a central arrangement: an affine one is not that of a zonotope; got {Z!r}")
    return Zonotope(Z._rows, values=Z.values)


def _columns(A: Arrangement, names: Any) -> list[str]:
    """What the axes are called."""
    given = None if names is None else as_names(names, "names", A.dimension, "columns of X")
    if A.rank < A.dimension:
        return [f"coordinate {k + 1}, span of the rows" for k in range(A.rank)]
    return given or [f"column {k + 1} of X" for k in range(A.rank)]


def _polygon(ax: Any, Z: Zonotope, basis: FloatArray, angles: FloatArray) -> Any:
    corners, vertices = Z.polygon() @ basis.T, Z.vertices() @ basis.T
    width = max(_SMALLEST, min(_LARGEST, _ROW / len(vertices)))
    share = width / _LARGEST
    ax.fill(*corners.T, facecolor="0.92", edgecolor="black", linewidth=share, zorder=1)
    sides = np.ptp(vertices, axis=0)
    if sides.max() < 4.0 * sides.min():
        ax.set_aspect("equal")
    rim = {"edgecolor": "black", "linewidths": 1.5 * share**2}
    return ax.scatter(*vertices.T, c=angles, cmap=COLOUR_MAP, norm=norm_of(angles), s=width**2, zorder=2, **rim)


def _polyhedron(ax: Any, Z: Zonotope, basis: FloatArray, angles: FloatArray) -> Any:
    facets = Z.facets()
    to_viewer = show_body(ax, facets.points @ basis.T)
    pieces, values, outlines = corner_pieces(Z, facets, basis, angles, to_viewer)
    drawn = coloured_pieces(ax, pieces, values, norm_of(angles, _BELOW))
    edges_seen(ax, outlines)
    return drawn


def corner_pieces(
    Z: Zonotope, facets: Facets, basis: FloatArray, angles: FloatArray, to_viewer: FloatArray
) -> tuple[list[FloatArray], FloatArray, list[FloatArray]]:
    """The facets that are seen, cut into a piece for each corner.

    Returns
    -------
    pieces : list of ndarray, shape (4, 3)
        Middle of an edge, the corner, middle of the next edge, middle of the facet.
    values : ndarray
        The angle of the corner of each piece.
    outlines : list of ndarray, shape (k + 1, 3)
        Of the facets.
    """
    points = facets.points @ basis.T
    size = np.ptp(points, axis=0)
    # Both lists hold the same points, each rounded in its own way.
    value = angles[cKDTree(Z.vertices() @ basis.T / size).query(points / size)[1]]
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    pieces, values, outlines = [], [], []
    for first, end in zip(facets.indptr[:-1], facets.indptr[1:], strict=True):
        corner = facets.indices[first:end]
        polygon = points[corner]
        normal = np.cross(polygon[1] - polygon[0], polygon[2] - polygon[1])
        if (normal @ (polygon[0] - centre)) * (normal @ to_viewer) <= 0.0:  # its outer side faces away
            continue
        after = (polygon + np.roll(polygon, -1, axis=0)) / 2
        middle = np.broadcast_to(polygon.mean(axis=0), polygon.shape)
        pieces += list(np.stack([np.roll(after, 1, axis=0), polygon, after, middle], axis=1))
        values += value[corner].tolist()
        outlines.append(np.vstack([polygon, polygon[:1]]))
    return pieces, np.array(values), outlines
