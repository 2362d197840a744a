"""Walks in shares: over processes and threads, through deaths and interruptions, from checkpoints: one result."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest

import topes
from topes import Arrangement, CellLimitError, FileFormatError, InputError, JobError
from topes.jobs import checkpoint as checkpoint_module
from topes.jobs import worker
from topes.jobs.count import count_in_shares
from topes.jobs.progress import Estimate
from topes.jobs.shares import DEFAULT_SIZE, PlanSize, arrangement_key, cut

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
ALL = 2**64 - 1
FINE = PlanSize(40, 0)  # shares of small arrangements too


def gaussian(n, r, seed=0):
    return np.random.default_rng(seed).standard_normal((n, r))


def affine(n, r, seed=0):
    rng = np.random.default_rng(seed)
    return Arrangement(rng.standard_normal((n, r)), rng.standard_normal(n))


@pytest.fixture(scope="module")
def A():
    return Arrangement(gaussian(60, 4))


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def fine_count(A, executor=None, checkpoint=None, progress=False, max_cells=ALL, size=FINE):
    return count_in_shares(
        A, executor=executor, checkpoint=checkpoint, n_threads=None, progress=progress, max_cells=max_cells, size=size
    )[0]


class Inline(Executor):
    """Does the work at once, in this thread: what tests need to stop at a known place."""

    def __init__(self, after=None, error=None):
        self.left, self.error, self.shut = after, error, False

    def submit(self, function, /, *arguments, **options):
        future = Future()
        if self.left == 0:
            if isinstance(self.error, BrokenProcessPool):
                raise self.error
            future.set_exception(self.error)
            return future
        if self.left is not None:
            self.left -= 1
        future.set_result(function(*arguments, **options))
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.shut = True


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
            carried.append(ticket.rows is not None)
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


def test_plans_are_freed(A, threads):
    A.count(executor=threads)
    assert not worker._ready


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
    n_shares = len(cut(A, "k", PlanSize(64, 1 << 13)))
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


# -- interruptions


def interrupt_after(n_calls):
    calls = 0

    def progress(fraction, n_cells):
        nonlocal calls
        calls += 1
        if calls == n_calls:
            raise KeyboardInterrupt

    return progress


def test_an_interruption_stops_at_once_and_keeps_what_is_done(tmp_path):
    A = Arrangement(gaussian(300, 4))
    path = tmp_path / "count"
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        A.count(checkpoint=path, progress=interrupt_after(4), n_threads=2)
    assert time.monotonic() - start < 30
    n_done = len(path.read_bytes().splitlines()) - 1
    assert not any(thread.name.startswith("topes") and thread.is_alive() for thread in _after(threading.enumerate, 5.0))
    fractions = []
    n_cells = A.count(checkpoint=path, progress=lambda f, n: fractions.append((f, n)), n_threads=2)
    assert n_cells == A.bound()
    assert (fractions[0][0] > 0) == (n_done > 0)
    assert fractions[-1] == (1.0, A.bound())


def _after(look, seconds):
    """What is seen once the threads of the work have ended, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(thread.name.startswith("topes") for thread in look()):
            break
        time.sleep(0.05)
    return look()


