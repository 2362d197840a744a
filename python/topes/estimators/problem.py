"""One problem with one output: over all cells or by a low rank, weighted or not, to the optimum or just to compare."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._core import MAX_PRICING_DIMENSION
from ..activation import kappa_of
from ..bounds import cell_bound
from ..jobs.pricing import Workers
from ..losses import get_loss
from ..low_rank import LowRankSolution, train_low_rank
from ..low_rank.local_training import LocalProblem, network_of, train_locally
from ..models import train
from ..network import TwoLayerNetwork
from ..result import Round, Solution, Status, relative_gap
from ..training.blocks import Blocks
from .weights import weighted

__all__ = ["Settings", "Sketch", "Trained", "solve"]

_Floats = npt.NDArray[np.float64]
_EXACT_CELLS = 10**10  # pricing looks at a small part of them
_MINUTE = 60.0
# `max_time` in cones that pricing looks at, so that no clock decides what is fitted: 12 to 38 us each at ranks 3 to 6.
_SECONDS_PER_CONE = 2.5e-5
# Local training where not all cells are priced: a share of `max_time`, counted in work and never by a clock; and a sketch.
_SHARE, _WORK_OF_SKETCHES = 0.5, 0.3
_TOL_OF_SKETCHES, _CONES_OF_SKETCHES = 1e-2, 30_000


@dataclass(frozen=True)
class Settings:
    """The parameters of an estimator that one problem needs, checked."""

    loss: str
    activation: Any
    bias: Any
    norm: float
    rank: int | str | None
    tol: float
    max_time: float | None
    n_threads: int | None
    seed: int
    verbose: int

    def problem(self, bias: Any) -> dict[str, Any]:
        """Arguments of the problem, without data and beta."""
        return {"loss": self.loss, "activation": self.activation, "bias": bias, "norm": self.norm}


@dataclass(frozen=True)
class Trained:
    """A network and what was proved of it."""

    network: TwoLayerNetwork
    objective: float
    gap: float
    status: Status
    solution: Solution | LowRankSolution = field(repr=False)

    @property
    def n_iter(self) -> int:
        return max(1, len(self.solution.history)) if isinstance(self.solution, Solution) else 1


def solve(
    X: _Floats,
    y: _Floats,
    beta: float,
    settings: Settings,
    weights: _Floats | None = None,
    at_work: Workers | None = None,
) -> Trained:
    """The optimum over all cells where their number allows, else a local one with a lower bound that holds at any rank."""
    posed = _Posed.of(X, y, settings, weights)
    if posed.all_cells():
        report = _say if settings.verbose else None
        cones = None if settings.max_time is None else int(np.ceil(settings.max_time / _SECONDS_PER_CONE))
        s = train(posed.X, posed.y, beta, tol=settings.tol, max_cones=cones, callback=report,
                  n_threads=settings.n_threads, executor=at_work, **settings.problem(posed.bias))  # fmt: skip
        return Trained(posed.network(s.network), s.objective, s.gap, s.status, s)
    start = time.perf_counter()
    end = start + (_MINUTE if settings.max_time is None else settings.max_time)
    neurons = posed.locally(beta, posed.nothing(), _SHARE * (end - start))
    network = network_of(neurons, kappa_of(settings.activation), posed.bias)
    left = max(0.1 * (end - start), end - time.perf_counter())
    # What else it finds depends on the time there is: only its bound is taken.
    rank = settings.rank if isinstance(settings.rank, int) else None
    low = train_low_rank(
        posed.X, posed.y, beta, rank=rank, warm_start=network,
        tol=settings.tol, seed=settings.seed, max_time=left, n_threads=settings.n_threads,
        **settings.problem(posed.bias),
    )  # fmt: skip
    if settings.verbose:
        print(low)
    loss = get_loss(settings.loss)
    objective = network.objective(posed.X, posed.y, beta, loss=loss, bias=posed.bias or None)
    gap = relative_gap(objective, low.lower_bound, loss.value(np.zeros(len(posed.y)), posed.y))
    return Trained(posed.network(network), objective, gap, Status.CERTIFIED if gap <= settings.tol else low.status, low)


class Sketch:
    """Networks of one problem for falling beta, good enough to compare values of beta: nothing is proved of them.

    The work of each is limited by counts, not by the clock: scores do not depend on the machine.
    """

    def __init__(self, X: _Floats, y: _Floats, settings: Settings, weights: _Floats) -> None:
        self._posed, self._settings = _Posed.of(X, y, settings, weights), settings
        self._all_cells = self._posed.all_cells()
        self._last: Solution | None = None
        self._neurons = self._posed.nothing()

    def network(self, beta: float, callback: Callable[[Round], Any] | None = None) -> TwoLayerNetwork:
        """Started from the one before."""
        posed, settings = self._posed, self._settings
        if not self._all_cells:
            self._neurons = posed.locally(beta, self._neurons, _WORK_OF_SKETCHES)
            return posed.network(network_of(self._neurons, kappa_of(settings.activation), posed.bias))
        self._last = train(
            posed.X, posed.y, beta, tol=max(settings.tol, _TOL_OF_SKETCHES), max_cones=_CONES_OF_SKETCHES,
            warm_start=self._last, n_threads=1, callback=callback, **settings.problem(posed.bias),
        )  # fmt: skip
        return posed.network(self._last.network)


@dataclass(frozen=True)
class _Posed:
    """The problem without weights that is the one with weights."""

    X: _Floats
    y: _Floats
    bias: Any
    appended: bool  # the bias has become the last column
    settings: Settings

    @classmethod
    def of(cls, X: _Floats, y: _Floats, settings: Settings, weights: _Floats | None) -> _Posed:
        if weights is None:
            return cls(X, y, settings.bias, False, settings)
        X, y, appended = weighted(X, y, weights, settings.loss, settings.bias)
        return cls(X, y, False if appended else settings.bias, appended, settings)

    @property
    def rows(self) -> _Floats:
        return np.hstack([self.X, np.ones((len(self.X), 1))]) if self.bias else self.X

    def nothing(self) -> Blocks:
        return Blocks(np.zeros((self.rows.shape[1], 0)), np.zeros(0))

    def all_cells(self) -> bool:
        """Whether to price them all. Other norms know no other way."""
        rank = self.settings.rank
        if rank != "auto" or self.settings.norm != 2:
            return rank is None or self.settings.norm != 2
        r = int(np.linalg.matrix_rank(self.rows)) if self.rows.size else 0
        return r <= MAX_PRICING_DIMENSION - (self.bias == "free") and cell_bound(len(self.X), r) <= _EXACT_CELLS

    def locally(self, beta: float, start: Blocks, work: float) -> Blocks:
        """A local optimum near the neurons given; `work` in seconds on a machine like ours."""
        settings = self.settings
        kappa = kappa_of(settings.activation)
        problem = LocalProblem(self.rows, self.y, beta, get_loss(settings.loss), kappa, self.bias)
        return train_locally(problem, start, seed=settings.seed, deadline=np.inf, work=work)

    def network(self, network: Any) -> TwoLayerNetwork:
        """The network of the data as they were given."""
        if not isinstance(network, TwoLayerNetwork):
            raise TypeError(f"a network of one output was expected, got {type(network).__name__}")
        if not self.appended:
            return network
        return TwoLayerNetwork(network.W1[:-1], network.W1[-1], network.w2, network.activation)


def _say(r: Round) -> bool:
    print(r)
    return False
