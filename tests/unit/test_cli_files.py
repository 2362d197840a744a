"""What the command reads: every form of a table, and what it says of files that are none."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest

from command import refused, run

ROWS = np.array([[0.1, 0.3, 1.0], [0.3, 0.9, -1.0], [1.0, 0.0, 1.0]])  # the first two are parallel as decimals only


def counted(capsys, *arguments):
    """What `topes count --json` finds."""
    assert run("count", *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "   ", ", ", " ; "])
@pytest.mark.parametrize("header", ["", "a{}b{}y\n"])
def test_separators_and_headers_are_found_out(write, capsys, separator, header):
    lines = [separator.join(map(str, row)) for row in ([0.1, 0.3, 1], [0.3, 0.9, -1], [1, 0, 1])]
    text = "# a comment\n\n" + header.format(separator, separator) + "\n".join([lines[0] + " # first", *lines[1:]]) + "\n"
    facts = counted(capsys, write(text), "--target", 2)
    assert (facts["n"], facts["dimension"], facts["distinct_hyperplanes"], facts["cells"]) == (3, 2, 2, 4)


def test_one_column_needs_no_separator(write, capsys):
    assert counted(capsys, write("a\n1\n-2\n"))["cells"] == 2


def test_names_in_quotes_may_hold_separators_and_hashes(write, capsys):
    path = write('"a, b",C#,"d#1"\n1,2,3\n4,5,6\n')
    assert "it has a, b, C#, d#1" in refused(capsys, "count", path, "--target", "z")
    assert counted(capsys, path, "--drop", "a, b", "--drop", "C#")["dimension"] == 1


def test_columns_and_drop_choose_the_data(write, capsys, tmp_path):
    path = write("name,a,b,y\nAda,1,2,3\nBob,4,5,6\n")
    assert "column 'name': 'Ada' is not a number; --drop name leaves the column out" in refused(capsys, "count", path)
    assert counted(capsys, path, "--drop", "name")["dimension"] == 3
    assert counted(capsys, path, "--drop", "name", "--target", "y")["dimension"] == 2
    assert run("cells", path, "--columns", "b,1", "-o", tmp_path / "p.npy") == 0
    capsys.readouterr()
    assert counted(capsys, path, "--columns", "b,1")["dimension"] == 2
    assert "'b' is asked for as data and also left out" in refused(capsys, "count", path, "--columns", "a,b", "--drop", "b")
    assert "data column is named twice" in refused(capsys, "count", path, "--columns", "a,1")
    assert "no column 'c'" in refused(capsys, "count", path, "--columns", "c")
    every = [part for name in ("name", "a", "b", "y") for part in ("--drop", name)]
    assert "no column is left" in refused(capsys, "count", path, *every)


def test_rows_that_are_left_out_may_hold_anything(write, capsys):
    path = write("a,b\n1,2\nNA,3\n4,5\n")
    assert "line 3, column 'a' (row 1): the value is missing ('NA')" in refused(capsys, "count", path)
    assert counted(capsys, path, "--rows", "2:")["n"] == 1


def test_a_first_line_of_words_and_numbers_must_be_named(write, capsys):
    path = write("setosa,5.1,3.5\nsetosa,4.9,3.0\n")
    assert "line 1: 'setosa' is a name or text, '5.1' a number or a name; say --header or --no-header" in refused(
        capsys, "count", path
    )
    assert counted(capsys, path, "--no-header", "--drop", 0)["n"] == 2
    assert counted(capsys, path, "--header", "--drop", "setosa")["n"] == 1
    assert counted(capsys, write("y,1990,1991\n1,2,3\n4,5,6\n"), "--target", "y")["n"] == 2  # numbers below the word


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# nothing\n\n", "is empty"),
        (b"a,b\n", "has a header and no rows"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells where line 1 has 2, separated by commas"),
        (b"a;b\n1;2\n3;4;5\n", "line 3: 3 cells where line 1 has 2, separated by semicolons"),
        (b"a|b\n1|2\n", "'1|2' is not a number; cells are separated by commas, semicolons, tabs or blanks"),
        (b"a;b\n1,5;2,5\n", "'1,5' is not a number; a decimal point is needed, not a comma"),
        (b"1,5;2,5\n1,0;2,5\n", "a decimal point is needed"),
        (b"a,b\n1,x\n", "line 2, column 'b': 'x' is not a number; --drop b leaves the column out, --columns takes others"),
        (b"a,b\n1,\n2,\n", "line 2, column 'b' (row 0): the value is missing, as 1 more of this column are"),
        (b"1,NA,3\n1,2,3\n", "line 1, column '1' (row 0): the value is missing ('NA')"),
        (b"a,b\n1,nan\n", "line 2, column 'b' (row 0): the value is missing ('nan')"),
        (b"a,b\n1,-inf\n", "line 2, column 'b': '-inf' is not a finite number"),
        (b"a,b\n1,1e999999999\n", "'1e999999999' is too large or too small"),
        (b"a,b\n1,1e-6000\n", "'1e-6000' is too large or too small; decimals are read from 1e-5000 to 1e5000"),
        (b"a,b,a\n1,2,3\n", "two columns have one name, 'a' (columns 0 and 2, counted from 0)"),
        (b"a,b\n1,1/2\n", "'1/2' is not a number"),
        (b"a,b\n1,1_000\n", "'1_000' is not a number"),
        (b"\xff\xfe\x00\x01", "not a text table"),
        (b"PK\x03\x04\x00\x00", "not a text table"),
    ],
)
def test_a_text_that_is_no_table(write, capsys, content, message):
    path = write(content, "bad.csv")
    said = refused(capsys, "count", path)
    assert message in said
    assert str(path) in said


def test_files_that_cannot_be_read(tmp_path, capsys, monkeypatch):
    assert "nowhere.csv is not a file" in refused(capsys, "count", tmp_path / "nowhere.csv")
    assert "is a directory, not a file" in refused(capsys, "count", tmp_path)
    path = tmp_path / "secret.csv"
    path.write_text("1,2\n")
    path.chmod(0)
    if os.access(path, os.R_OK):  # of a superuser

        def denied(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.read_text", denied)
    assert "secret.csv cannot be read: Permission denied" in refused(capsys, "count", path)


def test_a_target_that_is_not_there_lists_the_columns(write, tmp_path, capsys):
    path = write("a,b,y\n1,2,3\n4,5,6\n")
    for command in (("train", path, "--beta", 1, "-o", tmp_path / "n.json"), ("path", path)):
        assert "has no column 'z'; it has a, b, y" in refused(capsys, *command, "--target", "z")
        assert "--target must name the column of" in refused(capsys, *command)
        assert not (tmp_path / "n.json").exists()


def test_a_text_target_is_named(write, tmp_path, capsys):
    path = write("a,b,y\n1,2,yes\n4,5,no\n")
    said = refused(capsys, "train", path, "--beta", 1, "-o", tmp_path / "n.json", "--target", "y")
    assert "column 'y': 'yes' is not a number" in said


def test_numbers_too_large_for_networks_are_exact_elsewhere(write, tmp_path, capsys):
    path = write("a,b\n1e400,1\n2,3\n")
    assert counted(capsys, path)["cells"] == 4
    said = refused(capsys, "train", path, "--target", "b", "--beta", 1, "-o", tmp_path / "n.json")
    assert "beyond 1.8e308" in said


def test_npy_and_npz(tmp_path, capsys):
    X, y = ROWS[:, :2], ROWS[:, 2]
    np.save(tmp_path / "x.npy", X)
    assert counted(capsys, tmp_path / "x.npy")["cells"] == 6  # doubles, as they are
    assert counted(capsys, tmp_path / "x.npy", "--values", "decimal")["cells"] == 4
    np.savez(tmp_path / "both.npz", X=X, y=y, other=np.array(["text"]))
    assert counted(capsys, tmp_path / "both.npz")["dimension"] == 2  # y is no data
    np.savez_compressed(tmp_path / "one.npz", whatever=ROWS)
    assert counted(capsys, tmp_path / "one.npz", "--target", 2)["dimension"] == 2
    found = []
    both, one = tmp_path / "both.npz", tmp_path / "one.npz"
    for k, more in enumerate(([both], [both, "--target", "y"], [one, "--target", 2])):
        assert run("train", *more, "--beta", 0.1, "-o", tmp_path / f"n{k}.json", "--json") == 0
        found.append(json.loads(capsys.readouterr().out)["objective"])
    assert found[0] == found[1] == found[2]


def test_two_targets_in_an_npz(tmp_path, capsys):
    np.savez(tmp_path / "d.npz", X=ROWS[:, :2], y=ROWS[:, [2, 0]])
    assert run("train", tmp_path / "d.npz", "--beta", 0.1, "-o", tmp_path / "n.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == 2
    assert run("train", tmp_path / "d.npz", "--target", "y1", "--beta", 0.1, "-o", tmp_path / "m.json", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["outputs"], facts["dimension"]) == (1, 2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": ROWS, "b": ROWS}, "has no array X; it has a, b"),
        ({"X": ROWS[0]}, "array X: it must have two axes"),
        ({"X": ROWS, "y": np.zeros(2)}, "array y: it must have 3 rows as X has, got shape (2, 1)"),
        ({"X": np.array([["a", "b"]])}, "array X must hold numbers, got dtype <U1"),
        ({"X": np.array([[1, None]], dtype=object)}, "cannot be read"),
        ({"X": np.array([[1.0, np.nan], [2.0, 1.0]])}, "row 0, column '1': the value is missing ('nan')"),
        ({"X": np.array([[1.0, 2.0], [-np.inf, 1.0]])}, "row 1, column '0': -inf is not a finite number"),
        ({"X": ROWS[:0]}, "has no rows"),
    ],
)
def test_an_npz_file_that_is_no_table(tmp_path, capsys, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    assert message in refused(capsys, "count", tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), "two axes"),
        (np.array([[np.nan]]), "missing"),
        (np.array([["a"]]), "numbers"),
        (np.array([[1j]]), "numbers"),
        (np.zeros((0, 2)), "no rows"),
    ],
)
def test_an_npy_file_that_is_no_table(tmp_path, capsys, array, message):
    np.save(tmp_path / "bad.npy", array)
    assert message in refused(capsys, "count", tmp_path / "bad.npy")


@pytest.mark.parametrize("name", ["bad.npy", "bad.npz", "bad.csv"])
def test_files_of_another_kind(write, capsys, name):
    assert "bad." in refused(capsys, "count", write(b"\x93NUM\x00broken", name))
    assert "is empty" in refused(capsys, "count", write(b"", name))


@pytest.mark.parametrize("name", ["bad.npy", "bad.npz"])
def test_files_of_arrays_that_are_none(write, capsys, name):
    """numpy would have its readers allow pickles, which run what is in them."""
    assert "it begins with 'hello'" in refused(capsys, "count", write(b"hello", name))
    kind = np.save if name == "bad.npy" else np.savez
    path = write(b"", name)
    kind(path, np.array([[1, None]], dtype=object))
    said = refused(capsys, "count", path)
    assert "it holds objects of Python, not numbers" in said
    assert "pickle" not in said
    kind(path, ROWS)
    content = path.read_bytes()
    assert "damaged, or cut short" in refused(capsys, "count", write(content[: len(content) // 2 + 20], name))


def test_an_archive_by_the_name_of_an_array(tmp_path, capsys):
    np.savez(tmp_path / "x.npz", ROWS)
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    assert "is an .npz file by its contents; rename it" in refused(capsys, "count", tmp_path / "x.npy")


def test_headers_are_for_text(tmp_path, capsys):
    np.save(tmp_path / "x.npy", ROWS)
    assert "--header and --no-header are for text" in refused(capsys, "count", tmp_path / "x.npy", "--header")


def test_parquet(tmp_path, capsys, write):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from decimal import Decimal

    def written(**columns):
        parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
        return tmp_path / "t.parquet"

    path = written(a=[0.1, 0.3, 1.0], b=[0.3, 0.9, 0.0], n=[1, 2, 3], name=["x", "y", "z"])
    assert "column 'name' holds string, not numbers; --drop name" in refused(capsys, "count", path)
    assert counted(capsys, path, "--columns", "a,b")["cells"] == 6
    assert counted(capsys, path, "--columns", "a,b", "--values", "decimal")["cells"] == 4
    assert counted(capsys, path, "--columns", "a,n")["dimension"] == 2
    tenths = {"a": (1, 3, 10), "b": (3, 9, 0)}
    decimals = written(**{name: [Decimal(k) / 10 for k in column] for name, column in tenths.items()})
    assert counted(capsys, decimals)["cells"] == 4  # as exact as they are in the file
    holes = written(a=[1.0, None, 3.0], b=[1, None, None])
    assert "row 1, column 'a': the value is missing" in refused(capsys, "count", holes)
    assert counted(capsys, holes, "--rows", "0:1")["n"] == 1
    assert "row 0, column 'a': inf is not a finite number" in refused(capsys, "count", written(a=[float("inf")]))
    assert "has no rows" in refused(capsys, "count", written(a=arrow.array([], arrow.float64())))
    assert "is not a Parquet file" in refused(capsys, "count", write(b"PAR1 not really", "bad.parquet"))
    assert "is empty" in refused(capsys, "count", write(b"", "none.parquet"))


def test_parquet_without_pyarrow(write, capsys, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = refused(capsys, "count", write(b"PAR1", "t.parquet"))
    assert "t.parquet needs pyarrow to be read: pip install 'topes[parquet]'" in said