SCRIPT = """
import sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
from topes import Arrangement
from topes.jobs.count import count_in_shares
from topes.jobs.shares import PlanSize

A = Arrangement(np.random.default_rng(0).standard_normal((300, 4)))

def progress(fraction, n_cells):
    if n_cells > 0:
        print("counting", flush=True)

count_in_shares(A, executor=lambda: ProcessPoolExecutor(2), checkpoint=sys.argv[1], n_threads=None, progress=progress,
                max_cells=2**64 - 1, size=PlanSize(4000, 0))
print("done", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_stopped_or_killed_goes_on_from_its_checkpoint(how, tmp_path):
    path = tmp_path / "count"
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may have it ignored
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "counting\n"
    child.send_signal(how)
    start = time.monotonic()
    _, errors = child.communicate(timeout=60)
    assert time.monotonic() - start < 20
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors or how == signal.SIGKILL
    n_done = len(path.read_bytes().splitlines()) - 1
    assert n_done > 0
    A = Arrangement(gaussian(300, 4))
    first = []
    n_cells = fine_count(A, None, path, lambda fraction, n_cells: first.append(n_cells), size=PlanSize(4000, 0))
    assert n_cells == A.bound()
    assert first[0] > 0


# -- checkpoints


@pytest.fixture
def small():
    return Arrangement(gaussian(12, 3))


def test_a_finished_checkpoint_needs_no_work(small, tmp_path):
    path = tmp_path / "count"
    assert fine_count(small, Inline(), path) == small.count()
    assert fine_count(small, Inline(0, RuntimeError("no work expected")), path) == small.count()


def test_taken_up_from_every_byte(small, tmp_path):
    """A run is stopped at any byte: what is whole is kept, the rest is done again, and the result is that of one run."""
    path = tmp_path / "count"
    expected = fine_count(small, Inline(), path)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    first = whole.index(b"\n") + 1
    for end in [*range(first + 1), *range(last, len(whole) + 1)]:
        path.write_bytes(whole[:end])
        assert fine_count(small, Inline(), path) == expected, end
        assert len(path.read_bytes()) == len(whole), end
    records = whole[first:].splitlines(keepends=True)
    for n_lines in range(len(records)):
        path.write_bytes(whole[:first] + b"".join(records[:n_lines]))
        executor = Inline(after=len(records) - n_lines, error=RuntimeError("work that was done is done again"))
        assert fine_count(small, executor, path) == expected
        assert executor.left == 0


def test_a_damaged_line_is_walked_again(small, tmp_path):
    path = tmp_path / "count"
    expected = fine_count(small, Inline(), path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:12] + b"9" + lines[2][13:]
    path.write_bytes(b"".join(lines))
    executor = Inline(after=1, error=RuntimeError("only one share was lost"))
    assert fine_count(small, executor, path) == expected


def test_the_checkpoint_of_another_problem_is_refused(small, tmp_path):
    path = tmp_path / "count"
    fine_count(small, Inline(), path)
    before = path.read_bytes()
    X = np.array(small.normals)
    X[3, 1] = np.nextafter(X[3, 1], 9)
    for other in (Arrangement(X), Arrangement(X[::-1]), Arrangement(X, np.zeros(12)), Arrangement(X[:11]).insert(X[11])):
        with pytest.raises(InputError, match="another problem: other rows"):
            fine_count(other, Inline(), path)
    with pytest.raises(InputError, match="another problem: another kind of job"):
        topes.solid_angle_summary(small, checkpoint=path)
    with pytest.raises(InputError, match="another problem: a plan"):
        fine_count(small, Inline(), path, size=PlanSize(2, 0))
    assert path.read_bytes() == before


def test_the_key_is_of_the_numbers():
    X = gaussian(5, 3)
    assert arrangement_key(Arrangement(X)) == arrangement_key(Arrangement(X.copy(order="F")))
    assert arrangement_key(Arrangement([[0.0, 1.5]])) == arrangement_key(Arrangement([[-0.0, 1.5]]))
    assert arrangement_key(Arrangement(X)) != arrangement_key(Arrangement(X[:, ::-1]))


def test_what_is_no_checkpoint_is_left_alone(small, tmp_path):
    path = tmp_path / "thesis.tex"
    for text in (b"\\documentclass{article}\n", b"x", b"\n\n", b"00000000 {}\n"):
        path.write_bytes(text)
        with pytest.raises(FileFormatError, match="not a checkpoint"):
            small.count(checkpoint=path)
        assert path.read_bytes() == text
    with pytest.raises(InputError, match="must be a file"):
        small.count(checkpoint=tmp_path)
    with pytest.raises(InputError, match="existing directory"):
        small.count(checkpoint=tmp_path / "no" / "where")


def _hold(path, problem, opened, close):
    with checkpoint_module.Checkpoint(path, problem):
        opened.set()
        close.wait(20)


def test_two_processes_do_not_add_to_one_checkpoint(small, tmp_path):
    import multiprocessing

    path = tmp_path / "count"
    context = multiprocessing.get_context("fork")
    opened, close = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(path, {"job": "x"}, opened, close))
    holder.start()
    try:
        assert opened.wait(20)
        with pytest.raises(InputError, match="in use by another process"):
            small.count(checkpoint=path)
    finally:
        close.set()
        holder.join()


def test_a_full_disk_leaves_a_checkpoint_that_goes_on(small, tmp_path, monkeypatch):
    path = tmp_path / "count"
    write, room = os.write, [400]

    def full(file, data):
        part = bytes(data[: room[0]])
        if not part:
            raise OSError(28, "No space left on device")
        room[0] -= len(part)
        return write(file, part)

    monkeypatch.setattr(checkpoint_module.os, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        fine_count(small, Inline(), path)
    monkeypatch.undo()
    assert path.read_bytes().endswith(b"\n")
    assert fine_count(small, Inline(), path) == small.count()


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


# -- solid angles


def same_summary(a, b):
    for name in ("n_cells", "sum", "error", "rank", "method", "exact_cones"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("histogram", "edges"):
        assert np.array_equal(getattr(a, name), getattr(b, name))
    for name in ("least", "greatest"):
        x, y = getattr(a, name), getattr(b, name)
        assert (x.angle, x.error, x.witness) == (y.angle, y.error, y.witness)
        assert np.array_equal(x.pattern, y.pattern)


@pytest.mark.parametrize(("n", "r"), [(200, 2), (60, 3), (30, 4), (14, 5), (10, 6), (9, 1)])
def test_angles_are_the_same_to_the_last_bit(n, r, processes, tmp_path):
    A = Arrangement(gaussian(n, r))
    whole = topes.solid_angle_summary(A)
    same_summary(topes.solid_angle_summary(A, executor=processes), whole)
    path = tmp_path / "angles"
    same_summary(topes.solid_angle_summary(A, checkpoint=path), whole)
    if r > 1:
        text = path.read_bytes()
        path.write_bytes(text[: 2 * len(text) // 3])
        same_summary(topes.solid_angle_summary(A, checkpoint=path, executor=processes), whole)
        same_summary(topes.solid_angle_summary(A, checkpoint=path, executor=Inline(0)), whole)


def test_of_equal_angles_the_first_cell_is_named(processes):
    """Threshold functions of four inputs: each angle is shared by many cells, all over the tasks."""
    A = Arrangement([[1, *((k >> j & 1) * 2 - 1 for j in range(4))] for k in range(16)])
    whole = topes.solid_angle_summary(A)
    assert len(cut(A, "k", DEFAULT_SIZE)) > 10
    same_summary(topes.solid_angle_summary(A, executor=processes), whole)


def test_tiny_angles_keep_their_bits(processes, tmp_path):
    A = Arrangement([[1.0, 0.0, 0.0], [1.0, 1e-200, 0.0], [1.0, 0.0, 1e-300], [0.0, 1.0, 1.0], [0.0, 1.0, -1e-9]])
    same_summary(topes.solid_angle_summary(A, checkpoint=tmp_path / "c"), topes.solid_angle_summary(A))


def test_angles_with_other_points_are_another_problem(tmp_path):
    A = Arrangement(gaussian(9, 6))
    path = tmp_path / "angles"
    topes.solid_angle_summary(A, checkpoint=path, n_points=64)
    with pytest.raises(InputError, match="another problem: other settings"):
        topes.solid_angle_summary(A, checkpoint=path, n_points=128)
    with pytest.raises(CellLimitError):
        topes.solid_angle_summary(A, checkpoint=path, n_points=64, max_cells=5)
