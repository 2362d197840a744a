"""`topes count`, `topes cells`."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values
from .._support.limits import check_count
from ..arrangement import Arrangement
from ..errors import InputError
from ._common import file_options, load_rows, report, show_progress, target_option
from ._output import check_outputs, force_option

__all__ = ["cells", "count"]

_workers = click.option("--workers", type=int, default=None, help="Processes instead of threads; one that dies is replaced.")


@click.command()
@file_options
@target_option("Column to leave out, once for each")
@click.option("--bias", is_flag=True, help="Append a column of ones.")
@click.option("--estimate", is_flag=True, help="Estimate instead, by random descents.")
@_workers
@click.option("--checkpoint", type=click.Path(path_type=Path), default=None, help="Add to this file, and go on from it.")
def count(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    targets: tuple[str, ...],
    bias: bool,
    estimate: bool,
    workers: int | None,
    checkpoint: Path | None,
) -> None:
    """Count the cells of the arrangement of the rows of FILE, exactly.

    \b
    Examples:
      topes count penguins.csv --columns bill_length,bill_depth,flipper_length
      topes count blood.csv --drop donated --bias --estimate
    """
    if estimate and any(option is not None for option in (workers, checkpoint, max_cells)):
        raise InputError(
            "--estimate takes no --workers, no --checkpoint and no --max-cells: it does not go through the cells"
        )
    _check_workers(workers, threads)
    check_outputs([checkpoint], True, [file], in_place=True)  # one that is there is gone on from, never replaced
    X, _, read_as = load_rows(file, values, rows, targets, bias)
    A = Arrangement(X, values=read_as)
    facts = _facts(A, file)
    start = time.perf_counter()
    if estimate:
        facts["estimated_cells"], facts["standard_error"] = A.estimate_count(rng=0)
    else:
        facts["cells"], counters = A.count_with_counters(
            threads, show_progress(), max_cells, executor=_pool(workers), checkpoint=checkpoint
        )
        facts["exact_fallbacks"] = counters["exact_signs"]
    facts["seconds"] = round(time.perf_counter() - start, 4)
    report(facts, as_json)


@click.command()
@file_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The .npy file to write.")
@target_option("Column to leave out, once for each")
@click.option("--bias", is_flag=True, help="Append a column of ones.")
@click.option("--packed", is_flag=True, help="Eight rows of FILE to a byte, lowest bit first.")
@force_option
@_workers
@click.option("--resume", is_flag=True, help="Let the output grow in its place, and go on with what a stopped run left.")
def cells(
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    output: Path,
    targets: tuple[str, ...],
    bias: bool,
    packed: bool,
    force: bool,
    workers: int | None,
    resume: bool,
) -> None:
    """Write the pattern of every cell to an .npy file, one row each, in bounded memory.

    \b
    Example:
      topes cells penguins.csv --rows 0:60 --drop body_mass -o patterns.npy
    """
    if output.suffix.lower() != ".npy":
        raise InputError(f"--output must end in .npy, got {output}")
    _check_workers(workers, threads)
    check_outputs([output], force or resume, [file], in_place=resume)
    X, _, read_as = load_rows(file, values, rows, targets, bias)
    A = Arrangement(X, values=read_as)
    start = time.perf_counter()
    n_cells = A.save_patterns(
        output,
        packed=packed,
        n_threads=threads,
        progress=show_progress(),
        max_cells=max_cells,
        executor=_pool(workers),
        resume=resume,
    )
    facts = {**_facts(A, file), "cells": n_cells, "output": str(output)}
    facts["bytes"] = output.stat().st_size
    facts["seconds"] = round(time.perf_counter() - start, 4)
    report(facts, as_json)


def _check_workers(workers: int | None, threads: int | None) -> None:
    if workers is not None:
        check_count(workers, "--workers", 1)
    if workers is not None and threads is not None:
        raise InputError("--threads and --workers exclude each other: processes are in place of threads")


def _pool(workers: int | None) -> Callable[[], Executor] | None:
    """Makes pools of so many processes; None where none are asked for."""
    if workers is None:
        return None
    deaf = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}  # Ctrl-C is for the main process
    return partial(ProcessPoolExecutor, workers, **deaf)


def _facts(A: Arrangement, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "n": A.n,
        "dimension": A.dimension,
        "rank": A.rank,
        "distinct_hyperplanes": A.n_hyperplanes,
        "most_cells": A.bound(),
    }
