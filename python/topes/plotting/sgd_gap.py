"""How far runs of a local method stay from the certified optimum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._support.validation import FloatArray, as_vector
from ..errors import InputError
from ._canvas import LINE_COLOURS, LINE_STYLES, plane_axes, require_matplotlib

__all__ = ["sgd_gap"]

# A run may fall below the bound by this share of the objective: what is left of another order of summation.
_ROUNDING = 1e-9
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
    if epochs is not None and len(epochs) != len(runs):
        raise InputError(f"epochs must have one entry for each of the {len(runs)} histories, got {len(epochs)}")
    for k, run in enumerate(runs):
        j = int(run.argmin())
        if run[j] < bound - _ROUNDING * scale:
            below = f"below the lower bound {bound:.10g}"
            raise InputError(f"histories[{k}][{j}] is {run[j]:.10g}, {below}: it must be the same objective (3)")
    ax = plane_axes(ax, (6.0, 4.2))
    for k, run in enumerate(runs):
        at: Any = range(1, len(run) + 1)
        if epochs is not None:
            at = as_vector(epochs[k], f"epochs[{k}]", length=len(run), of=f"entries of histories[{k}]")
        ax.plot(at, (run - bound) / scale, label=names[k] if names else "_" if k else "runs", **_style(k, bool(names)))
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
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax


def _style(k: int, named: bool) -> dict[str, Any]:
    if not named:
        return {"color": LINE_COLOURS[0], "linewidth": 1.0, "alpha": 0.6}
    style = LINE_STYLES[k % len(LINE_STYLES)]
    return {"color": LINE_COLOURS[k % len(LINE_COLOURS)], "linestyle": style, "linewidth": 1.6}


def _runs(histories: Any, labels: Any) -> tuple[list[str], list[FloatArray]]:
    names: list[str] = []
    if isinstance(histories, Mapping):
        names, histories = [str(name) for name in histories], list(histories.values())
    runs = [as_vector(run, f"histories[{k}]") for k, run in enumerate(histories)]
    if not runs:
        raise InputError("histories must hold at least one run, it is empty")
    for k, run in enumerate(runs):
        if not len(run):
            raise InputError(f"histories[{k}] must hold at least one objective, it is empty")
    if labels is not None:
        names = [str(label) for label in labels]
        if len(names) != len(runs):
            raise InputError(f"labels must have one entry for each of the {len(runs)} histories, got {len(names)}")
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
