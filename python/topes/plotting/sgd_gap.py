"""How far runs of a local method stay from the certified optimum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._support.validation import FloatArray, as_vector
from ..errors import InputError
from ._canvas import LINE_COLOURS, LINE_STYLES, plane_axes, require_matplotlib
from ._texts import as_names, legend_above, whole_ticks

__all__ = ["sgd_gap"]

# A run may fall below the bound by this share of the objective: what is left of another order of summation.
_ROUNDING = 1e-9
# Of the picture in inches; a legend that is higher than this makes it higher.
_SIZE, _LEGEND = (6.0, 4.2), 0.8
# More runs than this are not told apart by colour and style.
_MOST_NAMED = 6


def sgd_gap(
    histories: Any, optimum: Any, *, lower_bound: float | None = None, labels: Any = None, ax: Any = None, epochs: Any = None
) -> Any:
    """Draw the gap of runs of SGD, or of any local method, by epoch against the certified optimum.

    The gap is (objective of the run - lower bound) / objective of the optimum: as large as it can be. The grey band from the
    certified objective down is what the certificate leaves open: a run that enters it may be optimal.

    Parameters
    ----------
    histories : sequence of array_like, shape (epochs,), or mapping of names to them
        The objective (3) of each run, with the loss, the beta and the data of the optimum.
    optimum : Solution, or float
        The certified optimum, or its objective with `lower_bound`.
    lower_bound : float, optional
        Default that of `optimum`.
    labels : sequence of str, optional
        Names of the runs, of at most six; without, or for more of them, all are drawn alike.
    ax : matplotlib Axes, optional
        Default those of a new figure.
    epochs : sequence of array_like, optional
        Where the entries of each history were taken; default 1, 2, ...

    Returns
    -------
    matplotlib Axes
        A line for each run, in order. A gap of zero lies off the axis.

    Raises
    ------
    InputError
        A run falls below the lower bound, so that its objective is another one; a history is empty, or shapes do not fit.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> from topes.plotting import sgd_gap
    >>> ax = sgd_gap({"small steps": [4.0, 3.0, 2.5], "large steps": [8.0, 2.2]}, 2.0, lower_bound=1.0)
    >>> [line.get_ydata().tolist() for line in ax.lines[:2]]
    [[1.5, 1.0, 0.75], [3.5, 0.6000000000000001]]
    """
    require_matplotlib()
    names, runs = _runs(histories, labels)
    objective, bound = _bounds(optimum, lower_bound)
    scale = abs(objective) or 1.0
    at = _epochs(epochs, runs)
    for k, run in enumerate(runs):
        j = int(run.argmin())
        if run[j] < bound - _ROUNDING * scale:
            below = f"below the lower bound {bound:.10g}"
            raise InputError(f"histories[{k}][{j}] is {run[j]:.10g}, {below}: it must be the same objective (3)")
    own, ax = ax is None, plane_axes(ax, _SIZE)
    for k, run in enumerate(runs):
        marker = "o" if len(run) == 1 else ""  # a line of one point is not seen
        name = names[k] if names else "_" if k else "runs"
        ax.plot(at[k], (run - bound) / scale, marker=marker, label=name, **_style(k, bool(names)))
    ax.margins(x=0.02)
    left_open = (objective - bound) / scale
    gaps = [gap for gap in (left_open, *((np.concatenate(runs) - bound) / scale)) if gap > 0.0]
    if gaps:
        ax.set_yscale("log")
        ax.set_ylim(bottom=0.5 * min(gaps))
    if left_open > 0.0:
        ax.axhspan(ax.get_ylim()[0], left_open, color="0.82", zorder=0, label="left open by the certificate")
        ax.axhline(left_open, color="black", linewidth=1.0, label=f"certified objective {objective:.4g}")
    ax.set_xlabel("epoch")
    ax.set_ylabel("(objective - lower bound) / optimum")
    if all((places == np.round(places)).all() for places in at):
        whole_ticks(ax.xaxis)
    high = legend_above(ax, 2).get_window_extent().height / ax.figure.dpi
    if own:
        ax.figure.set_size_inches(_SIZE[0], _SIZE[1] + max(0.0, high - _LEGEND))
    return ax


def _style(k: int, named: bool) -> dict[str, Any]:
    if not named:
        return {"color": LINE_COLOURS[0], "linewidth": 1.0, "alpha": 0.6}
    style = LINE_STYLES[k % len(LINE_STYLES)]
    return {"color": LINE_COLOURS[k % len(LINE_COLOURS)], "linestyle": style, "linewidth": 1.6}


def _epochs(epochs: Any, runs: list[FloatArray]) -> list[FloatArray]:
    """Where the entries of each run stand."""
    if epochs is None:
        return [np.arange(1.0, len(run) + 1.0) for run in runs]
    if not isinstance(epochs, Iterable):
        raise InputError(f"epochs must be a sequence of sequences of numbers, got {epochs!r}")
    epochs = list(epochs)
    if len(epochs) != len(runs):
        raise InputError(f"epochs must have one entry for each of the {len(runs)} histories, got {len(epochs)}")
    return [
        as_vector(places, f"epochs[{k}]", length=len(run), of=f"entries of histories[{k}]")
        for k, (places, run) in enumerate(zip(epochs, runs, strict=True))
    ]


def _runs(histories: Any, labels: Any) -> tuple[list[str], list[FloatArray]]:
    names: list[str] = []
    if isinstance(histories, Mapping):
        names, histories = [str(name) for name in histories], list(histories.values())
    if not isinstance(histories, Iterable):
        raise InputError(f"histories must be a sequence of runs, or a mapping of names to them, got {histories!r}")
    runs = [as_vector(run, f"histories[{k}]") for k, run in enumerate(histories)]
    if not runs:
        raise InputError("histories must hold at least one run, it is empty")
    for k, run in enumerate(runs):
        if not len(run):
            raise InputError(f"histories[{k}] must hold at least one objective, it is empty")
    if labels is not None:
        names = as_names(labels, "labels", len(runs), "histories")
    return (names if len(runs) <= _MOST_NAMED else []), runs


def _bounds(optimum: Any, lower_bound: float | None) -> tuple[float, float]:
    if hasattr(optimum, "objective") and hasattr(optimum, "lower_bound"):
        objective, bound = optimum.objective, optimum.lower_bound if lower_bound is None else lower_bound
    else:
        objective, bound = optimum, lower_bound
    if bound is None:
        raise InputError("lower_bound must be given where optimum is a number, got None")
    objective, bound = as_vector([objective, bound], "optimum and lower_bound").tolist()
    if bound > objective:
        raise InputError(f"lower_bound must be at most the optimum's objective {objective:.10g}, got {bound:.10g}")
    return objective, bound
