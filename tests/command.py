"""The command `topes`, run in this process."""

from __future__ import annotations

from typing import Any

from topes import cli

TABLE = "a,b,y\n0.1,0.3,1\n0.3,0.9,-1\n1,0,1\n"  # the first two rows are parallel as decimals, not as doubles


def run(*arguments: Any) -> int:
    """Exit code."""
    try:
        cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def refused(capsys: Any, *arguments: Any) -> str:
    """The one line that a refused command says."""
    assert run(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("topes: ")
    assert shown.err.count("\n") == 1
    return str(shown.err)
