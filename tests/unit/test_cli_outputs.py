"""What the command writes: whole or not at all, never over what is there, and what is left of a run that was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import topes
from command import TABLE, refused, run
from topes import TwoLayerNetwork
from topes._support.files import whole_file
from topes.pricing import Pricer

TRAIN = ("train", "data.csv", "--target", "y", "--beta", "0.1")
WRITERS = {
    "network": (*TRAIN, "-o", "out.json"),
    "certificate": (*TRAIN, "-o", "other.json", "--certificate", "out.npz"),
    "fit": (*TRAIN, "-o", "other.json", "--plot", "out.png"),
    "patterns": ("cells", "data.csv", "-o", "out.npy"),
    "packed": ("cells", "data.csv", "--packed", "-o", "out.npy"),
    "picture": ("plot", "angles", "data.csv", "-o", "out.svg"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the command runs, with a table in it."""
    (tmp_path / "data.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("what", WRITERS)
def test_nothing_is_replaced_without_force(folder, capsys, what):
    arguments = WRITERS[what]
    out = next(folder / part for part in arguments if part.startswith("out."))
    out.write_text("precious")
    assert f"{out.name} exists; --force replaces it" in refused(capsys, *arguments)
    assert out.read_text() == "precious"
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv", out.name]  # refused before any work
    assert run(*arguments, "--force") == 0
    assert out.read_bytes()[:8] != b"precious"
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("what", WRITERS)
def test_outputs_that_cannot_be(folder, capsys, what):
    def elsewhere(where):
        return [where + part if part.startswith("out.") else part for part in WRITERS[what]]

    assert "does not lie in an existing directory" in refused(capsys, *elsewhere("nowhere/"))
    (folder / "out.d").mkdir()
    suffix = next(part for part in WRITERS[what] if part.startswith("out."))
    (folder / suffix).mkdir()
    assert f"{suffix} is a directory" in refused(capsys, *WRITERS[what], "--force")
    assert sorted(p.name for p in folder.iterdir()) == sorted(["data.csv", "out.d", suffix])


def test_one_file_is_not_read_and_written_nor_written_twice(folder, capsys):
    assert "out.json is to be written twice" in refused(capsys, *TRAIN, "-o", "out.json", "--certificate", "./out.json")
    assert "data.csv is read by this command" in refused(capsys, *TRAIN, "-o", "data.csv", "--force")
    assert (folder / "data.csv").read_text() == TABLE


def test_a_picture_is_refused_before_training(folder, capsys, monkeypatch):
    assert "--plot must end in one of" in refused(capsys, *TRAIN, "-o", "out.json", "--plot", "fit.doc")
    for module in [m for m in sys.modules if m.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert "pictures need matplotlib" in refused(capsys, *TRAIN, "-o", "out.json", "--plot", "fit.png")
    assert not (folder / "out.json").exists()


@pytest.mark.parametrize("what", [*WRITERS, "checkpoint"])
def test_a_folder_where_nothing_can_be_made_is_found_out_first(folder, capsys, monkeypatch, what):
    """/proc refuses even a superuser."""
    if not Path("/proc/self").exists():
        pytest.skip("no folder that refuses everybody")
    monkeypatch.setattr("topes.cli._common.read_table", None)  # nothing is read
    given = WRITERS.get(what, ("count", "data.csv", "--checkpoint", "out.shares"))
    out = next(part for part in given if part.startswith("out."))
    arguments = [f"/proc/{part}" if part == out else part for part in given]
    assert refused(capsys, *arguments) == f"topes: /proc/{out} cannot be written: No such file or directory\n"
    assert [p.name for p in folder.iterdir()] == ["data.csv"]


def test_what_is_written_in_its_place_must_be_writable(folder, capsys, monkeypatch):
    (folder / "out.npy").write_text("precious")
    monkeypatch.setattr("os.access", lambda _, mode, **__: mode != os.W_OK)  # a superuser may write all
    assert "out.npy cannot be written: Permission denied" in refused(
        capsys, "cells", "data.csv", "--resume", "-o", "out.npy"
    )
    assert run("cells", "data.csv", "--force", "-o", "out.npy") == 0


def test_devices_may_be_written_to(folder, capsys):
    assert run(*TRAIN, "-o", "/dev/null") == 0
    if Path("/dev/full").exists():
        capsys.readouterr()
        assert refused(capsys, *TRAIN, "-o", "/dev/full") == "topes: /dev/full: No space left on device\n"


# Whoever runs the tests in the background made SIGINT ignored, which a child inherits: undo that.
def _python(program):
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


_FULL = """
import resource, sys
from topes import cli
for limit, arguments in {cases!r}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        cli.main(arguments)
        code = 0
    except SystemExit as stop:
        code = stop.code
    print("code", code, file=sys.stderr, flush=True)
"""


def test_a_full_disk_leaves_no_part_of_a_file(folder):
    """The limit on a file's size stands for the disk: the write fails in the middle, as there."""
    pytest.importorskip("resource")
    rng = np.random.default_rng(0)
    np.savetxt(folder / "data.csv", rng.integers(-9, 10, (40, 3)), fmt="%d", delimiter=",", header="a,b,y", comments="")
    (folder / "out.json").write_text("precious")
    cases = [(300, [*arguments, "--force"]) for arguments in WRITERS.values()]
    # Not even the network would fit otherwise, before the certificate and the picture.
    cases = [(4096 if "other.json" in arguments else limit, arguments) for limit, arguments in cases]
    process = _python(_FULL.format(cases=cases))
    _, err = process.communicate(timeout=300)
    assert err.count("code 2") == len(cases), err
    assert err.count("File too large") == len(cases)
    assert err.count("\n") == 2 * len(cases)
    assert "Traceback" not in err
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv", "other.json", "out.json"]
    assert (folder / "out.json").read_text() == "precious"
    assert TwoLayerNetwork.load(folder / "other.json").n_neurons > 0  # whole, and kept: the certificate failed after it


LONG = {
    "count": ("count", "large.npy"),
    "cells": ("cells", "large.npy", "-o", "out.npy"),
    "train": ("train", "large.npy", "--target", "4", "--beta", "1e-9", "-o", "out.json", "--certificate", "p.npz"),
    "path": ("path", "large.npy", "--target", "4", "--betas", "900"),
    "plot": ("plot", "angles", "large.npy", "-o", "out.png"),
    "report": ("report", "large.npy", "--max-time", "1000"),
}


@pytest.mark.parametrize("what", LONG)
def test_ctrl_c_stops_at_once_and_leaves_nothing_behind(folder, what):
    np.save(folder / "large.npy", np.random.default_rng(0).standard_normal((3000, 5)))
    (folder / "data.csv").unlink()
    process = _python(f"from topes.cli import main; print('ready', flush=True); main({LONG[what]!r})")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"  # imports take seconds on a busy machine
        time.sleep(2)
        assert process.poll() is None, "the input is too small for this test"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.strip() == "topes: interrupted"
    assert [p.name for p in folder.iterdir()] == ["large.npy"]


def test_a_reader_that_leaves_early_is_no_error(folder):
    program = "import sys; from topes.cli import main; sys.stdin.readline(); main(['count', 'data.csv'])"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate("go\n", timeout=120)
    assert err == ""
    assert process.returncode == 1


def test_whole_file(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link"

    def fill(*parts):
        with whole_file(path) as file:
            for part in parts:
                file.write(part)

    with pytest.raises(TypeError):
        fill(b"half", None)
    assert not list(tmp_path.iterdir())
    fill(b"one")
    path.chmod(0o640)
    link.symlink_to(path)
    with whole_file(link) as file:
        file.write(b"two")
        assert path.read_bytes() == b"one"
    assert link.is_symlink()
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "link"]


def test_a_path_is_named_as_it_was_given(tmp_path, monkeypatch):
    """Not by the part beside it, nor by where a link leads."""
    monkeypatch.chdir(tmp_path)
    solution = topes.train([[1.0], [-2.0]], [1.0, 3.0], beta=0.1)
    for write in (solution.network.save, solution.save_certificate):
        with pytest.raises(topes.InputError, match="path must be a path, got None"):
            write(None)
        with pytest.raises(topes.InputError, match=r"^nowhere/b cannot be written: No such file or directory$"):
            write(Path("nowhere/b"))
        with pytest.raises(topes.InputError, match=r"^\. cannot be written: Is a directory$"):
            write(".")
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match="No space left on device") as caught:
            solution.network.save("/dev/full")
        assert caught.value.filename == "/dev/full"


def test_a_certificate_is_refused_before_pricing(tmp_path, monkeypatch):
    solution = topes.train([[1.0], [-2.0]], [1.0, 3.0], beta=0.1)
    monkeypatch.setattr(Pricer, "cover", None)
    with pytest.raises(topes.InputError, match="cannot be written"):
        solution.save_certificate(tmp_path / "nowhere" / "b")


def test_checkpoints_and_outputs_that_go_on_are_kept(folder, capsys):
    assert "does not lie in an existing directory" in refused(capsys, "count", "data.csv", "--checkpoint", "nowhere/c")
    assert "data.csv is read by this command" in refused(capsys, "count", "data.csv", "--checkpoint", "data.csv")
    for _ in range(2):
        assert run("cells", "data.csv", "--resume", "-o", "out.npy") == 0
    capsys.readouterr()
    assert "out.npy exists" in refused(capsys, "cells", "data.csv", "-o", "out.npy")
    (folder / "out.npy").write_text("precious")
    (folder / "out.npy.checkpoint").unlink()
    refused(capsys, "cells", "data.csv", "--resume", "-o", "out.npy")
    assert (folder / "out.npy").read_text() == "precious"
