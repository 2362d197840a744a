"""A file that is there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Any) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` once all of it is written; a full disk or Ctrl-C leaves `path`.

    Parameters
    ----------
    path : path-like
        A link is followed. What is there and no regular file, a pipe or /dev/null, is written to as it is.

    Raises
    ------
    OSError
        The folder is missing, may not be written to, or is full.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    part = target.with_name(f".{target.name[:64]}.{secrets.token_hex(4)}.part")
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
