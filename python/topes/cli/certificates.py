"""`topes verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._support.exact_input import as_floats
from ..errors import InputError
from ..verify import verify as verify_certificate
from ._common import FAILED, load_rows, report

__all__ = ["verify"]


@click.command()
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
        data, targets, _ = load_rows(file, None, rows, target, bias=False)
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
