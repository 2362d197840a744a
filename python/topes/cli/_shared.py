"""What the commands share: which numbers to take from which file, and how answers are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
import numpy.typing as npt

from .. import __version__
from .._support.exact_input import VALUES, Values
from .._support.tables import read_table
from ..errors import InputError

__all__ = ["FAILED", "as_activation", "cli", "file_options", "load", "report", "show_progress"]

FAILED = 1
_F = TypeVar("_F", bound=Callable[..., Any])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="topes")
def cli() -> None:
    """Exact cells of hyperplane arrangements, and two-layer networks at their global optimum.

    FILE is text (comma, semicolon, tab or blanks; a header or none) or .npy; its rows are the data.
    """


def file_options(command: _F) -> _F:
    """Arguments that say which numbers to take from which file."""
    options = (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report."),
        click.option("--threads", type=int, default=None, help="Threads; default all processors."),
        click.option("--max-cells", type=int, default=None, help="Stop beyond this number of cells."),
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


def show_progress() -> bool:
    return sys.stderr.isatty()


def taken_rows(rows: str | None, n: int) -> slice:
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


def load(
    file: Path, values: Values | None, rows: str | None, target: str | None, bias: bool
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None, Values]:
    table = read_table(file, values)
    taken = taken_rows(rows, len(table.data))
    X, y = (table.data, None) if target is None else table.split(target)
    X = X[taken]
    if bias:
        X = np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)])
    return X, None if y is None else y[taken], values or "binary"


def report(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        text = str(value) if isinstance(value, (bool, str)) else f"{value:,}" if isinstance(value, int) else f"{value:.10g}"
        click.echo(f"{name.replace('_', ' '):<{width}}  {text}")


def as_activation(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
