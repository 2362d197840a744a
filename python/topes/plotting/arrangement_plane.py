"""Lines in the plane and the cells between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.exact_input import as_floats
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..errors import InputError
from ..solid_angle import solid_angles
from ._canvas import (
    COLOUR_MAP,
    VERMILLION,
    colour_bar,
    line_in_box,
    line_width,
    norm_of,
    plane_axes,
    require_matplotlib,
    row_space,
)
from ._texts import as_names, name_axes, number_ticks, root_figure

__all__ = ["arrangement_plane"]

_MOST_LABELS = 40
# Where on a line its label may stand.
_PLACES = 101
# Room around the text of a label, in points: its frame and a gap.
_APART = 3.0


def arrangement_plane(
    A: Arrangement,
    *,
    ax: Any = None,
    window: Any = None,
    labels: Any = False,
    witnesses: bool = False,
    max_cells: int = 20_000,
) -> Any:
    """Draw an arrangement of lines in the plane, central or affine, with its cells coloured.

    Cells of a central arrangement are coloured by their solid angle, those of an affine one by the number of lines on
    whose positive side they lie: neighbours differ.

    Parameters
    ----------
    A : Arrangement
        Of dimension 2, or of rank 2; the plane is then that of the span of the rows.
    ax : matplotlib Axes, optional
        Default those of a new figure.
    window : ((float, float), (float, float)), optional
        What is shown of the two coordinates. The default meets every cell.
    labels : bool, or sequence of n str
        Name each line, by its row number or by these; of rows on one line the first. A
        name that would cover another, or that does not fit into the axes, is left out.
    witnesses : bool
        Mark a point of each cell.
    max_cells : int
        No more cells are drawn.

    Returns
    -------
    matplotlib Axes
        ``ax.collections[0]`` holds a polygon for each cell that meets the window, in the order of `Arrangement.patterns`,
        and ``get_array()`` of it what the colours say.

    Raises
    ------
    InputError
        The plane is not what the arrangement lies in: the rank is not 2; `window` or `labels` do not fit.
    CellLimitError
        There are more than `max_cells` cells.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> from topes import Arrangement
    >>> from topes.plotting import arrangement_plane
    >>> A = Arrangement([[1, 0], [0, 1], [1, 1]], offsets=[0, 0, 1])
    >>> ax = arrangement_plane(A, labels=True)
    >>> len(ax.collections[0].get_paths()) == A.count()
    True
    >>> sorted(text.get_text() for text in ax.texts)
    ['0', '1', '2']
    """
    require_matplotlib()
    if not isinstance(A, Arrangement):
        raise InputError(f"A must be a topes.Arrangement, got {type(A).__name__}")
    if 2 not in (A.dimension, A.rank):
        instead = "; arrangement_sphere takes rank 3" if A.rank == 3 and A.is_central else ""
        raise InputError(f"arrangement_plane needs an arrangement of rank 2, this one has rank {A.rank}{instead}")
    names = _names(A, labels)
    basis = np.eye(2) if A.dimension == 2 else row_space(A)
    rows = A.normals @ basis.T
    offsets = np.zeros(A.n) if A._offsets is None else as_floats(A._offsets)
    batches = list(A.cells(max_cells=max_cells))
    points = np.vstack([batch.witnesses @ basis.T for batch in batches])
    if A.is_central and A.rank > 0:
        points *= 0.6 / np.linalg.norm(points, axis=1, keepdims=True)
    box = _window(A, batches, basis, points if witnesses else points[:0]) if window is None else _checked(window)
    kept: list[int] = []
    polygons: list[FloatArray] = []
    lines: set[int] = set()
    positive: list[int] = []
    for batch in batches:
        signs = batch.sign_vectors
        for k in range(len(batch)):
            facets = batch.facet_indices[batch.facet_indptr[k] : batch.facet_indptr[k + 1]]
            lines.update(facets.tolist())
            side = signs[k, facets]
            polygon = clipped(_corners(box), rows[facets] * side[:, None], offsets[facets] * side)
            if len(polygon):
                kept.append(len(positive))
                polygons.append(polygon)
            positive.append(int((signs[k] > 0).sum()))
    ax = plane_axes(ax)
    _draw(ax, A, kept, polygons, np.array(positive), max_cells)
    ends = {i: line_in_box(rows[i], float(offsets[i]), box) for i in sorted(lines)}
    ends = {i: points for i, points in ends.items() if len(points)}
    for points_of_line in ends.values():
        ax.plot(*points_of_line.T, color="black", linewidth=line_width(len(ends)), zorder=2)
    if witnesses:
        ax.plot(*points.T, "o", color="white", markeredgecolor=VERMILLION, markersize=4, zorder=3)
    ax.set(xlim=box[0], ylim=box[1])
    ax.locator_params(nbins=5)
    number_ticks(ax.xaxis, ax.yaxis)
    named = "w{}" if A.dimension == 2 else "coordinate {}, span of the rows"
    name_axes(ax, named.format(1), named.format(2))
    if names:
        _label_lines(ax, box, ends, names)
    return ax


def _draw(ax: Any, A: Arrangement, kept: list[int], polygons: list[FloatArray], positive: Any, max_cells: int) -> None:
    """The cells and the bar that says what their colours mean."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import BoundaryNorm

    ticks = None
    if A.is_central:
        values = np.asarray(solid_angles(A, max_cells=max_cells).angles)[kept]
        norm, meaning = norm_of(values), "solid angle of the cell (share of the circle)"
    else:
        values = positive[kept]
        low, high = int(positive.min()), int(positive.max())
        norm, meaning = BoundaryNorm(np.arange(low, high + 2) - 0.5, 256), "lines with the cell on the positive side"
        ticks = np.arange(low, high + 1, (high - low) // 8 + 1)
    drawn = PolyCollection(polygons, cmap=COLOUR_MAP, norm=norm, edgecolors="face", linewidths=0.2, zorder=1)
    drawn.set_array(values)
    ax.add_collection(drawn)
    colour_bar(ax, drawn, meaning, ticks=ticks).minorticks_off()


def _names(A: Arrangement, labels: Any) -> list[str]:
    if labels is None or (isinstance(labels, (bool, np.bool_)) and not labels):
        return []
    numbered = isinstance(labels, (bool, np.bool_))
    names = [str(i) for i in range(A.n)] if numbered else as_names(labels, "labels", A.n, "rows of X")
    if A.n_hyperplanes > _MOST_LABELS:
        raise InputError(f"labels can name at most {_MOST_LABELS} lines, there are {A.n_hyperplanes}; leave them out")
    return names


def _checked(window: Any) -> FloatArray:
    try:
        box = np.array(window, dtype=np.float64)
    except (TypeError, ValueError):
        box = np.zeros(0)
    if box.shape != (2, 2) or not np.isfinite(box).all() or (box[:, 0] >= box[:, 1]).any():
        raise InputError(f"window must be two increasing pairs of finite numbers, got {window!r}")
    return box


def _window(A: Arrangement, batches: Any, basis: FloatArray, points: FloatArray) -> FloatArray:
    """Around all vertices, so that it meets every cell; around the origin where all lines meet there."""
    if A.is_central:
        return np.array([[-1.0, 1.0], [-1.0, 1.0]])
    rays = np.vstack([batch.rays for batch in batches])
    vertices = np.vstack([rays[rays[:, -1] > 0.5][:, :-1] @ basis.T, points])
    if not len(vertices):  # no line
        return np.array([[-1.0, 1.0], [-1.0, 1.0]])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    extent = high - low
    margin = np.where(extent > 0.0, 0.25 * extent, 0.5 * extent.max() if extent.max() > 0.0 else 1.0)
    return np.column_stack([low - margin, high + margin])


def _corners(box: FloatArray) -> FloatArray:
    (a, b), (c, d) = box
    return np.array([[a, c], [b, c], [b, d], [a, d]])


def clipped(polygon: FloatArray, normals: FloatArray, offsets: FloatArray) -> FloatArray:
    """The part of a convex polygon where ``normals @ p >= offsets``, shape (k, 2); k = 0 where it has no area.

    Examples
    --------
    >>> clipped(np.array([[0.0, 0.0], [2, 0], [2, 2], [0, 2]]), np.array([[1.0, 0.0]]), np.array([1.0])).tolist()
    [[1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [1.0, 2.0]]
    """
    for normal, offset in zip(normals, offsets, strict=True):
        height = polygon @ normal - offset
        kept = []
        for k in range(len(polygon)):
            before, here = height[k - 1], height[k]
            if (before < 0.0) != (here < 0.0):
                share = before / (before - here)
                kept.append(polygon[k - 1] + share * (polygon[k] - polygon[k - 1]))
            if here >= 0.0:
                kept.append(polygon[k])
        polygon = np.array(kept).reshape(-1, 2)
        if len(polygon) < 3:
            return np.zeros((0, 2))
    return polygon


def _label_lines(ax: Any, box: FloatArray, ends: dict[int, FloatArray], names: list[str]) -> None:
    """Each name on its line, where it is farthest from the other lines, the other names and the edge."""
    low, extent = box[:, 0], box[:, 1] - box[:, 0]
    lines = {i: (points - low) / extent for i, points in ends.items()}
    root_figure(ax).draw_without_rendering()  # only then is known how large axes and texts are
    placed: list[FloatArray] = []
    sizes: list[FloatArray] = []
    for i, (a, b) in lines.items():
        text = _framed(ax, names[i])
        size = (text.get_window_extent().size + 2.0 * _APART * ax.figure.dpi / 72.0) / ax.bbox.size
        places = a + np.linspace(0.03, 0.97, _PLACES)[:, None] * (b - a)
        room = 2.0 * np.minimum(places, 1.0 - places).min(axis=1)
        for j, (c, d) in lines.items():
            if j != i:
                across = np.array([c[1] - d[1], d[0] - c[0]]) / np.linalg.norm(d - c)
                room = np.minimum(room, 3.0 * np.abs((places - c) @ across))
        free = (np.minimum(places, 1.0 - places) >= size / 2.0).all(axis=1)
        for other, its_size in zip(placed, sizes, strict=True):
            room = np.minimum(room, np.linalg.norm(places - other, axis=1))
            free &= (np.abs(places - other) >= (size + its_size) / 2.0).any(axis=1)
        if not free.any():
            text.remove()
            continue
        room[~free] = -1.0
        placed.append(places[int(room.argmax())])
        sizes.append(size)
        text.set_position(low + placed[-1] * extent)


def _framed(ax: Any, name: str) -> Any:
    frame = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "black", "linewidth": 0.5}
    return ax.text(0.0, 0.0, name, ha="center", va="center", fontsize=8, bbox=frame, zorder=4)
