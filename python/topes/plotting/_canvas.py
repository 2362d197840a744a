"""What the pictures share: the check for matplotlib, axes, colours, and the view of a body in space."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from .._support.files import whole_file
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..errors import InputError, TopesError
from ..network import TwoLayerNetwork
from ._space_texts import settle_texts

__all__ = [
    "BLUE",
    "COLOUR_MAP",
    "GREEN",
    "GREY",
    "LINE_COLOURS",
    "LINE_STYLES",
    "ORANGE",
    "VERMILLION",
    "as_figure",
    "colour_bar",
    "coloured_pieces",
    "edges_seen",
    "fully_connected",
    "line_in_box",
    "line_width",
    "name_space",
    "new_figure",
    "norm_of",
    "plane_axes",
    "require_matplotlib",
    "row_space",
    "save_figure",
    "show_body",
    "space_axes",
]

# The palette of Okabe and Ito, told apart with any colour vision; styles tell the lines apart in grey.
BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "0.4"
LINE_COLOURS = (BLUE, VERMILLION, GREEN, "#CC79A7", ORANGE, "#56B4E9")
LINE_STYLES = ("-", "--", "-.", ":")
#: Its lightness grows evenly, with any colour vision and in grey.
COLOUR_MAP = "cividis"
# From this ratio of greatest to least on, colours go by the logarithm.
_WIDE = 20.0
# The longest side of a box is drawn at most so many times as long as the shortest.
_FLATTEST = 2.0
# Edges get finer, in points, with the root of their number; lines through all of the picture with their number.
_INK = 8.0
_LINES = 30.0
# Room for what stands at the axes.
_ZOOM = 0.8


def require_matplotlib() -> None:
    """Raise `TopesError` where matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise TopesError("pictures need matplotlib: pip install 'topes[plot]'") from None


def new_figure(size: tuple[float, float]) -> Any:
    """A figure of that size in inches, of no window."""
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="compressed")


def as_figure(figure: Any, size: tuple[float, float]) -> Any:
    """The figure, or subfigure, given, else a new one."""
    require_matplotlib()
    if figure is None:
        return new_figure(size)
    if not hasattr(figure, "subplots"):
        raise InputError(f"figure must be a matplotlib figure, got {type(figure).__name__}")
    return figure


def plane_axes(ax: Any, size: tuple[float, float] = (5.5, 4.5)) -> Any:
    """The axes given, else those of a new figure."""
    require_matplotlib()
    if ax is None:
        return new_figure(size).add_subplot()
    if not hasattr(ax, "plot"):
        raise InputError(f"ax must be matplotlib axes, got {type(ax).__name__}")
    if hasattr(ax, "get_zlim"):
        raise InputError("ax must be axes of the plane for this picture, got 3-D axes")
    return ax


def space_axes(ax: Any, size: tuple[float, float] = (6.5, 5.0)) -> Any:
    """The 3-D axes given, else those of a new figure."""
    require_matplotlib()
    if ax is None:
        return new_figure(size).add_subplot(projection="3d")
    if not hasattr(ax, "get_zlim"):
        raise InputError(f"ax must be 3-D axes (projection='3d') for this picture, got {type(ax).__name__}")
    return ax


def norm_of(values: Any, share: float = 0.0) -> Any:
    """How positive numbers become colours: by their logarithm where they range widely.

    The least numbers, those that make up this share of the sum of all, have the colour of the first that is not of them.
    """
    from matplotlib.colors import LogNorm, Normalize

    positive = np.sort(np.asarray(values, dtype=np.float64))
    positive = positive[positive > 0.0]
    if not len(positive):
        return Normalize(0.0, 1.0)
    first = np.searchsorted(positive.cumsum(), share * positive.sum(), side="right")
    least, greatest = float(positive[min(first, len(positive) - 1)]), float(positive[-1])
    if greatest > _WIDE * least:
        return LogNorm(least, greatest)
    if greatest <= least * (1.0 + 1e-6):  # one value, up to rounding
        return Normalize(0.5 * least, 1.5 * least)
    return Normalize(least, greatest)


def colour_bar(ax: Any, drawn: Any, label: str, **more: Any) -> Any:
    """The colour bar of what was drawn, beside the axes; pointed where there are values below it."""
    values, low = drawn.get_array(), drawn.norm.vmin
    below = values is not None and len(values) > 0 and float(np.min(values)) < low * (1.0 - 1e-9)
    return ax.figure.colorbar(drawn, ax=ax, label=label, extend="min" if below else "neither", **more)


def save_figure(figure: Any, path: Any, dpi: int) -> None:
    """Write a picture, whole or not at all; the suffix says its format."""
    picture = io.BytesIO()
    figure.savefig(picture, dpi=dpi, format=Path(path).suffix.lower().lstrip(".") or None)
    with whole_file(path) as file:
        file.write(picture.getvalue())


