"""Where executors come from: one that is given, or as many as are needed from a function that makes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeAlias

from .._support.limits import check_count
from ..errors import InputError

__all__ = ["ExecutorLike", "Supply", "supply"]

ExecutorLike: TypeAlias = Executor | Callable[[], Executor]


class Supply:
    """An executor, and another one where it breaks and we made it. An executor that was given is never shut down."""

    def __init__(self, executor: ExecutorLike) -> None:
        given = not isinstance(executor, type) and hasattr(executor, "submit")
        if not given and not callable(executor):
            raise InputError(f"executor must be a concurrent.futures.Executor or make one, got {executor!r}")
        self._make: Callable[[], Executor] | None = None if given else executor  # type: ignore[assignment]
        self._now: Executor | None = executor if given else None  # type: ignore[assignment]

    @property
    def renews(self) -> bool:
        return self._make is not None

    def get(self) -> Executor:
        if self._now is None:
            assert self._make is not None
            made = self._make()
            if not hasattr(made, "submit"):
                raise InputError(f"executor must make a concurrent.futures.Executor, got {made!r}")
            self._now = made
        return self._now

    def drop(self) -> None:
        """Shut down what we made, without waiting: a broken one, or one that is no longer needed."""
        if self._make is not None and self._now is not None:
            self._now.shutdown(wait=False, cancel_futures=True)
            self._now = None

    def end(self) -> None:
        """Shut down what we made, its workers gone."""
        if self._make is not None and self._now is not None:
            self._now.shutdown(wait=True)
            self._now = None


def supply(executor: ExecutorLike | None, n_threads: int | None) -> Supply:
    """The executor asked for; without one, threads of this process: the walk does not hold the interpreter's lock."""
    if executor is not None:
        if n_threads is not None:
            raise InputError(f"n_threads must be left out where there is an executor, got {n_threads!r}")
        return Supply(executor)
    if n_threads is not None:
        check_count(n_threads, "n_threads", 1)
    return Supply(lambda: ThreadPoolExecutor(n_threads or os.cpu_count() or 1, thread_name_prefix="topes"))
