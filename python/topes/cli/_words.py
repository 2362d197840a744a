"""What the library says, in words of the command line: options for its arguments, commands for its functions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

__all__ = ["in_words_of_the_command", "say", "spoken_warnings"]

# Of an argument check: its subject, at the start of the message.
_SUBJECTS = {
    "n_threads": "--threads",
    "X": "the data",
    "y": "the target",
    **{name: f"--{name}" for name in ("activation", "beta", "betas", "bias", "eps", "labels", "least", "loss", "tol")},
    **{name: f"--{name.replace('_', '-')}" for name in ("max_cells", "max_time", "output_norm", "zero_tol")},
}
_SUBJECT = re.compile(rf"^({'|'.join(_SUBJECTS)})(?= (?:must|can|has)\b)")
# Of other messages: what names arguments, functions or objects of Python.
_PHRASES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^y\[(\d+)\] is ", r"the target in row \1 is "),
        (r"^y\[(\d+), (\d+)\] is ", r"target \2 in row \1 is "),
        (r"^X\[(\d+), (\d+)\] is ", r"the number in row \1, column \2 of the data is "),
        (r"; [Xy] must lie within it here, ", ", "),
        (r"^the data has ", "the data have "),
        (r"^Arrangement\(n=[^)]*\) has ", "the data have "),
        (r"\bmax_cells = (\d+) cells", r"--max-cells \1 cells"),
        (r"estimate_count\(\) estimates them", "`topes count --estimate` estimates them"),
        (r"([Gg])ive fewer samples, patterns= or a larger max_cells", r"\1ive fewer --rows, or a larger --max-cells"),
        (r"Stream them with cells\(.*raise max_bytes", "`topes cells` writes them to disk, `topes count` counts them"),
        (r"packed=True takes an eighth", "--packed takes an eighth"),
        (r"\bresume=True\b", "--resume"),
        (r"^path '(.*)' is there, but '(.*)' beside it", r"\1 is there, but \2 beside it"),
        (r"remove it, or leave out resume", "remove it, or give --force in place of --resume"),
        (r"\boutput_norm=(\d)", r"--output-norm \1"),
        (
            r"Use fewer features, or train_low_rank, whose lower bound holds at any rank",
            "Use fewer --columns; `topes certify` bounds the gap of a network of one output at any rank",
        ),
        (
            r"`train_low_rank` gives a network and a lower bound, with a gap",
            "`topes certify` bounds the gap of a network of one output",
        ),
        (
            r"give max_time, use train_low_rank, or see pricing_cost for a closer prediction",
            "give --max-time, use fewer --columns, or see `topes report` for a closer prediction",
        ),
    )
)


def in_words_of_the_command(message: str) -> str:
    """A message of the library for whoever typed options; one that names none of its arguments stays as it is."""
    message = _SUBJECT.sub(lambda found: _SUBJECTS[found[1]], message)
    for pattern, words in _PHRASES:
        message = pattern.sub(words, message)
    return message


def say(message: str) -> None:
    """One line on standard error."""
    click.echo(f"topes: {' '.join(message.split())}", err=True)


@contextmanager
def spoken_warnings() -> Iterator[None]:
    """Warnings as one line of this kind, not with the line of Python that gave them."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        say(in_words_of_the_command(str(message)))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
