"""`topes train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from ..errors import InputError
from ..full_program import DEFAULT_MAX_CELLS, solve_full
from ..models import train as train_network
from ..plotting import save_fit
from ..result import Status
from ._common import file_options, load_samples, report, show_progress, target_option
from ._output import check_outputs, check_picture, force_option
from ._progress import TrainingLine, clock
from ._training import (
    activation_of,
    activation_option,
    bias_option,
    loss_option,
    output_norm_option,
    tolerance_option,
)

__all__ = ["train"]


@click.command()
@file_options
@target_option("Column to predict, once for each output")
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The network, as JSON.")
@bias_option
@loss_option
@activation_option
@tolerance_option
@click.option(
    "--method",
    type=click.Choice(["working-set", "full"]),
    default="working-set",
    show_default=True,
    help="A working set priced over all cells, or the program (7) over all cells written down.",
)
@click.option("--max-time", type=float, default=None, help="Seconds, for the working set; bounds proved by then are kept.")
@output_norm_option
@click.option("--certificate", type=click.Path(path_type=Path), default=None, help="Write a proof for `topes verify`.")
@force_option
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
    force: bool,
    plot: Path | None,
) -> None:
    """Train a two-layer network on FILE to its certified global optimum over all cells.

    With several targets the network has an output for each. Exit code 1 if the gap is not as small as --tol asks; the
    network is written all the same.

    \b
    Examples:
      topes train penguins.csv --target body_mass --beta 1000 -o network.json --certificate proof.npz
      topes train penguins.csv --columns bill_length,bill_depth --target body_mass --beta 1000 --bias -o small.json
    """
    if certificate is not None and method == "full":
        raise InputError("--certificate needs --method working-set: the full program keeps no proof")
    if max_cells is not None and method != "full":
        raise InputError("--max-cells needs --method full: the working set lists no cells")
    if max_time is not None and method == "full":
        raise InputError("--max-time needs --method working-set: the full program is solved to its end")
    check_outputs([output, certificate, plot], force, [file])
    if plot is not None:
        check_picture(plot, "--plot")
    X, y, read_as = load_samples(file, values, rows, targets)
    if method == "full" and y.ndim > 1:
        raise InputError(f"--method full takes one --target, got {y.shape[1]}")
    shared: dict[str, Any] = {"loss": loss, "activation": activation_of(activation), "bias": bias or False}
    shared |= {"values": read_as, "tol": tol, "n_threads": threads}
    if method == "full":
        most = DEFAULT_MAX_CELLS if max_cells is None else max_cells
        solution = solve_full(X, y, beta, progress=show_progress(), max_cells=most, **shared)
    else:
        with TrainingLine("training", tol, max_time) as line:
            shared |= {"output_norm": float(output_norm), "max_time": max_time, "callback": line}
            solution = train_network(X, y, beta, **shared)
    solution.network.save(output)
    facts: dict[str, Any] = {
        "file": str(file),
        "n": len(X),
        "dimension": X.shape[1],
        "outputs": y[:1].size,
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
        with clock("writing the certificate"):
            solution.save_certificate(certificate, n_threads=threads)
        facts["certificate"] = str(certificate)
    if plot is not None:
        neurons = "1 neuron" if solution.n_neurons == 1 else f"{solution.n_neurons} neurons"
        title = f"objective {solution.objective:.6g}, proved gap {solution.gap:.1g}, {neurons}"
        names = [f"column {name}" if name.isdecimal() else name for name in targets]
        save_fit(plot, y, solution.network.predict(as_floats(X)), title, names=names)
        facts["plot"] = str(plot)
    facts["seconds"] = round(sum(solution.seconds.values()), 4)
    report(facts, as_json, met=solution.status is Status.CERTIFIED)
