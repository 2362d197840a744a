"""The loop that hands out shares of any work, a bounded number at a time, and takes back what they found."""

from __future__ import annotations

import heapq
import math
import queue
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from typing import Any, NoReturn, Protocol

from .._support.progress import ProgressCallback
from .._support.validation import FloatArray
from ..errors import CellLimitError, JobError, TopesError
from . import worker
from .progress import Estimate
from .supply import Supply

__all__ = ["Sink", "Work", "hand_out", "run"]

_TRIES = 4  # of one share; of executors that break before anything is done
_SECONDS = 0.1  # between two reports of progress


class Work(Protocol):
    """What is to be done, in shares."""

    @property
    def order(self) -> Sequence[int]:
        """All shares, in the order to take them."""

    @property
    def weights(self) -> FloatArray:
        """What each is expected to be of the work, on any scale."""

    @property
    def max_cells(self) -> int:
        """Beyond so many cells the work ends."""

    def errand(self, run: str, share: int, asked: bool) -> worker.Errand:
        """What is sent for a share; with `asked`, together with what its worker has asked for."""

    def restated(self, error: TopesError) -> TopesError:
        """An error of a worker, as it is to be raised."""


class Sink(Protocol):
    """Takes what the shares found."""

    @property
    def done(self) -> dict[int, int]:
        """Shares that are safe and need not be walked, each with its number of cells."""

    @property
    def held(self) -> int:
        """Results that wait in memory for their turn."""

    @property
    def where(self) -> str:
        """Where to find what is done, for messages."""

    def keep(self, share: int, result: Any) -> int:
        """Take a result, whatever its turn; returns its cells."""


def run(work: Work, supply: Supply, sink: Sink, callback: ProgressCallback | None, *, in_flight: int = 1024) -> None:
    """As `hand_out`, and the supply is ended with it."""
    hand_out(work, supply, sink, callback, in_flight=in_flight)
    try:
        supply.end()
    except BaseException:
        supply.drop()
        raise


def hand_out(
    work: Work,
    supply: Supply,
    sink: Sink,
    callback: ProgressCallback | None = None,
    *,
    in_flight: int = 1024,
    deadline: float = math.inf,
) -> None:
    """Do every share that is not done, and hand the results to the sink.

    Parameters
    ----------
    in_flight : int
        Most shares that are out, or held by the sink.
    deadline : float
        Of `time.perf_counter`: what is not done by then is left.

    Raises
    ------
    JobError
        The executor keeps failing.
    CellLimitError
        There are more than `work.max_cells` cells.
    """
    loop = _Loop(work, supply, sink, callback, in_flight, deadline)
    try:
        loop.run()
    except BaseException:
        loop.stop()
        supply.drop()
        raise
    finally:
        worker.end(loop.name)


class _Loop:
    def __init__(
        self,
        work: Work,
        supply: Supply,
        sink: Sink,
        callback: ProgressCallback | None,
        in_flight: int,
        deadline: float,
    ) -> None:
        self.work, self.supply, self.sink, self.callback, self.in_flight = work, supply, sink, callback, in_flight
        self.deadline = deadline
        self.name = uuid.uuid4().hex
        self.asked: set[int] = set()  # shares whose worker does not have what they need
        self.back: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
        self.flying: dict[int, Future[Any]] = {}
        self.failures: Counter[int] = Counter()
        self.broken_in_a_row = 0
        self.estimate = Estimate(work.weights)
        self.n_cells = 0
        self.reported = time.monotonic()
        for share, cells in sink.done.items():
            self.count(share, cells)
        self.place = {share: k for k, share in enumerate(work.order)}
        self.todo = [k for k, share in enumerate(work.order) if share not in sink.done]  # a heap of places

    def run(self) -> None:
        if self.callback is not None:
            self.callback(self.estimate.fraction(), self.n_cells)
        while self.todo or self.flying:
            left = self.deadline - time.perf_counter()
            if left <= 0.0:
                self.stop()
                return
            self.fill()
            try:
                share, future = self.back.get(timeout=min(_SECONDS, left))
            except queue.Empty:
                pass
            else:
                if self.flying.get(share) is future:  # else of an executor that was dropped
                    del self.flying[share]
                    self.take(share, future)
            self.report()
        if self.callback is not None:
            self.callback(1.0, self.n_cells)

    def stop(self) -> None:
        worker.end(self.name)
        for future in self.flying.values():
            future.cancel()

    def fill(self) -> None:
        while self.todo and len(self.flying) + self.sink.held < self.in_flight:
            executor = self.supply.get()
            share = self.work.order[heapq.heappop(self.todo)]
            try:
                future = executor.submit(worker.work, self.work.errand(self.name, share, share in self.asked))
            except Exception as error:
                self.again(share)
                self.renew(error)
                return
            self.flying[share] = future
            future.add_done_callback(lambda done, share=share: self.back.put((share, done)))  # type: ignore[misc]

    def take(self, share: int, future: Future[Any]) -> None:
        try:
            state, value = future.result()
        except BrokenExecutor as error:
            self.again(share)
            self.renew(error)
        except Exception as error:  # of the transport, or of the machine a worker runs on
            self.failures[share] += 1
            if self.failures[share] == _TRIES:
                self.give_up(f"share {share} failed {_TRIES} times", error)
            self.again(share)
        else:
            if state == "asked":
                self.asked.add(share)
                self.again(share)
            elif state == "refused":
                raise self.work.restated(value) if isinstance(value, TopesError) else value
            else:
                self.broken_in_a_row = 0
                self.count(share, self.sink.keep(share, value))

    def again(self, share: int) -> None:
        heapq.heappush(self.todo, self.place[share])

    def renew(self, error: BaseException) -> None:
        """The executor takes no more work: keep what it has done, put back the rest, and go on with another one."""
        flying, self.flying = self.flying, {}
        for share, future in flying.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                self.take(share, future)
            else:
                # A pool that breaks ends its futures itself, in a thread that would die of one that is cancelled just then.
                if not isinstance(error, BrokenExecutor):
                    future.cancel()
                self.again(share)
        self.broken_in_a_row += 1
        if not self.supply.renews:
            what = "the executor broke, and there is no function that makes another one: give executor such a function"
            self.give_up(what, error)
        if self.broken_in_a_row == _TRIES:
            self.give_up(f"{_TRIES} executors broke one after the other", error)
        self.supply.drop()

    def give_up(self, what: str, error: BaseException) -> NoReturn:
        done, total = len(self.sink.done), len(self.work.order)
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{what} ({why}); {done} of {total} shares are done{self.sink.where}"
        raise JobError(message, done=done, total=total) from error

    def count(self, share: int, n_cells: int) -> None:
        self.estimate.add(share, n_cells)
        self.n_cells += n_cells
        if self.n_cells > self.work.max_cells:
            raise self.work.restated(CellLimitError("too many", bound=self.work.max_cells))

    def report(self) -> None:
        now = time.monotonic()
        if self.callback is not None and now - self.reported >= _SECONDS:
            self.reported = now
            self.callback(self.estimate.fraction(), self.n_cells)
