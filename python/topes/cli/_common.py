"""What the commands share: which numbers to take from which file, the report, the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
import numpy.typing as npt

from .._support.exact_input import VALUES, Values, as_floats
from .._support.tables import read_table
from .._support.validation import FloatArray
from ..errors import InputError

__all__ = [
    "BAD_INPUT",
    "FAILED",
    "INTERRUPTED",
    "data_options",
    "fail",
    "file_options",
    "load_rows",
    "load_samples",
    "report",
    "show_progress",
    "target_option",
]

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
_F = TypeVar("_F", bound=Callable[..., Any])


def data_options(command: _F) -> _F:
    """Arguments that say which numbers to take from which file."""
    options = (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report."),
        click.option("--threads", type=int, default=None, help="Threads; default all processors."),
        click.option(
            "--values",
            type=click.Choice(VALUES),
            default=None,
            help="0.1 is 1/10 (decimal; default for text) or the nearest double (binary; default for .npy).",
        ),
        click.option("--rows", default=None, metavar="A:B", help="Rows A to B - 1 only, counted from 0."),
        click.argument("file", type=click.Path(path_type=Path)),
    )
    for option in options:
        command = option(command)
    return command


def file_options(command: _F) -> _F:
    """`data_options`, and a limit on cells."""
    limit = click.option("--max-cells", type=int, default=None, help="Stop beyond this number of cells.")
    return limit(data_options(command))


def target_option(help: str, *, required: bool = False) -> Callable[[_F], _F]:
    """`--target`, once for each column."""
    return click.option("--target", "targets", multiple=True, required=required, help=f"{help}, by name or number from 0.")


def fail(message: str, code: int) -> None:
    click.echo(f"topes: {' '.join(message.split())}", err=True)
    raise SystemExit(code)


def show_progress() -> bool:
    return sys.stderr.isatty()


def _slice(rows: str | None, n: int) -> slice:
    if rows is None:
        return slice(0, n)
    try:
        first, last = (int(part) if part else None for part in rows.split(":"))
    except ValueError:
        raise InputError(f"--rows must be A:B, got {rows!r}") from None
    taken = slice(*slice(first, last).indices(n))
    if taken.start >= taken.stop:
        raise InputError(f"--rows {rows} holds none of the {n} rows")
    return taken


def load_rows(
    file: Path, values: Values | None, rows: str | None, targets: Sequence[str], bias: bool
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None, Values]:
    """The data, the targets if there are any, of shape (n,) for one column, else (n, C), and how they were read."""
    table = read_table(file, values)
    taken = _slice(rows, len(table.data))
    X, y = table.split(targets) if targets else (table.data, None)
    X = X[taken]
    if bias:
        X = np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)])
    return X, None if y is None else y[taken], values or "binary"


def load_samples(
    file: Path, values: Values | None, rows: str | None, targets: Sequence[str]
) -> tuple[npt.NDArray[Any], FloatArray, Values]:
    """Data as exact numbers, targets as doubles, and how they were read."""
    X, y, read_as = load_rows(file, values, rows, targets, bias=False)
    assert y is not None
    return X, as_floats(y), read_as


def report(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        text = str(value) if isinstance(value, (bool, str)) else f"{value:,}" if isinstance(value, int) else f"{value:.10g}"
        click.echo(f"{name.replace('_', ' '):<{width}}  {text}")
