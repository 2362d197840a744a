"""`--json` of every command: the documented keys, all of them, and what scripts need: `met` and the exit code."""

from __future__ import annotations

import json
import math
import sys

import pytest

from command import TABLE, run
from topes import TwoLayerNetwork, __version__, cli
from topes.cli import _progress
from topes.cli._common import _plain
from topes.cli._schema import COMMON, KEYS
from topes.result import Round

NETWORK = ("data.csv", "n.json", "--target", "y", "--beta", "0.1")
CASES = {
    "count": ("count", "data.csv"),
    "count --estimate": ("count", "data.csv", "--estimate"),
    "cells": ("cells", "data.csv", "-o", "p.npy"),
    "report": ("report", "data.csv", "--max-time", "1"),
    "report of no rank": ("report", "zeros.csv", "--max-time", "1"),
    "train": ("train", "data.csv", "--target", "y", "--beta", "0.1", "-o", "m.json"),
    "train --certificate": ("train", "data.csv", "--target", "y", "--beta", "1", "-o", "m.json", "--certificate", "p.npz"),
    "train --method full": ("train", "data.csv", "--target", "y", "--beta", "1", "-o", "m.json", "--method", "full"),
    "certify": ("certify", *NETWORK),
    "stationarity": ("stationarity", *NETWORK),
    "stationarity --no-compare": ("stationarity", *NETWORK, "--no-compare"),
    "path": ("path", "data.csv", "--target", "y", "--betas", "2"),
    "verify": ("verify", "n.npz"),
    "verify FILE": ("verify", "n.npz", "data.csv", "--target", "y"),
    "verify nothing": ("verify", "bad.npz"),
    "plot": ("plot", "angles", "data.csv", "-o", "p.png"),
    "plot neurons": ("plot", "neurons", "data.csv", "--target", "y", "--network", "n.json", "-o", "p.png"),
    "plot path": ("plot", "path", "data.csv", "--target", "y", "--betas", "2", "-o", "p.png"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """Where the command runs, with a table, a network and its certificate in it."""
    (tmp_path / "data.csv").write_text(TABLE)
    (tmp_path / "zeros.csv").write_text("0,0\n0,0\n")
    (tmp_path / "bad.npz").write_bytes(b"none")
    monkeypatch.chdir(tmp_path)
    assert run("train", "data.csv", "--target", "y", "--beta", "0.1", "-o", "n.json", "--certificate", "n.npz") == 0
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_keys_are_those_of_the_schema_always_all(folder, capsys, case):
    code = run(*CASES[case], "--json")
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("\n") == 1

    def no_constant(text):
        raise AssertionError(f"{text} is not JSON")

    facts = json.loads(shown.out, parse_constant=no_constant)
    command = CASES[case][0]
    assert set(facts) == {*COMMON, *KEYS[command]}
    assert (facts["command"], facts["version"]) == (command, __version__)
    assert facts["met"] is (code == 0)
    assert facts["seconds"] >= 0.0
    assert facts["file"] == next((part for part in CASES[case][1:] if part.endswith(".csv")), None)
    if command == "path":
        assert {*facts["path"][0]} == {"beta", "objective", "lower_bound", "gap", "neurons", "status", "seconds"}


def test_every_command_has_a_schema_and_every_key_is_used(folder, capsys):
    assert set(KEYS) == set(cli.cli.commands) - {"completion"}
    assert all("as_json" in (p.name for p in cli.cli.commands[name].params) for name in KEYS)
    used = {name: set(COMMON) for name in KEYS}
    for arguments in (*CASES.values(), ("train", *NETWORK[:1], *NETWORK[2:], "-o", "x.json", "--plot", "x.png")):
        run(*arguments, "--json", *(["--force"] if arguments[0] in ("train", "plot", "cells") else []))
        facts = json.loads(capsys.readouterr().out)
        used[arguments[0]] |= {name for name, value in facts.items() if value is not None}
    never = {name: {*KEYS[name]} - used[name] for name in KEYS}
    assert never.pop("verify") == {"residual"}  # of interpolation, which no command does
    assert not any(never.values()), never


def test_a_gap_that_is_not_met_is_exit_code_1(folder, capsys):
    """Time for one round only; the network is written all the same."""
    rest = ("--target", "y", "--beta", "0.001", "--max-time", "1e-9", "--tol", "1e-13", "--json")
    assert run("train", "data.csv", *rest, "-o", "m.json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["met"], facts["status"] == "certified") == (False, False)
    written = TwoLayerNetwork.load("m.json").objective([[0.1, 0.3], [0.3, 0.9], [1, 0]], [1, -1, 1], 0.001)
    assert written == pytest.approx(facts["objective"], rel=1e-12)
    assert run("path", "data.csv", *rest[:2], *rest[4:], "--betas", "2") == 1
    assert json.loads(capsys.readouterr().out)["met"] is False


def test_a_claim_about_a_network(folder, capsys):
    TwoLayerNetwork([[1.0], [0.0]], None, [1.0]).save("n.json")
    assert run("certify", *NETWORK, "--json") == 0
    gap = json.loads(capsys.readouterr().out)["gap"]
    assert gap > 0.01
    assert run("certify", *NETWORK, "--gap", 1.01 * gap) == 0
    assert run("certify", *NETWORK, "--gap", 0.99 * gap, "--json") == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["met"] is False
    assert run("certify", *NETWORK, "--gap", "-1") == 2
    assert run("certify", *NETWORK, "--gap", "nan") == 2
    assert capsys.readouterr().err.count("--gap must be a number >= 0") == 2


def test_infinity_is_null():
    assert _plain({"a": [math.inf, 1.0], "b": math.nan, "c": True}) == {"a": [None, 1.0], "b": None, "c": True}


PROGRESS = {
    "train": "training: gap",
    "certify": "certifying: gap",
    "path": "path: 1 of 2 beta",
    "plot path": "path: 2 of 2 beta",
}


@pytest.mark.parametrize("case", PROGRESS)
def test_progress_is_shown_on_a_terminal_and_erased(folder, capsys, monkeypatch, case):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    assert run(*CASES[case], *(["--force"] if "-o" in CASES[case] else [])) == 0
    err = capsys.readouterr().err
    assert PROGRESS[case] in err
    assert "\n" not in err
    assert err.endswith(" \r")
    for silent in ("--json", "--quiet", "-q"):
        assert run(*CASES[case], *(["--force"] if "-o" in CASES[case] else []), silent) == 0
        assert capsys.readouterr().err == ""


def test_no_progress_but_on_a_terminal(folder, capsys, monkeypatch):
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    assert run(*CASES["path"]) == 0
    assert capsys.readouterr().err == ""


def test_the_estimate_of_training(capsys, monkeypatch):
    """Gaps that fall by ten in a second, from 1 to 1e-6: six seconds in all."""
    now = [0.0]
    monkeypatch.setattr(_progress, "show_progress", lambda: True)
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    with _progress.TrainingLine("training", 1e-6) as line:
        for k in range(4):
            now[0] = float(k)
            line(Round(1.0, 0.0, 10.0**-k, 3, 5, float(k)))
    shown = capsys.readouterr().err.split("\r")
    assert shown[1] == "training: gap 1.0e+00 of 1e-06, 3 faces"
    assert shown[4].startswith("training: gap 1.0e-03 of 1e-06, 3 faces, about 3 s left")
    assert not shown[5].strip()
    with _progress.TrainingLine("training", 1e-6, max_time=5.0) as line:
        for k in (0, 3):
            now[0] = 3.0 + k
            line(Round(1.0, 0.0, 10.0**-k, 3, 5, float(k)))
    shown = capsys.readouterr().err.split("\r")
    assert shown[1].endswith("3 faces, at most 5 s left")
    assert shown[2].startswith("training: gap 1.0e-03 of 1e-06, 3 faces, at most 2 s left")


def test_the_clock(capsys, monkeypatch):
    monkeypatch.setattr(_progress, "show_progress", lambda: True)
    monkeypatch.setattr(_progress, "_TICK", 0.01)
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    with _progress.clock("verifying", 60.0):
        _progress.time.sleep(0.3)
    assert "verifying: 0 s, at most 60 s left" in capsys.readouterr().err
