"""Pictures of results; needs matplotlib (the extra ``plot``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import TopesError

__all__ = ["save_fit"]


def save_fit(path: Any, y: Any, fitted: Any, title: str) -> None:
    """Draw targets and fitted values against the sample number, and the residuals below.

    Parameters
    ----------
    path : path-like
        The picture; the suffix says its format.
    y, fitted : array_like, shape (n,)
        In units of the target.
    title : str

    Raises
    ------
    TopesError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise TopesError("pictures need matplotlib: pip install 'topes[plot]'") from None
    y, fitted = np.asarray(y, dtype=float), np.asarray(fitted, dtype=float)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    top.plot(y, ".", color="0.4", markersize=4, label="data")
    top.plot(fitted, "-", color="tab:red", linewidth=1.2, label="network")
    top.legend(frameon=False)
    top.set_title(title)
    bottom.axhline(0.0, color="0.7", linewidth=0.8)
    bottom.plot(y - fitted, "-", color="tab:blue", linewidth=1.0)
    bottom.set_ylabel("residual")
    bottom.set_xlabel("sample")
    figure.savefig(path, dpi=150)
