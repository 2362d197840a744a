"""`topes plot`: pictures of data, of networks and of the regularisation path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from ..arrangement import Arrangement
from ..errors import CellLimitError, InputError
from ..losses import loss_names
from ..models import path as solve_path
from ..network import TwoLayerNetwork
from ..plotting import (
    arrangement_plane,
    arrangement_sphere,
    fitted_function,
    neurons,
    regularization_path,
    solid_angle_histogram,
    zonotope,
)
from ..plotting._canvas import save_figure
from ..solid_angle import solid_angle_summary
from ._common import as_data, file_options, load_network, load_samples, load_table, report, show_progress, target_option
from ._output import check_outputs, check_picture, force_option
from ._progress import PathLine
from ._tables import Table

__all__ = ["plot"]

# Which options a kind takes beside those that all take; those it needs.
_TAKES = {
    "arrangement": {"bias", "labels", "max_cells"},
    "zonotope": {"bias", "max_cells"},
    "angles": {"bias", "max_cells"},
    "fit": {"network"},
    "neurons": {"network"},
    "path": {"bias", "betas", "loss"},
}
_NEEDS = {"fit": ("network", "targets"), "neurons": ("network",), "path": ("targets",)}
_DEFAULT_BETAS = 20


@click.command()
@click.argument("kind", type=click.Choice(list(_TAKES)))
@file_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The picture: .png, .pdf, .svg.")
@force_option
@click.option("--dpi", type=click.IntRange(20, 1200), default=150, show_default=True, help="Dots an inch, of a .png.")
@target_option("Column to leave out, or that fit and path predict")
@click.option(
    "--bias",
    is_flag=False,
    flag_value="penalized",
    default=None,
    type=click.Choice(["penalized", "free"]),
    help="Append a column of ones; of path, the bias of its networks.",
)
@click.option("--network", type=click.Path(path_type=Path), default=None, help="Of fit and neurons: JSON by `topes train`.")
@click.option("--labels", is_flag=True, default=None, help="Of arrangement at rank 2: number the lines by their rows.")
@click.option("--betas", type=int, default=None, help=f"Of path: how many; default {_DEFAULT_BETAS}.")
@click.option("--loss", type=click.Choice(loss_names()), default=None, help="Of path; default squared.")
def plot(
    kind: str,
    file: Path,
    rows: str | None,
    values: Values | None,
    max_cells: int | None,
    threads: int | None,
    as_json: bool,
    output: Path,
    force: bool,
    dpi: int,
    targets: tuple[str, ...],
    bias: str | None,
    network: Path | None,
    labels: bool | None,
    betas: int | None,
    loss: str | None,
) -> None:
    """Draw a picture of the rows of FILE.

    \b
    arrangement  the cells: lines in the plane at rank 2, great circles at rank 3
    zonotope     its boundary, at rank 2 and 3
    angles       a histogram of the solid angles, at any rank
    fit          the function of a network of one or two inputs
    neurons      the neurons of a network and their patterns
    path         networks trained for many beta

    \b
    Examples:
      topes plot arrangement ecg_lags.csv --drop now --rows 300:312 -o cells.png
      topes plot angles penguins.csv --target body_mass -o angles.pdf
      topes plot fit penguins.csv --columns bill_length,bill_depth --target body_mass --network small.json -o fit.png
      topes plot path penguins.csv --target body_mass --bias --rows 0:50 --betas 5 -o path.svg
    """
    given = {"bias": bias, "network": network, "labels": labels, "betas": betas, "loss": loss, "max_cells": max_cells}
    _check_options(kind, {**given, "targets": targets or None})
    check_picture(output)
    check_outputs([output], force, [file, network])
    facts: dict[str, Any] = {"file": str(file), "kind": kind}
    if kind == "path":
        X, y, read_as = load_samples(file, values, rows, targets)
        shared: dict[str, Any] = {"bias": bias or False, "values": read_as, "n_threads": threads, "loss": loss or "squared"}
        n_betas = _DEFAULT_BETAS if betas is None else betas
        with PathLine(n_betas) as line:
            found = solve_path(X, y, n_betas, callback=line, **shared)
        figure = regularization_path(found)[0].figure
        facts |= {"betas": len(found), "greatest_gap": max(s.gap for s in found)}
    elif network is not None:
        table = load_table(file, values, rows, targets)
        figure, more = _of_network(kind, load_network(network, table.data, file), table)
        facts |= {"network": str(network), **more}
    else:
        table = load_table(file, values, rows, targets)
        A = Arrangement(as_data(table, bias is not None), values=values or "binary")
        facts |= {"n": A.n, "rank": A.rank}
        if kind == "angles":
            progress = show_progress()
            summary = solid_angle_summary(A, n_threads=threads, max_cells=max_cells, progress=progress)
            figure = solid_angle_histogram(summary).figure
            facts |= {"cells": summary.n_cells, "least_angle": summary.least.angle}
        else:
            names = _named(table.names) + (["ones"] if bias else [])
            try:
                figure = _of_cells(kind, A, file, names, bool(labels), max_cells)
            except CellLimitError as error:
                raise CellLimitError(f"{error}; draw fewer --rows, or raise --max-cells", bound=error.bound) from None
            facts["cells"] = A.count(n_threads=threads)
    save_figure(figure, output, dpi)
    report({**facts, "output": str(output)}, as_json)


def _of_cells(kind: str, A: Arrangement, file: Path, names: list[str], labels: bool, max_cells: int | None) -> Any:
    """The figure of an arrangement or a zonotope."""
    if A.rank not in (2, 3):
        raise InputError(f"{kind} needs data of rank 2 or 3, {file} has rank {A.rank}; --target leaves a column out")
    if labels and A.rank != 2:
        raise InputError(f"--labels needs data of rank 2, {file} has rank {A.rank}")
    more: dict[str, Any] = {} if max_cells is None else {"max_cells": max_cells}
    if kind == "zonotope":
        return zonotope(A, names=names, **more).figure
    if A.rank == 2:
        return arrangement_plane(A, labels=labels, **more).figure
    return arrangement_sphere(A, **more).figure


def _of_network(kind: str, network: TwoLayerNetwork, table: Table) -> tuple[Any, dict[str, Any]]:
    """The figure of a network, and what to report."""
    X, y = as_floats(table.data), table.targets
    facts = {"n": len(X), "neurons": network.n_neurons}
    if kind == "neurons":
        return neurons(network, X)[0].figure, facts
    assert y is not None  # _check_options
    if y.ndim != 1:
        raise InputError(f"--target must be one column, got {y.shape[1]}")
    names, (target,) = _named(table.names), _named(table.target_names)
    return fitted_function(network, X, as_floats(y), names=names, target=target).figure, facts


def _named(names: tuple[str, ...]) -> list[str]:
    """What the axes call columns."""
    return [f"column {name}" if name.isdecimal() else name for name in names]


def _check_options(kind: str, given: dict[str, Any]) -> None:
    spelt = {"targets": "--target", "max_cells": "--max-cells"}
    for name in _NEEDS.get(kind, ()):
        if given[name] is None:
            raise InputError(f"{kind} needs {spelt.get(name, f'--{name}')}")
    for name, value in given.items():
        if value is not None and name != "targets" and name not in _TAKES[kind]:
            takers = ", ".join(other for other, takes in _TAKES.items() if name in takes)
            raise InputError(f"{spelt.get(name, f'--{name}')} is an option of {takers}, not of {kind}")
