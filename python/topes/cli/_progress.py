"""One line on standard error, over itself, while a command works; only on a terminal, never with --json or --quiet."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from ..result import Round, Solution

__all__ = ["QUIET", "PathLine", "TrainingLine", "clock", "show_progress"]

QUIET = "topes.quiet"
_SECONDS_BETWEEN_LINES, _TICK = 0.2, 1.0


def show_progress() -> bool:
    """Whether the command that runs shows progress."""
    context = click.get_current_context()
    return sys.stderr.isatty() and not context.params.get("as_json") and not context.meta.get(QUIET)


_Self = TypeVar("_Self", bound="_Line")


class _Line:
    """Does nothing unless `show_progress`; erased at the end."""

    def __init__(self) -> None:
        self._shown = show_progress()
        self._start = time.monotonic()
        self._last = -math.inf
        self._width = 0

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def write(self, text: str) -> None:
        if self._shown and time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(text))

    def left(self, done: float, max_time: float | None = None) -> str:
        """What is left if the rest goes as fast as the share that is done, and at most."""
        most = math.inf if max_time is None else max(0.0, max_time - self.seconds)
        about = self.seconds * (1.0 - done) / done if 0.05 < done < 1.0 else math.inf
        if min(about, most) == math.inf:
            return ""
        return f", about {about:.0f} s left" if about < most else f", at most {most:.0f} s left"


class TrainingLine(_Line):
    """The callback of training: gaps fall by the same factor in the same time, more or less."""

    def __init__(self, label: str, tol: float, max_time: float | None = None) -> None:
        super().__init__()
        self._label, self._tol, self._max_time = label, tol, max_time
        self._first: float | None = None

    def __call__(self, state: Round) -> None:
        if self._first is None and 0.0 < state.gap < math.inf:
            self._first = state.gap
        done = 0.0
        if self._first is not None and self._first > self._tol > 0.0 and state.gap > 0.0:
            done = math.log(self._first / state.gap) / math.log(self._first / self._tol)
        left = self.left(done, self._max_time)
        self.write(f"{self._label}: gap {state.gap:.1e} of {self._tol:.0e}, {state.n_faces} faces{left}")


class PathLine(_Line):
    """The callback of a path: so many beta are done."""

    def __init__(self, n_betas: int) -> None:
        super().__init__()
        self._n = n_betas
        self._done = 0

    def __call__(self, solution: Solution) -> None:
        self._done += 1
        self.write(f"path: {self._done} of {self._n} beta, {solution.n_neurons} neurons{self.left(self._done / self._n)}")


@contextmanager
def clock(label: str, max_time: float | None = None) -> Iterator[None]:
    """Seconds since the start, for work that does not tell how far it is; with a limit, how many are left at most."""
    with _Line() as line:
        stop = threading.Event()

        def tick() -> None:
            while not stop.wait(_TICK):
                left = "" if max_time is None else f", at most {max(0.0, max_time - line.seconds):.0f} s left"
                line.write(f"{label}: {line.seconds:.0f} s{left}")

        thread = threading.Thread(target=tick, daemon=True)
        if show_progress():
            thread.start()
        try:
            yield
        finally:
            stop.set()
            if thread.ident is not None:
                thread.join()
