"""How objective and lower bound meet."""

from __future__ import annotations

from typing import Any, Literal

from .._support.validation import choice
from ..errors import InputError
from ..result import Round, Status
from ._canvas import BLUE, VERMILLION, as_figure, require_matplotlib
from ._texts import legend_above, number_ticks, whole_ticks, widen

__all__ = ["convergence"]


def convergence(solution: Any, *, against: Literal["rounds", "seconds"] = "rounds", figure: Any = None) -> Any:
    """Draw objective and lower bound by round or time, and their relative gap below.

    Parameters
    ----------
    solution : Solution, or another result with `objective`, `lower_bound` and `gap`
        Of one without rounds in its `history`, such as the full program's, the end is drawn alone.
    against : {"rounds", "seconds"}
        What the horizontal axis shows.
    figure : matplotlib Figure or SubFigure, optional
        Default a new one.

    Returns
    -------
    ndarray, shape (2,), of matplotlib Axes
        The lines of the first are the objective and the lower bound, in units of the loss; that of the second is the gap,
        dimensionless, on a logarithmic axis. A gap of zero, or of rounding below it, lies off that axis.

    Raises
    ------
    InputError
        `solution` lacks an objective or a lower bound; `against` is neither.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> import topes
    >>> from topes.plotting import convergence
    >>> solution = topes.train([[1.0], [-2.0], [0.5]], [1.0, 3.0, -1.0], beta=0.1, bias="penalized")
    >>> top, bottom = convergence(solution)
    >>> top.lines[0].get_ydata().tolist() == [r.objective for r in solution.history]
    True
    """
    require_matplotlib()
    choice(against, "against", ("rounds", "seconds"))
    if not all(isinstance(getattr(solution, name, None), (int, float)) for name in ("objective", "lower_bound", "gap")):
        raise InputError(f"solution must have an objective, a lower bound and a gap, got {type(solution).__name__}")
    rounds = [r for r in getattr(solution, "history", ()) if isinstance(r, Round)]
    steps = rounds or [solution]
    if against == "rounds":
        at = [float(k) for k in range(1, len(steps) + 1)]
    else:
        at = [r.seconds for r in rounds] or [float(sum(solution.seconds.values()))]
    top, bottom = panels = as_figure(figure, (6.0, 5.0)).subplots(2, 1, sharex=True, height_ratios=[1.2, 1.0])
    shared: dict[str, Any] = {"linewidth": 1.4, "markersize": 4}
    if against == "seconds":
        shared["drawstyle"] = "steps-post"  # a value holds until the next round
    top.plot(at, [r.objective for r in steps], "o-", color=BLUE, label="objective", **shared)
    top.plot(at, [r.lower_bound for r in steps], "s--", color=VERMILLION, label="lower bound", **shared)
    top.set_ylabel("units of the loss")
    widen(top.set_ylim, [[r.objective, r.lower_bound] for r in steps])
    number_ticks(top.yaxis)
    legend_above(top, 2)
    gaps = [r.gap for r in steps]
    bottom.plot(at, gaps, "o-", color="black", **shared)
    if max(gaps) > 0.0:
        bottom.set_yscale("log")
    else:
        number_ticks(bottom.yaxis)
    bottom.set_ylabel("relative gap")
    status = getattr(solution, "status", None)
    bottom.set_title(_end(solution, status, bool(rounds)), fontsize="medium")
    bottom.set_xlabel("round" if against == "rounds" else "time (seconds)")
    if against == "rounds":
        whole_ticks(bottom.xaxis)
    return panels


def _end(solution: Any, status: Any, has_rounds: bool) -> str:
    text = f"gap {solution.gap:.2g} at the end"
    if isinstance(status, Status):
        text = f"{status.value}: {text}"
    return text if has_rounds else f"{text}, no rounds kept"
