"""`topes train`, `topes certify`, `topes path`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from ..certify import certify as certify_network
from ..errors import InputError
from ..full_program import DEFAULT_MAX_CELLS, solve_full
from ..losses import loss_names
from ..models import path as solve_path
from ..models import train as train_network
from ..network import TwoLayerNetwork
from ..plotting import save_fit
from ..result import Round
from ._common import file_options, load_samples, report, show_progress, target_option

__all__ = ["certify", "path", "train"]

_bias = click.option("--bias", is_flag=False, flag_value="penalized", default=None, type=click.Choice(["penalized", "free"]))
_loss = click.option("--loss", type=click.Choice(loss_names()), default="squared", show_default=True)
_activation_option = click.option(
    "--activation", default="relu", show_default=True, help="relu, abs, or the slope kappa < 1 below zero."
)
_tolerance = click.option("--tol", type=float, default=1e-6, show_default=True, help="Relative gap to certify.")
_output_norm = click.option(
    "--output-norm",
    type=click.Choice(["2", "1"]),
    default="2",
    show_default=True,
    help="Of several outputs' weights: 2 is weight decay (27), 1 makes a problem of each output (30).",
)


@click.command()
@file_options
@target_option("Column to predict, once for each output", required=True)
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The network, as JSON.")
@_bias
@_loss
@_activation_option
@_tolerance
@click.option(
    "--method",
    type=click.Choice(["working-set", "full"]),
    default="working-set",
    show_default=True,
    help="A working set priced over all cells, or the program (7) over all cells written down.",
)
@click.option("--max-time", type=float, default=None, help="Seconds, for the working set; bounds proved by then are kept.")
@_output_norm
@click.option("--certificate", type=click.Path(path_type=Path), default=None, help="Write a proof for `topes verify`.")
@click.option("--plot", type=click.Path(path_type=Path), default=None, help="Draw the fit (needs matplotlib).")
def train(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    beta: float,
    output: Path,
    bias: str | None,
    loss: str,
    activation: str,
    tol: float,
    method: str,
    max_time: float | None,
    output_norm: str,
    certificate: Path | None,
    plot: Path | None,
) -> None:
    """Train a two-layer network on FILE to its certified global optimum over all cells.

    With several targets the network has an output for each.
    """
    if certificate is not None and method == "full":
        raise InputError("--certificate needs --method working-set: the full program keeps no proof")
    for path in (output, certificate, plot):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"{path} does not lie in an existing directory")
    if method == "full" and len(targets) > 1:
        raise InputError("--method full takes one --target")
    X, y, read_as = load_samples(file, values, rows, targets)
    shared: dict[str, Any] = {"loss": loss, "activation": _activation(activation), "bias": bias or False}
    shared |= {"values": read_as, "tol": tol, "n_threads": threads}
    if method == "full":
        most = DEFAULT_MAX_CELLS if max_cells is None else max_cells
        solution = solve_full(X, y, beta, progress=show_progress(), max_cells=most, **shared)
    else:
        callback = _show_round if show_progress() else None
        shared |= {"output_norm": float(output_norm), "max_time": max_time, "callback": callback}
        solution = train_network(X, y, beta, **shared)
    solution.network.save(output)
    facts: dict[str, Any] = {
        "file": str(file),
        "n": len(X),
        "dimension": X.shape[1],
        "outputs": len(targets),
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
        save_fit(plot, y, solution.network.predict(as_floats(X)), title)
        facts["plot"] = str(plot)
    facts["seconds"] = round(sum(solution.seconds.values()), 4)
    report(facts, as_json)


@click.command()
@file_options
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Column it predicts, once for each output", required=True)
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("--free-bias", is_flag=True, help="The biases of the network are not penalised.")
@_loss
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Accuracy of the lower bound.")
@click.option("--max-time", type=float, default=None, help="Seconds; the bound proved by then holds.")
@_output_norm
def certify(
    file: Path,
    network: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    beta: float,
    free_bias: bool,
    loss: str,
    tol: float,
    max_time: float | None,
    output_norm: str,
) -> None:
    """Say how far NETWORK (JSON, as `topes train` writes it) is from the global optimum on FILE."""
    X, y, read_as = load_samples(file, values, rows, targets)
    judged = TwoLayerNetwork.load(network)
    found = certify_network(
        X,
        y,
        judged,
        beta,
        loss=loss,
        bias="free" if free_bias else None,
        values=read_as,
        tol=tol,
        max_time=max_time,
        n_threads=threads,
        output_norm=float(output_norm),
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
    report(facts, as_json)


@click.command()
@file_options
@target_option("Column to predict, once for each output", required=True)
@click.option("--betas", default="20", show_default=True, help="So many of them, or the values: 1,0.1,0.01.")
@click.option("--least", type=float, default=1e-3, show_default=True, help="Where the path ends, as a share of its start.")
@_bias
@_loss
@_activation_option
@_tolerance
@click.option("--max-time", type=float, default=None, help="Seconds for each beta; bounds proved by then are kept.")
@_output_norm
def path(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    betas: str,
    least: float,
    bias: str | None,
    loss: str,
    activation: str,
    tol: float,
    max_time: float | None,
    output_norm: str,
) -> None:
    """Train for a sequence of beta, from the least at which the optimal network is empty on downwards."""
    X, y, read_as = load_samples(file, values, rows, targets)
    solutions = solve_path(
        X,
        y,
        _betas(betas),
        least=least,
        loss=loss,
        activation=_activation(activation),
        bias=bias or False,
        values=read_as,
        tol=tol,
        max_time=max_time,
        n_threads=threads,
        output_norm=float(output_norm),
    )
    chosen = [s.problem.beta for s in solutions if s.problem is not None]
    steps = [
        {
            "beta": beta,
            "objective": s.objective,
            "lower_bound": s.lower_bound,
            "gap": s.gap,
            "neurons": s.n_neurons,
            "status": s.status.value,
            "seconds": round(sum(s.seconds.values()), 4),
        }
        for beta, s in zip(chosen, solutions, strict=True)
    ]
    if as_json:
        click.echo(json.dumps({"file": str(file), "n": len(X), "outputs": len(targets), "loss": loss, "path": steps}))
        return
    click.echo(f"{'beta':>14} {'objective':>14} {'gap':>9} {'neurons':>7}  status")
    for beta, s in zip(chosen, solutions, strict=True):
        click.echo(f"{beta:>14.8g} {s.objective:>14.8g} {s.gap:>9.1e} {s.n_neurons:>7}  {s.status.value}")


def _betas(text: str) -> int | list[float]:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--betas must be a count or numbers with commas between them, got {text!r}") from None


def _show_round(state: Round) -> None:
    """One line on standard error, over itself."""
    line = f"training: gap {state.gap:.1e}, objective {state.objective:.6g}, {state.n_faces} faces, {state.seconds:.0f} s"
    click.echo(f"\r{line:<78}", nl=False, err=True)


def _activation(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
