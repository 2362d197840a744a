"""`topes stationarity`, as a user runs it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from command import run
from topes import TwoLayerNetwork, stationarity

W = math.sqrt(0.9)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "data.csv").write_text("a,b,y\n0,1,1\n1,-1,1\n")
    TwoLayerNetwork([[W], [0.0]], None, [W]).save(tmp_path / "net.json")
    return tmp_path / "data.csv", tmp_path / "net.json"


def test_it_tells_the_kind(files, capsys):
    assert run("stationarity", *files, "--target", "y", "--beta", "0.1", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    expected = stationarity(TwoLayerNetwork.load(files[1]), np.array([[0, 1], [1, -1]]), [1, 1], 0.1)
    assert facts["kind"] == expected.kind.value == "Clarke stationary at a concave kink"
    assert (facts["objective"], facts["descent"], facts["gap"]) == (expected.objective, expected.descent, expected.gap)
    assert (facts["sign_vectors"], facts["zeros"]) == (1, 1)


def test_it_prints_a_report(files, capsys):
    assert run("stationarity", *files, "--target", "y", "--beta", "0.1", "--no-compare", "--loss", "l2") == 0
    text = capsys.readouterr().out
    assert "kind" in text
    assert "lower bound" not in text


def test_options_reach_it(files, capsys):
    shared = ("--target", "y", "--beta", "0.1", "--no-compare", "--json")
    TwoLayerNetwork([[4.0], [0.0]], None, [0.225]).save(files[1])
    assert run("stationarity", *files, *shared) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "not stationary"
    assert run("stationarity", *files, *shared, "--balance") == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "Clarke stationary at a concave kink"
    assert run("stationarity", *files, *shared, "--rows", "1:2", "--zero-tol", "0") == 0
    assert json.loads(capsys.readouterr().out)["zeros"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "z", "--beta", "0.1"), "has no column 'z'"),
        (("--target", "y", "--beta", "0"), "beta must be a positive finite number"),
        (("--target", "y", "--beta", "0.1", "--zero-tol", "2"), "topes: --zero-tol must be a number in [0, 1), got 2.0"),
        (("--beta", "0.1"), "--target"),
        (
            ("--target", "y", "--beta", "0.1", "--no-compare", "--max-time", "5"),
            "--max-time is for the bound that --no-compare",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(files, capsys, arguments, message):
    assert run("stationarity", *files, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_network_of_other_inputs(files, capsys):
    TwoLayerNetwork([[1.0]], None, [1.0]).save(files[1])
    assert run("stationarity", *files, "--target", "y", "--beta", "0.1") == 2
    assert "net.json takes 1 columns" in capsys.readouterr().err
