"""Patterns on disk: right at every moment, taken up after any stop, read a few at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import topes
from shares import ALL, FINE, gaussian, started
from topes import Arrangement, FileFormatError, InputError, MemoryLimitError
from topes.jobs import growing, patterns
from topes.jobs.growing import GrowingNpy

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


@pytest.fixture(scope="module")
def A():
    return Arrangement(gaussian(30, 3))


@pytest.fixture
def always(monkeypatch):
    """Every share is committed by itself."""
    monkeypatch.setattr(growing, "_SECONDS_BETWEEN_COMMITS", 0.0)


def save(A, path, *, executor=None, packed=True, resume=True, progress=False, size=FINE, max_cells=ALL):
    return patterns.save_in_shares(
        A,
        path,
        packed=packed,
        executor=executor,
        resume=resume,
        n_threads=None,
        progress=progress,
        max_cells=max_cells,
        size=size,
    )


def checkpoint_of(path):
    return path.with_name(path.name + ".checkpoint")


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("resume", [True, False])
def test_the_file_is_that_of_one_process(A, packed, resume, tmp_path):
    one, many = tmp_path / "one.npy", tmp_path / "many.npy"
    np.save(one, np.packbits(A.patterns(), axis=1, bitorder="little") if packed else A.patterns())
    with ProcessPoolExecutor(2) as pool:
        assert A.save_patterns(many, packed=packed, executor=pool, resume=resume) == A.bound()
        assert save(A, tmp_path / "fine.npy", packed=packed, executor=pool, resume=resume) == A.bound()
    for path in (many, tmp_path / "fine.npy"):
        assert np.array_equal(np.load(path), np.load(one))
        assert np.array_equal(np.load(path, mmap_mode="r"), np.load(one))
        assert path.stat().st_size == one.stat().st_size
        assert checkpoint_of(path).exists() == resume
    assert sorted(p.name for p in tmp_path.iterdir() if "checkpoint" not in p.name) == ["fine.npy", "many.npy", "one.npy"]


def test_affine_cells(tmp_path):
    rng = np.random.default_rng(3)
    A = Arrangement(rng.standard_normal((20, 3)), rng.standard_normal(20))
    assert save(A, tmp_path / "a.npy") == A.count()
    assert np.array_equal(topes.open_patterns(tmp_path / "a.npy")[:], A.patterns())


class Stop(Exception):
    pass


def test_right_at_every_moment_and_taken_up_from_each(A, always, tmp_path):
    """Stopped after every share in turn; in between the file is read, and what it holds is a beginning of the whole."""
    path, whole = tmp_path / "cells.npy", A.patterns()
    seen = []

    def stop_when_more(fraction, n_cells):
        found = np.load(path) if path.exists() else np.zeros((0, 4), np.uint8)
        assert np.array_equal(found, np.packbits(whole[: len(found)], axis=1, bitorder="little"))
        if len(found) > (seen[-1] if seen else 0):
            seen.append(len(found))
            raise Stop

    def one():
        return ThreadPoolExecutor(1)

    finished = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns.run.__globals__["_Loop"], "report", _report_always)
        while not finished:
            try:
                n_cells = save(A, path, executor=one, progress=stop_when_more)
                finished = True
            except Stop:
                opened = topes.open_patterns(path)
                assert len(opened) == seen[-1]
                assert opened.complete == (len(opened) == len(whole))
                assert np.array_equal(opened[:], whole[: len(opened)])
    assert n_cells == len(whole)
    assert len(seen) > 30
    assert topes.open_patterns(path).complete
    assert np.array_equal(topes.open_patterns(path)[:], whole)


def _report_always(loop):
    if loop.callback is not None:
        loop.callback(loop.estimate.fraction(), loop.n_cells)


def test_cut_at_any_byte(A, always, tmp_path):
    """The file and its checkpoint are cut, each for itself: what both have is kept, and the whole comes out."""
    path = tmp_path / "cells.npy"
    save(A, path)
    data, lines = path.read_bytes(), checkpoint_of(path).read_bytes()
    rng = np.random.default_rng(0)
    ends = [(len(data), k) for k in range(len(lines) - 40, len(lines))]
    ends += [(k, len(lines)) for k in range(len(data) - 40, len(data))]
    ends += [(int(rng.integers(128, len(data))), int(rng.integers(0, len(lines)))) for _ in range(60)]
    for data_end, lines_end in ends:
        path.write_bytes(data[:data_end])
        checkpoint_of(path).write_bytes(lines[:lines_end])
        assert save(A, path) == A.bound()
        assert path.read_bytes() == data, (data_end, lines_end)


def test_bytes_that_the_header_does_not_count_are_no_cells(A, always, tmp_path):
    path = tmp_path / "cells.npy"
    save(A, path)
    data = path.read_bytes()
    n_rows, width = growing.rows_and_width(path)
    path.write_bytes(growing._header(n_rows // 2, width) + data[128:-3])
    assert len(np.load(path)) == n_rows // 2
    assert len(topes.open_patterns(path)) == n_rows // 2
    assert save(A, path) == n_rows
    assert path.read_bytes() == data


def test_a_file_of_something_else_is_left_alone(A, tmp_path):
    path = tmp_path / "cells.npy"
    np.save(path, np.arange(7))
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"'cells\.npy\.checkpoint' beside it is not"):
        save(A, path)
    assert path.read_bytes() == before
    path.unlink()
    save(A, path)
    with pytest.raises(InputError, match="another problem: other rows"):
        save(Arrangement(gaussian(30, 3, seed=1)), path)
    with pytest.raises(InputError, match="another problem: other settings"):
        save(A, path, packed=False)
    np.save(path, np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="holds rows of 3 bytes, not of 4"):
        save(A, path)
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        save(A, tmp_path / "no" / "where.npy")


def test_a_new_file_in_one_go_leaves_no_old_checkpoint(A, tmp_path):
    path = tmp_path / "cells.npy"
    for again in (partial(A.save_patterns, path), partial(save, A, path, resume=False)):
        path.unlink(missing_ok=True)
        save(A, path)
        again()
        assert not checkpoint_of(path).exists()


def test_a_failure_in_one_go_leaves_nothing(A, tmp_path):
    with pytest.raises(topes.CellLimitError):
        save(A, tmp_path / "cells.npy", resume=False, max_cells=100)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
import numpy as np
import topes
from topes.jobs import growing, patterns
from topes.jobs.shares import PlanSize

growing._SECONDS_BETWEEN_COMMITS = 0.0
A = topes.Arrangement(np.random.default_rng(0).standard_normal((30, 3)))
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    patterns.save_in_shares(A, sys.argv[1], packed=True, executor=None, resume=True, n_threads=1, progress=False,
                            max_cells=2**64 - 1, size=PlanSize(40, 0))
except OSError as error:
    print(error)
"""


