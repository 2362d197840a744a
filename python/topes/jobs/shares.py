"""A walk cut into shares: ranges of the plan's tasks, the same whoever walks them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import _core
from .._support.exact_input import as_rows, homogenised
from .._support.limits import restated
from .._support.validation import FloatArray
from . import walk

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["DEFAULT_SIZE", "PlanSize", "Shares", "arrangement_key", "cut", "size_for"]

_FEWEST, _MOST = 64, 4096  # shares: enough to balance; each process holds the plan, some kilobytes a share


class PlanSize(NamedTuple):
    """How finely the core cuts a plan: into about `n_tasks`; into one task where there are at most `one_task` cells."""

    n_tasks: float
    one_task: float


DEFAULT_SIZE = PlanSize(*_core.DEFAULT_PLAN_SIZE)  # of every walk in one process


@dataclass(frozen=True)
class Shares:
    """Share k is tasks [first[k], first[k + 1]) of the plan, expected to be weights[k] of the work, on any scale."""

    size: PlanSize
    first: tuple[int, ...]
    weights: FloatArray
    digest: str  # of the plan
    counters: tuple[int, int, int]  # of making the plan

    def __len__(self) -> int:
        return len(self.weights)


def size_for(A: Arrangement, cells_in_a_share: int, most: int = _MOST) -> PlanSize:
    """A size for shares of about so many cells: of the arrangement alone, so that a run can be taken up anywhere."""
    return PlanSize(float(min(max(A.bound() // cells_in_a_share, _FEWEST), most)), DEFAULT_SIZE.one_task)


@contextmanager
def cut(A: Arrangement, key: str, size: PlanSize) -> Iterator[Shares]:
    """Cut a walk, and keep the plan in this process while the shares are walked.

    Workers that are forked from it, or are its threads, find it there.
    """
    try:
        with restated(A):
            shares = _put_together(A, key, size)
        yield shares
    finally:
        walk.forget(key, size)


def _put_together(A: Arrangement, key: str, size: PlanSize) -> Shares:
    """Neighbouring tasks, as long as they weigh no more than one of as many equal parts as were asked for."""
    if A._core.rank == 0:  # one cell, and no plan
        return Shares(size, (0, 1), np.ones(1), "whole space", (0, 0, 0))
    ready = walk.prepare(A, key, size)
    plan = ready.plan
    weights = plan.weights
    most = float(weights.sum()) / size.n_tasks
    first, heavy = [0], [0.0]
    for task, weight in enumerate(weights.tolist()):
        if heavy[-1] + weight > most and heavy[-1] > 0:
            first.append(task)
            heavy.append(0.0)
        heavy[-1] += weight
    counters = plan.counters
    return Shares(
        size,
        (*first, len(weights)),
        np.array(heavy),
        ready.digest,
        (counters["signs"], counters["exact_signs"], counters["exact_rays"]),
    )


def arrangement_key(A: Arrangement) -> str:
    """A hash of the exact rows, and of all else that the order of the cells depends on."""
    data = as_rows(A._rows if A._offsets is None else homogenised(A._rows, A._offsets))
    if data.dtype.kind == "f":
        data = data + 0.0  # -0.0 is 0.0
    text = repr((data.shape, data.dtype.str.lstrip("<>=|"), A.is_central, A._root_rows))
    little = data.astype(data.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(text.encode() + little.tobytes()).hexdigest()
