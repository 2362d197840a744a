"""The function that a network of one or two inputs computes, with its kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.validation import FloatArray, as_matrix, as_vector
from ..errors import InputError
from ..network import TwoLayerNetwork
from ._canvas import (
    BLUE,
    COLOUR_MAP,
    GREY,
    VERMILLION,
    colour_bar,
    fully_connected,
    line_in_box,
    plane_axes,
    require_matplotlib,
)
from ._texts import as_names, legend_above, name_axes, number_ticks, points_of, wrapped

__all__ = ["fitted_function", "kinks"]

# Room around the data, as a share of their range.
_MARGIN = 0.08
_GRID = 201
# More kink lines, or points, than this are drawn finer.
_FEW, _FEW_POINTS = 20, 100


def fitted_function(
    network: TwoLayerNetwork, X: Any, y: Any, *, ax: Any = None, names: Any = None, target: str = "y"
) -> Any:
    """Draw a network of one or two inputs over its data: a curve with its kinks, or a map with its kink lines.

    Where all targets are -1 or +1 the network is a classifier, and its zero level is drawn too.

    Parameters
    ----------
    network : TwoLayerNetwork
        One output, one or two inputs; a bias is no input.
    X : array_like, shape (n, d), d = 1 or 2
    y : array_like, shape (n,)
    ax : matplotlib Axes, optional
        Default those of a new figure.
    names : sequence of d str, optional
        Of the inputs, with their units; default x, or x1 and x2.
    target : str
        Name of the target, with its unit.

    Returns
    -------
    matplotlib Axes
        At d = 1 the lines are labelled "data", "network" and, if it bends among the data, "kink"; the curve has its
        corners at the kinks, exactly.

    Raises
    ------
    InputError
        The network has several outputs, is convolutional, or takes other than one or two inputs; X or y does not fit.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> from topes import TwoLayerNetwork
    >>> from topes.plotting import fitted_function
    >>> hat = TwoLayerNetwork([[1.0, 1.0, 1.0]], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0])
    >>> ax = fitted_function(hat, [[-2.0], [0.0], [2.0]], [0.0, 1.0, 0.0])
    >>> next(line for line in ax.lines if line.get_label() == "kink").get_xdata().tolist()
    [-1.0, 0.0, 1.0]
    """
    require_matplotlib()
    data, targets = _checked(network, X, y)
    d = data.shape[1]
    inputs = ["x"] if d == 1 else ["x1", "x2"]
    if names is not None:
        inputs = as_names(names, "names", d, "columns of X")
    ax = plane_axes(ax, (6.0, 4.0) if d == 1 else (6.0, 4.8))
    low, high = data.min(axis=0), data.max(axis=0)
    room = np.where(high > low, _MARGIN * (high - low), 1.0)
    box = np.column_stack([low - room, high + room])
    draw = _curve if d == 1 else _map
    draw(ax, network, data, targets, box, target, bool((np.abs(targets) == 1.0).all()))
    name_axes(ax, inputs[0], target if d == 1 else inputs[1])
    number_ticks(ax.xaxis, ax.yaxis)
    legend_above(ax, 4)
    return ax


def kinks(network: TwoLayerNetwork) -> FloatArray:
    """Where the function of one input bends, ascending, each once.

    Examples
    --------
    >>> from topes import TwoLayerNetwork
    >>> kinks(TwoLayerNetwork([[1.0, 2.0]], [1.0, -3.0], [1.0, 1.0])).tolist()
    [-1.0, 1.5]
    """
    slopes = network.W1[0]
    bias = np.zeros(len(slopes)) if network.b1 is None else network.b1
    bent = (slopes != 0.0) & (network.w2 != 0.0)
    return np.asarray(np.unique(-bias[bent] / slopes[bent] + 0.0))


def _checked(network: Any, X: Any, y: Any) -> tuple[FloatArray, FloatArray]:
    network = fully_connected(network)
    if network.w2.ndim != 1:
        raise InputError(f"network must have one output for this picture, got {network.w2.shape[1]}")
    d = network.W1.shape[0]
    if d not in (1, 2):
        raise InputError(f"network must take one or two inputs for this picture, got {d}")
    data = as_matrix(X, "X")
    if data.shape[1] != d:
        raise InputError(f"X must have {d} columns as the network has inputs, got {data.shape[1]}")
    return data, as_vector(y, "y", length=len(data))


def _curve(
    ax: Any, network: TwoLayerNetwork, X: FloatArray, y: FloatArray, box: FloatArray, target: str, classes: bool
) -> None:
    bends = kinks(network)
    bends = bends[(bends > box[0, 0]) & (bends < box[0, 1])]
    at = np.concatenate([box[0, :1], bends, box[0, 1:]])
    ax.plot(X[:, 0], y, "o", color=GREY, markersize=4, markeredgewidth=0, alpha=0.7, label="data")
    ax.plot(at, network.predict(at[:, None]), color=BLUE, linewidth=1.8, label="network")
    if len(bends):
        marker = {"color": "white", "markeredgecolor": VERMILLION, "markersize": 5}
        ax.plot(bends, network.predict(bends[:, None]), "D", label="kink", **marker)
    if classes:
        ax.axhline(0.0, color="black", linewidth=1.0, linestyle="--", label="zero level")
    ax.set_xlim(*box[0])


def _map(
    ax: Any, network: TwoLayerNetwork, X: FloatArray, y: FloatArray, box: FloatArray, target: str, classes: bool
) -> None:
    from matplotlib import patheffects
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    across, up = (np.linspace(a, b, _GRID) for a, b in box)
    values = network.predict(np.column_stack([g.ravel() for g in np.meshgrid(across, up)])).reshape(_GRID, _GRID)
    low, high = min(values.min(), y.min()), max(values.max(), y.max())
    levels = MaxNLocator(24).tick_values(low, high if high > low else low + 1.0)
    filled = ax.contourf(across, up, values, levels=levels, cmap=COLOUR_MAP)
    meaning = "network" if classes else f"network, and {target} of the points"
    width, height = points_of(ax)
    colour_bar(ax, filled, wrapped(meaning, height), ticks=MaxNLocator(7))
    bends = _kink_lines(network, box)
    if bends:
        fine = max(0.15, 0.7 * min(1.0, _FEW / len(bends)))
        edge = [patheffects.withStroke(linewidth=2.0 * fine, foreground="black")]
        ax.add_collection(LineCollection(bends, colors="white", linewidths=fine, path_effects=edge))
        edge = [patheffects.withStroke(linewidth=1.4, foreground="black")]
        ax.plot([], [], color="white", linewidth=0.7, path_effects=edge, label="kink")
    if classes:
        for label, marker, face in ((-1.0, "v", "black"), (1.0, "o", "white")):
            mine = y == label
            name = wrapped(f"{target} = {label:+.0f}", 0.8 * width)
            if mine.any():
                ax.scatter(*X[mine].T, marker=marker, c=face, edgecolors="black", s=22, linewidths=0.7, label=name)
        if values.min() < 0.0 < values.max():
            for colour, stroke in (("white", 4.5), ("black", 2.0)):
                ax.contour(across, up, values, levels=[0.0], colors=colour, linewidths=stroke)
            ax.plot([], [], color="black", linewidth=2.0, label="zero level")
    else:
        # Two rims: one of them is seen on any ground, also where the point has the colour of the map.
        share = min(1.0, (_FEW_POINTS / len(X)) ** 0.25)
        rims = [patheffects.withStroke(linewidth=3.0 * share, foreground="white")]
        shared: dict[str, Any] = {"s": 26.0 * share, "edgecolors": "black", "linewidths": 0.9 * share, "zorder": 3}
        ax.scatter(*X.T, c=y, cmap=COLOUR_MAP, norm=filled.norm, path_effects=rims, label="data", **shared)
    ax.set(xlim=box[0], ylim=box[1])


def _kink_lines(network: TwoLayerNetwork, box: FloatArray) -> list[FloatArray]:
    """The part of each line {x : w1_j.x + b1_j = 0} in the window, from edge to edge."""
    bias = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    found = []
    for w, b in zip(network.W1.T[network.w2 != 0.0], bias[network.w2 != 0.0], strict=True):
        ends = line_in_box(w, -float(b), box)
        if len(ends):
            found.append(ends)
    return found
