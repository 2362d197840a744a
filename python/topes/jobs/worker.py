"""What runs in a worker: one share of some work. What many shares need is made once a process and kept."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, Protocol

from ..errors import TopesError

__all__ = ["AskedError", "EndedError", "Errand", "Hook", "Kept", "RefusedError", "Store", "end", "work"]

_SMALL = 1 << 14  # bytes: so many travel with every share, more only where a worker asks for them

Hook = Callable[[float, int], None]


class Errand(Protocol):
    """One share, small enough to send by the thousand."""

    @property
    def run(self) -> str:
        """The run it is part of."""

    def do(self, hook: Hook) -> Any:
        """Do it, and ask the hook often whether to stop: it raises then."""


class EndedError(Exception):
    """Nothing more is wanted of this run."""


class AskedError(Exception):
    """This process needs something that did not travel with the share."""


class Kept(NamedTuple):
    """What is kept, by its key, and pickled where it travels with the share."""

    key: Hashable
    pickled: bytes | None

    @classmethod
    def of(cls, key: Hashable, pickled: bytes, asked: bool) -> Kept:
        return cls(key, pickled if asked or len(pickled) <= _SMALL else None)


_ended: set[str] = set()  # runs that this process began
_lock = threading.Lock()
_watching = False  # the parent: see `_end_with_parent`


class Store:
    """What a process keeps for the shares to come: the last few things of one kind."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.ready: OrderedDict[Hashable, Any] = OrderedDict()

    def put(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept by this key, made where it is not there."""
        with _lock:
            return self._put(key, make)

    def find(self, run: str, kept: Kept, make: Callable[[Any], Any]) -> Any:
        """The same in a worker, made from what has travelled.

        Raises
        ------
        AskedError
            It is not there, and did not travel.
        EndedError
            The run has ended: a thread that comes late would keep what was freed.
        """
        with _lock:
            if run in _ended:
                raise EndedError
            if kept.key not in self.ready and kept.pickled is None:
                raise AskedError
            return self._put(kept.key, lambda: make(pickle.loads(kept.pickled or b"")))

    def _put(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self.ready:
            self.ready[key] = make()
        self.ready.move_to_end(key)
        while len(self.ready) > self.most:
            self.ready.popitem(last=False)
        return self.ready[key]

    def forget(self, *keys: Hashable) -> None:
        """Free what is kept by these keys."""
        with _lock:
            for key in keys:
                self.ready.pop(key, None)


def _fresh_start() -> None:
    global _lock, _watching
    _lock, _watching = threading.Lock(), False


os.register_at_fork(after_in_child=_fresh_start)  # another thread may hold it while this process forks


def end(run: str) -> None:
    """Nothing more is wanted of a run: its shares stop that this process is at; other processes end those they are at."""
    with _lock:
        _ended.add(run)


def work(errand: Errand) -> tuple[str, Any]:
    """Do one share.

    Returns
    -------
    ("done", result), ("asked", None) where this process needs what did not travel, or ("refused", an error to raise). What
    is raised instead comes from the machine, and trying again may help.
    """
    _end_with_parent()
    try:
        return "done", errand.do(_hook(errand.run))
    except AskedError:
        return "asked", None
    except TopesError as error:
        return "refused", error
    except RefusedError as refused:
        return "refused", refused.args[0]


class RefusedError(Exception):
    """Carries an error that would come again, however often the share is tried."""


def _end_with_parent() -> None:
    """A pool's worker whose parent was killed would wait for work for ever."""
    global _watching
    parent = multiprocessing.parent_process()
    if parent is not None and not _watching:
        _watching = True
        threading.Thread(target=_wait_and_end, args=(parent,), daemon=True).start()


def _wait_and_end(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _hook(run: str) -> Hook:
    def hook(fraction: float, n_cells: int) -> None:
        if run in _ended:
            raise EndedError

    return hook
