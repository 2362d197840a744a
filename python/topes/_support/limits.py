"""Limits on the number of cells and on memory, checked before the work starts."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import CellLimitError, InputError, MemoryLimitError
from .memory import default_limit

if TYPE_CHECKING:
    from ..arrangement import Arrangement

NO_LIMIT = 2**64 - 1

_DIVES = 200
_SECONDS_TO_ESTIMATE = 5.0


class _TooLongError(Exception):
    pass


def check_count(value: object, name: str, least: int) -> None:
    """Require an integer of at least `least`."""
    try:
        fits = not isinstance(value, bool) and operator.index(value) >= least  # type: ignore[arg-type]
    except TypeError:  # no number, or an array, which has __index__ for one entry
        fits = False
    if not fits:
        raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")


def cell_limit(max_cells: int | None) -> int:
    """The limit as the core takes it."""
    if max_cells is None:
        return NO_LIMIT
    check_count(max_cells, "max_cells", 1)
    return min(int(max_cells), NO_LIMIT)


def thread_count(n_threads: int | None) -> int:
    """The number of threads as the core takes it: 0 for all processors."""
    if n_threads is None:
        return 0
    check_count(n_threads, "n_threads", 1)
    return min(int(n_threads), 1024)


def over_limit(arrangement: Arrangement, limit: int) -> CellLimitError:
    """The error for more than `limit` cells."""
    bound = arrangement.bound()
    return CellLimitError(
        f"{arrangement!r} has more than max_cells = {limit} cells; eq. (6) bounds them by {bound}, "
        "estimate_count() estimates them",
        bound=bound,
    )


@contextmanager
def restated(arrangement: Arrangement) -> Iterator[None]:
    """Restate the core's limit error in terms of the arrangement."""
    try:
        yield
    except CellLimitError as error:
        raise over_limit(arrangement, error.bound) from None


def refuse_if_too_large(
    arrangement: Arrangement,
    bytes_per_cell: float,
    max_bytes: int | None,
    *,
    n_cells: int | None = None,
    max_cells: int = NO_LIMIT,
) -> int:
    """Return how many cells fit; raise `MemoryLimitError` when more are expected."""
    if max_bytes is not None:
        check_count(max_bytes, "max_bytes", 1)
    limit = default_limit() if max_bytes is None else int(max_bytes)
    fits = int(limit / max(bytes_per_cell, 1e-9))
    expected = min(arrangement.bound(), max_cells) if n_cells is None else n_cells
    if expected <= fits:
        return max_cells if n_cells is None else n_cells
    about = ""
    if n_cells is None:
        estimate = quick_estimate(arrangement)
        if estimate is not None:
            expected = min(expected, round(estimate[0]))
        about = "about " if estimate is not None else "up to "
    if expected <= fits:
        return max(fits, 1)
    needed = int(expected * bytes_per_cell)
    raise MemoryLimitError(
        f"{arrangement!r} has {about}{expected:,} cells, which need {needed:,} bytes of memory; {limit:,} may be used. "
        "Stream them with cells(batch_size=...), write them to disk with save_patterns(path), count them with count(), or "
        "raise max_bytes",
        expected_cells=expected,
        needed=needed,
        available=limit,
    )


def quick_estimate(
    arrangement: Arrangement, seconds: float = _SECONDS_TO_ESTIMATE, n_dives: int = _DIVES, seed: int = 0
) -> tuple[float, float] | None:
    """An estimate of the number of cells and its standard error, None if even that takes longer."""
    deadline = time.monotonic() + seconds

    def stop(fraction: float, n_cells: int) -> None:
        if time.monotonic() > deadline:
            raise _TooLongError

    try:
        estimate, error = arrangement._core.estimate_count(n_dives, seed, stop)
        return estimate, error
    except _TooLongError:
        return None
