"""`topes certify`."""

from __future__ import annotations

from pathlib import Path

import click

from .._support.exact_input import Values
from ..certify import certify as certify_network
from ..errors import InputError
from ._common import data_options, hint_at_free_bias, load_network, load_samples, report, target_option
from ._progress import TrainingLine
from ._training import loss_option, output_norm_option

__all__ = ["certify"]


@click.command()
@data_options
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Column it predicts, once for each output")
@click.option("--beta", type=float, required=True, help="Weight of the regulariser, > 0.")
@click.option("--free-bias", is_flag=True, help="The biases of the network are not penalised.")
@loss_option
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Accuracy of the lower bound.")
@click.option("--max-time", type=float, default=None, help="Seconds; the bound proved by then holds.")
@click.option("--gap", type=float, default=None, help="A claim: its gap is at most this; exit code 1 if that is not proved.")
@output_norm_option
def certify(
    file: Path,
    network: Path,
    rows: str | None,
    values: Values | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    beta: float,
    free_bias: bool,
    loss: str,
    tol: float,
    max_time: float | None,
    gap: float | None,
    output_norm: str,
) -> None:
    """Say how far NETWORK (JSON, as `topes train` writes it) is from the global optimum on FILE.

    \b
    Examples:
      topes certify penguins.csv network.json --target body_mass --beta 1000
      topes certify penguins.csv network.json --target body_mass --beta 1000 --gap 0.01
    """
    if gap is not None and not gap >= 0.0:
        raise InputError(f"--gap must be a number >= 0, got {gap}")
    X, y, read_as = load_samples(file, values, rows, targets)
    judged = load_network(network, X, file, y)
    hint_at_free_bias(judged, network, free_bias)
    with TrainingLine("certifying", tol, max_time) as line:
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
            callback=line,
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
    met = gap is None or found.gap <= gap
    report(facts, as_json, met=met, unmet=f"the gap {found.gap:.10g} is above --gap {gap}")
