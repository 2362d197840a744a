"""Results of shares, kept in memory and, where there is one, in a checkpoint."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._support.progress import ProgressCallback, progress_callback
from .checkpoint import Checkpoint
from .run import run
from .shares import PlanSize, Shares, arrangement_key, cut
from .supply import ExecutorLike, supply
from .walk import Walk

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["gather", "problem", "shuffled"]


class _Results:
    held = 0

    def __init__(self, checkpoint: Checkpoint | None, cells: Callable[[Any], int], encode: Callable[[Any], Any]) -> None:
        self._checkpoint, self._cells, self._encode = checkpoint, cells, encode
        self.found: dict[int, Any] = {} if checkpoint is None else dict(checkpoint.records)
        self.done = {share: cells(result) for share, result in self.found.items()}
        self.where = "" if checkpoint is None else f", kept in {str(checkpoint.path)!r}: run again with it to go on"

    def keep(self, share: int, result: Any) -> int:
        encoded = self._encode(result)
        if self._checkpoint is not None:
            self._checkpoint.add(share, encoded)
        self.found[share] = encoded
        self.done[share] = self._cells(encoded)
        return self.done[share]


def gather(
    A: Arrangement,
    kind: str,
    settings: tuple[int, ...],
    size: PlanSize,
    *,
    executor: ExecutorLike | None,
    checkpoint: Any,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    label: str,
    max_cells: int,
    cells: Callable[[Any], int],
    encode: Callable[[Any], Any],
) -> tuple[Shares, list[Any]]:
    """What all shares found, in the order of the plan.

    Parameters
    ----------
    cells, encode : callable
        The number of cells of an encoded result; a result as what JSON keeps.
    """
    source = supply(executor, n_threads)
    key = arrangement_key(A)
    with ExitStack() as stack:
        callback = stack.enter_context(progress_callback(progress, label))
        shares = stack.enter_context(cut(A, key, size))
        file = None
        if checkpoint is not None:
            file = stack.enter_context(Checkpoint(Path(checkpoint), problem(key, kind, settings, shares)))
        results = _Results(file, cells, encode)
        work = Walk(A, key, kind, settings, shares, shuffled(len(shares)), max_cells)
        run(work, source, results, callback)
    return shares, [results.found[share] for share in range(len(shares))]


def problem(key: str, kind: str, settings: tuple[int, ...], shares: Shares) -> dict[str, Any]:
    """What results belong to, for a checkpoint."""
    return {
        "arrangement": key,
        "job": kind,
        "settings": list(settings),
        "plan": [*shares.size, len(shares), shares.digest],
    }


def shuffled(n: int) -> list[int]:
    """An order in which the first shares stand for all, so that the progress is told well from the start."""
    order = list(range(n))
    random.Random(0).shuffle(order)
    return order
