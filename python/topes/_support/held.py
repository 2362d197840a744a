"""The cells of an arrangement: kept in memory, found once and unpacked as often as asked for; or streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import _core
from ..cells import CellBatch
from .limits import cell_limit, over_limit, refuse_if_too_large, restated, thread_count
from .progress import ProgressCallback, progress_callback

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["hold", "stream", "unpacked"]


def unpacked(
    A: Arrangement,
    codes: tuple[int, int, int],
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int | None,
    max_bytes: int | None,
) -> npt.NDArray[np.uint8]:
    """All cells, one a row, shape (P, n): `codes` stand for the sides 1 and 0 of a row, and for zero rows."""
    held = hold(A, n_threads, progress, max_cells, max_bytes, bytes_per_cell=A.n)
    n_cells = held.n_found * A._cells_per_found
    out = np.empty((n_cells, A.n), dtype=np.uint8)
    with progress_callback(progress, "unpacking") as callback:
        _core.unpack(A._core, held, 0, n_cells, *codes, out, thread_count(n_threads), callback)
    out.setflags(write=False)
    return out


def hold(
    A: Arrangement,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int | None,
    max_bytes: int | None,
    *,
    bytes_per_cell: int,
) -> _core.HeldCells:
    """The cells of an arrangement, eight rows to a byte; refused where they and what is made of them need too much memory.

    Parameters
    ----------
    bytes_per_cell : int
        What is to be made of each cell.
    """
    limit = cell_limit(max_cells)
    held_bytes = (A.n + 7) // 8 / A._cells_per_found + 1
    if A._held is not None:
        n_cells = A._held.n_found * A._cells_per_found
        if n_cells > limit:
            raise over_limit(A, limit)
        refuse_if_too_large(A, bytes_per_cell, max_bytes, n_cells=n_cells)
        return A._held
    limit = min(limit, refuse_if_too_large(A, bytes_per_cell + held_bytes, max_bytes, max_cells=limit))
    with restated(A), progress_callback(progress, "enumerating") as callback:
        A._held = _core.hold(A._core, limit, thread_count(n_threads), callback)
    return A._held


def stream(
    A: Arrangement, batch_size: int, geometry: bool, n_threads: int, limit: int, progress: bool | ProgressCallback
) -> Iterator[CellBatch]:
    """The cells in batches, none kept."""
    with restated(A), progress_callback(progress, "streaming") as callback:
        batches = _core.CellStream(A._core, batch_size, geometry, n_threads, limit)
        try:
            while True:
                n_cells, *arrays = batches.next(A.n, callback)
                if n_cells == 0:
                    return
                yield CellBatch(*(*arrays, A._core, not A.is_central, A.dimension, geometry))
        finally:
            batches.close()
