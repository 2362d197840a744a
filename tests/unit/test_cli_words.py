"""What the library says, as the command says it: options and commands, no arguments, no functions, no Python source."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from command import TABLE, refused, run
from topes import train
from topes.cli._words import in_words_of_the_command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the command runs, with tables in it."""
    (tmp_path / "data.csv").write_text(TABLE)
    np.save(tmp_path / "wide.npy", np.random.default_rng(0).standard_normal((20, 10)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


TRAIN = ("train", "data.csv", "--target", "y", "-o", "n.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("count", "data.csv", "--max-cells", "0"), "--max-cells must be an integer of at least 1, got 0"),
        (("count", "data.csv", "--workers", "0"), "--workers must be an integer of at least 1, got 0"),
        ((*TRAIN, "--beta", "1", "--max-time", "0"), "--max-time must be a positive finite number, got 0.0"),
        ((*TRAIN, "--beta", "1", "--activation", "2"), "--activation must be 'relu', 'abs' or a"),
        (
            (*TRAIN[:3], "a", *TRAIN[4:], "--beta", "1", "--loss", "hinge"),
            "the target in row 0 is 0.1; the hinge loss takes",
        ),
        (("report", "data.csv", "--eps", "2"), "--eps must lie strictly between 0 and 1, got 2.0"),
        (("train", "wide.npy", "--target", "9", "--beta", "1", "-o", "n.json"), "the data have rank 9; pricing over all"),
        (("train", "wide.npy", "--target", "9", "--beta", "1", "-o", "n.json"), "Use fewer --columns; `topes certify`"),
    ],
)
def test_options_are_named_not_arguments(folder, capsys, arguments, message):
    said = refused(capsys, *arguments)
    assert message in said
    assert "_" not in said


def test_the_page_about_data_of_high_rank(folder, capsys):
    assert run("report", "wide.npy", "--max-time", "0.5") == 0
    said = capsys.readouterr().out
    assert "`topes certify` bounds the gap of a network" in said
    assert "train_low_rank" not in said


def test_a_foreign_file_to_resume(folder, capsys):
    (folder / "p.npy").write_text("precious")
    said = refused(capsys, "cells", "data.csv", "--resume", "-o", "p.npy")
    assert said.startswith("topes: p.npy is there, but p.npy.checkpoint beside it is not")
    assert said.endswith("remove it, or give --force in place of --resume\n")


def test_a_limit_of_the_full_program(folder, capsys):
    assert run(*TRAIN, "--beta", "1", "--method", "full", "--max-cells", "2") == 1
    said = capsys.readouterr().err
    assert "more than --max-cells 2 cells" in said
    assert "give fewer --rows, or a larger --max-cells" in said
    assert "patterns=" not in said


def test_other_messages_stay_as_they_are():
    for message in ("max_time.csv is not a file", "no column 'n_threads'", "--rows must be A:B, got 'X'"):
        assert in_words_of_the_command(message) == message
    memory = "Arrangement(n=9, dimension=2, rank=2, central) has 18 cells, which need 9 bytes of memory; 8 may be used. "
    advice = "Stream them with cells(batch_size=...), write them to disk with save_patterns(path), or raise max_bytes"
    assert in_words_of_the_command(memory + advice).startswith("the data have 18 cells")
    assert in_words_of_the_command(memory + advice).endswith("`topes cells` writes them to disk, `topes count` counts them")


def test_warnings_are_one_line_too(folder, capsys, monkeypatch):
    def warned(*arguments, **options):
        warnings.warn("give max_time, use train_low_rank, or see pricing_cost for a closer prediction", stacklevel=1)
        return train(*arguments, **options)

    monkeypatch.setattr(sys.modules["topes.cli.train"], "train_network", warned)
    before = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run(*TRAIN, "--beta", "1", "--json") == 0
    said = capsys.readouterr().err
    assert said == "topes: give --max-time, use fewer --columns, or see `topes report` for a closer prediction\n"
    assert warnings.showwarning is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRAIN, "--beta", "1", "--method", "full", "--max-time", "1"), "--max-time needs --method working-set"),
        (("count", "data.csv", "--estimate", "--max-cells", "9"), "--estimate takes no --workers, no --checkpoint and"),
        (("cells", "data.csv", "-o", "p.npy", "--workers", "2", "--threads", "2"), "--threads and --workers exclude"),
        (("path", "data.csv", "--target", "y", "--betas", "1,0.1", "--least", "0.5"), "--least is for a count of --betas"),
    ],
)
def test_options_that_contradict_each_other(folder, capsys, arguments, message):
    assert message in refused(capsys, *arguments)
    assert not (folder / "n.json").exists()
