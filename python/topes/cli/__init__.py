"""The command `topes`: count, cells, report, train, certify, stationarity, path, verify, plot."""

from __future__ import annotations

import click

from .. import __version__
from ..errors import InputError, TopesError
from ._common import BAD_INPUT, FAILED, INTERRUPTED, fail
from .cells import cells, count
from .certificates import verify
from .networks import certify, path, train
from .plot import plot
from .report import report
from .stationarity import stationarity

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="topes")
def cli() -> None:
    """Exact cells of hyperplane arrangements, and two-layer networks at their global optimum.

    FILE is text (comma, semicolon, tab or blanks; a header or none) or .npy; its rows are the data.
    """


for command in (count, cells, report, train, certify, stationarity, path, verify, plot):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; bad input ends it with one line and exit code 2, a failure with 1, Ctrl-C with 130."""
    try:
        cli.main(args=arguments, prog_name="topes", standalone_mode=False)
    except click.exceptions.Exit as stop:
        raise SystemExit(stop.exit_code) from None
    except click.ClickException as error:
        fail(error.format_message(), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", INTERRUPTED)
    except InputError as error:
        fail(str(error), BAD_INPUT)
    except (TopesError, OSError, MemoryError) as error:
        fail(str(error), FAILED)
