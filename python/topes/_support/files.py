"""A file that is there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputError

__all__ = ["check_writable", "whole_file"]

# What the path is to blame for; anything else, a full disk say, is an OSError.
_BY_PATH = (
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)


@contextmanager
def whole_file(path: Any) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` once all of it is written; a full disk or Ctrl-C leaves `path`.

    Parameters
    ----------
    path : path-like
        A link is followed. What is there and no regular file, a pipe or /dev/null, is written to as it is.

    Raises
    ------
    InputError
        The folder is missing or may not be written to, or `path` is a folder.
    OSError
        The disk is full.
    """
    with _named(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        part = _beside(target)
        try:
            with part.open("xb") as file:
                yield file
            if target.exists():
                part.chmod(target.stat().st_mode & 0o777)
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def check_writable(path: Any) -> None:
    """Find out whether `whole_file` could write there, by making a file beside it; what is there stays as it is.

    Raises
    ------
    InputError, OSError
        As `whole_file` does.
    """
    with _named(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            if not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        part = _beside(target)
        try:
            part.open("xb").close()
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    """Where the file is until it is whole: in the same folder, so that it can take the place at once."""
    return target.with_name(f".{target.name[:64]}.{secrets.token_hex(4)}.part")


@contextmanager
def _named(path: Any) -> Iterator[None]:
    """The system's errors under the name that the caller gave, not that of a part or of what a link leads to."""
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"path must be a path, got {path!r}")
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _BY_PATH:
            raise InputError(f"{os.fspath(path)} cannot be written: {why}") from None
        raise OSError(error.errno, why, os.fspath(path)) from None
