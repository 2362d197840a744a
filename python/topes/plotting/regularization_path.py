"""Networks along the regularisation path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..result import Solution
from ._canvas import BLUE, GREEN, VERMILLION, as_figure, require_matplotlib
from ._texts import legend_above, log_ticks, number_ticks, whole_ticks, widen

__all__ = ["regularization_path"]


def regularization_path(path: Sequence[Solution], *, figure: Any = None) -> Any:
    """Draw objective, number of neurons and size of the weights against beta.

    Parameters
    ----------
    path : sequence of Solution
        What `topes.path` returns.
    figure : matplotlib Figure or SubFigure, optional
        Default a new one.

    Returns
    -------
    ndarray, shape (3,), of matplotlib Axes
        Objective with its lower bound and the loss, in units of the loss; neurons; the penalty, half the sum of the
        squared norms of both layers. They share the axis of beta.

    Raises
    ------
    InputError
        `path` is empty, or holds anything else than solutions that know their beta.
    TopesError
        matplotlib is not installed.

    Examples
    --------
    >>> import topes
    >>> from topes.plotting import regularization_path
    >>> found = topes.path([[2, 2], [3, 3], [1, 0]], [1, -1, 1], betas=[10.0, 0.1])
    >>> top, middle, bottom = regularization_path(found)
    >>> middle.lines[0].get_xydata().tolist()
    [[0.1, 2.0], [10.0, 0.0]]
    """
    require_matplotlib()
    if not isinstance(path, Iterable):
        raise InputError(f"path must be a sequence of solutions, got {type(path).__name__}")
    solutions = list(path)
    if not solutions:
        raise InputError("path must hold at least one solution, it is empty")
    for k, solution in enumerate(solutions):
        if not isinstance(solution, Solution) or solution.problem is None:
            raise InputError(f"path must hold solutions of topes.path, path[{k}] is {_kind(solution)}")
    solutions.sort(key=_beta)
    betas = np.array([_beta(s) for s in solutions])
    objective = np.array([s.objective for s in solutions])
    sizes = np.array([_penalty(s) for s in solutions])
    figure = as_figure(figure, (6.0, 7.0))
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[1.4, 1.0, 1.0])
    top, middle, bottom = panels
    shared = {"linewidth": 1.4, "markersize": 4}
    top.plot(betas, objective, "o-", color=BLUE, label="objective", **shared)
    top.plot(betas, [s.lower_bound for s in solutions], "+", color="black", markersize=8, label="lower bound")
    top.plot(betas, objective - betas * sizes, "s--", color=VERMILLION, label="loss", **shared)
    top.set_ylabel("units of the loss")
    widen(top.set_ylim, [objective, objective - betas * sizes])
    number_ticks(top.yaxis, bottom.yaxis)
    legend_above(top, 3)
    middle.plot(betas, [s.n_neurons for s in solutions], "o-", color=BLUE, **shared)
    middle.set_ylabel("neurons")
    whole_ticks(middle.yaxis, 5)
    bottom.plot(betas, sizes, "o-", color=GREEN, **shared)
    widen(bottom.set_ylim, sizes)
    bottom.set_ylabel("half the squared\nnorms of the weights")
    bottom.set_xscale("log")
    widen(bottom.set_xlim, betas)
    log_ticks(bottom.xaxis, betas[0], betas[-1])
    bottom.set_xlabel("beta, the weight of the penalty")
    for panel in panels:
        panel.grid(color="0.9", linewidth=0.6)
        panel.set_axisbelow(True)
    return panels


def _beta(solution: Solution) -> float:
    assert solution.problem is not None  # checked by the caller
    return solution.problem.beta


def _penalty(solution: Solution) -> float:
    """The sum in the objective without its beta."""
    problem, network = solution.problem, solution.network
    assert problem is not None
    more: dict[str, Any] = {"output_norm": problem.output_norm} if network.w2.ndim == 2 else {}
    return network.penalty(bias="free" if problem.pricer.bias == "free" else "penalized", norm=problem.pricer.norm, **more)


def _kind(value: Any) -> str:
    return "a solution that does not know its beta" if isinstance(value, Solution) else f"of type {type(value).__name__}"
