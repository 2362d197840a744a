"""Targets and fitted values by sample, written to a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._canvas import BLUE, GREY, VERMILLION, new_figure, save_figure
from ._texts import as_names, name_axes, number_ticks, whole_ticks, wrapped

__all__ = ["save_fit"]


def save_fit(path: Any, y: Any, fitted: Any, title: str, *, names: Any = None) -> None:
    """Draw targets and fitted values against the sample number, and the residuals below.

    Parameters
    ----------
    path : path-like
        The picture; the suffix says its format.
    y, fitted : array_like, shape (n,), or (n, C) for pictures side by side
        In units of the target.
    title : str
    names : sequence of C str, optional
        Of the targets, with their units.

    Raises
    ------
    InputError
        `names` are not as many as the targets.
    TopesError
        matplotlib is not installed.
    """
    columns = np.asarray(y, dtype=float).reshape(len(y), -1).T
    of_network = np.asarray(fitted, dtype=float).reshape(len(y), -1).T
    several = len(columns) > 1
    called = [f"output {k}" for k in range(1, len(columns) + 1)] if several else ["target"]
    if names is not None:
        called = as_names(names, "names", len(columns), "targets")
    figure = new_figure((2 + 6 * len(columns), 4.5))
    panels = figure.subplots(2, len(columns), sharex=True, squeeze=False, height_ratios=[3, 1])
    marker = "o" if len(columns.T) == 1 else ""  # a line of one point is not seen
    for target, values, name, top, bottom in zip(columns, of_network, called, *panels, strict=True):
        top.plot(target, ".", color=GREY, markersize=4, label="data")
        top.plot(values, "-", marker=marker, color=VERMILLION, linewidth=1.2, label="network")
        bottom.axhline(0.0, color="0.7", linewidth=0.8)
        bottom.plot(target - values, "-", marker=marker, color=BLUE, linewidth=1.0)
        name_axes(top, "", name)
        bottom.set_xlabel("sample")
        number_ticks(top.yaxis, bottom.yaxis)
        whole_ticks(bottom.xaxis)
    panels[0, 0].legend(frameon=False)
    panels[1, 0].set_ylabel("residual")
    figure.suptitle(wrapped(title, 72.0 * figure.get_figwidth()))
    save_figure(figure, path, 150)
