"""`topes plot`: pictures of data, of networks and of the regularisation path."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import click

from .._support.exact_input import Values, as_floats
from .._support.tables import read_table
from ..arrangement import Arrangement
from ..errors import InputError, TopesError
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
from ..solid_angle import solid_angle_summary
from ._common import file_options, load_rows, load_samples, report, show_progress, target_option

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
@click.option("--force", is_flag=True, help="Replace the picture if it is there.")
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
      topes plot arrangement data.csv --target y -o cells.png
      topes plot angles data.csv --target y --bias -o angles.pdf
      topes plot fit data.csv --target y --network network.json -o fit.png
      topes plot path data.csv --target y --bias --betas 30 -o path.svg
    """
    given = {"bias": bias, "network": network, "labels": labels, "betas": betas, "loss": loss, "max_cells": max_cells}
    _check_options(kind, {**given, "targets": targets or None})
    suffix = _checked_output(output, force)
    facts: dict[str, Any] = {"file": str(file), "kind": kind}
    if kind == "path":
        X, y, read_as = load_samples(file, values, rows, targets)
        shared: dict[str, Any] = {"bias": bias or False, "values": read_as, "n_threads": threads, "loss": loss or "squared"}
        found = solve_path(X, y, _DEFAULT_BETAS if betas is None else betas, **shared)
        figure = regularization_path(found)[0].figure
        facts |= {"betas": len(found), "greatest_gap": max(s.gap for s in found)}
    elif network is not None:
        figure, more = _of_network(kind, TwoLayerNetwork.load(network), file, values, rows, targets)
        facts |= {"network": str(network), **more}
    else:
        X, _, read_as = load_rows(file, values, rows, targets, bias is not None)
        A = Arrangement(X, values=read_as)
        facts |= {"n": A.n, "rank": A.rank}
        if kind == "angles":
            progress = show_progress()
            summary = solid_angle_summary(A, n_threads=threads, max_cells=max_cells, progress=progress)
            figure = solid_angle_histogram(summary).figure
            facts |= {"cells": summary.n_cells, "least_angle": summary.least.angle}
        else:
            names = _names(file, values, targets)[0] + (["ones"] if bias else [])
            figure = _of_cells(kind, A, file, names, bool(labels), max_cells)
            facts["cells"] = A.count(n_threads=threads)
    _save(figure, output, suffix, dpi, force)
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


def _of_network(
    kind: str, network: TwoLayerNetwork, file: Path, values: Values | None, rows: str | None, targets: tuple[str, ...]
) -> tuple[Any, dict[str, Any]]:
    """The figure of a network, and what to report."""
    X, y, _ = load_rows(file, values, rows, targets, bias=False)
    facts = {"n": len(X), "neurons": network.n_neurons}
    if kind == "neurons":
        return neurons(network, as_floats(X))[0].figure, facts
    assert y is not None  # _check_options
    if y.ndim != 1:
        raise InputError(f"--target must be one column, got {len(targets)}")
    names, (target,) = _names(file, values, targets)
    return fitted_function(network, as_floats(X), as_floats(y), names=names, target=target).figure, facts


def _names(file: Path, values: Values | None, targets: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What the axes call the columns that are no targets, and the targets."""
    table = read_table(file, values)
    named = [f"column {k}" if name == str(k) else name for k, name in enumerate(table.names)]
    places = [table.index(target) for target in targets]
    return [name for k, name in enumerate(named) if k not in places], [named[k] for k in places]


def _check_options(kind: str, given: dict[str, Any]) -> None:
    spelt = {"targets": "--target", "max_cells": "--max-cells"}
    for name in _NEEDS.get(kind, ()):
        if given[name] is None:
            raise InputError(f"{kind} needs {spelt.get(name, f'--{name}')}")
    for name, value in given.items():
        if value is not None and name != "targets" and name not in _TAKES[kind]:
            takers = ", ".join(other for other, takes in _TAKES.items() if name in takes)
            raise InputError(f"{spelt.get(name, f'--{name}')} is an option of {takers}, not of {kind}")


def _checked_output(output: Path, force: bool) -> str:
    """The format of the picture, once it is clear that it can be written."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise TopesError("pictures need matplotlib: pip install 'topes[plot]'") from None
    suffix = output.suffix.lower().lstrip(".")
    known = FigureCanvasBase.get_supported_filetypes()
    if suffix not in known:
        raise InputError(f"--output must end in one of {', '.join(f'.{name}' for name in sorted(known))}, got {output}")
    if not output.parent.is_dir():
        raise InputError(f"{output} does not lie in an existing directory")
    if output.exists() and not force:
        raise InputError(f"{output} exists; --force replaces it")
    return suffix


def _save(figure: Any, output: Path, suffix: str, dpi: int, force: bool) -> None:
    """Write the picture once all of it is there."""
    picture = io.BytesIO()
    figure.savefig(picture, format=suffix, dpi=dpi)
    try:
        with output.open("wb" if force else "xb") as file:
            file.write(picture.getvalue())
    except FileExistsError:
        raise InputError(f"{output} exists; --force replaces it") from None
