"""Counting in shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._support.progress import ProgressCallback
from .results import gather
from .shares import PlanSize, size_for
from .supply import ExecutorLike, supply

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["count_in_shares"]

_CELLS_IN_A_SHARE = 1 << 20  # some tenths of a second


def count_in_shares(
    A: Arrangement,
    *,
    executor: ExecutorLike | None,
    checkpoint: Any,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int,
    size: PlanSize | None = None,
) -> tuple[int, dict[str, int]]:
    """`Arrangement.count_with_counters` over an executor."""
    if A._core.rank == 0:  # one cell, nothing to share
        supply(executor, n_threads)
        return A.count_with_counters(max_cells=max_cells)
    shares, found = gather(
        A,
        "count",
        (),
        size_for(A, _CELLS_IN_A_SHARE) if size is None else size,
        executor=executor,
        checkpoint=checkpoint,
        n_threads=n_threads,
        progress=progress,
        label="counting",
        max_cells=max_cells,
        cells=lambda result: int(result[0]),
        encode=list,
    )
    n_cells = sum(result[0] for result in found)
    names = ("signs", "exact_signs", "exact_rays")
    counters = {name: shares.counters[k] + sum(result[k + 1] for result in found) for k, name in enumerate(names)}
    return n_cells, counters
