"""`topes.report` and the command: what is exact is what the parts say, what is not is marked."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import topes
from topes import InputError, report
from topes.sampling import sufficient_samples

EXAMPLE = [[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]]


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_a_small_matrix_is_gone_through(bias):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.standard_normal((20, 2)), np.zeros((1, 2)), [[2.0, 1.0], [-2.0, -1.0]]])
    found = report(X, bias=bias, max_time=4.0)
    A = topes.Arrangement(X if bias is False else np.hstack([X, np.ones((23, 1))]))
    angles = topes.solid_angles(A).angles
    assert found.counted
    assert (found.n, found.rank, found.n_hyperplanes, found.n_cells) == (23, A.rank, A.n_hyperplanes, A.count())
    assert found.n_zero_rows == (1 if bias is False else 0)
    assert found.theta_min == angles.min()
    assert found.bound == A.bound() >= found.n_cells
    assert found.samples == sufficient_samples(found.n_cells, found.theta_min, 0.05)
    assert found.samples >= found.samples_at_least
    assert found.samples_per_second > 0.0
    assert found.pricing is not None
    assert f"{found.n_cells:,}, exactly" in str(found)


def test_what_is_too_large_is_estimated_and_says_so(monkeypatch):
    X = np.random.default_rng(1).standard_normal((400, 6))
    for share, value in {"_ANGLES": 0.01, "_COUNT": 0.01, "_ESTIMATE": 1.0, "_PRICE": 0.01}.items():
        monkeypatch.setattr(sys.modules["topes.report"], share, value)
    found = report(X, max_time=30.0)
    assert not found.counted
    assert (found.theta_min, found.samples, found.enumeration_seconds) == (None, None, None)
    expected = topes.Arrangement(X).bound()  # general position
    assert abs(found.n_cells - expected) <= 6.0 * max(found.standard_error, 1e-3 * expected)
    assert "about" in str(found)
    assert "at least" in str(found)


def test_a_high_rank_names_the_alternative():
    found = report(np.random.default_rng(2).standard_normal((60, 20)), max_time=2.0)
    assert found.pricing is None
    assert "train_low_rank" in str(found)
    assert not found.counted
    assert len(str(found).splitlines()) < 20


@pytest.mark.parametrize("X", [np.zeros((0, 2)), np.zeros((3, 2)), np.zeros((3, 0)), [[1.0]]])
def test_next_to_nothing(X):
    found = report(X, max_time=2.0)
    assert found.n_cells == (2 if np.any(X) else 1)
    assert str(found)


def test_the_page_of_example_ii1():
    text = str(report(EXAMPLE, max_time=2.0))
    assert "3 samples, 2 columns, rank 2" in text
    assert "2 distinct hyperplanes; 1 rows parallel to others, 0 zero" in text
    assert "asks for 36 samples" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"eps": 0.0}, "eps"),
        ({"eps": 1.0}, "eps"),
        ({"max_time": 0.0}, "max_time must be a positive finite number"),
        ({"bias": "yes"}, "bias must be one of"),
        ({"n_threads": 0}, "n_threads must be an integer of at least 1"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(InputError, match=words):
        report(EXAMPLE, **options)


def test_the_command(tmp_path, capsys):
    from topes.cli import main

    file = tmp_path / "data.csv"
    file.write_text("a,b,y\n2,2,1\n3,3,-1\n1,0,1\n")
    main(["report", str(file), "--target", "y", "--json", "--max-time", "2"])
    facts = json.loads(capsys.readouterr().out)
    assert (facts["n_cells"], facts["samples"], facts["counted"]) == (4, 36, True)
    main(["report", str(file), "--target", "y", "--max-time", "2"])
    assert "Theorem III.2" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["report", str(file), "--eps", "2"])
    assert stop.value.code == 2
    assert "eps" in capsys.readouterr().err
