"""Local training of (3) by Newton's method across the walls, new neurons where the local search finds a price above beta.

What `training.by_descent` does, with two differences: prices are sought along great circles and not over all cells, so that
any rank will do and nothing is proved; and limits are counted in work, not in seconds: the end is the same on any machine.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss
from ..losses.smoothed import SMOOTHED
from .blocks import Blocks
from .by_descent import is_smooth
from .descent import Descent, Rows
from .entering import enter_small, far_apart
from .great_circles import search
from .judge import Judge

__all__ = ["WIDTHS", "LocalTask", "Work", "descend_first", "descend_locally"]

# Newton's method solves for all neurons at once: at most so many unknowns, and no rank that leaves fewer neurons than this.
_MOST_UNKNOWNS, _FEWEST_NEURONS = 1200, 24
# Steps of a search, twice as many for the last ones; most neurons that enter a round.
_CIRCLES, _NEARLY, _ENTERING = 10, 1e-2, 64
_MOST_ROUNDS, _MOST_QUIET = 60, 2
# Prices that exceed beta by no more than this share are met; those of neurons are to a share of the violation, or the last.
_MET, _PRECISION, _FINEST = 1e-5, 1e-2, 1e-6
# Losses with kinks: the widths over which these are rounded off, in units of the targets, and rounds for all but the first.
WIDTHS, _ROUNDS_OF_A_WIDTH = (1e-1, 1e-2, 1e-3, 1e-4), 8
# Seconds on a machine like ours: of a step, pair of unknowns, neuron and cube of the rank, neuron and row; of a crossing.
_STEP, _PAIR, _CUBE, _HEIGHT, _CROSSING = 1e-4, 1e-8, 2.8e-8, 3e-8, 1.5e-7
# Before pricing: from this dimension on, for so much of the time, and of work; where cones are counted, of work for each.
_FIRST, _SHARE, _MOST_WORK, _WORK_PER_CONE = 5, 0.3, 60.0, 1e-5


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


@dataclass(frozen=True)
class LocalTask:
    """Problem (3), p = 2, for `descend_locally`.

    Attributes
    ----------
    rows : Rows
    y : ndarray, shape (n,), float64
    beta : float
    loss : Loss
    into : ndarray, shape (d, r), float64
        Outputs depend evenly on z, u = into @ z.
    out : ndarray, shape (r, d), float64
        Back.
    """

    rows: Rows
    y: FloatArray
    beta: float
    loss: Loss
    into: FloatArray
    out: FloatArray

    def is_taken(self, start: Blocks) -> bool:
        """Whether the loss is smooth, or can be made so, and known to the core, and the unknowns are few enough."""
        rank = self.rows.span.shape[1]
        smooth = self.loss.name in SMOOTHED or is_smooth(self.loss, self.y)
        return smooth and 0 < rank <= _MOST_UNKNOWNS // _FEWEST_NEURONS and len(start) * rank <= _MOST_UNKNOWNS

    def seconds_of_a_step(self, neurons: int) -> float:
        rank = float(self.rows.span.shape[1])
        return _STEP + _PAIR * float(neurons * rank) ** 2 + neurons * (_CUBE * rank**3 + _HEIGHT * len(self.rows.data))


def descend_first(judge: Judge, start: Blocks) -> Blocks:
    """Where pricing over all cells takes long: neurons that leave it little more to do than the proof."""
    pricer = judge.pricer
    if pricer.norm != 2.0 or pricer.dimension < _FIRST:
        return start
    task = LocalTask(pricer, judge.y, judge.beta, judge.loss, pricer.whitening, pricer.unwhitening)
    if not task.is_taken(start):
        return start
    begin = time.perf_counter()
    deadline = begin + _SHARE * (judge.deadline - begin)
    most = _MOST_WORK if judge.max_cones is None else min(_MOST_WORK, judge.max_cones * _WORK_PER_CONE)
    blocks = descend_locally(task, start, np.random.default_rng(0), deadline=deadline, work=Work(most))
    judge.seconds["solve"] += time.perf_counter() - begin
    before, after = (each.objective(pricer, judge.y, judge.beta, judge.loss) for each in (start, blocks))
    return blocks if after < before else start


def descend_locally(
    task: LocalTask, start: Blocks, rng: np.random.Generator, *, deadline: float, work: Work
) -> Blocks:
    """Neurons at which no search finds a price above beta, or where a limit came first.

    Parameters
    ----------
    task : LocalTask
        That is taken.
    start : Blocks
        Any number of neurons, also none.
    rng : Generator
        Where searches start.
    deadline : float
        Of `time.perf_counter`, seconds.
    work : Work
        What may be done and what was.
    """
    if task.loss.name not in SMOOTHED:
        return _rounds(task, task.loss, 1.0, start, rng, _MOST_ROUNDS, deadline, work)
    unit = float(np.abs(task.y).max(initial=0.0))
    if not WIDTHS[-1] * unit > 0.0:  # nothing is best
        return start
    blocks, rounds = start, _MOST_ROUNDS
    for k, width in enumerate(WIDTHS):
        part = work.share(0.5 if k + 1 < len(WIDTHS) else 1.0)
        blocks = _rounds(task, SMOOTHED[task.loss.name], width * unit, blocks, rng, rounds, deadline, part)
        work.add(part.done)
        rounds = _ROUNDS_OF_A_WIDTH
    return blocks


def _rounds(
    task: LocalTask,
    loss: Loss,
    unit: float,
    start: Blocks,
    rng: np.random.Generator,
    rounds: int,
    deadline: float,
    work: Work,
) -> Blocks:
    """Of the loss of outputs and targets in these units."""
    y, beta, rows = task.y / unit, task.beta, task.rows
    n, rank = len(rows.data), rows.span.shape[1]
    descent = Descent(rows, y, beta, loss, deadline)
    descent.enter(start.columns / unit, start.signs)
    descent.constant += start.constant / unit
    violation, quiet = 1.0, 0
    for k in range(rounds):
        each = task.seconds_of_a_step(len(descent))
        steps = None if math.isinf(work.most) else max(1, int((work.most - work.done) / each))
        work.add((1 + descent.minimise(max(_FINEST, _PRECISION * violation), steps)) * each)
        f = descent.outputs()
        # The last round ends here: what enters has to be made the best of.
        if k + 1 == rounds or work.is_over or time.perf_counter() > deadline or not is_smooth(loss, y, f):
            break
        v = loss.gradient(f, y)
        circles = _CIRCLES if violation > _NEARLY else 2 * _CIRCLES
        U, prices = search(
            rows.data, np.repeat(v, rows.pool) / rows.pool, descent.blocks().columns, task.into, rng,
            kappa=rows.kappa, penalised=rows.data.shape[1] - (rows.bias == "free"), circles=circles, deadline=deadline,
        )  # fmt: skip
        work.add(U.shape[1] * circles * n * _CROSSING)
        order = np.argsort(-np.abs(prices), kind="stable")
        order = order[np.abs(prices[order]) > beta * (1.0 + _MET)]
        room = _MOST_UNKNOWNS // rank - len(descent)
        if not len(order) or room <= 0:
            violation, quiet = 0.0, quiet + 1
            if quiet == _MOST_QUIET or room <= 0:
                break
            continue
        violation, quiet = float(np.abs(prices[order[0]])) / beta - 1.0, 0
        U, signs = U[:, order], -np.sign(prices[order])
        chosen = far_apart(task.out @ U, signs, violation, min(room, _ENTERING))
        if not enter_small(descent, U[:, chosen], signs[chosen], v):
            break
    blocks = descent.blocks()
    return Blocks(unit * blocks.columns, blocks.signs, unit * blocks.constant)
