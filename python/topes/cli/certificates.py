"""`topes verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import as_floats
from ..errors import InputError
from ..verify import verify as verify_certificate
from ._common import (
    check_readable,
    is_reading_chosen,
    json_option,
    load_samples,
    quiet_option,
    reading_options,
    report,
    target_option,
)
from ._progress import clock

__all__ = ["verify"]


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@target_option("Column of FILE that the network predicts, once for each output")
@click.option("--rows", default=None, metavar="A:B", help="Rows A to B - 1 of FILE only, counted from 0.")
@reading_options
@json_option
@quiet_option
def verify(certificate: Path, file: Path | None, targets: tuple[str, ...], rows: str | None, as_json: bool) -> None:
    """Check CERTIFICATE, which `topes train --certificate` wrote, without any of the solver's code.

    With FILE, also that it is about these data. Exit code 0 if every claim is proved, else 1.

    \b
    Examples:
      topes verify proof.npz
      topes verify proof.npz penguins.csv --target body_mass
    """
    X, y = None, None
    check_readable(certificate)
    if file is not None:
        data, y, _ = load_samples(file, None, rows, targets)
        X = as_floats(data)
    elif targets or rows is not None or is_reading_chosen():
        raise InputError("--target, --rows, --columns, --drop, --header are for a FILE of data, and none is given")
    with clock("verifying"):
        found = verify_certificate(certificate, X, y)
    facts: dict[str, Any] = {"certificate": str(certificate), "valid": found.valid}
    if file is not None:
        facts = {"file": str(file), **facts}
    if found.valid:
        facts |= {"objective_upper": found.objective_upper, "lower_bound": found.lower_bound, "gap": found.gap}
        facts |= {"residual": found.residual} if found.residual else {}
        facts["cones"] = found.n_cones
    else:
        facts["reason"] = found.reason
    facts["seconds"] = round(found.seconds, 4)
    report(facts, as_json, met=found.valid)
