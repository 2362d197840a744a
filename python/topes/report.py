"""One page about a data matrix: its cells, how small they are, what sampling them and training exactly would take."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ._support.exact_input import Values, as_exact_array
from ._support.limits import quick_estimate, thread_count
from ._support.progress import ProgressCallback, progress_callback
from ._support.validation import as_positive
from .arrangement import Arrangement
from .bounds import cell_bound_power
from .errors import MemoryLimitError
from .network import check_bias
from .pricing import PricingCost, pricing_cost
from .sampling import sample_cells, sufficient_samples
from .sampling.angles import as_share
from .solid_angle import SolidAngleSummary, solid_angle_summary

__all__ = ["Report", "report"]

# Shares of the time: for angles, for counting where angles take too long, for an estimate where that does, for pricing.
_ANGLES, _COUNT, _ESTIMATE, _PRICE = 0.5, 0.25, 0.25, 0.25
_DIVES, _BATCHES = 50, 20  # dives at a time, and how many times at most
_FEWEST_SAMPLES, _SAMPLING_SECONDS = 1 << 12, 0.2
# Pricing works in at most this many dimensions; training prices about so many dual points.
_MOST_DIMENSIONS, _ROUNDS = 8, (5, 50)
# From here on the dual points of training can be far harder than noise: docs/high_rank.md.
_HARD_DIMENSION = 5


class _TooLongError(Exception):
    """Ends a walk at its deadline."""


@dataclass(frozen=True)
class Report:
    """What `topes.report` found; printed, a page of text.

    Attributes
    ----------
    n, d, rank, n_hyperplanes, n_zero_rows : int
        Samples, columns (that of a bias counted), rank, distinct hyperplanes, rows that are zero.
    n_cells : int, float or None
        Exact where `counted`, else an estimate; None where the time did not suffice for one.
    counted : bool
    standard_error : float
        Of the estimate; 0 where counted.
    bound, power_bound : int
        (6) and its second form.
    theta_min : float or None
        The least solid angle; None where the time did not suffice.
    theta_error : float or None
        Of it.
    eps : float
    samples : int or None
        What Theorem III.2 asks for to see every cell with probability 1 - eps.
    samples_at_least : int or None
        The same if all cells were of one size: no data with so many cells need less by the theorem.
    samples_per_second : float
        Measured.
    enumeration_seconds : float or None
        In which all angles, or else all cells, were gone through.
    pricing : PricingCost or None
        None where the rank is too high to price over all cells.
    full_program_variables : int, float or None
        2 d P of program (7).
    """

    n: int
    d: int
    rank: int
    n_hyperplanes: int
    n_zero_rows: int
    n_cells: int | float | None
    counted: bool
    standard_error: float
    bound: int
    power_bound: int
    theta_min: float | None
    theta_error: float | None
    eps: float
    samples: int | None
    samples_at_least: int | None
    samples_per_second: float
    enumeration_seconds: float | None
    pricing: PricingCost | None
    full_program_variables: int | float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        facts = asdict(self)
        pricing = facts.pop("pricing")
        if pricing is not None:
            facts |= {"pricing_seconds": pricing["seconds"], "pricing_extrapolated": pricing["extrapolated"]}
        return facts

    def __str__(self) -> str:
        return "\n".join([*self._data(), "", *self._cells(), "", *self._sampling(), "", *self._training()])

    def _data(self) -> list[str]:
        merged = self.n - self.n_zero_rows - self.n_hyperplanes
        return [
            f"Data      {self.n:,} samples, {self.d} columns, rank {self.rank}",
            f"          {self.n_hyperplanes:,} distinct hyperplanes; {merged:,} rows parallel to others, "
            f"{self.n_zero_rows:,} zero",
        ]

    def _cells(self) -> list[str]:
        at_most = f"at most {_integer(self.bound)} by (6), {_integer(self.power_bound)} by its second form"
        if self.n_cells is None:
            number = "too many to go through or to estimate here"
        elif not self.counted:
            number = f"about {self.n_cells:.3g} (standard error {self.standard_error:.1g}; too many to go through here)"
        elif self.enumeration_seconds is None:
            number = f"{self.n_cells:,}"
        else:
            number = f"{self.n_cells:,}, exactly, in {_time(self.enumeration_seconds)}"
        lines = [f"Cells     {number}", f"          {at_most}"]
        if self.theta_min is not None and self.n_cells is not None:
            lines += [
                f"Angles    the least cell has probability {self.theta_min:.4g}, {self.n_cells * self.theta_min:.2g} "
                "of the mean",
            ]
        return lines

    def _sampling(self) -> list[str]:
        if self.rank == 0:
            return ["Sampling  every sample sees the one cell"]
        share = f"{100.0 * (1.0 - self.eps):g} %"
        count, unless = (self.samples_at_least, "at least ") if self.samples is None else (self.samples, "")
        if count is None or self.n_cells is None:
            return [f"Sampling  {self.samples_per_second:,.0f} samples a second; how many see all cells is not known"]
        ratio = count / self.n_cells
        lines = [
            f"Sampling  Theorem III.2 asks for {unless}{_integer(count)} samples to see all with probability {share},",
            f"          {ratio:,.3g} for each cell: {_time(count / self.samples_per_second)} at "
            f"{self.samples_per_second:,.0f} a second",
        ]
        if self.samples is None:
            lines.append("          (were all cells of one size; the least angle was not found in the time given)")
        return lines

    def _training(self) -> list[str]:
        size = "the full program (7) could not be written down"
        if self.full_program_variables is not None:
            size = f"the full program (7) would have {_integer(self.full_program_variables)} variables"
        if self.rank == 0:
            return ["Training  no network sees these data: every output is the same"]
        if self.pricing is None:
            return [
                f"Training  rank {self.rank} is more than the {_MOST_DIMENSIONS} over whose cells can be priced:",
                "          `train_low_rank` gives a network and a lower bound, with a gap; " + size,
            ]
        low, high = (_time(k * self.pricing.seconds) for k in _ROUNDS)
        how = "foreseen" if self.pricing.extrapolated else "measured"
        lines = [
            f"Training  {_time(self.pricing.seconds)} to price a dual point over all cells, {how}; an exact optimum takes",
            f"          some {_ROUNDS[0]} to {_ROUNDS[1]} of them, {low} to {high}; {size}",
        ]
        if self.pricing.dimension >= _HARD_DIMENSION:
            lines.append("          (dual points of noise: near an optimum of such a rank they can take far longer)")
        return lines


def report(
    X: Any,
    *,
    bias: Any = False,
    values: Values = "binary",
    eps: float = 0.05,
    max_time: float = 20.0,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
) -> Report:
    """Say what the cells of a data matrix are like, and what sampling them all and training exactly would take.

    Parameters
    ----------
    X : array_like, shape (n, d)
    bias : {False, "penalized", "free"}
        With one, a column of ones is appended.
    values : {"binary", "decimal"}
        As for `Arrangement`.
    eps : float
        Theorem III.2's probability to miss a cell.
    max_time : float
        Seconds, about. Cells that cannot be gone through in half of them are counted in a quarter, or else estimated in
        another; one more is for probes of pricing.
    n_threads, progress
        As for `Arrangement.count`.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        An argument does not meet its requirement.

    Examples
    --------
    >>> from topes import report
    >>> r = report([[2, 2], [3, 3], [1, 0]])  # Example II.1
    >>> r.n_cells, r.bound, round(r.theta_min, 12), r.samples
    (4, 4, 0.125, 36)
    """
    bias, seconds, eps = check_bias(bias), as_positive(max_time, "max_time"), as_share(eps, "eps")
    thread_count(n_threads)
    exact = as_exact_array(X, "X", 2, values)
    if bias is not False:
        exact = np.hstack([exact, np.ones((len(exact), 1), dtype=exact.dtype)])
    A = Arrangement(exact, values=values)
    zero = int(np.sum(~np.any(exact != 0, axis=1)))
    walk, walked = _summary(A, _ANGLES * seconds, n_threads, progress)
    error = 0.0
    cells: int | float | None = None
    if walk is not None:
        cells = walk.n_cells
    else:
        found, walked = _count(A, _COUNT * seconds, n_threads, progress)
        if found is not None:
            cells = found
        else:
            estimate = _estimate(A, _ESTIMATE * seconds)
            if estimate is not None:
                cells, error = min(max(estimate[0], 1.0), float(A.bound())), estimate[1]
    theta = None if walk is None else walk.least.angle
    pricing = None
    if 0 < A.rank <= _MOST_DIMENSIONS and A.n:
        pricing = pricing_cost(X, bias=bias, values=values, max_time=_PRICE * seconds, n_threads=n_threads)
    whole = None if cells is None else max(1, round(cells))
    n, d = exact.shape
    return Report(
        n=n,
        d=d,
        rank=A.rank,
        n_hyperplanes=A.n_hyperplanes,
        n_zero_rows=zero,
        n_cells=cells,
        counted=isinstance(cells, int),
        standard_error=error,
        bound=A.bound(),
        power_bound=cell_bound_power(A.n_hyperplanes, A.rank) if A.rank else 1,
        theta_min=theta,
        theta_error=None if walk is None else walk.least.error,
        eps=eps,
        samples=sufficient_samples(whole, theta, eps) if theta and whole else None,
        samples_at_least=None if whole is None else sufficient_samples(whole, Fraction(1, whole), eps),
        samples_per_second=_rate(exact, values, n_threads) if A.rank else math.inf,
        enumeration_seconds=walked,
        pricing=pricing,
        full_program_variables=None if cells is None else 2 * d * cells,
    )


def _summary(
    A: Arrangement, seconds: float, n_threads: int | None, progress: bool | ProgressCallback
) -> tuple[SolidAngleSummary | None, float | None]:
    """The angles and the time they took, or nothing where that was not enough."""
    start = time.perf_counter()
    try:
        with progress_callback(progress, "solid angles") as shown:
            found = solid_angle_summary(A, n_threads=n_threads, progress=_until(start + seconds, shown))
    except _TooLongError:
        return None, None
    return found, time.perf_counter() - start


def _count(
    A: Arrangement, seconds: float, n_threads: int | None, progress: bool | ProgressCallback
) -> tuple[int | None, float | None]:
    start = time.perf_counter()
    try:
        with progress_callback(progress, "counting") as shown:
            found = A.count(n_threads=n_threads, progress=_until(start + seconds, shown))
    except _TooLongError:
        return None, None
    return found, time.perf_counter() - start


def _estimate(A: Arrangement, seconds: float) -> tuple[float, float] | None:
    """The mean of as many batches of dives as there is time for, and its standard error."""
    start = time.perf_counter()
    found: list[tuple[float, float]] = []
    while len(found) < _BATCHES and (left := start + seconds - time.perf_counter()) > 0.0:
        batch = quick_estimate(A, left, _DIVES, seed=len(found))
        if batch is None:
            break
        found.append(batch)
    if not found:
        return None
    return sum(m for m, _ in found) / len(found), math.hypot(*(e for _, e in found)) / len(found)


def _until(deadline: float, shown: ProgressCallback | None) -> ProgressCallback:
    def look(fraction: float, n_cells: int) -> None:
        if time.perf_counter() > deadline:
            raise _TooLongError
        if shown is not None:
            shown(fraction, n_cells)

    return look


def _rate(X: Any, values: Values, n_threads: int | None) -> float:
    """Samples a second, measured."""
    count = _FEWEST_SAMPLES
    while True:
        start = time.perf_counter()
        try:
            sample_cells(X, count, values=values, n_threads=n_threads)
        except MemoryLimitError:
            return count / max(time.perf_counter() - start, 1e-9)
        taken = time.perf_counter() - start
        if taken > _SAMPLING_SECONDS or count >= 1 << 24:
            return count / max(taken, 1e-9)
        count *= 4


def _integer(value: int | float) -> str:
    """Digits where they can be read, else a power of ten; of integers of any size."""
    if value < 1e15:
        return f"{value:,.0f}"
    if isinstance(value, int):
        digits = str(value) if value < 10**4000 else None
        if digits is None:
            return f"2^{value.bit_length() - 1}"
        return f"{digits[0]}.{digits[1:4]}e+{len(digits) - 1}"
    return f"{value:.4g}"


def _time(seconds: float) -> str:
    """Seconds in a unit that can be read."""
    for name, length in (("years", 31_557_600.0), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:,.3g} {name}"
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{1e3 * seconds:.2g} ms"
