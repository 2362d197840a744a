"""Walks in shares: over processes and threads, through deaths: one result."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import Counter
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest

import topes
from shares import FINE, Inline, fine_count, gaussian
from topes import Arrangement, CellLimitError, InputError, JobError
from topes.jobs import walk, worker
from topes.jobs.progress import Estimate
from topes.jobs.shares import PlanSize, cut

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def affine(n, r, seed=0):
    rng = np.random.default_rng(seed)
    return Arrangement(rng.standard_normal((n, r)), rng.standard_normal(n))


@pytest.fixture(scope="module")
def A():
    return Arrangement(gaussian(60, 4))


# -- the same count, whoever counts


def test_processes_count_the_same(A, processes):
    assert A.count(executor=processes) == A.count() == A.bound()


def test_threads_count_the_same(A, threads):
    assert A.count(executor=threads) == A.bound()


def test_affine_arrangements_count_the_same(processes):
    A = affine(40, 3)
    assert A.count(executor=processes) == A.count() == A.bound()


@pytest.mark.parametrize("size", [PlanSize(1, 0), FINE, PlanSize(1e9, 0)])
def test_any_cut_counts_the_same(threads, size):
    A = Arrangement(gaussian(14, 4))
    assert fine_count(A, threads, size=size) == A.count()


@pytest.mark.parametrize(
    "A",
    [
        Arrangement(np.zeros((0, 3))),
        Arrangement(np.zeros((4, 3))),
        Arrangement(np.zeros((0, 0))),
        Arrangement(np.zeros((0, 2)), np.zeros(0)),
        Arrangement(np.zeros((3, 2)), np.ones(3)),
        Arrangement([[2.0, 4.0], [1.0, 2.0], [0.0, 0.0]]),
    ],
    ids=repr,
)
def test_small_and_empty_arrangements(A, threads, tmp_path):
    assert A.count(executor=threads) == A.count()
    assert A.count(checkpoint=tmp_path / "c") == A.count()
    assert A.save_patterns(tmp_path / "p.npy", resume=True, packed=True) == A.count()
    assert np.array_equal(topes.open_patterns(tmp_path / "p.npy")[:], A.patterns())
    assert A.save_patterns(tmp_path / "p.npy", resume=True, packed=True) == A.count()
    assert A.save_patterns(tmp_path / "q.npy", executor=threads) == A.count()
    assert np.array_equal(np.load(tmp_path / "q.npy"), A.patterns())
    if A.is_central:
        whole, shared = topes.solid_angle_summary(A), topes.solid_angle_summary(A, executor=threads)
        assert whole.sum == shared.sum == 1.0


def test_exact_rows_of_any_kind(processes):
    from fractions import Fraction

    rows = [[Fraction(1, 3), 2**70, 1], [1, -1, 0], [0, 1, Fraction(5, 7)], [1, 1, 1]]
    A = Arrangement(rows)
    assert fine_count(A, processes) == A.count() == 14
    B = Arrangement([[0.1, 0.2], [0.2, 0.4], [0.3, 0.1]], values="decimal")
    assert fine_count(B, processes) == B.count() == 4


def test_counters_are_those_of_the_work(A, processes):
    n_cells, counters = A.count_with_counters(executor=processes)
    assert n_cells == A.bound()
    assert counters.keys() == A.count_with_counters()[1].keys()
    assert counters["signs"] > n_cells


def test_inserted_rows_keep_their_order(processes, tmp_path):
    A = Arrangement(gaussian(20, 3)).insert([1.0, 2.0, 3.0])
    A.save_patterns(tmp_path / "a.npy", executor=processes)
    assert np.array_equal(np.load(tmp_path / "a.npy"), A.patterns())


def test_the_limit_holds_over_all_shares(A, processes, threads):
    assert A.count(executor=threads, max_cells=A.bound()) == A.bound()
    for executor in (processes, threads):
        with pytest.raises(CellLimitError, match=f"max_cells = {A.bound() - 1} ") as caught:
            A.count(executor=executor, max_cells=A.bound() - 1)
        assert caught.value.bound == A.bound()
    with pytest.raises(CellLimitError, match="max_cells = 5 "):
        A.count(executor=processes, max_cells=5)


def test_errors_travel_between_processes():
    for error in (
        CellLimitError("many", bound=7),
        JobError("stuck", done=1, total=2),
        topes.MemoryLimitError("big", expected_cells=1, needed=2, available=3),
        InputError("bad"),
        topes.NotSpikeFree(topes.spike_free(np.eye(2)[:1])),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert vars(copy) == vars(error)


# -- what travels


def test_many_rows_travel_only_when_asked_for(processes, monkeypatch):
    A = Arrangement(gaussian(700, 3))
    assert len(pickle.dumps(A)) > 2**14
    carried = []

    class Watched(Executor):
        def submit(self, function, ticket):
            carried.append(ticket.kept.pickled is not None)
            return processes.submit(function, ticket)

    assert A.count(executor=Watched()) == A.bound()
    assert not all(carried)
    assert 0 < sum(carried) < len(carried)


def test_no_more_than_so_many_shares_are_out(A, monkeypatch):
    out, most = 0, 0
    lock = threading.Lock()

    class Watched(ThreadPoolExecutor):
        def submit(self, function, ticket):
            nonlocal out, most
            with lock:
                out += 1
                most = max(most, out)
            future = super().submit(function, ticket)
            future.add_done_callback(done)
            return future

    def done(future):
        nonlocal out
        with lock:
            out -= 1

    from topes.jobs import results

    monkeypatch.setattr(results, "run", partial(results.run, in_flight=3))
    with Watched(2) as pool:
        assert A.count(executor=pool) == A.bound()
    assert most <= 3


def test_plans_are_freed(A, threads, tmp_path):
    A.count(executor=threads)
    assert not walk.plans.ready
    Arrangement(gaussian(9, 3)).count(checkpoint=tmp_path / "count")
    with pytest.raises(InputError, match="another"):
        A.count(checkpoint=tmp_path / "count")
    assert not walk.plans.ready


def test_a_thread_that_comes_late_keeps_no_plan(A):
    late = []

    class Late(Inline):
        def submit(self, function, ticket):
            late.append((function, ticket))
            raise topes.TopesError("closed")

    with pytest.raises(topes.JobError):
        A.count(executor=Late())
    function, ticket = late[0]
    with pytest.raises(worker.EndedError):
        function(ticket)
    assert not walk.plans.ready


def test_another_build_is_refused(A):
    class Other(Inline):
        def submit(self, function, ticket):
            return super().submit(function, ticket._replace(digest="0" * 16))

    with pytest.raises(topes.TopesError, match="another version of topes"):
        A.count(executor=Other())


# -- deaths


class Killer:
    """Makes pools of two processes; once, a worker is killed while the work goes on."""

    def __init__(self, deaths=1):
        self.deaths, self.pools = deaths, []

    def __call__(self):
        pool = ProcessPoolExecutor(2)
        self.pools.append(pool)
        if len(self.pools) <= self.deaths:
            pids = {pool.submit(os.getpid).result()}
            threading.Timer(0.05, lambda: [os.kill(pid, signal.SIGKILL) for pid in pids]).start()
        return pool


def test_a_worker_that_dies_loses_nothing(tmp_path):
    A = Arrangement(gaussian(150, 4))
    killer = Killer(deaths=2)
    path = tmp_path / "count"
    assert fine_count(A, killer, path, size=PlanSize(2000, 0)) == A.bound()
    assert len(killer.pools) == 3
    shares = [line.split(b"[")[1].split(b",")[0] for line in path.read_bytes().splitlines()[1:]]
    assert len(shares) == len(set(shares)) > 1000  # nothing was counted twice


def test_a_broken_executor_without_a_function_says_what_is_kept(tmp_path):
    A = Arrangement(gaussian(150, 4))
    path = tmp_path / "count"
    with Killer()() as pool, pytest.raises(JobError, match="no function that makes another one") as caught:
        fine_count(A, pool, path, size=PlanSize(2000, 0))
    assert 0 <= caught.value.done < caught.value.total
    assert f"{caught.value.done} of {caught.value.total} shares are done, kept in {str(path)!r}" in str(caught.value)
    assert len(path.read_bytes().splitlines()) == 1 + caught.value.done
    assert fine_count(A, None, path, size=PlanSize(2000, 0)) == A.bound()


def test_executors_that_never_work_are_given_up(A):
    made = []

    def broken():
        made.append(Inline(0, BrokenProcessPool("dead on arrival")))
        return made[-1]

    with pytest.raises(JobError, match=r"4 executors broke .*dead on arrival"):
        A.count(executor=broken)
    assert len(made) == 4
    assert all(executor.shut for executor in made)


def test_a_share_that_always_fails_is_given_up(A):
    with pytest.raises(JobError, match=r"failed 4 times \(MemoryError\); 3 of"):
        A.count(executor=Inline(3, MemoryError()))


def test_a_share_that_fails_now_and_then_is_done_again(A):
    class Shaky(Inline):
        def __init__(self):
            super().__init__()
            self.calls = Counter()

        def submit(self, function, ticket):
            self.calls[ticket.first] += 1
            if ticket.first % 3 == 0 and self.calls[ticket.first] <= 3:
                future = Future()
                future.set_exception(ConnectionError("lost"))
                return future
            return super().submit(function, ticket)

    executor = Shaky()
    assert A.count(executor=executor) == A.bound()
    assert set(executor.calls.values()) == {1, 4}
    assert not executor.shut  # it is not ours


def test_what_a_broken_executor_had_done_is_taken(A):
    """The break is heard of first, the results that came before it are still there."""

    class Late(Executor):
        def __init__(self, breaks):
            self.futures, self.breaks = [], breaks

        def submit(self, function, ticket):
            future = Future()
            self.futures.append(future)
            if self.breaks and len(self.futures) == 5:
                self.futures[4].set_exception(BrokenProcessPool("gone"))
                for other, (f, t) in zip(self.futures[:4], self.todo, strict=True):
                    other.set_result(f(t))
            elif self.breaks:
                self.todo = [*getattr(self, "todo", []), (function, ticket)]
                if len(self.futures) > 5:
                    raise BrokenProcessPool("gone")
            else:
                future.set_result(function(ticket))
            return future

        def shutdown(self, wait=True, *, cancel_futures=False):
            pass

    made = []

    def make():
        made.append(Late(not made))
        return made[-1]

    assert A.count(executor=make) == A.bound()
    with cut(A, "k", PlanSize(64, 1 << 13)) as shares:
        n_shares = len(shares)
    assert len(made[1].futures) == n_shares - 4


@pytest.mark.parametrize("bad", [3, "processes"])
def test_what_is_no_executor_is_refused(A, bad):
    with pytest.raises(InputError, match="executor must be"):
        A.count(executor=bad)


def test_what_makes_no_executor_is_refused(A, threads):
    with pytest.raises(InputError, match="executor must make"):
        A.count(executor=lambda: 3)
    with pytest.raises(InputError, match="n_threads must be left out"):
        A.count(executor=threads, n_threads=2)


# -- progress


def test_the_progress_is_true():
    A = Arrangement(np.concatenate([gaussian(90, 4), np.random.default_rng(1).integers(-2, 3, (90, 4))]))
    seen = []

    class Watched(Inline):
        pass

    from topes.jobs import run as run_module

    def report(self):
        seen.append((self.estimate.fraction(), self.n_cells))

    original = run_module._Loop.report
    run_module._Loop.report = report
    try:
        n_cells = fine_count(A, Watched(), size=PlanSize(300, 0))
    finally:
        run_module._Loop.report = original
    fractions, cells = np.array(seen).T
    assert np.all(np.diff(fractions) >= 0)
    late = cells > 0.05 * n_cells
    assert np.abs(fractions - cells / n_cells)[late].max() < 0.1


def test_no_cells_no_progress():
    estimate = Estimate(np.array([1.0, 2.0, 1e6]))
    assert estimate.fraction() == 0.0
    estimate.add(2, 5)
    assert 0.99 < estimate.fraction() < 1.0
