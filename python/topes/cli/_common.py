"""What the commands share: which numbers to take from which file, the report, the exit codes."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import numpy as np
import numpy.typing as npt

from .. import __version__
from .._support.exact_input import VALUES, Values, as_floats
from .._support.validation import FloatArray
from ..errors import FileFormatError, InputError
from ..network import TwoLayerNetwork
from ._progress import QUIET, show_progress
from ._schema import COMMON, KEYS
from ._tables import Table, read_table
from ._words import say

__all__ = [
    "BAD_INPUT",
    "INTERRUPTED",
    "NOT_MET",
    "as_data",
    "check_readable",
    "data_options",
    "fail",
    "file_options",
    "finish",
    "hint_at_free_bias",
    "is_reading_chosen",
    "json_option",
    "load_network",
    "load_rows",
    "load_samples",
    "load_table",
    "quiet_option",
    "reading_options",
    "report",
    "show_progress",
    "target_option",
]

NOT_MET, BAD_INPUT, INTERRUPTED = 1, 2, 130
_COLUMNS, _DROP, _HEADER, _START = "topes.columns", "topes.drop", "topes.header", "topes.start"
_F = TypeVar("_F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report.")


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Leaves an option where what all commands share finds it, so that each of them need not pass it on."""

    def keep(context: click.Context, _: click.Parameter, value: Any) -> Any:
        context.meta[key] = value
        return value

    return keep


def quiet_option(command: _F) -> _F:
    option = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_keep(QUIET), help="No progress on standard error."
    )
    return option(command)


def reading_options(command: _F) -> _F:
    """Which columns of a file are data."""
    options = (
        click.option(
            "--header/--no-header",
            default=None,
            expose_value=False,
            callback=_keep(_HEADER),
            help="Whether the first line of a text holds names; default: found out.",
        ),
        click.option(
            "--drop",
            multiple=True,
            metavar="COLUMN",
            expose_value=False,
            callback=_keep(_DROP),
            help="A column that is no data, by name or number from 0, once for each.",
        ),
        click.option(
            "--columns",
            metavar="A,B,...",
            default=None,
            expose_value=False,
            callback=_keep(_COLUMNS),
            help="The columns that are data, in this order; default: all others.",
        ),
    )
    for option in options:
        command = option(command)
    return command


def data_options(command: _F) -> _F:
    """Arguments that say which numbers to take from which file."""
    options = (
        quiet_option,
        json_option,
        click.option("--threads", type=int, default=None, help="Threads; default all processors."),
        click.option(
            "--values",
            type=click.Choice(VALUES),
            default=None,
            help="0.1 is 1/10 (decimal; default for text) or the nearest double (binary; default for other files).",
        ),
        click.option("--rows", default=None, metavar="A:B", help="Rows A to B - 1 only, counted from 0."),
        reading_options,
        click.argument("file", type=click.Path(path_type=Path)),
    )
    for option in options:
        command = option(command)
    return command


def file_options(command: _F) -> _F:
    """`data_options`, and a limit on cells."""
    limit = click.option("--max-cells", type=int, default=None, help="Stop beyond this number of cells.")
    return limit(data_options(command))


def target_option(help: str) -> Callable[[_F], _F]:
    """`--target`, once for each column."""
    return click.option("--target", "targets", multiple=True, metavar="COLUMN", help=f"{help}, by name or number from 0.")


def fail(message: str, code: int) -> NoReturn:
    say(message)
    raise SystemExit(code)


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


def load_table(
    file: Path, values: Values | None, rows: str | None, targets: Sequence[str], *, needs_target: bool = False
) -> Table:
    """The rows and columns that the options of the command ask for."""
    meta = click.get_current_context().meta
    columns = meta.get(_COLUMNS)
    table = read_table(
        file,
        values,
        targets=targets,
        columns=() if columns is None else [name.strip() for name in columns.split(",")],
        drop=meta.get(_DROP) or (),
        header=meta.get(_HEADER),
        rows=lambda n: _slice(rows, n),
        needs_target=needs_target,
    )
    meta[_START] = time.perf_counter()
    return table


def as_data(table: Table, bias: bool) -> npt.NDArray[Any]:
    """The data, a column of ones after them if a bias is asked for."""
    X = table.data
    return np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)]) if bias else X


