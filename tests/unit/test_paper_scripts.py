"""The scripts of examples/paper: each runs at its small size, and the numbers it writes are held against what is proved."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "paper"
ROUNDING = 1e-9  # relative, between objectives that were computed in different ways
SOLVER = 1e-6  # relative, what Clarabel leaves
pytestmark = pytest.mark.large  # each is a process of its own, seconds to a minute
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="SGD is written in PyTorch")


def run(name, *options, folder=None):
    """The script in a process of its own; modules in `folder` go before others."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *map(str, options)]
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    settings |= {} if folder is None else {"PYTHONPATH": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=os.environ | settings)


def quick(name, folder, *options):
    """The figures of a run with --quick that also draws its picture."""
    picture, numbers = folder / "picture.png", folder / "numbers.json"
    done = run(name, "--quick", "-o", picture, "--json", numbers, *options)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    held = json.loads(numbers.read_text(encoding="utf-8"))
    assert held["quick"]
    assert f"{held['title']} (topes" in done.stdout
    return held["figures"]


def finite(values):
    """Without the runs that diverged, which are null."""
    return np.array([v for v in values if v is not None])


def test_example_ii1(tmp_path):
    f = quick("example_ii1", tmp_path)
    assert {tuple(p) for p in f["patterns"]} == {(1, 1, 1), (1, 1, 0), (0, 0, 1), (0, 0, 0)}
    assert f["cells"] == f["bound"] == f["n_vertices"] == 4
    assert f["angles"] == [1 / 8, 1 / 8, 3 / 8, 3 / 8]
    assert f["theta_bar"] == 0.5
    assert f["volume"] == 5.0  # |2 (3 rows along (1, 1)) x (1, 0)|: det((5, 5), (1, 0)) = -5
    assert f["lower_bound"] <= f["objective"] <= f["lower_bound"] * (1 + 1e-9)
    assert f["full_program"] == pytest.approx(f["objective"], rel=SOLVER)
    # By hand: one neuron on each wall, (1, -1) with +(1 - beta sqrt 2) and (0, 1) with -(1 - beta / 1.3) / 13.
    assert f["weights"] == pytest.approx([math.sqrt(2) * (1 - 0.1 * math.sqrt(2)), (1 - 0.1) / 13], rel=1e-6)


@pytest.mark.parametrize("seed", [0, 3])
def test_figure_2(tmp_path, seed):
    f = quick("figure_2", tmp_path, "--seed", seed)
    assert f["cells"] == 4
    assert f["gap"] <= 1e-9
    assert f["price"] <= 1 + ROUNDING
    assert all(value >= f["lower_bound"] * (1 - ROUNDING) for value in [*f["minima"], f["best_single"]])
    if seed == 0:  # y = (1, -1, 1): two neurons beat each one, and there are two local minima
        assert len(f["minima"]) == 2
        assert f["best_single"] > f["objective"] * 1.02


def test_figure_5(tmp_path):
    f = quick("figure_5", tmp_path)
    assert f["held"]
    assert len(f["rows"]) == 6 + 1
    for row in f["rows"]:
        assert row["lower"] <= row["objective"] * (1 + ROUNDING)
        assert row["objective"] <= row["bound"] * row["upper"]
        assert row["ratio_lower"] <= row["ratio"] <= row["bound"]
        assert row["cells"] == (2 if row["k"] == 1 else 2 * 60)
        assert row["gap"] <= (1e-6 if row["d"] <= 5 else 1e-2)


def test_figure_6(tmp_path):
    f = quick("figure_6", tmp_path)
    for key, n_radians, n, cells in (("16gon", 15, 93, 16), ("Example", 6, 36, 4)):
        radians, right = f[f"{key}_radians"], f[f"{key}_probabilities"]
        assert (f[f"{key}_cells"], radians["n"], right["n"]) == (cells, n_radians, n)
        assert radians["exact"] < 0.25
        assert right["exact"] >= 0.95
        for drawn in (radians, right):
            deviation = math.sqrt(drawn["exact"] * (1 - drawn["exact"]) / drawn["trials"])
            assert abs(drawn["seen"] - drawn["exact"]) <= 5 * deviation + 1e-12
    # Fewer directions see a part of the cells of more: the sampled optimum falls, never below p*.
    values, seen = ([row[name] for row in f["sampled"]] for name in ("value", "cells"))
    assert all(b <= a * (1 + SOLVER) for a, b in pairwise(values))
    assert seen == sorted(seen)
    assert seen[-1] <= f["gaussian_cells"]
    assert min(values) >= f["lower_bound"] * (1 - ROUNDING)


