"""Tables of numbers from files: what a file holds, and the columns of it that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from .._support.exact_input import Values
from ..errors import FileFormatError

__all__ = ["Contents", "Table", "place_of", "read_table"]


class Contents(Protocol):
    """A file whose columns are known and not yet turned into numbers."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def targets(self) -> tuple[int, ...]:
        """Columns that the file itself calls targets."""
        ...

    @property
    def n_rows(self) -> int: ...

    def numbers(self, places: Sequence[int], rows: slice, values: Values | None) -> npt.NDArray[Any]:
        """Those columns of those rows, shape (n, len(places)): float64, int64 or `fractions.Fraction`."""
        ...


@dataclass(frozen=True)
class Table:
    """Columns of numbers with names.

    Attributes
    ----------
    names, target_names : tuple of str
        From the file, else "0", "1", ...
    data : ndarray, shape (n, d)
        float64 or int64, or objects (`fractions.Fraction`) for decimals read exactly.
    targets : ndarray, shape (n,) for one target, else (n, C), or None
    """

    names: tuple[str, ...]
    target_names: tuple[str, ...]
    data: npt.NDArray[Any]
    targets: npt.NDArray[Any] | None


def read_table(
    path: Any,
    values: Values | None = None,
    *,
    targets: Sequence[str] = (),
    columns: Sequence[str] = (),
    drop: Sequence[str] = (),
    rows: Callable[[int], slice] = slice,
    header: bool | None = None,
    needs_target: bool = False,
) -> Table:
    """Read the columns of a table that are asked for; what others hold does not matter.

    Parameters
    ----------
    path : path-like
        Text, .npy, .npz or .parquet; the suffix says which.
    values : {"decimal", "binary"}, optional
        How text is read: "decimal" (the default) keeps 0.1 as 1/10, "binary" takes the nearest double. Floats in other
        files are binary unless "decimal" is asked for.
    targets : sequence of str
        Columns that are no data, by name or number from 0, in this order.
    columns, drop : sequence of str
        Columns that are data (default all), and columns that are not.
    rows : callable
        Which rows to take, of their number; what others hold does not matter either.
    header : bool, optional
        Whether the first line of a text holds names; default: looked at.
    needs_target : bool
        Without `targets` those that the file itself names are taken, and it is an error if it names none.

    Raises
    ------
    FileFormatError
        Not there, not a table of finite numbers, no such column; the message names file, line and column.
    """
    file = Path(path)
    if file.is_dir():
        raise FileFormatError(f"{path} is a directory, not a file")
    if not file.exists():
        raise FileFormatError(f"{path} is not a file")
    try:
        contents = _open(file, header)
        y = _targets(str(path), contents, targets, needs_target)
        return _chosen(str(path), contents, y, columns, drop, rows(contents.n_rows), values)
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}") from None


def _open(file: Path, header: bool | None) -> Contents:
    from . import _arrays, _parquet, _text

    suffix = file.suffix.lower()
    if suffix in (".npy", ".npz", ".parquet", ".pq") and header is not None:
        raise FileFormatError(f"--header and --no-header are for text, not for {file}")
    if suffix == ".npy":
        return _arrays.open_npy(file)
    if suffix == ".npz":
        return _arrays.open_npz(file)
    if suffix in (".parquet", ".pq"):
        return _parquet.open_parquet(file)
    return _text.open_text(file, header)


def place_of(path: str, names: Sequence[str], column: str) -> int:
    """Position of a column, by its name or its number from 0."""
    if column in names:
        return names.index(column)
    try:
        k = int(column)
    except ValueError:
        k = -1
    if 0 <= k < len(names):
        return k
    raise FileFormatError(f"{path} has no column {column!r}; it has {', '.join(names)}")


def _chosen(
    path: str,
    contents: Contents,
    y: list[int],
    columns: Sequence[str],
    drop: Sequence[str],
    rows: slice,
    values: Values | None,
) -> Table:
    names = contents.names
    asked, dropped = _places(path, names, columns, "data"), _places(path, names, drop, "dropped")
    both = [k for k in asked if k in y or k in dropped]
    if both:
        raise FileFormatError(f"{path}: column {names[both[0]]!r} is asked for as data and also left out or a target")
    kept = asked or [k for k in range(len(names)) if k not in contents.targets]
    x = [k for k in kept if k not in y and k not in dropped]
    if not x:
        raise FileFormatError(f"{path}: no column is left as data")
    data = contents.numbers([*x, *y], rows, values)
    targeted = data[:, len(x) :]
    found = None if not y else targeted[:, 0] if len(y) == 1 else targeted
    return Table(tuple(names[k] for k in x), tuple(names[k] for k in y), data[:, : len(x)], found)


def _targets(path: str, contents: Contents, targets: Sequence[str], needed: bool) -> list[int]:
    if contents.targets and (list(targets) == ["y"] or (needed and not targets)):
        return list(contents.targets)  # all columns of an array y
    if needed and not targets:
        raise FileFormatError(f"--target must name the column of {path} to predict; it has {', '.join(contents.names)}")
    return _places(path, contents.names, targets, "target")


def _places(path: str, names: Sequence[str], columns: Sequence[str], role: str) -> list[int]:
    places: list[int] = []
    for column in columns:
        k = place_of(path, names, column)
        if k in places:
            raise FileFormatError(f"{path}: a {role} column is named twice in {', '.join(columns)}")
        places.append(k)
    return places
