"""`topes stationarity`: what kind of point a network in a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values
from ..errors import InputError
from ..losses import loss_names
from ..theory.stationarity import DEFAULT_ZERO_TOL
from ..theory.stationarity import stationarity as judge_point
from ._common import file_options, hint_at_free_bias, load_network, load_samples, report, target_option
from ._progress import clock

__all__ = ["stationarity"]


@click.command()
@file_options
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Column it predicts")
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("--free-bias", is_flag=True, help="The biases of the network are not penalised.")
@click.option("--loss", type=click.Choice(loss_names()), default="squared", show_default=True)
@click.option(
    "--zero-tol",
    type=float,
    default=DEFAULT_ZERO_TOL,
    show_default=True,
    help="Cosine of a row and a neuron up to which the neuron is on its kink; 0: exactly.",
)
@click.option("--tol", type=float, default=1e-6, show_default=True, help="At which residuals and gaps count as zero.")
@click.option("--balance", is_flag=True, help="Scale each neuron to its least penalty first.")
@click.option("--no-compare", is_flag=True, help="Prove no lower bound on all networks.")
@click.option("--max-time", type=float, default=None, help="Seconds for that bound; what is proved by then holds.")
def stationarity(
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
    zero_tol: float,
    tol: float,
    balance: bool,
    no_compare: bool,
    max_time: float | None,
) -> None:
    """Say what kind of point NETWORK (JSON, as `topes train` writes it) is: stationary, optimum of its patterns, global.

    \b
    Example:
      topes stationarity penguins.csv network.json --target body_mass --beta 1000
    """
    if len(targets) > 1:
        raise InputError(f"--target must be one column, got {len(targets)}")
    if no_compare and max_time is not None:
        raise InputError("--max-time is for the bound that --no-compare leaves out")
    X, y, read_as = load_samples(file, values, rows, targets)
    more: dict[str, Any] = {} if max_cells is None else {"max_cells": max_cells}
    judged = load_network(network, X, file, y)
    hint_at_free_bias(judged, network, free_bias)
    with clock("judging", max_time):
        found = judge_point(
            judged,
            X,
            y,
            beta,
            loss=loss,
            bias="free" if free_bias else None,
            values=read_as,
            zero_tol=zero_tol,
            tol=tol,
            balance=balance,
            compare=not no_compare,
            max_time=max_time,
            n_threads=threads,
            **more,
        )
    facts: dict[str, Any] = {
        "file": str(file),
        "network": str(network),
        "kind": found.kind.value,
        "objective": found.objective,
        "balanced_objective": found.balanced_objective,
        "residual": found.residual,
        "subdifferential": found.subdifferential,
        "descent": found.descent,
        "sign_vectors": len(found.sign_vectors),
        "zeros": found.n_zeros,
        "program_value": found.program_value,
        "program_gap": found.program_gap,
    }
    if found.lower_bound is not None and found.gap is not None:
        facts |= {"lower_bound": found.lower_bound, "gap": found.gap}
    report(facts, as_json)
