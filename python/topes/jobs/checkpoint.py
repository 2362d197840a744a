"""A file that a run adds to and another run can take up: one line a share, each with a checksum.

Lines are only ever added. What a stop in the middle of a line leaves behind is seen by its checksum and dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import FileFormatError, InputError

__all__ = ["Checkpoint", "read_checkpoint"]

_FORMAT = "topes shares 1"
_SECONDS_BETWEEN_SYNCS = 1.0
_WHAT = {
    "arrangement": "other rows, or the same in another order",
    "job": "another kind of job",
    "settings": "other settings",
    "plan": "a plan that another version of topes made",
}


class Checkpoint:
    """The results of shares, on disk.

    Parameters
    ----------
    path : Path
        Made where it is not there.
    problem : dict
        What the results belong to, each entry a name and a value that JSON keeps.

    Attributes
    ----------
    records : dict
        Results by share, as JSON gives them back.

    Raises
    ------
    FileFormatError
        The file is no checkpoint; it is left as it is.
    InputError
        It belongs to another problem, or another process adds to it; it is left as it is.
    """

    def __init__(self, path: Path, problem: dict[str, Any]) -> None:
        self.path = path
        self.records: dict[int, Any] = {}
        self._synced = time.monotonic()
        if not path.parent.is_dir():
            raise InputError(f"checkpoint must lie in an existing directory, got {str(path)!r}")
        if path.is_dir():
            raise InputError(f"checkpoint must be a file, got the directory {str(path)!r}")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
            self._take_up(_line({"format": _FORMAT, **problem}), problem)
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self) -> None:
        # Locks of the process: a worker that was forked and outlives us does not hold them. A guard against mistakes, no
        # more: it ends early where this process itself opens and closes the file once more, as `open_patterns` does.
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"checkpoint {str(self.path)!r} is in use by another process") from None
        except OSError:
            pass  # a file system without locks

    def _take_up(self, header: bytes, problem: dict[str, Any]) -> None:
        text = self._read()
        if header.startswith(text) and text != header:  # new, or stopped in its first line
            os.ftruncate(self._file, 0)
            self._write(header)
            return
        found, self.records = _read_all(self.path, text)
        for name, value in problem.items():
            if found.get(name) != value:
                raise InputError(
                    f"checkpoint {str(self.path)!r} belongs to another problem: {_WHAT.get(name, f'another {name}')}"
                )
        os.ftruncate(self._file, text.rindex(b"\n") + 1)  # a line without end was being written

    def _read(self) -> bytes:
        # Through the one descriptor: to close another one would give up the lock.
        text = bytearray()
        while part := os.pread(self._file, 1 << 24, len(text)):
            text += part
        return bytes(text)

    def add(self, share: int, result: Any) -> None:
        """Write a result. What cannot be written whole leaves no trace."""
        self._write(_line([share, result]))
        self.records[share] = result

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except BaseException as error:
            os.ftruncate(self._file, before)
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(self.path)) from None
            raise
        if time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS:
            self.sync()

    def sync(self) -> None:
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[int, Any]]:
    """What a checkpoint belongs to, and its records; the file is only read.

    Raises
    ------
    FileFormatError
        The file is no checkpoint.
    """
    return _read_all(path, path.read_bytes())


def _read_all(path: Path, text: bytes) -> tuple[dict[str, Any], dict[int, Any]]:
    first, *others = text.split(b"\n")
    header = _body(first)
    if not isinstance(header, dict) or header.get("format") != _FORMAT or not others:
        raise FileFormatError(f"{str(path)!r} is not a checkpoint of shares")
    records = {}
    for line in others[:-1]:
        record = _body(line)
        if isinstance(record, list):  # else a line that the disk lost: its share is walked again
            records[record[0]] = record[1]
    return header, records


def _line(body: Any) -> bytes:
    text = json.dumps(body, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _body(line: bytes) -> Any:
    """What a line holds, None where its checksum does not fit."""
    text = line[9:]
    if line[:9] != b"%08x " % zlib.crc32(text):
        return None
    return json.loads(text)