@needs_torch
def test_figure_7(tmp_path):
    f = quick("figure_7", tmp_path)
    assert f["cells"] == 10
    assert f["objective"] == pytest.approx(0.0101168, rel=1e-5)
    assert f["full_program"] == pytest.approx(f["objective"], rel=SOLVER)
    assert f["gap"] <= 1e-8
    for m in (8, 15, 50):
        best = finite(f[f"best_{m}"])
        assert len(best) == 10
        assert best.min() >= f["lower_bound"] * (1 - ROUNDING)
        assert f[f"reached_{m}"] == int((best <= 1.05 * f["lower_bound"]).sum())
    assert f["reached_8"] < f["reached_50"]


@needs_torch
def test_figure_8(tmp_path):
    f = quick("figure_8", tmp_path)
    assert (f["n"], f["d"], f["cells"]) == (2393, 3, 4_609_968)
    assert f["gap"] <= 1e-3
    assert f["objective"] >= f["lower_bound"]
    assert finite(f["best"]).min() >= f["lower_bound"] * (1 - ROUNDING)
    assert f["test_rms"]["ours"] < f["test_rms"]["repeat"]


@needs_torch
def test_figure_9(tmp_path):
    f = quick("figure_9", tmp_path)
    names = {"blood", "iris", "wine", "breast-cancer-wisc-diag"}
    assert f["sets"] == len(names)
    for name in names:
        row = f[name]
        for bound, ours, sgd in zip(row["bounds"], row["objectives"], row["sgd"], strict=True):
            assert 0 < bound <= min(ours, sgd) * (1 + ROUNDING)
        assert min(row["accuracy"].values()) > 0.7
        gaps = [1 - bound / ours for bound, ours in zip(row["bounds"], row["objectives"], strict=True)]
        assert row["gap"] == pytest.approx(max(gaps), abs=1e-9)


@needs_torch
def test_figures_10_to_12(tmp_path):
    f = quick("figures_10_12", tmp_path)
    for name in ("(32), Gaussian", "(32), patches", "network (3)"):
        rows = [f[f"{name}, {share}"] for share in ("1", "0.5", "0.1")]
        assert min(row["accuracy"] for row in rows) > 0.9
        assert min(row["train"] for row in rows) > 0.95
        assert f[f"{name}, best"] == max(row["accuracy"] for row in rows) > 0.95
        ends = [row["curve"][-1] for row in rows]
        assert f[f"{name}, spread"] == pytest.approx(max(ends) / min(ends))
        assert ends[0] < 0.5 * rows[0]["curve"][0]  # the automatic rate learns,
        assert ends[0] < ends[2]  # and a tenth of it learns less
        assert [row["rate"] / rows[0]["rate"] for row in rows] == pytest.approx([1.0, 0.5, 0.1])
        if name != "network (3)":
            assert f[f"{name}, as network"] == max(row["as_network"] for row in rows) < f[f"{name}, best"]
            assert min(row["violation"] for row in rows) > 0.01  # the gates are not the network's


@needs_torch
def test_figure_13(tmp_path):
    f = quick("figure_13", tmp_path)
    assert f["rank"] == 4
    assert 0 < f["lower_bound"] <= f["objective"]
    assert f["gap"] <= 1e-3
    assert finite(f["best"]).min() >= f["lower_bound"] * (1 - ROUNDING)
    assert min(f["accuracy"].values()) > 0.6


def test_figure_14(tmp_path):
    f = quick("figure_14", tmp_path)
    assert f["line_threshold"] == pytest.approx(0.0021212, rel=3e-3)
    for key in ("line", "gaussian"):
        rows = f[key]
        assert f[f"{key}_gap"] <= 1e-9
        assert all(b >= a * (1 - SOLVER) for a, b in pairwise(rows["value"]))
        assert max(rows["value"]) <= 1 + 10 * SOLVER  # (32) relaxes (7)
        assert min(rows["network"]) >= 1 - 1e-8  # and no network is below p*
        exact = np.array(rows["rho"]) > 1.01 * rows["threshold"]
        assert exact.any()
        assert np.array(rows["value"])[exact] == pytest.approx(1.0, abs=1e-4)
    assert f["line_paper"] == pytest.approx([1.0, 1.0], abs=1e-4)
    assert f["gaussian_paper"][0] < 0.9
    assert f["gaussian_paper"][1] > 1.1


