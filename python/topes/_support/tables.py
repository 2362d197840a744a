"""Tables of numbers from .csv and .npy files."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileFormatError, InputError
from .exact_input import Values, as_exact_array

__all__ = ["Table", "read_table"]

_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """Columns of numbers with names.

    Attributes
    ----------
    path : str
    names : tuple of str
        From the header, else "0", "1", ...
    data : ndarray, shape (n, d)
        float64 or int64, or objects (`fractions.Fraction`) for decimals read exactly.
    """

    path: str
    names: tuple[str, ...]
    data: npt.NDArray[Any]

    def index(self, column: str) -> int:
        """Position of a column, by its name or its number from 0."""
        if column in self.names:
            return self.names.index(column)
        try:
            k = int(column)
        except ValueError:
            k = -1
        if 0 <= k < len(self.names):
            return k
        raise FileFormatError(f"{self.path} has no column {column!r}; it has {', '.join(self.names)}")

    def split(self, targets: Sequence[str]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The other columns, and the target columns in the order asked for; one target is a vector."""
        places = [self.index(target) for target in targets]
        if len(set(places)) < len(places):
            raise FileFormatError(f"{self.path}: a target column is named twice in {', '.join(targets)}")
        rest = np.delete(self.data, places, axis=1)
        return rest, self.data[:, places[0]] if len(places) == 1 else self.data[:, places]


def read_table(path: Any, values: Values | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    path : path-like
        A .npy file with a two-dimensional array of numbers, or text: comma, semicolon, tab or blanks between the cells,
        a header or none, '#' before a comment.
    values : {"decimal", "binary"}, optional
        How text is read: "decimal" (the default) keeps 0.1 as 1/10, "binary" takes the nearest double. Floats in a .npy
        file are binary unless "decimal" is asked for.

    Raises
    ------
    FileFormatError
        Not there, or not a table of finite numbers; the message names file, line and column.
    """
    file = Path(path)
    if not file.is_file():
        raise FileFormatError(f"{path} is not a file")
    try:
        if file.suffix.lower() == ".npy":
            return _read_npy(file, values or "binary")
        return _read_text(file, values or "decimal")
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}") from None


def _read_npy(file: Path, values: Values) -> Table:
    try:
        array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise FileFormatError(f"{file} is not an .npy array of numbers: {error}") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        raise FileFormatError(f"{file} must hold a two-dimensional array, got shape {getattr(array, 'shape', 'none')}")
    try:
        data = as_exact_array(array, file.name, 2, values)
    except InputError as error:
        raise FileFormatError(str(error)) from None
    return Table(str(file), tuple(str(k) for k in range(data.shape[1])), data)


def _read_text(file: Path, values: Values) -> Table:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{file} is not a text table (it is not UTF-8) nor an .npy file") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.split("#")[0].strip()]
    if not lines:
        raise FileFormatError(f"{file} is empty")
    separator = max(_SEPARATORS, key=lines[0][1].count)
    if separator not in lines[0][1]:
        separator = " "
    cells = [(number, _cells(line.split("#")[0], separator)) for number, line in lines]
    first = cells[0][1]
    header = any(_number(cell, "decimal") is None for cell in first)
    names = tuple(first) if header else tuple(str(k) for k in range(len(first)))
    if len(set(names)) != len(names):
        raise FileFormatError(f"{file}, line {cells[0][0]}: two columns have one name")
    rows = cells[1:] if header else cells
    if not rows:
        raise FileFormatError(f"{file} has a header and no rows")
    data = np.empty((len(rows), len(names)), dtype=object)
    for i, (number, row) in enumerate(rows):
        if len(row) != len(names):
            raise FileFormatError(f"{file}, line {number}: {len(row)} cells where the first line has {len(names)}")
        for j, cell in enumerate(row):
            value = _number(cell, values)
            if value is None:
                raise FileFormatError(f"{file}, line {number}, column {names[j]!r}: {cell!r} is not a finite number")
            data[i, j] = value
    return Table(str(file), names, data if values == "decimal" else data.astype(np.float64))


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _number(cell: str, values: Values) -> Fraction | float | None:
    """The number a cell holds; None if it holds none that is finite."""
    try:
        if values == "binary":
            value = float(cell)
            return value if math.isfinite(value) else None
        return None if "/" in cell or "_" in cell else Fraction(cell)
    except (ValueError, ZeroDivisionError):
        return None
