"""One run for one output: a working set of faces and global pricing, to the optimum of (7) without writing it down."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from ..network import TwoLayerNetwork
from ..result import Solution, Status
from .blocks import Blocks
from .by_cones import work
from .by_descent import descend, is_smooth
from .by_smoothing import is_smoothed, smooth
from .conclusion import conclude, worth_of_few
from .fewer import fewer
from .judge import Judge
from .local_descent import descend_first
from .outcome import best_network
from .warm_start import neurons_of

__all__ = ["Training"]


class Training:
    """One run: where p = 2 Newton's method across the cells, kinks rounded off; else, and after it, the conic program."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def run(self, warm_start: Solution | TwoLayerNetwork | None = None) -> Solution:
        # Matrices are small here: threads of a matrix library would cost more than they save, and change the last bits.
        with threadpool_limits(limits=1, user_api="blas"):
            return self._run(warm_start)

    def _run(self, warm_start: Solution | TwoLayerNetwork | None) -> Solution:
        judge = self.judge
        U, w2 = judge.units.neurons(*neurons_of(warm_start, judge.pricer))
        blocks = Blocks(U[:, w2 != 0.0] * np.abs(w2[w2 != 0.0]), np.sign(w2[w2 != 0.0]))
        blocks = descend_first(judge, blocks)
        status: Status | None = None
        if judge.pricer.norm == 2.0 and is_smooth(judge.loss, judge.y):
            blocks, status = descend(judge, blocks)
        elif is_smoothed(judge):
            blocks, status = smooth(judge, blocks)
        if status is None:
            status = work(judge, blocks)
        return self._finish(status)

    def _finish(self, status: Status) -> Solution:
        judge = self.judge
        pricer, y, beta, best = judge.pricer, judge.y, judge.beta, judge.best
        smaller = fewer(pricer, best, np.hstack(judge.seen), judge.best_dual, beta) if judge.seen else None
        choices = [best] if smaller is None else [smaller, best]
        network, objective = best_network(pricer, choices, y, beta, judge.loss, worth_of_few(judge))
        return conclude(judge, status, network, objective)
