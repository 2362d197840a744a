"""`topes train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from ..errors import InputError
from ..full_program import DEFAULT_MAX_CELLS, solve_full
from ..losses import loss_names
from ..models import train as train_network
from ..plotting import save_fit
from ..result import Round
from ._shared import as_activation, cli, file_options, load, report, show_progress

__all__ = ["train"]


@cli.command()
@file_options
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
    X, y, read_as = load(file, values, rows, target, bias=False)
    assert y is not None
    targets = as_floats(y)
    shared: dict[str, Any] = {"loss": loss, "activation": as_activation(activation), "bias": bias or False}
    shared |= {"values": read_as, "tol": tol, "n_threads": threads}
    if method == "full":
        most = DEFAULT_MAX_CELLS if max_cells is None else max_cells
        solution = solve_full(X, targets, beta, progress=show_progress(), max_cells=most, **shared)
    else:
        solution = train_network(
            X, targets, beta, max_time=max_time, callback=_show_round if show_progress() else None, **shared
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
    report(facts, as_json)


def _show_round(state: Round) -> None:
    """One line on standard error, over itself."""
    line = f"training: gap {state.gap:.1e}, objective {state.objective:.6g}, {state.n_faces} faces, {state.seconds:.0f} s"
    click.echo(f"\r{line:<78}", nl=False, err=True)
