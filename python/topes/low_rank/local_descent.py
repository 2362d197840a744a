"""Local training of (3) by Newton's method across the walls, new neurons where the local search finds a price above beta.

What `training.by_descent` does, with two differences: prices are sought along great circles and not over all cells, so that
any rank will do and nothing is proved; and limits are counted in work, not in seconds: the end is the same on any machine.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss
from ..losses.smoothed import SMOOTHED
from ..network import penalised
from ..training.blocks import Blocks
from ..training.by_descent import enter_small, far_apart, is_smooth
from ..training.descent import Descent
from .great_circles import best_on_circles

if TYPE_CHECKING:
    from .local_training import LocalProblem

__all__ = ["Work", "descend_locally", "takes_descent"]

# Newton's method solves for all neurons at once: at most so many unknowns, and no rank that leaves fewer neurons than this.
_MOST_UNKNOWNS, _FEWEST_NEURONS = 1200, 8
# Random directions and steps of a search; the last ones take twice as many steps.
_STARTS, _CIRCLES, _NEARLY = 64, 10, 1e-2
_MOST_ROUNDS, _MOST_QUIET = 60, 2
# Prices that exceed beta by no more than this share are met; those of neurons are to a share of the violation, or the last.
_MET, _PRECISION, _FINEST = 1e-5, 1e-2, 1e-6
# Losses with kinks: the widths over which these are rounded off, in units of the targets, and rounds for all but the first.
_WIDTHS, _ROUNDS_OF_A_WIDTH = (1e-1, 1e-2, 1e-3, 1e-4), 8
# Seconds on a machine like ours: of a step, of one for each pair of unknowns, and of a row's crossing of a circle.
_STEP, _PAIR, _CROSSING = 1e-4, 1e-8, 4e-7


class Work:
    """Seconds that work took on a machine like ours, by its size: the same each time."""

    def __init__(self, most: float = math.inf) -> None:
        self.most, self.done = most, 0.0

    @property
    def is_over(self) -> bool:
        return self.done >= self.most

    def share(self, of: float) -> Work:
        """Some of what is left, to be added with `add`."""
        return Work(max(0.0, self.most - self.done) * of)

    def add(self, seconds: float) -> None:
        self.done += seconds


def takes_descent(problem: LocalProblem) -> bool:
    """Whether `descend_locally` is for this problem."""
    smooth = problem.loss.name in SMOOTHED or is_smooth(problem.loss, problem.y)
    return smooth and 0 < problem.rows.span.shape[1] <= _MOST_UNKNOWNS // _FEWEST_NEURONS


def descend_locally(
    problem: LocalProblem, start: Blocks, rng: np.random.Generator, *, deadline: float, work: Work
) -> Blocks:
    """Neurons at which no search finds a price above beta, or where a limit came first.

    Parameters
    ----------
    problem : LocalProblem
        For which `takes_descent` holds.
    start : Blocks
        Any number of neurons, also none.
    rng : Generator
        Where searches start.
    deadline : float
        Of `time.perf_counter`, seconds.
    work : Work
        What may be done and what was.
    """
    if problem.loss.name not in SMOOTHED:
        return _rounds(problem, problem.loss, 1.0, start, rng, _MOST_ROUNDS, deadline, work)
    blocks, rounds = start, _MOST_ROUNDS
    for k, width in enumerate(_WIDTHS):
        part = work.share(0.5 if k + 1 < len(_WIDTHS) else 1.0)
        blocks = _rounds(problem, SMOOTHED[problem.loss.name], width * problem.unit, blocks, rng, rounds, deadline, part)
        work.add(part.done)
        rounds = _ROUNDS_OF_A_WIDTH
    return blocks


def _rounds(
    problem: LocalProblem,
    loss: Loss,
    unit: float,
    start: Blocks,
    rng: np.random.Generator,
    rounds: int,
    deadline: float,
    work: Work,
) -> Blocks:
    """Of the loss of outputs and targets in these units."""
    y, beta, rows = problem.y / unit, problem.beta, problem.rows
    n, rank = len(rows.data), rows.span.shape[1]
    descent = Descent(rows, y, beta, loss, deadline)
    descent.enter(start.columns / unit, start.signs)
    descent.constant += start.constant / unit
    violation, quiet = 1.0, 0
    for _ in range(rounds):
        unknowns = len(descent) * rank
        steps = descent.minimise(max(_FINEST, _PRECISION * violation))
        work.add(steps * (_STEP + _PAIR * unknowns**2))
        f = descent.outputs()
        if work.is_over or time.perf_counter() > deadline or not is_smooth(loss, y, f):
            break
        v = loss.gradient(f, y)
        circles = _CIRCLES if violation > _NEARLY else 2 * _CIRCLES
        U, prices = search(problem, v, descent.blocks().columns, rng, circles)
        work.add(U.shape[1] * circles * n * _CROSSING)
        order = np.argsort(-np.abs(prices), kind="stable")
        order = order[np.abs(prices[order]) > beta * (1.0 + _MET)]
        room = _MOST_UNKNOWNS // rank - len(descent)
        if not len(order) or room <= 0:
            violation, quiet = 0.0, quiet + 1
            if quiet == _MOST_QUIET or room <= 0:
                break
            continue
        violation = float(np.abs(prices[order[0]])) / beta - 1.0
        U, signs = U[:, order], -np.sign(prices[order])
        chosen = far_apart(problem.out @ U, signs, violation, min(room, _STARTS))
        if not enter_small(descent, U[:, chosen], signs[chosen], v):
            break
    blocks = descent.blocks()
    return Blocks(unit * blocks.columns, blocks.signs, unit * blocks.constant)


def search(
    problem: LocalProblem, v: FloatArray, neurons: FloatArray, rng: np.random.Generator, circles: int
) -> tuple[FloatArray, FloatArray]:
    """Local maxima of the price, sought from the neurons and from random directions: unit directions and signed prices.

    Each step takes the best point of a great circle: through the gradient, and through a random direction in turn.
    """
    data, kappa, d = problem.data, problem.kappa, problem.rows.data.shape[1]
    random = problem.into @ rng.standard_normal((len(problem.out), _STARTS))
    U = np.hstack([neurons, random])
    sizes = np.linalg.norm(penalised(U, problem.bias), axis=0)
    U = U[:, sizes > 0.0] / sizes[sizes > 0.0]
    if problem.bias != "free":
        U, prices = problem.ascend(v, U)
    else:
        H = data @ U
        prices = v @ np.where(H >= 0.0, H, kappa * H)
    signs = np.where(prices < 0.0, -1.0, 1.0)
    values = np.abs(prices)
    counted = d - 1 if problem.bias == "free" else d
    for k in range(circles):
        if k % 2 == 0:
            E = data.T @ (np.where(data @ U >= 0.0, 1.0, kappa) * v[:, None])
        else:
            E = problem.into @ rng.standard_normal((len(problem.out), U.shape[1]))
        U, values = best_on_circles(data, v, U, E, signs, kappa, counted)
    return U, signs * values
