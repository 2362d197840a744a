"""An .npy file that grows and can be read at every moment: bytes first, then the header that counts them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from ..errors import FileFormatError

__all__ = ["GrowingNpy", "rows_and_width"]

_HEADER_BYTES = 128  # room for any number of rows: the header is written over, never moved
_SECONDS_BETWEEN_COMMITS = 1.0


def _header(n_rows: int, width: int) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n_rows}, {width}), }}".encode()
    return b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little") + text.ljust(_HEADER_BYTES - 11) + b"\n"


def rows_and_width(path: Path) -> tuple[int, int]:
    """Shape of an .npy file of bytes in two dimensions, as its header says."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version == (1, 0):
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
                if len(shape) == 2 and not fortran and dtype == np.uint8:
                    return int(shape[0]), int(shape[1])
    except ValueError as error:
        raise FileFormatError(f"{str(path)!r} is not an .npy file: {error}") from None
    raise FileFormatError(f"{str(path)!r} does not hold patterns: an .npy file of uint8 in two dimensions")


class GrowingNpy:
    """Rows of `width` bytes, added at the end.

    Attributes
    ----------
    n_rows : int
        Written, those that the header does not count yet included.
    """

    def __init__(self, path: Path, width: int, n_rows: int = 0) -> None:
        self._path, self._width, self.n_rows, self._counted = path, width, n_rows, n_rows
        if not path.exists():
            beside = path.with_name(path.name + ".new")  # so that there is no moment without a header
            beside.write_bytes(_header(0, width))
            os.replace(beside, path)
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._write_header()
        os.ftruncate(self._file, self._end())
        self._committed = time.monotonic()

    def _end(self) -> int:
        return _HEADER_BYTES + self.n_rows * self._width

    def _write_header(self) -> None:
        os.pwrite(self._file, _header(self.n_rows, self._width), 0)
        self._counted = self.n_rows

    def append(self, rows: bytes) -> None:
        """Add whole rows. What cannot be written whole is not counted."""
        if self._width == 0:
            raise ValueError("rows without bytes are counted by `grow`")
        rest, at = memoryview(rows), self._end()
        try:
            while rest:
                written = os.pwrite(self._file, rest, at)
                rest, at = rest[written:], at + written
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None
        self.n_rows += len(rows) // self._width

    def grow(self, n_rows: int) -> None:
        """Add rows of no bytes."""
        self.n_rows += n_rows

    def due(self) -> bool:
        """Whether it is time to commit."""
        return time.monotonic() - self._committed >= _SECONDS_BETWEEN_COMMITS

    def commit(self) -> None:
        """Let the header count all that is written, once it is on the disk."""
        if self._counted != self.n_rows:
            os.fsync(self._file)
            self._write_header()
        self._committed = time.monotonic()

    def close(self) -> None:
        if self._file >= 0:
            os.ftruncate(self._file, self._end())
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1
