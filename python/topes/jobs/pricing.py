"""Pricing over an executor: pieces of space are the shares, the space and the dual point are what workers keep.

What is found in a piece does not depend on who searches it, nor on the other pieces, so the price, its proof and the
directions are those of one process, to the last bit.
"""

from __future__ import annotations

import hashlib
import math
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import _core
from .._support.limits import NO_LIMIT, thread_count
from .._support.validation import FloatArray
from ..errors import TopesError
from .run import hand_out
from .supply import ExecutorLike, Supply, supply
from .worker import Hook, Kept, Store

__all__ = ["PricingOptions", "Workers", "workers"]

Piece: TypeAlias = tuple[int, bytes, float, int]  # part, path, bound, most cones: see cpp/include/topes/pricing.hpp

# What this process finishes within so many seconds never leaves it: some ten times what it takes the shares of a call to go
# and return. The calls of one run are alike: after one that took longer the next goes out at once, without beginning here.
_SECONDS_HERE = 0.25
_MOST_SHARES = 512  # of one wave; each is a second or so of work for each of its pieces
_NO_SECONDS = 1e300

_spaces, _weights = Store(2), Store(2)


class PricingOptions(NamedTuple):
    """Of one pricing call, as the core takes them."""

    floor: float
    keep: float
    tol: float
    n_best: int
    record: bool
    slice: int


class _Space(NamedTuple):
    core: _core.PricingSpace
    digests: tuple[str, str]  # of its parts, for one output and several: builds that cut in different ways are told apart


def _made(parts: tuple[FloatArray, str, FloatArray]) -> _Space:
    core = _core.PricingSpace(*parts)
    one, several = (hashlib.sha256(core.part_vertices(k).tobytes()).hexdigest()[:16] for k in (1, 2))
    return _Space(core, (one, several))


class _Ticket(NamedTuple):
    """Some pieces."""

    run: str
    space: Kept
    weights: Kept
    digest: str
    pieces: Sequence[Piece]
    incumbent: float
    options: PricingOptions
    seconds: float

    def do(self, hook: Hook) -> list[_core.PricedPiece]:
        space = _spaces.find(self.run, self.space, _made)
        bend, linear = _weights.find(self.run, self.weights, tuple)
        if space.digests[len(linear) > 1] != self.digest:
            raise TopesError("a worker cuts space in another way: it runs another version of topes")
        return _search(space.core, bend, linear, self.pieces, self.incumbent, self.options, self.seconds, 1, hook)


def _search(
    space: _core.PricingSpace,
    bend: FloatArray,
    linear: FloatArray,
    pieces: Sequence[Piece],
    incumbent: float,
    options: PricingOptions,
    seconds: float,
    n_threads: int,
    hook: Hook | None,
) -> list[_core.PricedPiece]:
    floor, keep, tol, n_best, record, cones = options
    return space.search_pieces(
        bend, linear, list(pieces), incumbent, floor, keep, tol, seconds, n_best, n_threads, hook, record, cones
    )


class Workers:
    """Searches the pieces of one pricing call after the other over an executor.

    Attributes
    ----------
    source : Supply
        Of the executor.
    large : bool
        The last call took long.
    """

    def __init__(self, source: Supply) -> None:
        self.source, self.large = source, False
        self._spaces: dict[int, tuple[Any, str, bytes]] = {}  # by the id of what is held beside its key and its pickle
        self._used: set[str] = set()

    def call(
        self,
        space: tuple[FloatArray, str, FloatArray],
        bend: FloatArray,
        linear: FloatArray,
        options: PricingOptions,
        max_seconds: float | None,
    ) -> _Call:
        """What `PricingSpace.price` calls with pieces.

        Parameters
        ----------
        space : tuple
            The arguments of `_core.PricingSpace`, the same arrays for each call about one space.
        """
        _, key, pickled = self._spaces.get(id(space[0]), (None, "", b""))
        if not key:
            pickled = pickle.dumps(space, protocol=pickle.HIGHEST_PROTOCOL)
            key = hashlib.sha256(pickled).hexdigest()
            self._spaces = {id(space[0]): (space[0], key, pickled)}
        ready: _Space = _spaces.put(key, lambda: _made(space))
        weights = pickle.dumps((bend, linear), protocol=pickle.HIGHEST_PROTOCOL)
        weights_key = hashlib.sha256(weights).hexdigest()
        _weights.put(weights_key, lambda: (bend, linear))
        self._used |= {key, weights_key}
        deadline = math.inf if max_seconds is None else time.perf_counter() + max_seconds
        sent = _Sent(key, pickled, weights_key, weights, ready.digests[len(linear) > 1])
        return _Call(self, ready.core, sent, bend, linear, options, deadline)

    def free(self) -> None:
        """Forget what this process keeps for its threads."""
        _spaces.forget(*self._used)
        _weights.forget(*self._used)
        self._spaces.clear()


