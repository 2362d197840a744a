"""One problem with one output: over all cells or by a low rank, weighted or not, to the optimum or just to compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._core import MAX_PRICING_DIMENSION
from ..activation import kappa_of
from ..bounds import cell_bound
from ..losses import get_loss
from ..low_rank import LowRankSolution, train_low_rank
from ..low_rank.local_training import LocalProblem, network_of, train_locally
from ..models import train
from ..network import TwoLayerNetwork
from ..result import Round, Solution
from ..training.blocks import Blocks
from .weights import weighted

__all__ = ["Settings", "Sketch", "Trained", "solve"]

_Floats = npt.NDArray[np.float64]
_EXACT_CELLS = 10**10  # pricing looks at a small part of them
_TOL_OF_SKETCHES, _CONES_OF_SKETCHES, _STEPS_OF_SKETCHES = 1e-2, 30_000, 150


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
    solution: Solution | LowRankSolution = field(repr=False)

    @property
    def n_iter(self) -> int:
        return max(1, len(self.solution.history)) if isinstance(self.solution, Solution) else 1


@dataclass(frozen=True)
class _Posed:
    """The unweighted problem that is the weighted one."""

    X: _Floats
    y: _Floats
    bias: Any
    appended: bool  # the bias has become the last column

    @classmethod
    def of(cls, X: _Floats, y: _Floats, settings: Settings, weights: _Floats | None) -> _Posed:
        if weights is None:
            return cls(X, y, settings.bias, False)
        X, y, appended = weighted(X, y, weights, settings.loss, settings.bias)
        return cls(X, y, False if appended else settings.bias, appended)

    def network(self, network: Any) -> TwoLayerNetwork:
        """The network of the data as they were given."""
        if not isinstance(network, TwoLayerNetwork):
            raise TypeError(f"a network of one output was expected, got {type(network).__name__}")
        if not self.appended:
            return network
        return TwoLayerNetwork(network.W1[:-1], network.W1[-1], network.w2, network.activation)


def solve(X: _Floats, y: _Floats, beta: float, settings: Settings, weights: _Floats | None = None) -> Trained:
    """One problem with one output: over all cells where their number allows, else by a low rank with a bound for any."""
    posed = _Posed.of(X, y, settings, weights)
    shared = settings.problem(posed.bias) | {"tol": settings.tol, "n_threads": settings.n_threads}
    solution: Solution | LowRankSolution
    if _all_cells(posed, settings):
        report = _say if settings.verbose else None
        solution = train(posed.X, posed.y, beta, max_time=settings.max_time, callback=report, **shared)
    else:
        rank = None if settings.rank == "auto" or settings.rank is None else int(settings.rank)
        limit = 1e9 if settings.max_time is None else settings.max_time
        solution = train_low_rank(posed.X, posed.y, beta, rank=rank, seed=settings.seed, max_time=limit, **shared)
        if settings.verbose:
            print(solution)
    return Trained(posed.network(solution.network), solution)


class Sketch:
    """Networks of one problem for falling beta, good enough to compare values of beta: nothing is proved of them.

    The work of each is limited by counts, not by the clock: scores do not depend on the machine.
    """

    def __init__(self, X: _Floats, y: _Floats, settings: Settings, weights: _Floats) -> None:
        self._posed, self._settings = _Posed.of(X, y, settings, weights), settings
        self._all_cells = _all_cells(self._posed, settings)
        ones = [np.ones((len(self._posed.X), 1))] if self._posed.bias else []
        self._rows = np.hstack([self._posed.X, *ones])
        self._last: Solution | None = None
        self._neurons = Blocks(np.zeros((self._rows.shape[1], 0)), np.zeros(0))

    def network(self, beta: float) -> TwoLayerNetwork:
        """Started from the one before."""
        posed, settings = self._posed, self._settings
        if self._all_cells:
            shared = settings.problem(posed.bias)
            self._last = train(
                posed.X, posed.y, beta, tol=max(settings.tol, _TOL_OF_SKETCHES), max_cones=_CONES_OF_SKETCHES,
                warm_start=self._last, n_threads=1, **shared,
            )  # fmt: skip
            return posed.network(self._last.network)
        kappa = kappa_of(settings.activation)
        problem = LocalProblem(self._rows, posed.y, beta, get_loss(settings.loss), kappa, posed.bias)
        self._neurons = train_locally(
            problem, self._neurons, seed=settings.seed, deadline=np.inf, iterations=_STEPS_OF_SKETCHES, searches=0
        )
        return posed.network(network_of(self._neurons, kappa, posed.bias))


def _all_cells(posed: _Posed, settings: Settings) -> bool:
    if settings.rank != "auto" or settings.norm != 2:  # other norms are for all cells only
        return settings.rank is None or settings.norm != 2
    X, bias = posed.X, posed.bias
    rows = np.hstack([X, np.ones((len(X), 1))]) if bias else X
    r = int(np.linalg.matrix_rank(rows)) if rows.size else 0
    return r <= min(8, MAX_PRICING_DIMENSION - (bias == "free")) and cell_bound(len(X), r) <= _EXACT_CELLS


def _say(r: Round) -> bool:
    print(r)
    return False
