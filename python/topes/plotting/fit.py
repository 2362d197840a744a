"""Targets and fitted values by sample, written to a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._canvas import BLUE, GREY, VERMILLION, new_figure, save_figure

__all__ = ["save_fit"]


def save_fit(path: Any, y: Any, fitted: Any, title: str) -> None:
    """Draw targets and fitted values against the sample number, and the residuals below.

    Parameters
    ----------
    path : path-like
        The picture; the suffix says its format.
    y, fitted : array_like, shape (n,), or (n, C) for pictures side by side
        In units of the target.
    title : str

    Raises
    ------
    TopesError
        matplotlib is not installed.
    """
    columns = np.asarray(y, dtype=float).reshape(len(y), -1).T
    of_network = np.asarray(fitted, dtype=float).reshape(len(y), -1).T
    figure = new_figure((2 + 6 * len(columns), 4.5))
    panels = figure.subplots(2, len(columns), sharex=True, squeeze=False, height_ratios=[3, 1])
    for target, values, top, bottom in zip(columns, of_network, *panels, strict=True):
        top.plot(target, ".", color=GREY, markersize=4, label="data")
        top.plot(values, "-", color=VERMILLION, linewidth=1.2, label="network")
        bottom.axhline(0.0, color="0.7", linewidth=0.8)
        bottom.plot(target - values, "-", color=BLUE, linewidth=1.0)
        bottom.set_xlabel("sample")
    panels[0, 0].legend(frameon=False)
    panels[1, 0].set_ylabel("residual")
    figure.suptitle(title)
    save_figure(figure, path, 150)