@needs_torch
def test_table_2(tmp_path):
    f = quick("table_2", tmp_path)
    rows = {key: row for key, row in f.items() if isinstance(row, dict)}
    assert len(rows) == 5
    assert min(row["accuracy"] for row in rows.values()) > 0.85
    for name, row in rows.items():
        if name.startswith("convex"):
            objectives = [objective for _, objective, _ in row["rounds"]]
            assert row["objective"] == pytest.approx(min(objectives))
            assert len(objectives) >= 3
            assert min(row["gated"], row["gates_as_network"]) > 0.85


@needs_torch
def test_table_3(tmp_path):
    f = quick("table_3", tmp_path)
    convex, sgd, joint = f["convex"], f["sgd"], f["joint"]
    for row in (convex, sgd):
        assert len(row["accuracy"]) == 3
        assert min(row["accuracy"]) > 0.85
        assert row["accuracy"][1] > row["accuracy"][0]  # a second block helps
        assert row["objective"][1] < row["objective"][0]
    assert sgd["accuracy"][1] > sgd["accuracy"][0] + 0.02
    assert convex["accuracy"][0] > sgd["accuracy"][0] + 0.02
    assert convex["accuracy"][1] > 0.95
    assert joint["accuracy"] > 0.93
    for k in range(3):
        assert f[f"block_{k + 1}"] == pytest.approx([100 * convex["accuracy"][k], 100 * sgd["accuracy"][k]])
        assert f[f"cost_{k + 1}"] == pytest.approx(convex["objective"][k] / convex["convex_objective"][k] - 1)
        assert 0.0 < f[f"cost_{k + 1}"] < 1.0  # the best network does not keep to the patterns
        assert convex["violation"][k] < 0.2


def test_what_is_missing_takes_one_line(tmp_path):
    for name, options, missing, words in (
        ("figure_7", ["--quick"], "torch", "SGD needs PyTorch"),
        ("example_ii1", ["-o", tmp_path / "p.png"], "matplotlib", "pictures need matplotlib"),
        ("figure_8", ["--data", tmp_path], "", "ecg_lags.csv must be a table of numbers"),
    ):
        folder = tmp_path / f"without_{missing}"
        folder.mkdir()
        if missing:
            (folder / f"{missing}.py").write_text("raise ImportError\n", encoding="utf-8")
        done = run(name, *options, folder=folder)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_bad_options_are_named(tmp_path):
    for options, words in (
        (["--seed", -1], "--seed must be from 0 to 9223372036854775807, got -1"),
        (["--seed", 10**20], "--seed must be from 0 to 9223372036854775807"),
        (["--momentum", "nan"], "--momentum must be at least 0 and less than 1, got nan"),
        (["--json", tmp_path], "is a folder"),
        (["-o", tmp_path / "picture.xyz"], "--output must end in one of"),
        (["-o", tmp_path / "picture"], "--output must end in one of"),
        (["--json", tmp_path / "none" / "n.json"], "--json must lie in an existing folder"),
        (["--rate", 0], "--rate must be positive and finite, got 0.0"),
    ):
        done = run("figure_7", *options)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr


@needs_torch
def test_what_cannot_be_done_takes_one_line(tmp_path):
    uci, images = tmp_path / "uci", tmp_path / "images"
    uci.mkdir()
    images.mkdir()
    (uci / "iris.npz").write_bytes(b"PK")
    flat = {"X": np.zeros((3, 4), dtype=np.uint8), "y": np.zeros(3, dtype=int)}
    np.savez(images / "fashion_mnist_train20000.npz", **flat)
    table = tmp_path / "ecg_lags.csv"
    table.write_text("lag 1,now\n1,nan\n", encoding="utf-8")
    for name, options, words in (
        ("table_2", ["--set", "cifar-10"], "--set names what is in --data, which is not given"),
        ("figure_9", ["--sets", "iris"], "--sets names what is in --data"),
        ("figure_9", ["--data", uci, "--sets", "nosuch"], "nosuch.npz must hold X, y, cv0_train and cv0_test"),
        ("figure_9", ["--data", uci], "iris.npz must hold X, y, cv0_train and cv0_test"),
        ("table_3", ["--data", images], "must hold uint8 images X of shape (n, height, width)"),
        ("table_3", ["--images", 1201], "--images must be at most 1200"),
        ("figures_10_12", ["--images", 1], "have none of class 0: give more --images"),
        ("figures_10_12", ["--beta", 1e8], "all rates diverged at beta = 1e+08"),
        ("figure_7", ["--rate", 100], "all runs of SGD diverged"),
        ("figure_8", ["--data", tmp_path], "must have at least one row, all of it finite numbers"),
    ):
        done = run(name, "--quick", *options)
        assert done.returncode in (1, 2)
        last = done.stderr.splitlines()[-1]
        assert "error: " in last
        assert words in last
        assert "Traceback" not in done.stderr