def test_a_full_disk_leaves_a_valid_file(A, tmp_path):
    path = tmp_path / "cells.npy"
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert "File too large" in child.stdout
    assert str(path) in child.stdout
    opened = topes.open_patterns(path)
    assert 100 < len(opened) < A.bound()
    assert not opened.complete
    assert np.array_equal(opened[:], A.patterns()[: len(opened)])
    assert save(A, path) == A.bound()
    assert np.array_equal(topes.open_patterns(path)[:], A.patterns())


def test_the_room_on_the_disk_is_asked_first(A, monkeypatch, tmp_path):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(patterns.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(MemoryLimitError, match="more bytes on disk; 1,000 are free"):
        A.save_patterns(tmp_path / "cells.npy", resume=True)
    assert not (tmp_path / "cells.npy").exists()
    # An estimate that is all noise still tells what no disk can hold.
    monkeypatch.setattr(patterns, "quick_estimate", lambda A: (1e9, 1e9))
    with pytest.raises(MemoryLimitError, match="has about 1,000,000,000 cells, which need"):
        A.save_patterns(tmp_path / "cells.npy", resume=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "path must be a path, got None"),
        ("", "Is a directory"),
        ("none/cells.npy", r"none/cells\.npy cannot be written"),
    ],
)
def test_where_no_file_can_be_is_told_first(A, tmp_path, monkeypatch, path, message):
    monkeypatch.setattr(patterns, "cut", None)  # no walk begins
    with pytest.raises(InputError, match=message):
        A.save_patterns(path if path is None else tmp_path / path)


