"""The progress of a long walk as one line on standard error, with an estimate of what is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

import numpy as np

from ..errors import InputError

ProgressCallback = Callable[[float, int], None]

_SECONDS_BETWEEN_LINES = 0.2


class ProgressLine:
    """Writes ``label: 42 %, 1,234,567 cells, 3 s left`` over itself; erased by `close`."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._start = self._last = time.monotonic()
        self._width = 0
        self._first: float | None = None  # not 0 where a checkpoint is taken up: what was done before tells no speed

    def __call__(self, fraction: float, n_cells: int) -> None:
        """Show the share of the work done (0 to 1) and the cells found so far, at most five times a second."""
        now = time.monotonic()
        if self._first is None:
            self._first = fraction
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        line = f"{self._label}: {100 * fraction:.0f} %, {n_cells:,} cells"
        if fraction > self._first:
            line += f", {(now - self._start) * (1 - fraction) / (fraction - self._first):.0f} s left"
        self._write(line)

    def close(self) -> None:
        """Erase the line."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = max(self._width, len(line))


class progress_callback:
    """Context that turns the `progress` argument of a public function into what the core calls, or None."""

    def __init__(self, progress: bool | ProgressCallback, label: str) -> None:
        self._line: ProgressLine | None = None
        self._callback: ProgressCallback | None = None
        if callable(progress):
            self._callback = progress
        elif not isinstance(progress, (bool, np.bool_)):
            raise InputError(f"progress must be a bool or callable, got {progress!r}")
        elif progress:
            self._line = self._callback = ProgressLine(label)

    def __enter__(self) -> ProgressCallback | None:
        return self._callback

    def __exit__(self, *exc: object) -> None:
        if self._line is not None:
            self._line.close()
