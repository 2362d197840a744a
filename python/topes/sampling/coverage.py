"""Experiments: how often N samples see every cell, with an interval, and whether Theorem III.2 held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.limits import check_count
from .._support.progress import ProgressCallback, progress_callback
from ..arrangement import Arrangement
from ..errors import InputError
from .angles import MOST_DRAWN, Angles, as_angles, as_share, check_samples
from .cells import draw
from .coverage_probability import coverage_probability
from .directions import PreparedRows, key_of
from .intervals import clopper_pearson
from .sufficient import sufficient_samples
from .union_bound import log_missed

__all__ = ["Coverage", "coverage", "coverage_of_data"]

# Cells that are missed with less than this probability, all together, are taken as seen: it is what the measured probability
# can be off, far below what any number of repetitions resolves.
_SURE = 1e-15


@dataclass(frozen=True)
class Coverage:
    """An experiment.

    Attributes
    ----------
    n_cells : int
    n_samples : int
        N, in each repetition.
    repetitions : int
    n_covered : int
        Repetitions in which every cell was seen.
    low, high : float
        Interval of Clopper and Pearson for the probability of that.
    confidence : float
    eps : float or None
        What the theorem's N was taken for.
    probability : float or None
        The exact one, where the angles are known: see `coverage_probability`.
    """

    n_cells: int
    n_samples: int
    repetitions: int
    n_covered: int
    low: float
    high: float
    confidence: float
    eps: float | None
    probability: float | None

    @property
    def share(self) -> float:
        """n_covered / repetitions."""
        return self.n_covered / self.repetitions

    @property
    def held(self) -> bool | None:
        """False if the experiment refutes a probability of 1 - eps, by its whole interval; None without eps."""
        return None if self.eps is None else self.high >= 1.0 - self.eps

    @property
    def shown(self) -> bool | None:
        """True if the whole interval lies at 1 - eps or above; None without eps."""
        return None if self.eps is None else self.low >= 1.0 - self.eps

    def __str__(self) -> str:
        exact = "" if self.probability is None else f"; exact {self.probability:.6f}"
        verdict = ""
        if self.eps is not None:
            word = "shown" if self.shown else "not refuted" if self.held else "REFUTED"
            verdict = f"; 1 - eps = {1.0 - self.eps:g} {word}"
        certainty = f"in [{self.low:.4f}, {self.high:.4f}] with confidence {self.confidence:g}"
        return (
            f"{self.n_samples:,} samples saw all {self.n_cells:,} cells in {self.n_covered:,} of {self.repetitions:,} "
            f"repetitions: {self.share:.4f}, {certainty}{exact}{verdict}"
        )


def coverage(
    theta: Any,
    n_samples: int | None = None,
    *,
    eps: float | None = None,
    multiplicity: Any = None,
    repetitions: int = 1000,
    confidence: float = 0.95,
    rng: Any = None,
) -> Coverage:
    """Draw cells by their known probabilities, and see how often all are seen.

    Parameters
    ----------
    theta : array_like, shape (m,)
        Probabilities of the cells.
    n_samples : int, optional
        N, at most 2**63 - 1. Default: that of Theorem III.2 for `eps`.
    eps : float, optional
        The share of failures the theorem allows; with it the result says whether it held. One of the two must be given.
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each: a histogram.
    repetitions : int
    confidence : float
    rng : None, int or numpy.random.Generator
        As for `numpy.random.default_rng`.

    Returns
    -------
    Coverage

    Raises
    ------
    InputError
        An argument is out of range, or N is too large to be drawn.

    Notes
    -----
    The counts of a repetition are multinomial: they are drawn cell by cell as binomial numbers, the rarest first, which ends
    at the first cell that is missed. So the time does not depend on N. Cells that are missed with a probability below 1e-15
    in all are taken as seen.

    Examples
    --------
    >>> from topes.sampling import coverage
    >>> print(coverage([3 / 8, 1 / 8, 1 / 8, 3 / 8], eps=0.05, rng=0))  # Example II.1
    36 samples saw all 4 cells in 978 of 1,000 repetitions: 0.9780, in [0.9669, 0.9862] with confidence 0.95; exact \
