"""What all ways of training share: pricing a dual point, the best of both sides, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .._support.validation import FloatArray, as_tolerance
from ..certificate import Problem
from ..dual import lower_bound, zero_sum
from ..errors import InputError
from ..jobs.pricing import Workers
from ..losses import Loss
from ..pricing.found import Pricing
from ..pricing.oracle import Pricer
from ..result import Round, Status, relative_gap
from .blocks import Blocks
from .extent import check_extent
from .units import Units

__all__ = ["Judge"]

# Prices that exceed beta by no more than this share: all that can be found are wanted, and pricing is quick.
_SETTLED = 1e-3
# While prices exceed beta by more, the search leaves those that exceed it by less than this share of the most: finding all
# that exceed beta takes many times as many cones as the bound does.
_KEEP = 0.95
# Directions to look among for those that are far from each other.
_DIRECTIONS = 1000
# Of these, so many are remembered.
_SEEN = 32
# While prices exceed beta by more than this share, or ten times the gap asked for, the bound is far: so many cones do.
_FAR, _CONES = 1e-2, 25_000
# A side that has not moved by this share of the gap asked for has not moved.
_PROGRESS = 1e-3
# Below this share of beta_max a network is an interpolation in all but name, and doubles do not hold the difference.
_LEAST_BETA = 1e-12


class Judge:
    """Prices what a solver proposes, and keeps the best network and the best bound.

    Attributes
    ----------
    asked : Problem
        As it was given; all else but `history`, the pricer and beta and the targets y among it, is in `units`.
    """

    def __init__(
        self,
        pricer: Pricer,
        y: FloatArray,
        beta: float,
        loss: Loss,
        tol: float,
        deadline: float,
        callback: Callable[[Round], Any] | None,
        n_threads: int | None,
        start: float,
        max_cones: int | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.asked, loss = Problem(pricer, y, beta, loss.name), loss.simplest(y.ravel())
        self.units = Units.of(pricer, y, beta, loss)
        self.pricer, targets, self.beta = self.units.problem(pricer, y, beta)
        self.y, self.loss, self.tol = targets.ravel(), loss, as_tolerance(tol)
        check_extent(pricer, self.pricer, self.y, loss, self.units)
        self.deadline, self.callback, self.n_threads, self.start = deadline, callback, n_threads, start
        self.max_cones, self.workers = max_cones, workers
        self.free = pricer.bias == "free"
        self.empty = loss.value(np.zeros_like(self.y), self.y)
        self.seconds = {"solve": 0.0, "price": 0.0, "faces": 0.0}
        self.n_priced = 0
        self.history: list[Round] = []
        self.best_bound, self.best_dual, self.price_at_best = -math.inf, np.zeros_like(self.y), 0.0
        self.best_value, self.best = math.inf, Blocks.none(self.pricer.data.shape[1])
        self.seen: list[FloatArray] = []  #: the best directions of each pricing
        self._marks = math.inf, -math.inf  # both sides when one moved last
        self.violation = 1.0  #: share by which the largest price found last exceeds beta

    @property
    def gap(self) -> float:
        return relative_gap(self.best_value, self.best_bound, self.empty)

    def feasible(self, v: FloatArray) -> FloatArray:
        """The point of the domain of L* next to v; with a free bias its entries sum to zero exactly."""
        v = self.loss.project_dual(v, self.y, zero_sum=self.free)
        return zero_sum(v) if self.free else v

    def round(self, blocks: Blocks, v: FloatArray, *, tight: bool) -> tuple[Pricing, bool]:
        """Price the dual point and keep the best of both sides; whether either has moved.

        With `tight`, when no price exceeds beta any more the bound is brought to the accuracy asked for.
        """
        value = blocks.objective(self.pricer, self.y, self.beta, self.loss)
        if value < self.best_value:
            self.best_value, self.best = value, blocks
        v = self.feasible(v)
        finest = 0.25 * self.tol
        width = min(0.1, max(finest, 0.1 * self.violation))
        far = self.violation > max(_FAR, 10.0 * self.tol)
        pricing = self._price(v, blocks, width, _KEEP if self.violation > _SETTLED else 0.0, _CONES if far else None)
        if tight and not len(pricing.values) and width > finest and pricing.upper_bound > self.beta * (1.0 + finest):
            pricing = self._price(v, blocks, finest, 0.0, None)  # all that is left is the proof
        if not self.history and pricing.best > 0.0 and self.beta < _LEAST_BETA * pricing.best:
            most = self.units.price(pricing.best)
            raise InputError(
                f"beta must be at least {_LEAST_BETA:g} times the beta at which the empty network is optimal, "
                f"{_LEAST_BETA:g} * {most:g} = {_LEAST_BETA * most:g}, got {self.asked.beta:g}: below it the optimum "
                "interpolates in all but name"
            )
        bound, dual = lower_bound(self.loss, v, self.y, self.beta, pricing.upper_bound)
        if bound > self.best_bound:
            self.best_bound, self.best_dual, self.price_at_best = bound, dual, pricing.upper_bound
        seconds = time.perf_counter() - self.start
        both = self.units.value(self.best_value), self.units.bound(self.best_bound)
        self.history.append(Round(*both, self.gap, len(blocks), pricing.n_nodes, seconds))
        self.violation = max(0.0, pricing.best / self.beta - 1.0)
        least = _PROGRESS * self.tol * max(abs(self.best_value), abs(self.best_bound))
        moved = self.best_value < self._marks[0] - least or self.best_bound > self._marks[1] + least
        if moved:
            self._marks = self.best_value, self.best_bound
        return pricing, moved

    def _price(self, v: FloatArray, blocks: Blocks, tol: float, keep: float, max_nodes: int | None) -> Pricing:
        begin = time.perf_counter()
        reallot = False
        if self.max_cones is not None:
            left = max(1, self.max_cones - self.n_priced)
            reallot = max_nodes is None or left < max_nodes
            max_nodes = left if reallot else max_nodes
        pricing = self.pricer.price(
            v,
            floor=self.beta * (1.0 + 0.25 * self.tol),
            keep=keep,
            tol=tol,
            starts=blocks.columns if len(blocks) else None,
            n_directions=_DIRECTIONS,
            max_nodes=max_nodes,
            max_seconds=None if math.isinf(self.deadline) else max(0.01, self.deadline - begin),
            n_threads=self.n_threads,
            reallot=reallot,
            workers=self.workers,
        )
        self.n_priced += pricing.n_nodes
        self.seen.append(pricing.directions[:, :_SEEN])
        self.seconds["price"] += time.perf_counter() - begin
        return pricing

    def ended(self) -> Status | None:
        """Why to stop after this round, if so."""
        stopped = self.callback is not None and self.callback(self.history[-1])
        if self.history[-1].gap <= self.tol:
            return Status.CERTIFIED
        if stopped:
            return Status.CANCELLED
        if self.max_cones is not None and self.n_priced >= self.max_cones:
            return Status.CONE_LIMIT
        return Status.TIME_LIMIT if time.perf_counter() > self.deadline else None
