"""`topes path`."""

from __future__ import annotations

from pathlib import Path

import click

from .._support.exact_input import Values
from ..errors import InputError
from ..models import path as solve_path
from ..result import Status
from ._common import data_options, finish, load_samples, target_option
from ._progress import PathLine
from ._training import (
    activation_of,
    activation_option,
    bias_option,
    loss_option,
    output_norm_option,
    tolerance_option,
)

__all__ = ["path"]

_LEAST = 0.001


@click.command()
@data_options
@target_option("Column to predict, once for each output")
@click.option("--betas", default="20", show_default=True, help="So many of them, or the values: 1,0.1,0.01.")
@click.option("--least", type=float, default=None, help=f"Where the path ends, as a share of its start; default {_LEAST}.")
@bias_option
@loss_option
@activation_option
@tolerance_option
@click.option("--max-time", type=float, default=None, help="Seconds for each beta; bounds proved by then are kept.")
@output_norm_option
def path(
    file: Path,
    rows: str | None,
    values: Values | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    betas: str,
    least: float | None,
    bias: str | None,
    loss: str,
    activation: str,
    tol: float,
    max_time: float | None,
    output_norm: str,
) -> None:
    """Train for a sequence of beta, from the least at which the optimal network is empty on downwards.

    Exit code 1 if the gap is not as small as --tol asks at one of them.

    \b
    Example:
      topes path penguins.csv --target body_mass --rows 0:60 --betas 5
    """
    chosen = _betas(betas)
    if least is not None and not isinstance(chosen, int):
        raise InputError(f"--least is for a count of --betas, not for values of them, got {betas}")
    X, y, read_as = load_samples(file, values, rows, targets)
    with PathLine(chosen if isinstance(chosen, int) else len(chosen)) as line:
        solutions = solve_path(
            X,
            y,
            chosen,
            least=_LEAST if least is None else least,
            loss=loss,
            activation=activation_of(activation),
            bias=bias or False,
            values=read_as,
            tol=tol,
            max_time=max_time,
            n_threads=threads,
            output_norm=float(output_norm),
            callback=line,
        )
    weights = [s.problem.beta for s in solutions if s.problem is not None]
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
        for beta, s in zip(weights, solutions, strict=True)
    ]
    facts = {"file": str(file), "n": len(X), "outputs": y[:1].size, "loss": loss, "path": steps}
    facts["seconds"] = round(sum(sum(s.seconds.values()) for s in solutions), 4)
    if not as_json:
        click.echo(f"{'beta':>14} {'objective':>14} {'gap':>9} {'neurons':>7}  status")
        for beta, s in zip(weights, solutions, strict=True):
            click.echo(f"{beta:>14.8g} {s.objective + 0.0:>14.8g} {s.gap:>9.1e} {s.n_neurons:>7}  {s.status.value}")
    finish(facts, as_json, met=all(s.status is Status.CERTIFIED for s in solutions))


def _betas(text: str) -> int | list[float]:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--betas must be a count or numbers with commas between them, got {text!r}") from None
