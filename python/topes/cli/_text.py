"""Text tables: the separator, the header, and each cell as the number it spells."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values
from ..errors import FileFormatError

__all__ = ["MISSING", "TextContents", "missing_message", "open_text"]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "blanks"}
_LOOKED_AT = 50  # lines, to tell the separator
_LARGEST = 5000  # exponents beyond would only fill the memory with zeros


@dataclass(frozen=True)
class TextContents:
    """The cells of a text table, each row with the number of its line."""

    path: str
    names: tuple[str, ...]
    rows: list[tuple[int, list[str]]]
    separator: str
    targets: tuple[int, ...] = ()

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    def numbers(self, places: Sequence[int], rows: slice, values: Values | None) -> npt.NDArray[Any]:
        exactly = values != "binary"
        taken = self.rows[rows]
        data = np.empty((len(taken), len(places)), dtype=object if exactly else np.float64)
        read = _decimal if exactly else _double
        for i, (line, row) in enumerate(taken):
            for j, k in enumerate(places):
                value = read(row[k])
                if value is None:
                    raise FileFormatError(self._complaint(rows.start + i, line, k, row[k]))
                data[i, j] = value
        return data

    def _complaint(self, i: int, line: int, k: int, cell: str) -> str:
        name = self.names[k]
        where = f"{self.path}, line {line}, column {name!r}"
        if cell.lower() in MISSING:
            cells = sum(row[k].lower() in MISSING for _, row in self.rows)
            return missing_message(f"{where} (row {i})", name, cells, cell)
        if _is_infinity(cell):
            return f"{where}: {cell!r} is not a finite number"
        if _is_number(cell):
            sizes = f"decimals are read from 1e-{_LARGEST} to 1e{_LARGEST}, doubles up to 1.8e308"
            return f"{where}: {cell!r} is too large or too small; {sizes}"
        if self.separator == " " and len(self.names) == 1:
            return f"{where}: {cell!r} is not a number; cells are separated by commas, semicolons, tabs or blanks"
        if _is_number(cell.replace(",", ".")):
            return f"{where}: {cell!r} is not a number; a decimal point is needed, not a comma"
        return f"{where}: {cell!r} is not a number; --drop {name} leaves the column out, --columns takes others"


def missing_message(where: str, name: str, cells: int, cell: str) -> str:
    """What to do about values that are not there."""
    spelt = f" ({cell!r})" if cell else ""
    more = f", as {cells - 1} more of this column are" if cells > 1 else ""
    return f"{where}: the value is missing{spelt}{more}; delete the row, choose others with --rows, or --drop {name}"


def open_text(file: Path, header: bool | None) -> TextContents:
    """Split a text into cells; `header` None: the first line is looked at."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{file} is not a text table (no UTF-8), nor .npy, .npz or .parquet by its name") from None
    if "\0" in text:
        raise FileFormatError(f"{file} is not a text table, nor .npy, .npz or .parquet by its name")
    lines = [(number, _bare(line)) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line.strip()]
    if not lines:
        raise FileFormatError(f"{file} is empty")
    separator = _separator([line for _, line in lines[:_LOOKED_AT]])
    rows = [(number, _cells(line, separator)) for number, line in lines]
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise FileFormatError(
                f"{file}, line {number}: {len(row)} cells where line {rows[0][0]} has {width}, "
                f"separated by {_SEPARATORS[separator]}"
            )
    names = tuple(str(k) for k in range(width))
    if _has_header(file, rows, header):
        names = tuple(rows[0][1])
        _check_names(file, rows[0][0], names)
        rows = rows[1:]
        if not rows:
            raise FileFormatError(f"{file} has a header and no rows")
    return TextContents(str(file), names, rows, separator)


def _bare(line: str) -> str:
    """Without its comment; a '#' in quotes, or within a word that is no number, is none."""
    if "#" not in line:
        return line
    quoted = False
    for k, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter == "#" and not quoted and (k == 0 or not line[k - 1].isalpha()):
            return line[:k]
    return line


def _separator(lines: list[str]) -> str:
    """The one that splits all lines alike and leaves the most numbers; else the one there is most of in the first line."""
    best, most = None, -1.0
    for separator in _SEPARATORS:
        split = [_cells(line, separator) for line in lines]
        width = len(split[0])
        if width < 2 or any(len(row) != width for row in split):
            continue
        inner = split[1:] or split
        share = sum(_looks_like_number(cell, separator) for row in inner for cell in row) / (width * len(inner))
        if share > most:
            best, most = separator, share
    if best is not None:
        return best
    counts = {separator: lines[0].count(separator) for separator in (",", ";", "\t")}
    likely = max(counts, key=lambda separator: counts[separator])
    return likely if counts[likely] else " "


def _looks_like_number(cell: str, separator: str) -> bool:
    """A decimal comma too: that the separator is another one is what its complaint says."""
    return _decimal(cell if separator == "," else cell.replace(",", ".")) is not None


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except csv.Error:  # a cell beyond csv's limit
        return line.split(separator)


def _has_header(file: Path, rows: list[tuple[int, list[str]]], header: bool | None) -> bool:
    if header is not None:
        return header
    first = rows[0][1]
    words = [k for k, cell in enumerate(first) if not _is_value(cell)]
    if not words:
        return False
    if len(words) == sum(cell.lower() not in MISSING for cell in first):
        return True  # not one number
    if len(rows) > 1 and all(_is_value(rows[1][1][k]) for k in words):
        return True  # numbers below words
    number = next(cell for cell in first if _decimal(cell) is not None)
    raise FileFormatError(
        f"{file}, line {rows[0][0]}: {first[words[0]]!r} is a name or text, {number!r} a number or a name; "
        "say --header or --no-header"
    )


def _check_names(file: Path, line: int, names: tuple[str, ...]) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        places = " and ".join(str(k) for k, other in enumerate(names) if other == name)
        raise FileFormatError(f"{file}, line {line}: two columns have one name, {name!r} (columns {places}, counted from 0)")


def _is_value(cell: str) -> bool:
    return cell.lower() in MISSING or _is_number(cell)


def _is_number(cell: str) -> bool:
    """Whether the cell spells a number, an infinity or one that is too large to be read among them."""
    try:
        return not math.isnan(float(cell)) and "_" not in cell
    except ValueError:
        return False


def _is_infinity(cell: str) -> bool:
    return cell.lower().lstrip("+-") in ("inf", "infinity")


def _double(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def _decimal(cell: str) -> Fraction | None:
    if "_" in cell:
        return None
    try:
        value = Decimal(cell)
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST:
        return None
    return Fraction(value)
