"""What runs in a worker: one share of a walk. The arrangement and its plan are made once a process and kept."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from ..errors import TopesError

if TYPE_CHECKING:
    from ..arrangement import Arrangement
    from .shares import PlanSize

__all__ = ["Ready", "Ticket", "end", "forget", "prepare", "work"]

_KEPT = 2  # plans a process holds


class Ready(NamedTuple):
    """An arrangement with its plan."""

    A: Arrangement
    plan: _core.Plan
    digest: str  # of the plan's shape: two builds that cut in different ways are told apart


class Ticket(NamedTuple):
    """One share, small enough to send by the thousand."""

    run: str
    key: str
    rows: bytes | None  # the pickled arrangement; None where it is left to the worker to ask for it
    size: PlanSize
    digest: str
    kind: str
    settings: tuple[int, ...]
    first: int
    last: int
    max_cells: int


class _EndedError(Exception):
    pass


_ready: OrderedDict[tuple[str, PlanSize], Ready] = OrderedDict()
_ended: set[str] = set()  # runs that this process began
_lock = threading.Lock()
_watching = False  # the parent: see `_end_with_parent`


def _fresh_start() -> None:
    global _lock, _watching
    _lock, _watching = threading.Lock(), False


os.register_at_fork(after_in_child=_fresh_start)  # another thread may hold it while this process forks


def prepare(A: Arrangement, key: str, size: PlanSize) -> Ready:
    """The arrangement with its plan, made where this process does not have it."""
    with _lock:
        return _keep(A, key, size)


def _keep(A: Arrangement, key: str, size: PlanSize) -> Ready:
    found = _ready.get((key, size))
    if found is None:
        plan = _core.Plan(A._core, *size)
        digest = hashlib.sha256(plan.weights.tobytes()).hexdigest()[:16]
        found = _ready[key, size] = Ready(A, plan, digest)
    _ready.move_to_end((key, size))
    while len(_ready) > _KEPT:
        _ready.popitem(last=False)
    return found


def forget(key: str, size: PlanSize) -> None:
    """Free what `prepare` keeps."""
    with _lock:
        _ready.pop((key, size), None)


def end(run: str) -> None:
    """Nothing more is wanted of a run: its shares stop that this process is at; other processes end those they are at."""
    with _lock:
        _ended.add(run)


def work(ticket: Ticket) -> tuple[str, Any]:
    """Walk one share.

    Returns
    -------
    ("done", result), ("rows", None) where this process needs the rows first, or ("refused", the library's own error). What
    is raised instead comes from the machine, and trying again may help.
    """
    _end_with_parent()
    try:
        ready = _find(ticket)
        if ready is None:
            return "rows", None
        return "done", _KINDS[ticket.kind](ready, ticket, _hook(ticket.run))
    except TopesError as error:
        return "refused", error


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


def _find(ticket: Ticket) -> Ready | None:
    with _lock:
        if ticket.run in _ended:
            raise _EndedError  # else a thread that comes late would keep what was freed
        found = _ready.get((ticket.key, ticket.size))
        if found is None:
            if ticket.rows is None:
                return None
            found = _keep(pickle.loads(ticket.rows), ticket.key, ticket.size)
    if found.digest != ticket.digest:
        raise TopesError("a worker cuts the walk in another way: it runs another version of topes")
    return found


def _hook(run: str) -> Callable[[float, int], None]:
    def hook(fraction: float, n_cells: int) -> None:
        if run in _ended:
            raise _EndedError

    return hook


_Hook = Callable[[float, int], None]


def _count(ready: Ready, ticket: Ticket, hook: _Hook) -> tuple[int, int, int, int]:
    n_cells, c = _core.count_tasks(ready.A._core, ready.plan, ticket.first, ticket.last, ticket.max_cells, hook)
    return n_cells, c["signs"], c["exact_signs"], c["exact_rays"]


def _angles(ready: Ready, ticket: Ticket, hook: _Hook) -> list[tuple[Any, ...]]:
    n_points, seed = ticket.settings
    return _core.angle_parts(
        ready.A._core, ready.plan, ticket.first, ticket.last, n_points, seed, ticket.max_cells, hook
    )


def _patterns(ready: Ready, ticket: Ticket, hook: _Hook) -> tuple[int, bytes]:
    n_cells, packed = _core.pack_tasks(ready.A._core, ready.plan, ticket.first, ticket.last, ticket.max_cells, hook)
    return n_cells, packed.tobytes()


_KINDS: dict[str, Callable[[Ready, Ticket, _Hook], Any]] = {"count": _count, "angles": _angles, "patterns": _patterns}
