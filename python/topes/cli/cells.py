"""`topes count` and `topes cells`: the arrangement of the rows of a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values
from ..arrangement import Arrangement
from ..errors import InputError
from ._shared import cli, file_options, load, report, show_progress

__all__ = ["cells", "count"]


def _facts(A: Arrangement, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "n": A.n,
        "dimension": A.dimension,
        "rank": A.rank,
        "distinct_hyperplanes": A.n_hyperplanes,
        "most_cells": A.bound(),
    }


@cli.command()
@file_options
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
    X, _, read_as = load(file, values, rows, target, bias)
    A = Arrangement(X, values=read_as)
    facts = _facts(A, file)
    start = time.perf_counter()
    if estimate:
        facts["estimated_cells"], facts["standard_error"] = A.estimate_count(rng=0)
    else:
        facts["cells"], counters = A.count_with_counters(threads, show_progress(), max_cells)
        facts["exact_fallbacks"] = counters["exact_signs"]
    facts["seconds"] = round(time.perf_counter() - start, 4)
    report(facts, as_json)


@cli.command()
@file_options
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
    X, _, read_as = load(file, values, rows, target, bias)
    A = Arrangement(X, values=read_as)
    start = time.perf_counter()
    n_cells = A.save_patterns(output, packed=packed, n_threads=threads, progress=show_progress(), max_cells=max_cells)
    facts = {**_facts(A, file), "cells": n_cells, "output": str(output)}
    facts["bytes"] = output.stat().st_size
    facts["seconds"] = round(time.perf_counter() - start, 4)
    report(facts, as_json)
