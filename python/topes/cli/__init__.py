"""The command `topes`: count, cells, report, train, certify, stationarity, path, verify, plot, completion."""

from __future__ import annotations

import os
import sys

import click

from .. import __version__
from ..errors import InputError, TopesError
from ._common import BAD_INPUT, INTERRUPTED, NOT_MET, fail
from ._words import in_words_of_the_command, spoken_warnings
from .cells import cells, count
from .certificates import verify
from .certify import certify
from .completion import completion
from .path import path
from .plot import plot
from .report import report
from .stationarity import stationarity
from .train import train

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="topes")
@click.pass_context
def cli(context: click.Context) -> None:
    """Exact cells of hyperplane arrangements, and two-layer networks at their global optimum.

    FILE holds the data, a row for each sample:

    \b
    text       commas, semicolons, tabs or blanks between the cells; a header or none; # before a comment
    .npy       an array of two axes
    .npz       the array X, or the only one; an array y is the targets: --target y, or no --target
    .parquet   needs pyarrow: pip install 'topes[parquet]'

    All columns but the targets are data; --columns and --drop choose others.

    \b
    Exit codes:
      0    done, and proved where there is something to prove
      1    a gap, a claim or a limit (of cells, memory) was not met
      2    bad input, or a file that cannot be read or written
      130  interrupted
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        raise SystemExit(BAD_INPUT)


_SHORTLY = {
    count: "The number of cells, exactly.",
    cells: "The pattern of every cell, to an .npy file.",
    report: "One page about the cells of a table.",
    train: "A network at its certified global optimum.",
    certify: "How far a network is from the optimum.",
    stationarity: "What kind of point a network is.",
    path: "Optima for a sequence of beta.",
    verify: "Check a certificate that train wrote.",
    plot: "Pictures of data, networks and paths.",
    completion: "Completion for bash, zsh and fish.",
}
for command, shortly in _SHORTLY.items():
    command.short_help = shortly
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; anything but success ends it with one line on standard error and an exit code as in its help."""
    try:
        with spoken_warnings():
            cli.main(args=arguments, prog_name="topes", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        fail(error.format_message(), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(NOT_MET) from None
    except InputError as error:
        fail(in_words_of_the_command(str(error)), BAD_INPUT)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error), BAD_INPUT)
    except MemoryError as error:
        fail(in_words_of_the_command(str(error)) or "out of memory", NOT_MET)
    except TopesError as error:
        fail(in_words_of_the_command(str(error)), NOT_MET)