def test_shares_are_small_however_many_cells_there_are():
    for n, r in ((50, 3), (400, 4), (2393, 5), (100_000, 3)):
        many = topes.Arrangement(np.random.default_rng(0).standard_normal((n, r)))
        n_tasks = patterns._size(many).n_tasks
        each = many.bound() / n_tasks * ((n + 7) // 8)
        assert each <= patterns._LARGE_BYTES or n_tasks == patterns._MOST_SHARES


KILLED = """
import sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import topes
from topes.jobs import growing

growing._SECONDS_BETWEEN_COMMITS = 0.0
A = topes.Arrangement(np.random.default_rng(0).standard_normal((200, 4)))
A.save_patterns(sys.argv[1], packed=True, resume=True, executor=lambda: ProcessPoolExecutor(2),
                progress=lambda fraction, n_cells: print("writing", n_cells, flush=True))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_half_way(how, tmp_path):
    path = tmp_path / "cells.npy"
    child = started(KILLED, path, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    while child.stdout.readline() in ("writing 0\n",):
        pass
    child.send_signal(how)
    child.communicate(timeout=60)
    A = Arrangement(gaussian(200, 4))
    found = topes.open_patterns(path)
    assert len(found) == len(np.load(path, mmap_mode="r")) > 0
    assert A.save_patterns(path, packed=True, resume=True) == A.bound()
    whole = topes.open_patterns(path)
    assert whole.complete
    first = 0
    for batch in A.cells(geometry=False):
        assert np.array_equal(batch.packed, whole.stored[first : first + len(batch)])
        first += len(batch)
    assert first == len(whole)


def test_results_that_come_early_wait_and_are_few(A, always, tmp_path, monkeypatch):
    monkeypatch.setattr(patterns, "_HELD_BYTES", 1)
    most = 0
    keep = patterns._File.keep

    def watched(self, share, result):
        nonlocal most
        n_cells = keep(self, share, result)
        most = max(most, self.held)
        return n_cells

    monkeypatch.setattr(patterns._File, "keep", watched)
    with ThreadPoolExecutor(4) as pool:
        save(A, tmp_path / "cells.npy", executor=pool)
    assert most < 8
    assert np.array_equal(topes.open_patterns(tmp_path / "cells.npy")[:], A.patterns())


# -- reading


def test_reading_a_few_at_a_time(A, tmp_path):
    whole = A.patterns()
    for packed in (True, False):
        path = tmp_path / f"{packed}.npy"
        save(A, path, packed=packed)
        P = topes.open_patterns(path)
        assert P.shape == whole.shape
        assert P.packed == packed
        assert isinstance(P.stored, np.memmap)
        assert np.array_equal(P[7], whole[7])
        assert np.array_equal(P[-3:], whole[-3:])
        assert np.array_equal(P[10:3:-2], whole[10:3:-2])
        assert np.array_equal(P[[5, 1, 5]], whole[[5, 1, 5]])
        assert np.array_equal(np.concatenate(list(P.batches(100))), whole)
        assert np.array_equal(list(P), whole)
        with pytest.raises(IndexError):
            P[len(P)]
        with pytest.raises(InputError, match="indexed by the cell alone"):
            P[1, 2]
        with pytest.raises(ValueError, match="read-only"):
            P.stored[0, 0] = 9
        P[0][0] = 9  # a copy


def test_files_without_a_checkpoint(A, tmp_path):
    A.save_patterns(tmp_path / "a.npy")
    A.save_patterns(tmp_path / "b.npy", packed=True)
    assert np.array_equal(topes.open_patterns(tmp_path / "a.npy")[:], A.patterns())
    assert np.array_equal(topes.open_patterns(tmp_path / "a.npy", n=30)[:], A.patterns())
    assert np.array_equal(topes.open_patterns(tmp_path / "b.npy", n=30)[:], A.patterns())
    with pytest.raises(InputError, match="n must fit rows of 4 bytes, got 33"):
        topes.open_patterns(tmp_path / "b.npy", n=33)


def test_what_holds_no_patterns(A, tmp_path):
    path = tmp_path / "x.npy"
    for array in (np.arange(3), np.zeros((2, 2)), np.zeros((2, 2), np.int8), np.asfortranarray(np.zeros((2, 2), np.uint8))):
        np.save(path, array)
        with pytest.raises(FileFormatError, match="does not hold patterns"):
            topes.open_patterns(path)
    path.write_bytes(b"not numpy")
    with pytest.raises(FileFormatError, match=r"not an \.npy file"):
        topes.open_patterns(path)
    A.count(checkpoint=checkpoint_of(tmp_path / "y.npy"))
    np.save(tmp_path / "y.npy", np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="not the checkpoint of a file of patterns"):
        topes.open_patterns(tmp_path / "y.npy")
    save(A, tmp_path / "z.npy")
    with pytest.raises(InputError, match="n must be 30"):
        topes.open_patterns(tmp_path / "z.npy", n=29)


def test_a_growing_file_by_itself(tmp_path):
    path = tmp_path / "g.npy"
    file = GrowingNpy(path, 3)
    assert np.load(path).shape == (0, 3)
    file.append(b"abcdef")
    assert np.load(path).shape == (0, 3)
    file.commit()
    assert np.load(path).tobytes() == b"abcdef"
    file.append(b"ghi")
    file.close()
    assert np.load(path).tobytes() == b"abcdef"  # closed without a commit, as after an error
    wide = growing._header(10**19, 10**9)
    assert len(wide) == 128
    assert wide.endswith(b"\n")
    assert os.path.getsize(path) == 128 + 9
