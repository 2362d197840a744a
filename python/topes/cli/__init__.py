"""The command `topes`: count, cells, train, certify, stationarity, verify; one file for each group of commands."""

from __future__ import annotations

import click

from ..errors import InputError, TopesError
from . import cells, judging, training  # each adds its commands
from ._shared import FAILED, cli

__all__ = ["cells", "cli", "judging", "main", "training"]

_BAD_INPUT, _INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command; bad input ends it with one line and exit code 2, a failure with 1, Ctrl-C with 130."""
    try:
        cli.main(args=arguments, prog_name="topes", standalone_mode=False)
    except click.exceptions.Exit as stop:
        raise SystemExit(stop.exit_code) from None
    except click.ClickException as error:
        fail(error.format_message(), _BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", _INTERRUPTED)
    except InputError as error:
        fail(str(error), _BAD_INPUT)
    except (TopesError, OSError, MemoryError) as error:
        fail(str(error), FAILED)


def fail(message: str, code: int) -> None:
    click.echo(f"topes: {' '.join(message.split())}", err=True)
    raise SystemExit(code)