def fully_connected(network: Any) -> TwoLayerNetwork:
    """The network, if it is one that pictures of neurons and functions can show."""
    if not isinstance(network, TwoLayerNetwork):
        raise InputError(f"network must be a topes.TwoLayerNetwork, got {type(network).__name__}")
    if hasattr(network, "kernel_size"):
        raise InputError("network must be fully connected for this picture, got a ConvolutionalNetwork")
    return network


def row_space(A: Arrangement) -> FloatArray:
    """An orthonormal basis of the span of the normals as rows, shape (r, d): that of R^d at full rank."""
    r, d = A.rank, A.dimension
    if r == d:
        return np.eye(d)
    X = A.normals
    lengths = np.abs(X).max(axis=1, initial=0.0)
    basis = np.linalg.svd(X[lengths > 0.0] / lengths[lengths > 0.0, None], full_matrices=False)[2][:r]
    return np.asarray(basis * np.sign(basis[np.arange(r), np.abs(basis).argmax(axis=1)])[:, None])


def show_body(ax: Any, points: FloatArray) -> FloatArray:
    """Set limits about the points, shape (k, 3), in an orthographic view; returns the direction to the viewer.

    The direction is one of the coordinates of the points: ``normal @ direction > 0`` for a side of the body that is seen.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.where(high > low, high - low, 1.0)
    shape = _box_shape(extent)
    ax.set_proj_type("ortho")
    ax.set_box_aspect(shape, zoom=_ZOOM)
    ax.computed_zorder = False  # edges over sides: all that is drawn is in front
    for set_limits, a, b in zip((ax.set_xlim, ax.set_ylim, ax.set_zlim), low, high, strict=True):
        set_limits(a, b) if b > a else set_limits(a - 0.5, b + 0.5)
    elevation, azimuth = np.radians([ax.elev, ax.azim])
    to_viewer = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    return np.asarray(to_viewer * extent / (shape * extent.max()))


def name_space(ax: Any, names: list[str]) -> None:
    """Name the axes of a body that is drawn, with its colour bar, and make room for all texts."""
    for set_label, name in zip((ax.set_xlabel, ax.set_ylabel, ax.set_zlabel), names, strict=True):
        set_label(name)
    settle_texts(ax, _box_shape(np.ptp([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()], axis=1)), _ZOOM)


def _box_shape(extent: FloatArray) -> FloatArray:
    """The sides of the box as it is drawn."""
    shape = np.maximum(extent, extent.max() / _FLATTEST)
    return np.asarray(shape / shape.max())


def coloured_pieces(ax: Any, pieces: Any, values: FloatArray, norm: Any) -> Any:
    """Draw flat polygons, each of shape (k, 3), in the colours of their values; each has its own colour as edge: no gaps."""
    from matplotlib import colormaps
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    edges = colormaps[COLOUR_MAP](norm(values))
    # Of one length, the last corner repeated: matplotlib would pad them with numbers from uninitialised memory.
    longest = max((len(piece) for piece in pieces), default=3)
    even = np.array([np.vstack([piece, *[piece[-1:]] * (longest - len(piece))]) for piece in pieces]).reshape(-1, longest, 3)
    drawn = Poly3DCollection(even, cmap=COLOUR_MAP, norm=norm, edgecolors=edges, linewidths=0.3, zorder=1)
    drawn.set_antialiased(False)  # else the ground shows through where pieces meet
    drawn.set_array(values)
    ax.add_collection3d(drawn)
    return drawn


def edges_seen(ax: Any, curves: list[FloatArray]) -> Any:
    """Draw curves, each of shape (k, 3), that lie on the side of a body that is seen; many of them finer than few."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    width = min(0.8, _INK / max(len(curves), 1) ** 0.5)
    lines = Line3DCollection(curves, colors="black", linewidths=width, zorder=2)
    ax.add_collection3d(lines)
    return lines


def line_width(n: int) -> float:
    """Of lines, in points, that run through all of the picture: many of them leave the ground to be seen."""
    return min(1.0, _LINES / max(n, 1))


def line_in_box(normal: FloatArray, offset: float, box: FloatArray) -> FloatArray:
    """Where the line {p : normal.p = offset} meets the edge of a box, shape (2, 2), or (0, 2) where it does not.

    Examples
    --------
    >>> line_in_box(np.array([1.0, 1.0]), 1.0, np.array([[0.0, 2.0], [0.0, 2.0]])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    found = []
    for axis in (0, 1):
        if normal[1 - axis] == 0.0:
            continue
        for place in box[axis]:
            other = (offset - normal[axis] * place) / normal[1 - axis]
            if box[1 - axis, 0] <= other <= box[1 - axis, 1]:
                found.append((place, other) if axis == 0 else (other, place))
    if len(found) < 2:
        return np.zeros((0, 2))
    points = np.array(found)
    along = points @ np.array([-normal[1], normal[0]])
    return np.asarray(points[[int(along.argmin()), int(along.argmax())]])
