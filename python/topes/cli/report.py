"""`topes report`: one page about the cells of a data file."""

from __future__ import annotations

from pathlib import Path

import click

from .._support.exact_input import Values
from ..report import report as make_report
from ._common import data_options, finish, load_rows, show_progress, target_option
from ._words import in_words_of_the_command

__all__ = ["report"]


@click.command()
@data_options
@target_option("Column to leave out")
@click.option("--bias", is_flag=True, help="Append a column of ones.")
@click.option("--eps", type=float, default=0.05, show_default=True, help="Probability to miss a cell, Theorem III.2.")
@click.option("--max-time", type=float, default=20.0, show_default=True, help="Seconds, about.")
def report(
    file: Path,
    rows: str | None,
    values: Values | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    bias: bool,
    eps: float,
    max_time: float,
) -> None:
    """Say on one page what the cells of FILE are like, and what sampling or training over all of them would take.

    \b
    Example:
      topes report penguins.csv --target body_mass --max-time 5
    """
    X, _, read_as = load_rows(file, values, rows, targets, bias=False)
    found = make_report(
        X,
        bias="penalized" if bias else False,
        values=read_as,
        eps=eps,
        max_time=max_time,
        n_threads=threads,
        progress=show_progress(),
    )
    if not as_json:
        click.echo(f"{file}\n\n{in_words_of_the_command(str(found))}")
    finish({"file": str(file), **found.to_dict()}, as_json)
