"""Patterns in shares, written to an .npy file in the order of the plan while they are found."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._support.files import check_writable
from .._support.limits import quick_estimate
from .._support.progress import ProgressCallback, progress_callback
from ..errors import InputError, MemoryLimitError
from .checkpoint import Checkpoint
from .growing import GrowingNpy, rows_and_width
from .reading import beside
from .results import problem
from .run import run
from .shares import PlanSize, arrangement_key, cut, size_for
from .supply import ExecutorLike, supply
from .walk import Walk

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["save_in_shares"]

_SHARE_BYTES = 1 << 22
_HELD_BYTES = 1 << 28  # of results that are out or wait for their turn
_FEW_SHARES, _MOST_SHARES = 8192, 65536  # the plan takes some kilobytes for each; more than a few where they would be large
_LARGE_BYTES = _HELD_BYTES // 8  # of a share
# By Markov's inequality an estimate, of the right mean and not negative, is above this times the number of cells in at most
# one case of so many.
_SURE = 1000
_UNPACKED_AT_ONCE = 1 << 14  # cells


class _File:
    """Results in the order of the plan: those that come early wait."""

    def __init__(self, file: GrowingNpy, checkpoint: Checkpoint | None, done: dict[int, int], n: int, packed: bool) -> None:
        self._file, self._checkpoint, self._n, self._packed = file, checkpoint, n, packed
        self.done = done
        self._next = len(done)
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self._uncommitted: list[tuple[int, int]] = []
        self.where = "" if checkpoint is None else f", in {str(checkpoint.path)!r}: run again with resume=True to go on"

    @property
    def held(self) -> int:
        return len(self._waiting)

    def keep(self, share: int, result: tuple[int, bytes]) -> int:
        self._waiting[share] = result
        while self._next in self._waiting:
            n_cells, rows = self._waiting[self._next]
            self._append(n_cells, rows)
            del self._waiting[self._next]
            self._uncommitted.append((self._next, n_cells))
            self._next += 1
        if self._file.due():
            self.commit()
        return result[0]

    def _append(self, n_cells: int, rows: bytes) -> None:
        if self._n == 0:
            self._file.grow(n_cells)
        elif self._packed:
            self._file.append(rows)
        else:
            bits = np.frombuffer(rows, dtype=np.uint8).reshape(n_cells, -1)
            for first in range(0, n_cells, _UNPACKED_AT_ONCE):
                some = bits[first : first + _UNPACKED_AT_ONCE]
                self._file.append(np.unpackbits(some, axis=1, count=self._n, bitorder="little").tobytes())

    def commit(self) -> None:
        self._file.commit()
        for share, n_cells in self._uncommitted:
            if self._checkpoint is not None:
                self._checkpoint.add(share, n_cells)
            self.done[share] = n_cells
        self._uncommitted.clear()


def save_in_shares(
    A: Arrangement,
    path: Any,
    *,
    packed: bool,
    executor: ExecutorLike | None,
    resume: bool,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int,
    size: PlanSize | None = None,
) -> int:
    """`Arrangement.save_patterns` over an executor, or such that it can be taken up. Returns the number of cells."""
    check_writable(path)
    target = Path(path)
    source = supply(executor, n_threads)
    if resume:
        return _save(A, target, packed, source, True, progress, max_cells, size)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=target.name) as folder:
        part = Path(folder) / target.name
        n_cells = _save(A, part, packed, source, False, progress, max_cells, size)
        os.replace(part, target)
        beside(target).unlink(missing_ok=True)  # of a file that is no more
    return n_cells


def _save(
    A: Arrangement,
    target: Path,
    packed: bool,
    source: Any,
    resume: bool,
    progress: bool | ProgressCallback,
    max_cells: int,
    size: PlanSize | None,
) -> int:
    key = arrangement_key(A)
    width = (A.n + 7) // 8 if packed else A.n
    with ExitStack() as stack:
        callback = stack.enter_context(progress_callback(progress, "writing"))
        if size is None:
            size = _size(A)
        shares = stack.enter_context(cut(A, key, size))
        checkpoint, done = None, {}
        if resume:
            if target.exists() and not beside(target).exists():
                raise InputError(
                    f"path {str(target)!r} is there, but {beside(target).name!r} beside it is not: it is no file to go on "
                    "with; remove it, or leave out resume"
                )
            settings = (int(packed), A.n)
            checkpoint = stack.enter_context(Checkpoint(beside(target), problem(key, "patterns", settings, shares)))
            done = _whole(target, width, checkpoint.records)
        n_rows = sum(done.values())
        _refuse_if_full(A, target, width, n_rows)
        file = stack.enter_context(closing(GrowingNpy(target, width, n_rows)))
        sink = _File(file, checkpoint, done, A.n, packed)
        heaviest = 2.0 * float(shares.weights.max()) * max(1, (A.n + 7) // 8)
        in_flight = int(min(max(_HELD_BYTES / heaviest, 8), 1024))
        work = Walk(A, key, "patterns", (), shares, range(len(shares)), max_cells)
        try:
            if A._core.rank > 0:
                run(work, source, sink, callback, in_flight=in_flight)
            elif not done:
                sink.keep(0, (1, np.packbits(np.ones(A.n, np.uint8), bitorder="little").tobytes()))
        finally:
            sink.commit()
        return file.n_rows


def _size(A: Arrangement) -> PlanSize:
    row = max(1, (A.n + 7) // 8)
    most = min(max(_FEW_SHARES, A.bound() * row // _LARGE_BYTES), _MOST_SHARES)
    return size_for(A, max(1, _SHARE_BYTES // row), most)


def _whole(target: Path, width: int, records: dict[int, int]) -> dict[int, int]:
    """The first shares, as far as their cells are in the file and counted by its header."""
    if not target.exists():
        return {}
    n_rows, found = rows_and_width(target)
    if found != width:
        raise InputError(f"path {str(target)!r} holds rows of {found} bytes, not of {width}: it is another file")
    if width:
        n_rows = min(n_rows, (target.stat().st_size - 128) // width)
    done: dict[int, int] = {}
    for share in range(len(records)):
        if share not in records or records[share] > n_rows:
            break
        n_rows -= records[share]
        done[share] = records[share]
    return done


def _refuse_if_full(A: Arrangement, target: Path, width: int, n_rows: int) -> None:
    """Refuse where the disk has less room than the file needs: by five standard errors, or by so much that it is sure."""
    free = shutil.disk_usage(target.parent).free
    if (A.bound() - n_rows) * width <= free:
        return
    estimate = quick_estimate(A)
    if estimate is None:
        return
    expected = int(max(estimate[0] - 5 * estimate[1], estimate[0] / _SURE))
    needed = (expected - n_rows) * width
    if needed > free:
        raise MemoryLimitError(
            f"{A!r} has about {round(estimate[0]):,} cells, which need at least {needed:,} more bytes on disk; {free:,} are "
            "free; packed=True takes an eighth",
            expected_cells=expected,
            needed=needed,
            available=free,
        )