def load_rows(
    file: Path, values: Values | None, rows: str | None, targets: Sequence[str], bias: bool
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None, Values]:
    """The data, the targets if there are any, of shape (n,) for one column, else (n, C), and how they were read."""
    table = load_table(file, values, rows, targets)
    return as_data(table, bias), table.targets, values or "binary"


def load_samples(
    file: Path, values: Values | None, rows: str | None, targets: Sequence[str]
) -> tuple[npt.NDArray[Any], FloatArray, Values]:
    """Data as exact numbers, targets as doubles, and how they were read."""
    table = load_table(file, values, rows, targets, needs_target=True)
    assert table.targets is not None
    try:
        as_floats(table.data)
        return table.data, as_floats(table.targets), values or "binary"
    except InputError:
        raise InputError(f"{file} holds a number beyond 1.8e308, the largest double: networks work with doubles") from None


def load_network(path: Path, X: npt.NDArray[Any], file: Path, y: FloatArray | None = None) -> TwoLayerNetwork:
    """A network that `topes train` wrote, for these data, and for these targets if any are given."""
    check_readable(path)
    try:
        network = TwoLayerNetwork.load(path)
    except FileFormatError as error:
        raise InputError(f"{path} holds no network: {str(error).partition(' is not a network: ')[2] or error}") from None
    inputs = network.W1.shape[0]
    if X.shape[1] != inputs:
        raise InputError(f"{path} takes {inputs} columns, {file} has {X.shape[1]} of data; --columns and --drop choose them")
    if y is not None and y.shape[1:] != network.w2.shape[1:]:
        has, asked = (1 if array.ndim == 1 else array.shape[1] for array in (network.w2, y))
        raise InputError(f"{path} needs a --target for each of its outputs, {has}; got {asked}")
    return network


def hint_at_free_bias(network: TwoLayerNetwork, path: Path, free_bias: bool) -> None:
    """A free constant is kept as a neuron of no input weights and tiny output weight, whose bias is huge if penalised."""
    if network.b1 is None or free_bias:
        return
    after = np.linalg.norm(network.w2.reshape(network.n_neurons, -1), axis=1)
    if np.any(~network.W1.any(axis=0) & (np.abs(network.b1) > 2.0 * after)):
        say(f"{path} has a neuron of a bias alone, as --bias free trains: --free-bias takes biases out of the penalty")


def check_readable(path: Path) -> None:
    """Refuse a file that is not there, one line that says why."""
    if path.is_dir():
        raise InputError(f"{path} is a directory, not a file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def is_reading_chosen() -> bool:
    """Whether an option says how a file is to be read."""
    meta = click.get_current_context().meta
    return bool(meta.get(_DROP)) or meta.get(_COLUMNS) is not None or meta.get(_HEADER) is not None


def report(facts: dict[str, Any], as_json: bool, *, met: bool = True, unmet: str = "") -> None:
    """Print what a command found, and end it with exit code 1 if what was asked for is not met.

    `unmet` says why, where the facts do not.
    """
    if not as_json:
        _print(_timed(facts))
    if not met and unmet:
        say(unmet)
    finish(facts, as_json, met=met)


def finish(facts: dict[str, Any], as_json: bool, *, met: bool = True) -> None:
    """`report` for a command that prints its own text: JSON if that is asked for, and the exit code."""
    if as_json:
        command = click.get_current_context().info_name or ""
        common = {"command": command, "version": __version__, "met": met}
        whole = {**dict.fromkeys([*COMMON, *KEYS[command]]), **_timed(facts), **common}
        click.echo(json.dumps({name: _plain(value) for name, value in whole.items()}, allow_nan=False))
    if not met:
        raise SystemExit(NOT_MET)


def _timed(facts: dict[str, Any]) -> dict[str, Any]:
    """With the seconds since the data were read, where the command does not say its own."""
    start = click.get_current_context().meta.get(_START)
    if "seconds" in facts or start is None:
        return facts
    return {**facts, "seconds": round(time.perf_counter() - start, 4)}


def _print(facts: dict[str, Any]) -> None:
    """One line for each fact."""
    facts = {name: value for name, value in facts.items() if value is not None}
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_shown(value)}")


def _shown(value: Any) -> str:
    """Numbers as they are read; -0 is 0."""
    if isinstance(value, (bool, str)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value + 0.0:.10g}"


def _plain(value: Any) -> Any:
    """JSON has no infinity: null. And -0 is 0."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