@contextmanager
def workers(executor: ExecutorLike | Workers | None, n_threads: int | None) -> Iterator[Workers | None]:
    """The workers of one run, gone after it; those of a larger run as they are; None where there is no executor."""
    if executor is None or isinstance(executor, Workers):
        yield executor
        return
    source = supply(executor, n_threads)
    out = Workers(source)
    try:
        yield out
        source.end()
    except BaseException:
        source.drop()
        raise
    finally:
        out.free()


@dataclass(frozen=True)
class _Sent:
    """What workers keep, under which key."""

    space_key: str
    space: bytes
    weights_key: str
    weights: bytes
    digest: str


@dataclass
class _Call:
    workers: Workers
    space: _core.PricingSpace
    sent: _Sent
    bend: FloatArray
    linear: FloatArray
    options: PricingOptions
    deadline: float
    begun: float | None = None
    here: bool = True  # whether to begin here

    def __call__(self, pieces: Sequence[Piece], incumbent: float) -> list[_core.PricedPiece]:
        """One wave: what is quick is done here, the rest goes out, and what the clock leaves is bounded here."""
        found: list[_core.PricedPiece | None] = [None] * len(pieces)
        out = list(range(len(pieces)))
        if self.begun is None:
            self.begun, self.here = time.perf_counter(), not self.workers.large
        seconds = self.begun + _SECONDS_HERE - time.perf_counter()
        if self.here and seconds > 0.0:
            out = self._here(pieces, incumbent, out, found, seconds)
        if out and self._left() > 0.0:
            wave = _Wave(self, pieces, incumbent, out, found)
            hand_out(wave, self.workers.source, wave, deadline=self.deadline)
        unknown = [k for k in out if found[k] is None]
        if unknown:
            self._here(pieces, incumbent, unknown, found, 0.0)
        self.workers.large = time.perf_counter() - self.begun > _SECONDS_HERE
        return [piece for piece in found if piece is not None]

    def _left(self) -> float:
        return self.deadline - time.perf_counter()

    def _here(
        self, pieces: Sequence[Piece], incumbent: float, out: list[int], found: list[Any], seconds: float
    ) -> list[int]:
        """Search here; which pieces the clock has cut short."""
        asked = [pieces[k] for k in out]
        seconds = max(0.0, min(seconds, self._left()))
        results = _search(
            self.space, self.bend, self.linear, asked, incumbent, self.options, seconds, thread_count(None), None
        )
        late = []
        for k, result in zip(out, results, strict=True):
            found[k] = result
            if result.late:
                late.append(k)
        return late


@dataclass
class _Wave:
    """The pieces that are sent, some to a share, and where their results go."""

    call: _Call
    pieces: Sequence[Piece]
    incumbent: float
    out: list[int]
    found: list[Any]
    done: dict[int, int] = field(default_factory=dict)
    held: int = 0
    where: str = " of the pricing at hand"
    max_cells: int = NO_LIMIT

    def __post_init__(self) -> None:
        each = -(-len(self.out) // _MOST_SHARES)
        self.shares = [self.out[k : k + each] for k in range(0, len(self.out), each)]
        self.order = range(len(self.shares))
        self.weights = np.ones(len(self.shares))

    def errand(self, run: str, share: int, asked: bool) -> _Ticket:
        sent, left = self.call.sent, self.call._left()
        return _Ticket(
            run,
            Kept.of(sent.space_key, sent.space, asked),
            Kept.of(sent.weights_key, sent.weights, asked),
            sent.digest,
            [self.pieces[k] for k in self.shares[share]],
            self.incumbent,
            self.call.options,
            _NO_SECONDS if math.isinf(left) else max(0.0, left),
        )

    def restated(self, error: TopesError) -> TopesError:
        return error

    def keep(self, share: int, result: list[_core.PricedPiece]) -> int:
        for k, piece in zip(self.shares[share], result, strict=True):
            self.found[k] = piece
        self.done[share] = 1
        return 1
