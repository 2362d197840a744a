"""The command `topes`: count, cells, train, certify, verify."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
import numpy.typing as npt

from . import __version__
from ._support.exact_input import VALUES, Values, as_floats
from ._support.tables import read_table
from .arrangement import Arrangement
from .certify import certify as certify_network
from .errors import InputError, TopesError
from .full_program import DEFAULT_MAX_CELLS, solve_full
from .losses import loss_names
from .models import train as train_network
from .network import TwoLayerNetwork
from .plotting import save_fit
from .result import Round
from .verify import verify as verify_certificate

__all__ = ["main"]

_BAD_INPUT, _FAILED, _INTERRUPTED = 2, 1, 130
_F = TypeVar("_F", bound=Callable[..., Any])


def _file_options(command: _F) -> _F:
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


def _fail(message: str, code: int) -> None:
    click.echo(f"topes: {' '.join(message.split())}", err=True)
    raise SystemExit(code)


def _show_progress() -> bool:
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


def _load(
    file: Path, values: Values | None, rows: str | None, target: str | None, bias: bool
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None, Values]:
    table = read_table(file, values)
    taken = _slice(rows, len(table.data))
    X, y = (table.data, None) if target is None else table.split(target)
    X = X[taken]
    if bias:
        X = np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)])
    return X, None if y is None else y[taken], values or "binary"


def _report(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        text = str(value) if isinstance(value, (bool, str)) else f"{value:,}" if isinstance(value, int) else f"{value:.10g}"
        click.echo(f"{name.replace('_', ' '):<{width}}  {text}")


def _facts(A: Arrangement, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "n": A.n,
        "dimension": A.dimension,
        "rank": A.rank,
        "distinct_hyperplanes": A.n_hyperplanes,
        "most_cells": A.bound(),
    }


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="topes")
def cli() -> None:
    """Exact cells of hyperplane arrangements, and two-layer networks at their global optimum.

    FILE is text (comma, semicolon, tab or blanks; a header or none) or .npy; its rows are the data.
    """


@cli.command()
@_file_options
@click.option("--target", default=None, help="Column to leave out, by name or number from 0.")
@click.option("--bias", is_flag=True, help="Append a column of ones.")
@click.option("--estimate", is_flag=True, help="Estimate instead, by random descents.")
def count(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    target: str | None,
    bias: bool,
    estimate: bool,
) -> None:
    """Count the cells of the arrangement of the rows of FILE, exactly."""
    X, _, read_as = _load(file, values, rows, target, bias)
    A = Arrangement(X, values=read_as)
    facts = _facts(A, file)
    start = time.perf_counter()
    if estimate:
        facts["estimated_cells"], facts["standard_error"] = A.estimate_count(rng=0)
    else:
        facts["cells"], counters = A.count_with_counters(threads, _show_progress(), max_cells)
        facts["exact_fallbacks"] = counters["exact_signs"]
    facts["seconds"] = round(time.perf_counter() - start, 4)
    _report(facts, as_json)


@cli.command()
@_file_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The .npy file to write.")
@click.option("--target", default=None, help="Column to leave out, by name or number from 0.")
@click.option("--bias", is_flag=True, help="Append a column of ones.")
@click.option("--packed", is_flag=True, help="Eight rows of FILE to a byte, lowest bit first.")
def cells(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    output: Path,
    target: str | None,
    bias: bool,
    packed: bool,
) -> None:
    """Write the pattern of every cell to an .npy file, one row each, in bounded memory."""
    if output.suffix.lower() != ".npy":
        raise InputError(f"--output must end in .npy, got {output}")
    X, _, read_as = _load(file, values, rows, target, bias)
    A = Arrangement(X, values=read_as)
    start = time.perf_counter()
    n_cells = A.save_patterns(output, packed=packed, n_threads=threads, progress=_show_progress(), max_cells=max_cells)
    facts = {**_facts(A, file), "cells": n_cells, "output": str(output)}
    facts["bytes"] = output.stat().st_size
    facts["seconds"] = round(time.perf_counter() - start, 4)
    _report(facts, as_json)


@cli.command()
@_file_options
@click.option("--target", required=True, help="Column to predict, by name or number from 0.")
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The network, as JSON.")
@click.option("--bias", is_flag=False, flag_value="penalized", default=None, type=click.Choice(["penalized", "free"]))
@click.option("--loss", type=click.Choice(loss_names()), default="squared", show_default=True)
@click.option("--activation", default="relu", show_default=True, help="relu, abs, or the slope kappa < 1 below zero.")
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Relative gap to call the result certified.")
@click.option(
    "--method",
    type=click.Choice(["working-set", "full"]),
    default="working-set",
    show_default=True,
    help="A working set priced over all cells, or the program (7) over all cells written down.",
)
@click.option("--max-time", type=float, default=None, help="Seconds, for the working set; bounds proved by then are kept.")
@click.option("--certificate", type=click.Path(path_type=Path), default=None, help="Write a proof for `topes verify`.")
@click.option("--plot", type=click.Path(path_type=Path), default=None, help="Draw the fit (needs matplotlib).")
def train(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    target: str,
    beta: float,
    output: Path,
    bias: str | None,
    loss: str,
    activation: str,
    tol: float,
    method: str,
    max_time: float | None,
    certificate: Path | None,
    plot: Path | None,
) -> None:
    """Train a two-layer network on FILE to its certified global optimum over all cells."""
    if certificate is not None and method == "full":
        raise InputError("--certificate needs --method working-set: the full program keeps no proof")
    for path in (output, certificate, plot):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"{path} does not lie in an existing directory")
    X, y, read_as = _load(file, values, rows, target, bias=False)
    assert y is not None
    targets = as_floats(y)
    shared: dict[str, Any] = {"loss": loss, "activation": _activation(activation), "bias": bias or False}
    shared |= {"values": read_as, "tol": tol, "n_threads": threads}
    if method == "full":
        most = DEFAULT_MAX_CELLS if max_cells is None else max_cells
        solution = solve_full(X, targets, beta, progress=_show_progress(), max_cells=most, **shared)
    else:
        solution = train_network(
            X, targets, beta, max_time=max_time, callback=_show_round if _show_progress() else None, **shared
        )
    solution.network.save(output)
    facts: dict[str, Any] = {
        "file": str(file),
        "n": len(X),
        "dimension": X.shape[1],
        "loss": loss,
        "beta": beta,
        "bias": bias or "none",
        "method": method,
        "program_cells": len(solution.patterns),
        "status": solution.status.value,
        "objective": solution.objective,
        "lower_bound": solution.lower_bound,
        "gap": solution.gap,
        "neurons": solution.n_neurons,
        "output": str(output),
    }
    if certificate is not None:
        solution.save_certificate(certificate, n_threads=threads)
        facts["certificate"] = str(certificate)
    if plot is not None:
        title = f"objective {solution.objective:.6g}, proved gap {solution.gap:.1g}, {solution.n_neurons} neurons"
        save_fit(plot, targets, solution.network.predict(as_floats(X)), title)
        facts["plot"] = str(plot)
    facts["seconds"] = round(sum(solution.seconds.values()), 4)
    _report(facts, as_json)


@cli.command()
@_file_options
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="Column it predicts, by name or number from 0.")
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("--free-bias", is_flag=True, help="The biases of the network are not penalised.")
@click.option("--loss", type=click.Choice(loss_names()), default="squared", show_default=True)
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Accuracy of the lower bound.")
@click.option("--max-time", type=float, default=None, help="Seconds; the bound proved by then holds.")
def certify(
    file: Path,
    network: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    target: str,
    beta: float,
    free_bias: bool,
    loss: str,
    tol: float,
    max_time: float | None,
) -> None:
    """Say how far NETWORK (JSON, as `topes train` writes it) is from the global optimum on FILE."""
    X, y, read_as = _load(file, values, rows, target, bias=False)
    assert y is not None
    judged = TwoLayerNetwork.load(network)
    found = certify_network(
        X,
        as_floats(y),
        judged,
        beta,
        loss=loss,
        bias="free" if free_bias else None,
        values=read_as,
        tol=tol,
        max_time=max_time,
        n_threads=threads,
    )
    facts = {
        "file": str(file),
        "network": str(network),
        "objective": found.objective,
        "lower_bound": found.lower_bound,
        "gap": found.gap,
        "best_known_objective": found.optimum.objective,
        "bound_status": found.optimum.status.value,
        "seconds": round(sum(found.optimum.seconds.values()), 4),
    }
    _report(facts, as_json)


@cli.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--target", default=None, help="Column of FILE that the network predicts, by name or number from 0.")
@click.option("--rows", default=None, metavar="A:B", help="Rows A to B - 1 of FILE only, counted from 0.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report.")
def verify(certificate: Path, file: Path | None, target: str | None, rows: str | None, as_json: bool) -> None:
    """Check CERTIFICATE, which `topes train --certificate` wrote, without any of the solver's code.

    With FILE, also that it is about these data. Exit code 0 if every claim is proved, else 1.
    """
    X, y = None, None
    if file is not None:
        if target is None:
            raise InputError(f"--target must name the column of {file} that the network predicts")
        data, targets, _ = _load(file, None, rows, target, bias=False)
        assert targets is not None
        X, y = as_floats(data), as_floats(targets)
    elif target is not None or rows is not None:
        raise InputError("--target and --rows are for a FILE of data, and none is given")
    found = verify_certificate(certificate, X, y)
    facts: dict[str, Any] = {"certificate": str(certificate), "valid": found.valid}
    if found.valid:
        facts |= {"objective_upper": found.objective_upper, "lower_bound": found.lower_bound, "gap": found.gap}
        facts["cones"] = found.n_cones
    else:
        facts["reason"] = found.reason
    facts["seconds"] = round(found.seconds, 4)
    _report(facts, as_json)
    if not found.valid:
        raise SystemExit(_FAILED)


def _show_round(state: Round) -> None:
    """One line on standard error, over itself."""
    line = f"training: gap {state.gap:.1e}, objective {state.objective:.6g}, {state.n_faces} faces, {state.seconds:.0f} s"
    click.echo(f"\r{line:<78}", nl=False, err=True)


def _activation(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def main(arguments: list[str] | None = None) -> None:
    """Run the command; bad input ends it with one line and exit code 2, a failure with 1, Ctrl-C with 130."""
    try:
        cli.main(args=arguments, prog_name="topes", standalone_mode=False)
    except click.exceptions.Exit as stop:
        raise SystemExit(stop.exit_code) from None
    except click.ClickException as error:
        _fail(error.format_message(), _BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", _INTERRUPTED)
    except InputError as error:
        _fail(str(error), _BAD_INPUT)
    except (TopesError, OSError, MemoryError) as error:
        _fail(str(error), _FAILED)


if __name__ == "__main__":
    main()
