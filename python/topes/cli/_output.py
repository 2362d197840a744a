"""Files that commands write: checked before the work begins, whole or not there at all, never replaced unasked."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from .._support.files import check_writable
from ..errors import InputError

__all__ = ["check_outputs", "check_picture", "force_option"]

_F = TypeVar("_F", bound=Callable[..., Any])


def force_option(command: _F) -> _F:
    return click.option("--force", is_flag=True, help="Replace what is to be written if it is there.")(command)


def check_outputs(
    outputs: Sequence[Path | None], force: bool, inputs: Sequence[Path | None] = (), *, in_place: bool = False
) -> None:
    """Refuse what could not be written, before anything is computed.

    A file that is written `in_place` must be writable itself where it is there; others are replaced.

    Raises
    ------
    InputError
        A folder, in no folder, there already (unless `force`), named twice, one of the inputs, or not to be written.
    """
    seen: set[Path] = set()
    for output in outputs:
        if output is None:
            continue
        whole = output.resolve()
        if output.is_dir():
            raise InputError(f"{output} is a directory, not a file to write")
        if not output.parent.is_dir():
            raise InputError(f"{output} does not lie in an existing directory")
        if whole in seen:
            raise InputError(f"{output} is to be written twice")
        if any(data is not None and data.resolve() == whole for data in inputs):
            raise InputError(f"{output} is read by this command and cannot be what it writes")
        if output.is_file() and not force:
            raise InputError(f"{output} exists; --force replaces it")
        check_writable(output)
        if in_place and output.exists() and not os.access(output, os.W_OK):
            raise InputError(f"{output} cannot be written: {os.strerror(errno.EACCES)}")
        seen.add(whole)


def check_picture(output: Path, option: str = "--output") -> None:
    """Refuse a picture that matplotlib could not write.

    Raises
    ------
    InputError
        No matplotlib, or no suffix that it knows.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise InputError("pictures need matplotlib: pip install 'topes[plot]'") from None
    known = FigureCanvasBase.get_supported_filetypes()
    if output.suffix.lower().lstrip(".") not in known:
        raise InputError(f"{option} must end in one of {', '.join(f'.{name}' for name in sorted(known))}, got {output}")
