"""The command, as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from command import TABLE, run
from topes import Arrangement, TwoLayerNetwork, VectorNetwork, beta_max, open_patterns


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(TABLE)
    return path


def test_count_reads_decimals_from_text(table, capsys):
    assert run("count", table, "--target", "y", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["n"], facts["rank"], facts["distinct_hyperplanes"], facts["cells"]) == (3, 2, 2, 4)
    assert run("count", table, "--target", "y", "--values", "binary", "--json") == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 6


def test_count_prints_a_report(table, capsys):
    assert run("count", table) == 0
    assert "cells" in capsys.readouterr().out


def test_cells_writes_every_pattern(table, tmp_path, capsys):
    out = tmp_path / "p.npy"
    assert run("cells", table, "--target", "y", "-o", out) == 0
    expected = Arrangement([[1, 3], [3, 9], [10, 0]]).patterns()
    assert np.load(out).tolist() == expected.tolist()
    assert run("cells", table, "--target", "y", "--packed", "-o", out, "--force") == 0
    assert np.unpackbits(np.load(out), axis=1, count=3, bitorder="little").tolist() == expected.tolist()


def test_train_writes_a_network(table, tmp_path, capsys):
    out, plot = tmp_path / "n.json", tmp_path / "fit.png"
    arguments = ("train", table, "--target", "y", "--beta", "0.01", "--bias", "-o", out, "--plot", plot, "--json")
    assert run(*arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["status"] == "certified"
    X, y = np.array([[0.1, 0.3], [0.3, 0.9], [1, 0]]), np.array([1.0, -1.0, 1.0])
    assert TwoLayerNetwork.load(out).objective(X, y, 0.01) == pytest.approx(facts["objective"], rel=1e-12)
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_both_methods_of_training_agree(table, tmp_path, capsys):
    values = []
    for method in ("working-set", "full"):
        out = tmp_path / f"{method}.json"
        arguments = ("train", table, "--target", "y", "--beta", "0.1", "-o", out, "--method", method, "--json")
        assert run(*arguments) == 0
        facts = json.loads(capsys.readouterr().out)
        assert (facts["status"], facts["method"]) == ("certified", method)
        values.append(facts["objective"])
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_certify_judges_a_network_file(table, tmp_path, capsys):
    out = tmp_path / "n.json"
    assert run("train", table, "--target", "y", "--beta", "0.1", "--bias", "-o", out) == 0
    capsys.readouterr()
    assert run("certify", table, out, "--target", "y", "--beta", "0.1", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["gap"] <= 2e-6
    TwoLayerNetwork([[1.0], [0.0]], [0.0], [1.0]).save(out)
    assert run("certify", table, out, "--target", "y", "--beta", "0.1", "--json") == 0
    worse = json.loads(capsys.readouterr().out)
    assert worse["objective"] > worse["lower_bound"] == pytest.approx(facts["lower_bound"], rel=1e-5)
    (tmp_path / "bad.json").write_text("{}")
    assert run("certify", table, tmp_path / "bad.json", "--target", "y", "--beta", "0.1") == 2
    assert "bad.json holds no network: not a topes.TwoLayerNetwork" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("count", "nowhere.csv"), "nowhere.csv is not a file"),
        (("train", "{}", "--target", "z", "--beta", "1", "-o", "{}.json"), "has no column 'z'; it has a, b, y"),
        (("train", "{}", "--target", "y", "--beta", "0", "-o", "{}.json"), "topes: --beta must be a positive finite"),
        (("train", "{}", "--target", "y", "-o", "{}.json"), "--beta"),
        (("cells", "{}", "-o", "patterns.csv"), "--output must end in .npy"),
        (("count", "{}", "--rows", "7:9"), "--rows 7:9 holds none of the 3 rows"),
        (("count", "{}", "--rows", "x"), "--rows must be A:B"),
        (("count", "{}", "--threads", "0"), "topes: --threads must be an integer of at least 1, got 0"),
        (("train", "{}", "--target", "y", "--beta", "1", "-o", "{}.json", "--max-cells", "9"), "needs --method full"),
        (("wash", "{}"), "wash"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(table, capsys, arguments, message):
    assert run(*(a.replace("{}", str(table)) for a in arguments)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["certify", "stationarity", "plot"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "net.json cannot be read: No such file or directory"),
        ("[]", "net.json holds no network: not a topes.TwoLayerNetwork"),
        ("a,b\n", "net.json holds no network: Expecting value"),
        ("folder", "net.json is a directory, not a file"),
        ("of three", "net.json takes 3 columns, {} has 2 of data; --columns and --drop choose them"),
    ],
)
def test_a_network_that_is_none_for_these_data(table, tmp_path, capsys, command, content, message):
    net = tmp_path / "net.json"
    if content == "folder":
        net.mkdir()
    elif content == "of three":
        TwoLayerNetwork(np.ones((3, 1)), None, [1.0]).save(net)
    elif content is not None:
        net.write_text(content)
    arguments = [command, table, net, "--target", "y", "--beta", "1"]
    if command == "plot":
        arguments = ["plot", "neurons", table, "--target", "y", "--network", net, "-o", tmp_path / "p.png"]
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert message.replace("{}", str(table)) in err
    assert err.count("\n") == 1


def test_no_command_shows_the_help(capsys):
    assert run() == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Exit codes:" in shown.err


def test_limits_are_a_failure_not_bad_input(table, capsys):
    assert run("count", table, "--max-cells", "2") == 1
    said = "the data have more than --max-cells 2 cells; eq. (6) bounds them by 8, `topes count --estimate` estimates them"
    assert capsys.readouterr().err == f"topes: {said}\n"


def test_verify_accepts_the_certificate_of_train_and_only_for_its_data(table, tmp_path, capsys):
    proof, out = tmp_path / "proof.npz", tmp_path / "n.json"
    arguments = ["train", table, "--target", "y", "--beta", "0.01", "--bias", "-o", out, "--json"]
    assert run(*arguments, "--certificate", proof) == 0
    trained = json.loads(capsys.readouterr().out)
    assert run("verify", proof, table, "--target", "y", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["valid"] is True
    assert facts["objective_upper"] == pytest.approx(trained["objective"], rel=1e-9)
    assert facts["lower_bound"] == pytest.approx(trained["lower_bound"], rel=1e-6)
    assert run("verify", proof) == 0
    assert "valid" in capsys.readouterr().out

    table.write_text(TABLE.replace("0.3,0.9", "0.3,0.91"))
    assert run("verify", proof, table, "--target", "y", "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["valid"] is False
    assert "not those in the file" in facts["reason"]
    proof.write_bytes(proof.read_bytes()[:-1])
    assert run("verify", proof) == 1
    assert "checksum" in capsys.readouterr().out


def test_verify_says_what_it_needs(table, tmp_path, capsys):
    proof = tmp_path / "proof.npz"
    assert run("verify", proof) == 2
    assert "proof.npz cannot be read: No such file or directory" in capsys.readouterr().err
    proof.write_bytes(b"none")
    assert run("verify", proof) == 1
    assert "reason" in capsys.readouterr().out
    assert run("verify", proof, table) == 2
    assert "--target must name the column" in capsys.readouterr().err
    for option in (("--target", "y"), ("--rows", "0:1"), ("--drop", "a"), ("--columns", "a"), ("--no-header",)):
        assert run("verify", proof, *option) == 2
        assert "are for a FILE of data" in capsys.readouterr().err
    full = ["train", table, "--target", "y", "--beta", "1", "-o", tmp_path / "n.json", "--method", "full"]
    assert run(*full, "--certificate", tmp_path / "p.npz") == 2
    assert "working-set" in capsys.readouterr().err


TWO = "a,b,y,z\n0.1,0.3,1,0\n0.3,0.9,-1,2\n1,0,1,-1\n0,1,0.5,1\n"
TWO_X = np.array([[0.1, 0.3], [0.3, 0.9], [1.0, 0.0], [0.0, 1.0]])
TWO_Y = np.array([[1.0, 0.0], [-1.0, 2.0], [1.0, -1.0], [0.5, 1.0]])


@pytest.mark.parametrize("output_norm", [2, 1])
def test_several_targets_are_trained_certified_and_verified(tmp_path, capsys, output_norm):
    table, out, proof, plot = (tmp_path / name for name in ("two.csv", "n.json", "proof.npz", "fit.png"))
    table.write_text(TWO)
    both = ("--target", "z", "--target", "y")
    measured = ("--beta", "0.1", "--output-norm", output_norm, "--json")
    assert run("train", table, *both, *measured, "-o", out, "--certificate", proof, "--plot", plot, "--bias") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["status"], facts["outputs"], facts["dimension"]) == ("certified", 2, 2)
    assert plot.read_bytes().startswith(b"\x89PNG")
    net = TwoLayerNetwork.load(out)
    assert isinstance(net, VectorNetwork)
    again = net.objective(TWO_X, TWO_Y[:, ::-1], 0.1, output_norm=output_norm)  # columns in the order asked for
    assert again == pytest.approx(facts["objective"], rel=1e-12)

    assert run("verify", proof, table, *both, "--json") == 0
    proved = json.loads(capsys.readouterr().out)
    assert proved["objective_upper"] == pytest.approx(facts["objective"], rel=1e-9)
    assert run("verify", proof, table, "--target", "y", "--target", "z") == 1
    capsys.readouterr()

    assert run("certify", table, out, *both, *measured) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["gap"] <= 2e-6
    assert judged["lower_bound"] == pytest.approx(facts["lower_bound"], rel=1e-5)
    assert run("certify", table, out, "--target", "y", "--drop", "z", "--beta", "0.1") == 2
    assert "n.json needs a --target for each of its outputs, 2; got 1" in capsys.readouterr().err


def test_targets_that_are_none(tmp_path, capsys):
    table = tmp_path / "two.csv"
    table.write_text(TWO)
    rest = ("--beta", "1", "-o", tmp_path / "n.json")
    assert run("train", table, "--target", "y", "--target", "2", *rest) == 2  # column 2 is y
    assert "named twice" in capsys.readouterr().err
    assert run("train", table, "--target", "y", "--target", "z", *rest, "--method", "full") == 2
    assert "one --target" in capsys.readouterr().err
    assert run("count", table, "--target", "y", "--target", "z", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dimension"] == 2


def test_path_is_a_table_of_certified_solutions(tmp_path, capsys):
    table = tmp_path / "two.csv"
    table.write_text(TWO)
    both = ("--target", "y", "--target", "z")
    assert run("path", table, *both, "--betas", "3", "--least", "0.01", "--json") == 0
    steps = json.loads(capsys.readouterr().out)["path"]
    most = beta_max(TWO_X, TWO_Y)
    assert [s["beta"] for s in steps] == pytest.approx([most, 0.1 * most, 0.01 * most], rel=1e-6)
    assert [s["status"] for s in steps] == ["certified"] * 3
    assert steps[0]["neurons"] == 0
    assert steps[0]["objective"] == pytest.approx(0.5 * np.sum(TWO_Y**2))
    assert all(0 <= s["objective"] - s["lower_bound"] <= 1e-6 * s["objective"] * (1 + 1e-9) for s in steps)
    assert run("path", table, "--target", "y", "--betas", "0.1,1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["beta", "objective", "gap", "neurons", "status"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "0.1"]
    assert run("path", table, *both, "--betas", "a") == 2
    assert "--betas" in capsys.readouterr().err


FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # 3.12 and 3.13, beside any other thread


@FORKS
def test_count_over_processes_with_a_checkpoint(table, tmp_path, capsys):
    shares = tmp_path / "count.shares"
    for _ in range(2):
        assert run("count", table, "--workers", "2", "--checkpoint", shares, "--json") == 0
        assert json.loads(capsys.readouterr().out)["cells"] == Arrangement([[1, 3, 10], [3, 9, -10], [10, 0, 10]]).count()
    assert run("count", table, "--target", "y", "--checkpoint", shares) == 2
    assert "belongs to another problem" in capsys.readouterr().err
    assert run("count", table, "--workers", "0") == 2
    assert run("count", table, "--estimate", "--checkpoint", shares) == 2
    assert run("count", table, "--workers", "2", "--threads", "2") == 2
    assert "--threads and --workers exclude each other" in capsys.readouterr().err


@FORKS
def test_cells_that_go_on(table, tmp_path, capsys):
    out = tmp_path / "p.npy"
    for _ in range(2):
        assert run("cells", table, "--packed", "--workers", "2", "--resume", "-o", out) == 0
    P = open_patterns(out)
    assert P.complete
    assert np.array_equal(P[:], Arrangement([[1, 3, 10], [3, 9, -10], [10, 0, 10]]).patterns())
    assert run("cells", table, "--resume", "-o", out) == 2
    assert "belongs to another problem: other settings" in capsys.readouterr().err


def test_ctrl_c_stops_all_workers_and_keeps_the_checkpoint(tmp_path):
    X = np.random.default_rng(0).standard_normal((400, 4))
    np.save(tmp_path / "X.npy", X)
    shares = tmp_path / "count.shares"
    command = [sys.executable, "-m", "topes.cli", "count", tmp_path / "X.npy", "--workers", "2", "--checkpoint", shares]
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (shares.exists() and len(shares.read_bytes().splitlines()) > 1) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors.strip()) == (130, "topes: interrupted")  # no worker says anything
    fractions = []
    with pytest.raises(KeyboardInterrupt):
        Arrangement(X).count(checkpoint=shares, progress=lambda fraction, n_cells: _first(fractions, fraction))
    assert fractions[0] > 0


def _first(seen, fraction):
    seen.append(fraction)
    raise KeyboardInterrupt