0.983689; 1 - eps = 0.95 shown
    """
    angles = as_angles(theta, multiplicity)
    n_cells = int(angles[1].sum())
    n = _samples(n_samples, eps, n_cells, float(angles[0][0]))
    check_count(repetitions, "repetitions", 1)
    generator = np.random.default_rng(rng)
    covered = _n_covered(angles, n, int(repetitions), generator)
    low, high = clopper_pearson(covered, int(repetitions), confidence=confidence).tolist()
    exact = coverage_probability(theta, n, multiplicity=multiplicity)
    return Coverage(n_cells, n, int(repetitions), covered, low, high, confidence, eps, exact)


def coverage_of_data(
    X: Any,
    n_samples: int | None = None,
    *,
    eps: float | None = None,
    theta: Any = None,
    values: Values = "binary",
    repetitions: int = 100,
    confidence: float = 0.95,
    seed: int = 0,
    n_threads: int | None = None,
    max_cells: int | None = None,
    progress: bool | ProgressCallback = False,
) -> Coverage:
    """The same with the real sampler: directions are drawn and their patterns counted, against the exact number of cells.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Of rank at least 1.
    n_samples : int, optional
        N. Default: that of Theorem III.2 for `eps` and `theta`.
    eps : float, optional
    theta : array_like, shape (P,), optional
        The solid angles of all cells, in any order (`topes.solid_angles`); for the theorem's N and the exact probability.
    values : {"binary", "decimal"}
    repetitions : int
    confidence : float
    seed : int
        Repetition k takes samples k N, ..., (k + 1) N - 1 of one stream.
    n_threads : int, optional
    max_cells : int, optional
        Of the enumeration.
    progress : bool or callable
        The callable gets (share of the repetitions, repetitions that saw all).

    Returns
    -------
    Coverage

    Raises
    ------
    InputError
        An argument is out of range, X has rank 0, or `theta` does not have one entry for each cell.

    Examples
    --------
    >>> from topes.sampling import coverage_of_data
    >>> result = coverage_of_data([[2, 2], [3, 3], [1, 0]], eps=0.05, theta=[3 / 8, 1 / 8, 1 / 8, 3 / 8])
    >>> result.n_samples, result.n_cells, result.held
    (36, 4, True)
    """
    arrangement = Arrangement(X, values=values)
    if arrangement.rank == 0:
        raise InputError("X must have a row that is not zero: at rank 0 there is one cell, and nothing to sample")
    check_count(repetitions, "repetitions", 1)
    n_cells = arrangement.count(n_threads, max_cells=max_cells)
    exact = least = None
    if theta is not None:
        angles = as_angles(theta)
        if len(angles[0]) != n_cells:
            raise InputError(f"theta must have one entry for each of the {n_cells} cells, got {len(angles[0])}")
        least = float(angles[0][0])
    elif n_samples is None and eps is not None:
        raise InputError("theta must be given for the theorem's number of samples, or n_samples")
    n = _samples(n_samples, eps, n_cells, least)
    if n > MOST_DRAWN // int(repetitions):
        raise InputError(f"n_samples * repetitions must be at most 2**63 - 1, got {n:,} * {repetitions:,}")
    rows = PreparedRows.of(X, "gaussian", False, values)
    key = key_of(seed)
    covered = 0
    with progress_callback(progress, "repetitions") as callback:
        for k in range(int(repetitions)):
            covered += len(draw(rows, n, key=key, first=k * n, n_threads=n_threads)) == n_cells
            if callback is not None:
                callback((k + 1) / repetitions, covered)
    low, high = clopper_pearson(covered, int(repetitions), confidence=confidence).tolist()
    if theta is not None:
        exact = coverage_probability(theta, n)
    return Coverage(n_cells, n, int(repetitions), covered, low, high, confidence, eps, exact)


def _samples(n_samples: Any, eps: Any, n_cells: int, theta_min: float | None) -> int:
    if eps is not None:
        as_share(eps, "eps")
    if n_samples is not None:
        return check_samples(n_samples, most=MOST_DRAWN)
    if eps is None or theta_min is None:
        raise InputError("n_samples or eps must be given")
    return check_samples(sufficient_samples(n_cells, theta_min, eps), "the theorem's number of samples", MOST_DRAWN)


def _n_covered(angles: Angles, n: int, repetitions: int, rng: np.random.Generator) -> int:
    theta, times = angles
    with np.errstate(under="ignore"):
        missed = times * np.exp(log_missed(theta, n))
    rare = np.cumsum(missed[::-1])[::-1] > _SURE  # ascending angles: the cells in doubt come first
    left = np.full(repetitions, n, dtype=np.int64)
    used = 0.0  # probability of the cells drawn so far
    for angle in np.repeat(theta[rare], times[rare]).tolist():
        seen = rng.binomial(left, min(1.0, angle / max(1.0 - used, angle)))
        left = (left - seen)[seen > 0]
        used += angle
        if not len(left):
            return 0
    return len(left)
