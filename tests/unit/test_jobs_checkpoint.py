"""Checkpoints of walks in shares: taken up after any stop, from any byte, and of no other problem."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

import topes
from shares import Inline, fine_count, gaussian, started
from topes import Arrangement, FileFormatError, InputError
from topes.jobs import checkpoint as checkpoint_module
from topes.jobs.shares import PlanSize, arrangement_key

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


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
    with pytest.raises(KeyboardInterrupt):
        A.count(checkpoint=path, progress=interrupt_after(4), n_threads=2)
    n_done = len(path.read_bytes().splitlines()) - 1
    assert not any(thread.name.startswith("topes") and thread.is_alive() for thread in _after(threading.enumerate, 5.0))
    fractions = []
    n_cells = A.count(checkpoint=path, progress=lambda f, n: fractions.append((f, n)), n_threads=2)
    assert n_cells == A.bound()
    assert (fractions[0][0] > 0) == (n_done > 0)
    assert n_done < len(path.read_bytes().splitlines()) - 1  # the first one did not go on to the end
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
    child = started(SCRIPT, path, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == "counting\n"
    child.send_signal(how)
    output, errors = child.communicate(timeout=60)
    assert "done" not in output
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors or how == signal.SIGKILL
    n_done = len(path.read_bytes().splitlines()) - 1
    assert n_done > 0
    A = Arrangement(gaussian(300, 4))
    first = []
    n_cells = fine_count(A, None, path, lambda fraction, n_cells: first.append(n_cells), size=PlanSize(4000, 0))
    assert n_cells == A.bound()
    assert first[0] > 0


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
