"""A walk over cells as work in shares: ranges of the tasks of a plan, which each process makes once."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from .._support.limits import NO_LIMIT, over_limit
from .._support.validation import FloatArray
from ..errors import CellLimitError, TopesError
from .worker import Hook, Kept, Store

if TYPE_CHECKING:
    from ..arrangement import Arrangement
    from .shares import PlanSize, Shares

__all__ = ["Ready", "Ticket", "Walk", "forget", "plans", "prepare"]

plans = Store(2)


class Ready(NamedTuple):
    """An arrangement with its plan."""

    A: Arrangement
    plan: _core.Plan
    digest: str  # of the plan's shape: two builds that cut in different ways are told apart


@dataclass(frozen=True)
class Walk:
    """A walk in shares, and in which order to take them."""

    A: Arrangement
    key: str
    kind: str
    settings: tuple[int, ...]
    shares: Shares
    order: Sequence[int]
    max_cells: int = NO_LIMIT

    @property
    def weights(self) -> FloatArray:
        return self.shares.weights

    @cached_property
    def _rows(self) -> bytes:
        return pickle.dumps(self.A, protocol=pickle.HIGHEST_PROTOCOL)

    def errand(self, run: str, share: int, asked: bool) -> Ticket:
        shares = self.shares
        kept = Kept.of((self.key, shares.size), self._rows, asked)
        return Ticket(
            run,
            kept,
            shares.size,
            shares.digest,
            self.kind,
            self.settings,
            shares.first[share],
            shares.first[share + 1],
            self.max_cells,
        )

    def restated(self, error: TopesError) -> TopesError:
        return over_limit(self.A, self.max_cells) if isinstance(error, CellLimitError) else error


class Ticket(NamedTuple):
    """One share of a walk."""

    run: str
    kept: Kept  # the arrangement
    size: PlanSize
    digest: str
    kind: str
    settings: tuple[int, ...]
    first: int
    last: int
    max_cells: int

    def do(self, hook: Hook) -> Any:
        ready = plans.find(self.run, self.kept, lambda A: _made(A, self.size))
        if ready.digest != self.digest:
            raise TopesError("a worker cuts the walk in another way: it runs another version of topes")
        return _KINDS[self.kind](ready, self, hook)


def prepare(A: Arrangement, key: str, size: PlanSize) -> Ready:
    """The arrangement with its plan, made where this process does not have it."""
    ready: Ready = plans.put((key, size), lambda: _made(A, size))
    return ready


def forget(key: str, size: PlanSize) -> None:
    """Free what `prepare` keeps."""
    plans.forget((key, size))


def _made(A: Arrangement, size: PlanSize) -> Ready:
    plan = _core.Plan(A._core, *size)
    return Ready(A, plan, hashlib.sha256(plan.weights.tobytes()).hexdigest()[:16])


def _count(ready: Ready, ticket: Ticket, hook: Hook) -> tuple[int, int, int, int]:
    n_cells, c = _core.count_tasks(ready.A._core, ready.plan, ticket.first, ticket.last, ticket.max_cells, hook)
    return n_cells, c["signs"], c["exact_signs"], c["exact_rays"]


def _angles(ready: Ready, ticket: Ticket, hook: Hook) -> list[tuple[Any, ...]]:
    n_points, seed = ticket.settings
    return _core.angle_parts(ready.A._core, ready.plan, ticket.first, ticket.last, n_points, seed, ticket.max_cells, hook)


def _patterns(ready: Ready, ticket: Ticket, hook: Hook) -> tuple[int, bytes]:
    n_cells, packed = _core.pack_tasks(ready.A._core, ready.plan, ticket.first, ticket.last, ticket.max_cells, hook)
    return n_cells, packed.tobytes()


_KINDS: dict[str, Callable[[Ready, Ticket, Hook], Any]] = {"count": _count, "angles": _angles, "patterns": _patterns}
