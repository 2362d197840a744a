"""`topes certify`, `topes stationarity` and `topes verify`: what is to be said of a network, or a proof, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from ..certify import certify as certify_network
from ..errors import InputError
from ..losses import loss_names
from ..network import TwoLayerNetwork
from ..theory.stationarity import DEFAULT_ZERO_TOL
from ..theory.stationarity import stationarity as judge_point
from ..verify import verify as verify_certificate
from ._shared import FAILED, cli, file_options, load, report

__all__ = ["certify", "stationarity", "verify"]


@cli.command()
@file_options
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
    X, y, read_as = load(file, values, rows, target, bias=False)
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
    report(facts, as_json)


@cli.command()
@file_options
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="Column it predicts, by name or number from 0.")
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
    target: str,
    beta: float,
    free_bias: bool,
    loss: str,
    zero_tol: float,
    tol: float,
    balance: bool,
    no_compare: bool,
    max_time: float | None,
) -> None:
    """Say what kind of point NETWORK (JSON, as `topes train` writes it) is: stationary, optimum of its patterns, global."""
    X, y, read_as = load(file, values, rows, target, bias=False)
    assert y is not None
    more: dict[str, Any] = {} if max_cells is None else {"max_cells": max_cells}
    found = judge_point(
        TwoLayerNetwork.load(network),
        X,
        as_floats(y),
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
        "descent": "not decided" if found.descent is None else found.descent,
        "sign_vectors": len(found.sign_vectors),
        "zeros": found.n_zeros,
        "program_value": found.program_value,
        "program_gap": found.program_gap,
    }
    if found.lower_bound is not None and found.gap is not None:
        facts |= {"lower_bound": found.lower_bound, "gap": found.gap}
    report(facts, as_json)


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
        data, targets, _ = load(file, None, rows, target, bias=False)
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
    report(facts, as_json)
    if not found.valid:
        raise SystemExit(FAILED)
