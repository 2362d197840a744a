"""Arrays of numpy as tables: .npy holds the rows, .npz an array X of them and perhaps an array y of targets."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values, as_exact_array, exact_objects
from ..errors import FileFormatError, InputError
from ._text import missing_message

__all__ = ["open_npy", "open_npz"]

_NPY, _NPZ = b"\x93NUMPY", b"PK"  # how they begin
# What numpy and zipfile raise for files in which something is wrong.
_DAMAGED = (
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,  # of zipfile also that it knows a compression not
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class _ArrayContents:
    """The columns of X, then those of y."""

    path: str
    X: npt.NDArray[Any]
    y: npt.NDArray[Any]  # two axes; no columns where the file has no targets

    @property
    def names(self) -> tuple[str, ...]:
        called = ("y",) if self.y.shape[1] == 1 else tuple(f"y{k}" for k in range(self.y.shape[1]))
        return (*(str(k) for k in range(self.X.shape[1])), *called)

    @property
    def targets(self) -> tuple[int, ...]:
        return tuple(range(self.X.shape[1], len(self.names)))

    @property
    def n_rows(self) -> int:
        return len(self.X)

    def numbers(self, places: Sequence[int], rows: slice, values: Values | None) -> npt.NDArray[Any]:
        d = self.X.shape[1]
        parts = []
        for k in places:
            column = (self.X[rows, k] if k < d else self.y[rows, k - d])[:, None]
            self._check(column, rows.start, self.names[k])
            try:
                parts.append(as_exact_array(column, self.path, 2, values or "binary"))
            except InputError as error:
                raise FileFormatError(str(error)) from None
        if len({part.dtype for part in parts}) > 1:
            parts = [exact_objects(part) for part in parts]
        return np.concatenate(parts, axis=1)

    def _check(self, column: npt.NDArray[Any], first: int, name: str) -> None:
        if column.dtype.kind != "f":
            return
        if (missing := np.isnan(column)).any():
            row = first + int(np.argmax(missing))
            where = f"{self.path}, row {row}, column {name!r}"
            raise FileFormatError(missing_message(where, name, int(missing.sum()), "nan"))
        if (infinite := np.isinf(column)).any():
            row = int(np.argmax(infinite))
            where = f"{self.path}, row {first + row}, column {name!r}"
            raise FileFormatError(f"{where}: {column[row, 0]} is not a finite number")


def open_npy(file: Path) -> _ArrayContents:
    """An array of shape (n, d)."""
    array = _loaded(file)
    if isinstance(array, np.lib.npyio.NpzFile):
        array.close()
        raise FileFormatError(f"{file} is an .npz file by its contents; rename it")
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        shape = getattr(array, "shape", "none")
        raise FileFormatError(f"{file} must hold an array of two axes, rows and columns, got shape {shape}")
    _check_kind(f"{file}", array)
    return _ArrayContents(str(file), array, array[:, :0])


def open_npz(file: Path) -> _ArrayContents:
    """X of shape (n, d), or the only array there is; y of shape (n,) or (n, C)."""
    archive = _loaded(file)
    if isinstance(archive, np.ndarray):
        raise FileFormatError(f"{file} is an .npy file by its contents; rename it")
    with archive:
        names = list(archive.files)
        main = "X" if "X" in names else names[0] if len(names) == 1 else None
        if main is None:
            raise FileFormatError(f"{file} has no array X; it has {', '.join(names) or 'none'}")
        try:
            X = archive[main]
            y = archive["y"] if "y" in names and main != "y" else None
        except _DAMAGED as error:
            raise FileFormatError(f"{file} holds an array that cannot be read: {_why(error)}") from None
    if X.ndim != 2:
        raise FileFormatError(f"{file}, array {main}: it must have two axes, rows and columns, got shape {X.shape}")
    y = np.empty((len(X), 0)) if y is None else y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or len(y) != len(X):
        raise FileFormatError(f"{file}, array y: it must have {len(X)} rows as {main} has, got shape {y.shape}")
    for array, name in ((X, main), (y, "y")):
        _check_kind(f"{file}, array {name}", array)
    return _ArrayContents(str(file), X, y)


def _loaded(file: Path) -> Any:
    if file.stat().st_size == 0 and file.is_file():
        raise FileFormatError(f"{file} is empty")
    with file.open("rb") as opened:
        start = opened.read(6)
    if not start.startswith((_NPY, _NPZ)):
        writer = {".npy": "numpy.save", ".npz": "numpy.savez"}[file.suffix.lower()]
        found = start.decode("latin-1")
        raise FileFormatError(f"{file} must be an {file.suffix} file as {writer} writes it, it begins with {found!r}")
    try:
        if start.startswith(_NPZ) and not zipfile.is_zipfile(file):  # numpy would leave it open
            raise zipfile.BadZipFile
        return np.load(file, allow_pickle=False)
    except _DAMAGED as error:
        raise FileFormatError(f"{file} is not an {file.suffix} file of numbers: {_why(error)}") from None


def _why(error: Exception) -> str:
    """numpy's advice, to allow pickles, is to run whatever program a file holds."""
    if "allow_pickle" in str(error):
        return "it holds objects of Python, not numbers"
    return "the file is damaged, or cut short"


def _check_kind(where: str, array: npt.NDArray[Any]) -> None:
    if array.dtype.kind not in "biuf":
        raise FileFormatError(f"{where} must hold numbers, got dtype {array.dtype}")
    if 0 in array.shape[:1]:
        raise FileFormatError(f"{where} has no rows, got shape {array.shape}")
