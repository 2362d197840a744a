"""The files of networks that the command reads: what damaged ones are said to be, and what it says of whole ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from command import TABLE, refused, run
from topes import TwoLayerNetwork

JUDGE = ("certify", "data.csv", "n.json", "--target", "y", "--beta", "0.1")
WHOLE = TwoLayerNetwork([[1.0, -1.0], [0.0, 2.0]], None, [1.0, 1.0]).to_dict()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the command runs, with a table in it."""
    (tmp_path / "data.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("W1", None, "W1 must be a list of rows, one for each input, got null"),
        ("W1", [[1.0, 2.0], [1.0]], "W1 must have rows of one length, got 2 numbers and 1"),
        ("W1", [1.0, 2.0], "W1 must be a list of rows, one for each input, each a list of numbers, got a number"),
        ("W1", [["1", 2.0], [1.0, 2.0]], "W1 must hold numbers, got a text"),
        ("w2", [1.0], "w2 must have an entry for each of the 2 neurons, the columns of W1, got 1"),
        ("b1", 3, "b1 must be a list, an entry for each neuron, got a number"),
        ("activation", "tanh", "activation must be 'relu', 'abs' or a number kappa < 1, got 'tanh'"),
    ],
)
def test_a_damaged_field_is_named(folder, capsys, field, value, message):
    (folder / "n.json").write_text(json.dumps({**WHOLE, field: value}))
    said = refused(capsys, *JUDGE)
    assert said.startswith("topes: n.json holds no network: ")
    assert message in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps({k: v for k, v in WHOLE.items() if k != "w2"}), "it must have activation, W1, b1, w2; it has no w2"),
        (json.dumps(WHOLE).replace("2.0", "1e99999999"), "1e99999999 is too large: the largest double is 1.8e308"),
        (json.dumps(WHOLE).replace("2.0", "NaN"), "NaN is not a finite number"),
        ("[" * 100_000, "its lists lie in each other too deeply"),
        (b"\xff\xfe", "it must be JSON, it is no text"),
    ],
)
def test_a_file_that_is_no_network(folder, capsys, content, message):
    (folder / "n.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(capsys, *JUDGE) == f"topes: n.json holds no network: {message}\n"


def test_a_certificate_in_the_place_of_a_network(folder, capsys):
    np.savez(folder / "n.json.npz", np.ones(3))
    (folder / "n.json.npz").rename("n.json")
    assert "it must be JSON, it is an archive such as a certificate" in refused(capsys, *JUDGE)


def test_a_gap_above_the_claim_is_said(folder, capsys):
    TwoLayerNetwork([[1.0], [0.0]], None, [1.0]).save("n.json")
    assert run(*JUDGE, "--json") == 0
    gap = json.loads(capsys.readouterr().out)["gap"]
    assert run(*JUDGE, "--gap", "0.01") == 1
    assert capsys.readouterr().err == f"topes: the gap {gap:.10g} is above --gap 0.01\n"


@pytest.mark.parametrize("command", ["certify", "stationarity"])
def test_a_free_bias_is_hinted_at(folder, capsys, command):
    arguments = ("train", "data.csv", "--target", "y", "--beta", "1", "-o", "n.json", "--force", "--bias")
    for bias, hints in (("free", 1), ("penalized", 0)):
        assert run(*arguments, bias) == 0
        for option in ((), ("--free-bias",)):
            capsys.readouterr()
            assert run(command, *JUDGE[1:], *option) == 0
            err = capsys.readouterr().err
            assert err.count("--free-bias takes biases out of the penalty\n") == (0 if option else hints)
    TwoLayerNetwork([[0.0], [0.0]], [1.0], [1.0]).save("n.json")  # balanced: as good with a penalised bias
    assert run(command, *JUDGE[1:]) == 0
    assert capsys.readouterr().err == ""


def test_a_bound_is_never_minus_zero(folder, capsys):
    np.save("zero.npy", np.zeros((5, 3)))
    arguments = ("train", "zero.npy", "--target", "0", "--beta", "1", "-o", "n.json", "--force")
    assert run(*arguments) == 0
    assert run(*arguments, "--json") == 0
    assert "-0" not in capsys.readouterr().out
