"""`topes plot`, as a user runs it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import topes
from command import run

KINDS = ("arrangement", "zonotope", "angles", "fit", "neurons", "path")


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(-9, 10, (8, 3))
    path = tmp_path / "data.csv"
    path.write_text("a,b,c,y\n" + "\n".join(",".join(map(str, [*row, row[0] + 1])) for row in X) + "\n")
    return path


@pytest.fixture
def network(table, tmp_path):
    rows = np.loadtxt(table, delimiter=",", skiprows=1)
    path = tmp_path / "net.json"
    topes.train(rows[:, :2], rows[:, 3], beta=0.1, bias="penalized").network.save(path)
    return path


def arguments(kind, table, network):
    return {
        "arrangement": ("arrangement", table, "--target", "y", "--target", "c", "--labels"),
        "zonotope": ("zonotope", table, "--target", "y"),
        "angles": ("angles", table, "--bias"),
        "fit": ("fit", table, "--target", "y", "--network", network),
        "neurons": ("neurons", table, "--target", "y", "--network", network),
        "path": ("path", table, "--target", "y", "--target", "c", "--betas", 3),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_writes_a_picture(table, network, tmp_path, capsys, kind):
    if kind in ("fit", "neurons"):  # of two inputs
        lines = [line.split(",") for line in table.read_text().split()]
        table.write_text("\n".join(",".join([a, b, y]) for a, b, _, y in lines) + "\n")
    out = tmp_path / "picture.png"
    assert run("plot", *arguments(kind, table, network), "-o", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kind"] == kind
    assert facts["output"] == str(out)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_cells_are_counted_and_sphere_and_plane_go_by_rank(table, tmp_path, capsys):
    rows = np.loadtxt(table, delimiter=",", skiprows=1).astype(int)
    for targets, X in ((["y"], rows[:, :3]), (["y", "b"], rows[:, [0, 2]])):
        chosen = [part for name in targets for part in ("--target", name)]
        for kind in ("arrangement", "zonotope", "angles"):
            out = tmp_path / f"{kind}{len(targets)}.svg"
            assert run("plot", kind, table, *chosen, "-o", out, "--json") == 0
            facts = json.loads(capsys.readouterr().out)
            A = topes.Arrangement(X)
            assert (facts["rank"], facts["cells"]) == (A.rank, A.count())
            assert out.read_text().lstrip().startswith("<?xml")


def test_a_picture_is_replaced_only_with_force(table, tmp_path, capsys):
    out = tmp_path / "picture.png"
    out.write_text("precious")
    assert run("plot", "angles", table, "-o", out) == 2
    err = capsys.readouterr().err
    assert f"{out} exists; --force replaces it" in err
    assert err.count("\n") == 1
    assert out.read_text() == "precious"
    assert run("plot", "angles", table, "-o", out, "--force") == 0
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("arrangement", "{}", "-o", "{}.png", "--bias"), "arrangement needs data of rank 2 or 3, {} has rank 4"),
        (("zonotope", "{}", "-o", "{}.png", "--bias"), "zonotope needs data of rank 2 or 3, {} has rank 4"),
        (("arrangement", "{}", "-o", "{}.png", "--labels", "--target", "y"), "--labels needs data of rank 2, {} has rank 3"),
        (("fit", "{}", "-o", "{}.png", "--target", "y"), "fit needs --network"),
        (("fit", "{}", "-o", "{}.png", "--network", "n.json"), "fit needs --target"),
        (("neurons", "{}", "-o", "{}.png"), "neurons needs --network"),
        (("path", "{}", "-o", "{}.png"), "path needs --target"),
        (("angles", "{}", "-o", "{}.png", "--network", "n.json"), "--network is an option of fit, neurons, not of angles"),
        (("angles", "{}", "-o", "{}.png", "--betas", "3"), "--betas is an option of path, not of angles"),
        (("path", "{}", "-o", "{}.png", "--target", "y", "--max-cells", "9"), "--max-cells is an option of arrangement"),
        (("angles", "{}", "-o", "picture.doc"), "--output must end in one of"),
        (("angles", "{}", "-o", "nowhere/picture.png"), "does not lie in an existing directory"),
        (("angles", "nowhere.csv", "-o", "{}.png"), "nowhere.csv is not a file"),
        (("neurons", "{}", "-o", "{}.png", "--network", "nowhere.json"), "nowhere.json cannot be read"),
        (("pie", "{}", "-o", "{}.png"), "pie"),
        (("angles", "{}"), "--output"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(table, tmp_path, capsys, given, message):
    assert run("plot", *(part.replace("{}", str(table)) for part in given)) == 2
    err = capsys.readouterr().err
    assert message.replace("{}", str(table)) in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_a_fit_needs_one_or_two_inputs(table, network, tmp_path, capsys):
    assert run("plot", "fit", table, "--target", "y", "--network", network, "-o", tmp_path / "fit.png") == 2
    assert "takes 2 columns" in capsys.readouterr().err
    topes.TwoLayerNetwork(np.ones((3, 1)), None, [1.0]).save(network)
    assert run("plot", "fit", table, "--target", "y", "--network", network, "-o", tmp_path / "fit.png") == 2
    assert "one or two inputs for this picture, got 3" in capsys.readouterr().err


def test_too_many_cells_are_a_failure(table, tmp_path, capsys):
    assert run("plot", "zonotope", table, "--target", "y", "-o", tmp_path / "z.png", "--max-cells", "3") == 1
    message = capsys.readouterr().err
    assert "more than --max-cells 3" in message
    assert "fewer --rows, or raise --max-cells" in message


def test_without_matplotlib(table, tmp_path, capsys, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert run("plot", "angles", table, "-o", tmp_path / "angles.png") == 2
    assert capsys.readouterr().err == "topes: pictures need matplotlib: pip install 'topes[plot]'\n"
