"""Calls of one function as shares: what they have in common travels once to each process."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from .._support.limits import NO_LIMIT
from ..errors import InputError, TopesError
from .run import hand_out
from .supply import Supply
from .worker import AskedError, EndedError, Hook, Kept, RefusedError, Store

__all__ = ["call_in_shares"]

_common = Store(2)


class _Ticket(NamedTuple):
    """One call."""

    run: str
    function: Callable[..., Any]
    common: Kept
    arguments: tuple[Any, ...]

    def do(self, hook: Hook) -> Any:
        common = _common.find(self.run, self.common, tuple)
        try:
            return self.function(hook, *common, *self.arguments)
        except (TopesError, AskedError, EndedError, MemoryError, OSError):
            raise
        except Exception as error:  # of the function, not of the machine: it would come again
            raise RefusedError(error) from error


@dataclass
class _Calls:
    function: Callable[..., Any]
    key: str
    common: bytes
    arguments: Sequence[tuple[Any, ...]]
    found: dict[int, Any] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    held: int = 0
    where: str = ""
    max_cells: int = NO_LIMIT

    def __post_init__(self) -> None:
        self.order = range(len(self.arguments))
        self.weights = np.ones(len(self.arguments))

    def errand(self, run: str, share: int, asked: bool) -> _Ticket:
        return _Ticket(run, self.function, Kept.of(self.key, self.common, asked), self.arguments[share])

    def restated(self, error: TopesError) -> TopesError:
        return error

    def keep(self, share: int, result: Any) -> int:
        self.found[share], self.done[share] = result, 1
        return 1


def call_in_shares(
    function: Callable[..., Any], common: tuple[Any, ...], arguments: Sequence[tuple[Any, ...]], source: Supply
) -> list[Any]:
    """What `function(hook, *common, *each)` returns for each of the arguments, in their order.

    Parameters
    ----------
    function : callable
        Of a module, so that it can be sent. It calls `hook(0.0, 0)` now and then, which raises where nobody waits for it.
        An error of its own is raised here as it is.
    common, arguments
        What can be pickled.

    Raises
    ------
    InputError
        They cannot.
    JobError
        The executor keeps failing.
    """
    try:
        pickled = pickle.dumps(common, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(f"executor needs what can be pickled: {error}; define it in a module") from None
    key = hashlib.sha256(pickled).hexdigest()
    _common.put(key, lambda: common)
    calls = _Calls(function, key, pickled, arguments)
    try:
        # Threads of ours must all see one number of threads of the matrix library: it is one for the whole process.
        with threadpool_limits(limits=1, user_api="blas"):
            hand_out(calls, source, calls)
    finally:
        _common.forget(key)
    return [calls.found[share] for share in calls.order]
