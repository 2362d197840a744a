"""What the estimators share: parameters, their checks, fitted attributes, the warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .._support.validation import as_tolerance, refuse_masked
from ..errors import InputError
from ..jobs.pricing import Workers, workers
from ..jobs.supply import ExecutorLike
from .problem import Settings, Trained

__all__ = ["ConvexReLU", "OptimalityWarning", "positive"]


class OptimalityWarning(ConvergenceWarning):  # type: ignore[misc]
    """The gap asked for was not proved."""


class ConvexReLU(BaseEstimator):  # type: ignore[misc]
    """Parameters and their checks; see `ConvexReLURegressor`."""

    loss: str
    activation: Any
    fit_intercept: Any
    norm: float
    rank: int | str | None
    tol: float
    max_time: float | None
    n_jobs: int | None
    random_state: Any
    verbose: int

    def _keep(self, given: dict[str, Any]) -> None:
        """What `__init__` is called with, as it is: scikit-learn asks for no more."""
        for name, value in given.items():
            if name != "self":
                setattr(self, name, value)

    def _settings(self) -> Settings:
        if isinstance(self.fit_intercept, (bool, np.bool_)):
            bias: Any = "penalized" if self.fit_intercept else False
        elif self.fit_intercept in ("penalized", "free"):
            bias = self.fit_intercept
        else:
            raise InputError(f"fit_intercept must be a bool, 'penalized' or 'free', got {self.fit_intercept!r}")
        whole = isinstance(self.rank, Integral) and not isinstance(self.rank, bool) and self.rank >= 1
        if not (self.rank is None or self.rank == "auto" or whole):
            raise InputError(f"rank must be 'auto', None or a positive int, got {self.rank!r}")
        jobs = self.n_jobs
        if not (jobs is None or (isinstance(jobs, Integral) and (jobs == -1 or jobs >= 1))):
            raise InputError(f"n_jobs must be None, -1 or a positive int, got {jobs!r}")
        threads = 1 if jobs is None else None if jobs == -1 else int(jobs)
        if self.max_time is not None:
            positive("max_time", self.max_time)
        as_tolerance(self.tol)
        rank = int(self.rank) if whole and self.rank is not None else self.rank
        return Settings(self.loss, self.activation, bias, self.norm, rank, self.tol, self.max_time, threads,
                        self._seed(), int(self.verbose))  # fmt: skip

    def _features(self, X: Any) -> npt.NDArray[np.float64]:
        """New samples of a fitted estimator."""
        check_is_fitted(self)
        refuse_masked(X, "X")
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))

    def _samples(self, X: Any, y: Any, sample_weight: Any, **checks: Any) -> tuple[npt.NDArray[np.float64], Any, Any]:
        """Samples to fit, checked by scikit-learn, which does not look at masks; weights default to one."""
        for name, value in (("X", X), ("y", y), ("sample_weight", sample_weight)):
            refuse_masked(value, name)
        X, y = validate_data(self, X, y, dtype=np.float64, **checks)
        if sample_weight is None:
            return X, y, np.ones(len(y))
        return X, y, _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)

    @contextmanager
    def _workers(self, executor: ExecutorLike | None) -> Iterator[Workers | None]:
        """Of one fit; None without an executor."""
        if executor is not None and self.n_jobs is not None:
            raise InputError(f"n_jobs must be None where there is an executor, got {self.n_jobs!r}")
        with workers(executor, None) as at_work:
            yield at_work

    def _seed(self) -> int:
        """Seed of `random_state`; None is 0, so that nothing depends on numpy's global generator."""
        if self.random_state is None:
            return 0
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _publish(self, parts: list[Trained], network: Any) -> None:
        """Attributes every estimator has after `fit`, of the sum of the problems."""
        solutions = [part.solution for part in parts]
        self.network_ = network
        self.certificate_ = solutions[0] if len(solutions) == 1 else tuple(solutions)
        self.objective_ = float(sum(part.objective for part in parts))
        self.lower_bound_ = float(sum(s.lower_bound for s in solutions))
        worst = max(parts, key=lambda part: part.gap)
        self.gap_, self.status_ = float(worst.gap), worst.status.value
        self.n_neurons_ = sum(part.network.n_neurons for part in parts)
        self.n_iter_ = max(part.n_iter for part in parts)
        if self.gap_ > self.tol:
            warnings.warn(
                f"the optimum lies between {self.lower_bound_:.8g} and the objective {self.objective_:.8g} reached; the gap "
                f"of {self.gap_:.3g} is above tol={self.tol:g} ({self.status_})",
                OptimalityWarning,
                stacklevel=3,
            )


def positive(name: str, value: Any) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
        raise InputError(f"{name} must be a positive finite number, got {value!r}")
    return float(value)
