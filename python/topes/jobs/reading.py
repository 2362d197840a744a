"""Patterns on disk, read a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.limits import check_count
from ..errors import InputError
from .checkpoint import read_checkpoint
from .growing import rows_and_width

__all__ = ["Patterns", "beside", "open_patterns"]


def beside(path: Path) -> Path:
    """The checkpoint of a file of patterns."""
    return path.with_name(path.name + ".checkpoint")


class Patterns:
    """Cells of an arrangement in a file that `Arrangement.save_patterns` wrote; what is asked for is read, and no more.

    Indices work as for the array of `Arrangement.patterns`, along its first axis: an integer, a slice, an array.

    Attributes
    ----------
    n : int
        Rows of the data: the length of a pattern.
    shape : (P, n)
    complete : bool
        All cells are in the file; False for one that is being written, or whose writing was stopped.
    stored : ndarray, shape (P, n) or (P, ceil(n / 8)), uint8, read-only
        What the file holds, mapped into memory: patterns, or bits as in `CellBatch.packed`.
    packed : bool
        The file holds bits.
    """

    def __init__(self, stored: npt.NDArray[np.uint8], n: int, packed: bool, complete: bool) -> None:
        self.stored, self.n, self.packed, self.complete = stored, n, packed, complete

    def __repr__(self) -> str:
        return f"Patterns({len(self):,} cells, n={self.n}, {'complete' if self.complete else 'not complete'})"

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.n

    def __getitem__(self, which: Any) -> npt.NDArray[np.uint8]:
        if isinstance(which, tuple):
            raise InputError(f"patterns are indexed by the cell alone, got {which!r}")
        found: npt.NDArray[np.uint8] = np.array(self.stored[which])
        if self.packed and self.n:
            found = np.unpackbits(found, axis=-1, count=self.n, bitorder="little")
        return found

    def __iter__(self) -> Iterator[npt.NDArray[np.uint8]]:
        for batch in self.batches():
            yield from batch

    def batches(self, batch_size: int = 65536) -> Iterator[npt.NDArray[np.uint8]]:
        """All patterns in order, shape (batch_size, n) each, the last with fewer."""
        check_count(batch_size, "batch_size", 1)
        for first in range(0, len(self), batch_size):
            yield self[first : first + batch_size]


def open_patterns(path: Any, n: int | None = None) -> Patterns:
    """Open what `Arrangement.save_patterns` wrote, also while it is written or after it was stopped.

    Parameters
    ----------
    path : path-like
    n : int, optional
        Rows of the data. Needed for packed bits that were written in one go: nothing beside their file says it.

    Returns
    -------
    Patterns
        Those that were in the file when it was opened.

    Raises
    ------
    FileFormatError
        It is no file of patterns.
    InputError
        n does not fit the file.

    Examples
    --------
    >>> import tempfile, topes
    >>> A = topes.Arrangement([[1, 0], [0, 1], [1, 1]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     n_cells = A.save_patterns(folder + "/cells.npy", packed=True, resume=True)
    ...     P = topes.open_patterns(folder + "/cells.npy")
    ...     n_cells, P, P[0].tolist(), P.stored[0].tolist()
    (6, Patterns(6 cells, n=3, complete), [1, 1, 1], [7])
    """
    path = Path(path)
    n_cells, width = rows_and_width(path)
    packed, complete = False, True
    if beside(path).exists():
        problem, records = read_checkpoint(beside(path))
        if problem.get("job") != "patterns":
            raise InputError(f"{str(beside(path))!r} is not the checkpoint of a file of patterns")
        packed, known = bool(problem["settings"][0]), int(problem["settings"][1])
        if n is not None and n != known:
            raise InputError(f"n must be {known}, as {beside(path).name!r} says, got {n}")
        n, complete = known, len(records) == problem["plan"][2]
    elif n is not None:
        check_count(n, "n", 0)
        packed = n != width
    n = width if n is None else int(n)
    if width != ((n + 7) // 8 if packed else n):
        raise InputError(f"n must fit rows of {width} bytes, got {n}")
    if n_cells * width == 0:
        stored = np.zeros((n_cells, width), dtype=np.uint8)  # nothing to map
    else:
        stored = np.load(path, mmap_mode="r")
    return Patterns(stored, n, packed, complete)
