"""Parquet files as tables, read by pyarrow where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values, as_exact_array, exact_objects
from ..errors import FileFormatError, InputError
from ._text import missing_message

__all__ = ["open_parquet"]


@dataclass(frozen=True)
class _ParquetContents:
    """The columns as pyarrow holds them."""

    path: str
    names: tuple[str, ...]
    table: Any
    targets: tuple[int, ...] = ()

    @property
    def n_rows(self) -> int:
        return int(self.table.num_rows)

    def numbers(self, places: Sequence[int], rows: slice, values: Values | None) -> npt.NDArray[Any]:
        parts = [self._column(k, rows, values or "binary") for k in places]
        if len({part.dtype for part in parts}) > 1:
            parts = [exact_objects(part) for part in parts]
        return np.concatenate(parts, axis=1)

    def _column(self, k: int, rows: slice, values: Values) -> npt.NDArray[Any]:
        name, column = self.names[k], self.table.column(k).slice(rows.start, rows.stop - rows.start)
        where = f"{self.path}, column {name!r}"
        cells = column.to_pylist()
        missing = [i for i, cell in enumerate(cells) if cell is None or cell != cell]
        if missing:
            at = f"{self.path}, row {rows.start + missing[0]}, column {name!r}"
            raise FileFormatError(missing_message(at, name, len(missing), str(cells[missing[0]])))
        kind = str(column.type)
        if not kind.startswith(("int", "uint", "float", "double", "halffloat", "bool", "decimal")):
            raise FileFormatError(
                f"{where} holds {kind}, not numbers; --drop {name} leaves the column out, --columns takes others"
            )
        exact = kind.startswith("decimal")
        array = np.array(cells, dtype=object)[:, None] if exact else column.to_numpy()[:, None]
        if array.dtype.kind == "f" and np.isinf(array).any():
            row = int(np.argmax(np.isinf(array)))
            at = f"{self.path}, row {rows.start + row}, column {name!r}"
            raise FileFormatError(f"{at}: {array[row, 0]} is not a finite number")
        try:
            return as_exact_array(array, where, 2, values)
        except InputError as error:
            raise FileFormatError(str(error)) from None


def open_parquet(file: Path) -> _ParquetContents:
    """The table; pyarrow is asked for only here."""
    try:
        parquet = import_module("pyarrow.parquet")
        pyarrow = import_module("pyarrow")
    except ImportError:
        raise FileFormatError(f"{file} needs pyarrow to be read: pip install 'topes[parquet]'") from None
    if file.is_file() and file.stat().st_size == 0:
        raise FileFormatError(f"{file} is empty")
    try:
        table = parquet.ParquetFile(file).read()
    except (pyarrow.ArrowException, ValueError) as error:
        raise FileFormatError(f"{file} is not a Parquet file: {error}") from None
    names = tuple(table.column_names)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileFormatError(f"{file}: two columns have one name, {twice!r}")
    if table.num_rows == 0:
        raise FileFormatError(f"{file} has no rows")
    return _ParquetContents(str(file), names, table)
