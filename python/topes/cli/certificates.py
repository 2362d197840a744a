"""`topes verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import as_floats
from ..errors import InputError
from ..verify import verify as verify_certificate
from ._common import FAILED, load_samples, report, target_option

__all__ = ["verify"]


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@target_option("Column of FILE that the network predicts, once for each output")
@click.option("--rows", default=None, metavar="A:B", help="Rows A to B - 1 of FILE only, counted from 0.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the report.")
def verify(certificate: Path, file: Path | None, targets: tuple[str, ...], rows: str | None, as_json: bool) -> None:
    """Check CERTIFICATE, which `topes train --certificate` wrote, without any of the solver's code.

    With FILE, also that it is about these data. Exit code 0 if every claim is proved, else 1.
    """
    X, y = None, None
    if file is not None:
        if not targets:
            raise InputError(f"--target must name the column of {file} that the network predicts")
        data, y, _ = load_samples(file, None, rows, targets)
        X = as_floats(data)
    elif targets or rows is not None:
        raise InputError("--target and --rows are for a FILE of data, and none is given")
    found = verify_certificate(certificate, X, y)
    facts: dict[str, Any] = {"certificate": str(certificate), "valid": found.valid}
    if found.valid:
        facts |= {"objective_upper": found.objective_upper, "lower_bound": found.lower_bound, "gap": found.gap}
        facts |= {"residual": found.residual} if found.residual else {}
        facts["cones"] = found.n_cones
    else:
        facts["reason"] = found.reason
    facts["seconds"] = round(found.seconds, 4)
    report(facts, as_json)
    if not found.valid:
        raise SystemExit(FAILED)
