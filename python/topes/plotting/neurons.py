"""The neurons of a network: how large they are, where they point, and on which samples they are active."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.validation import FloatArray, as_matrix
from ..errors import InputError
from ..network import TwoLayerNetwork
from ..theory.stationarity import DEFAULT_ZERO_TOL
from ._canvas import BLUE, VERMILLION, as_figure, fully_connected, require_matplotlib
from ._texts import legend_above, number_ticks, say, whole_ticks

__all__ = ["activity", "neurons"]

# The axis of directions ends a little beyond half a turn: what points there is seen whole.
_TURN = 190.0


def neurons(network: TwoLayerNetwork, X: Any, *, figure: Any = None, zero_tol: float = DEFAULT_ZERO_TOL) -> Any:
    """Draw size and direction of each neuron, and beside them an image of the activation patterns on the data.

    The size is norm(w1_j) * norm(w2_j), with the bias as an entry of w1_j: what the penalty counts of a balanced neuron.
    The direction is the angle of w1_j where it has two entries; where it has more, that of its part in the plane of the two
    leading right singular vectors of the data (with a column of ones for a bias), in which the data vary most.

    Parameters
    ----------
    network : TwoLayerNetwork
        Not convolutional.
    X : array_like, shape (n, d)
    figure : matplotlib Figure or SubFigure, optional
        Default a new one.
    zero_tol : float
        Cosine of a sample and a neuron, in [0, 1), up to which the sample lies on the neuron's kink, dimensionless.

    Returns
    -------
    ndarray, shape (2,), of matplotlib Axes
        The neurons, and the image: rows are samples, columns neurons from the largest on; 1 active, 0 not, 1/2 on the kink.

    Raises
    ------
    InputError
        The network is convolutional or has fewer than two weights a neuron; X does not fit; zero_tol is not in [0, 1).
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> from topes import TwoLayerNetwork
    >>> from topes.plotting import neurons
    >>> net = TwoLayerNetwork([[1.0, -2.0]], [1.0, 0.0], [1.0, -1.0])
    >>> left, right = neurons(net, [[-1.0], [0.5], [1.0]])
    >>> right.images[0].get_array().tolist()
    [[1.0, 0.5], [0.0, 1.0], [0.0, 1.0]]
    """
    require_matplotlib()
    network = fully_connected(network)
    data = as_matrix(X, "X")
    if data.shape[1] != network.W1.shape[0]:
        raise InputError(f"X must have {network.W1.shape[0]} columns as the network has inputs, got {data.shape[1]}")
    if not (isinstance(zero_tol, (int, float)) and 0.0 <= zero_tol < 1.0):
        raise InputError(f"zero_tol must be a number in [0, 1), got {zero_tol!r}")
    U = network.W1
    if network.b1 is not None:
        U, data = np.vstack([U, network.b1]), np.hstack([data, np.ones((len(data), 1))])
    if len(U) < 2:
        raise InputError("network must have two weights or more for each neuron, bias among them, got 1: no direction")
    outputs = network.w2 if network.w2.ndim == 2 else network.w2[:, None]
    sizes = np.linalg.norm(U, axis=0) * np.linalg.norm(outputs, axis=1)
    order = np.argsort(-sizes, kind="stable")
    panels = as_figure(figure, (9.5, 4.2)).subplots(1, 2, width_ratios=[1.1, 1.0])
    _sizes(panels[0], _angles(U, data)[order], sizes[order], outputs[order], len(U))
    _patterns(panels[1], activity(U, data, zero_tol)[:, order])
    return panels


def activity(U: FloatArray, X: FloatArray, zero_tol: float) -> FloatArray:
    """1 where a neuron is active on a sample, 0 where it is not, 1/2 on its kink; shape (n, m) for U of shape (d, m)."""
    products = X @ U
    sizes = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(U, axis=0)
    return np.where(np.abs(products) <= zero_tol * sizes, 0.5, (products > 0.0).astype(np.float64))


def _angles(U: FloatArray, X: FloatArray) -> FloatArray:
    """Directions in degrees, between -180 and 180."""
    if len(U) > 2:
        plane = np.linalg.svd(X, full_matrices=False)[2][:2]
        if len(plane) < 2:  # one sample
            plane = np.vstack([plane, np.zeros((1, len(U)))])
        plane *= np.sign(plane[np.arange(2), np.abs(plane).argmax(axis=1)])[:, None]
        U = plane @ U
    return np.asarray(np.degrees(np.arctan2(U[1], U[0])))


def _sizes(ax: Any, angles: FloatArray, sizes: FloatArray, outputs: FloatArray, d: int) -> None:
    if outputs.shape[1] == 1:
        w2 = outputs[:, 0]
        kinds = [("output weight > 0", w2 > 0.0, BLUE, "o"), ("output weight < 0", w2 < 0.0, VERMILLION, "v")]
    else:
        kinds = [("neuron", np.ones(len(sizes), dtype=bool), BLUE, "o")]
    for label, mine, colour, marker in kinds:
        if not mine.any():
            continue
        ax.vlines(angles[mine], 0.0, sizes[mine], color=colour, linewidth=1.2)
        ax.plot(angles[mine], sizes[mine], marker, color=colour, markersize=5, label=label)
    plane = "" if d == 2 else " in the plane of the two\nleading singular vectors"
    ax.set_xlabel(f"direction of w1{plane} (degrees)")
    ax.set_ylabel("size, norm(w1) norm(w2)")
    if not len(sizes):
        say(ax, "no neuron")
        return
    ax.set_xlim(-_TURN, _TURN)
    ax.set_xticks(range(-180, 181, 90))
    ax.set_ylim(0.0, 1.08 * sizes.max() or 1.0)
    number_ticks(ax.yaxis)
    if any(mine.any() for _, mine, _, _ in kinds):  # not where all output weights are zero
        legend_above(ax, 2)


def _patterns(ax: Any, active: FloatArray) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    ax.set_xlabel("neuron, from the largest on")
    ax.set_ylabel("sample")
    if not active.size:
        say(ax, "no neuron")
        return
    colours = ("#00224E", "#E69F00", "#F7F2D0")
    ax.imshow(active, cmap=ListedColormap(colours), vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    meanings = zip(colours, ("not active", "on the kink", "active"), strict=True)
    patches = [Patch(facecolor=colour, edgecolor="black", linewidth=0.5, label=text) for colour, text in meanings]
    legend_above(ax, 3, handles=patches, columnspacing=1.2)
    for axis in (ax.xaxis, ax.yaxis):
        whole_ticks(axis, 6)
