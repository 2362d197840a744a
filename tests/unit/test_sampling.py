"""Sampled patterns, and the program over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems import data
from topes import Arrangement, ConvolutionalSampling, InputError, sample_patterns, solve_full, train_low_rank


@given(data(), st.integers(0, 100), st.sampled_from([False, "penalized", "free"]))
def test_gaussian_patterns_are_distinct_cells(sample, seed, bias):
    X, _ = sample
    found = sample_patterns(X, 50, bias=bias, seed=seed)
    assert np.array_equal(found, sample_patterns(X, 50, bias=bias, seed=seed))
    rows = X if bias is False else np.hstack([X, np.ones((len(X), 1))])
    cells = {tuple(p) for p in Arrangement(rows).patterns().tolist()}
    patterns = [tuple(p) for p in found.tolist()]
    assert len(set(patterns)) == len(patterns) <= 50
    assert set(patterns) <= cells


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_enough_samples_see_every_cell(scale):
    X = scale * np.random.default_rng(0).standard_normal((5, 2))
    assert len(sample_patterns(X, 5000)) == Arrangement(X).count()


@pytest.mark.parametrize(
    ("shape", "patch", "size"), [((5,), (2,), 2), ((4, 5), (2, 3), 6), ((4, 5, 3), (2, 2), 12), ((4, 5, 3), (2, 2, 1), 4)]
)
def test_convolutional_directions_live_on_one_patch(shape, patch, size):
    G = ConvolutionalSampling(shape, patch).directions(200, np.random.default_rng(0))
    assert G.shape == (np.prod(shape), 200)
    supports = set()
    for g in G.T:
        where = np.argwhere(g.reshape(shape))
        assert len(where) == size
        extent = where.max(axis=0) - where.min(axis=0) + 1
        assert tuple(extent[: len(patch)]) == patch
        supports.add(tuple(where.min(axis=0)))
    places = np.prod([s - p + 1 for s, p in zip(shape, patch, strict=False)])
    assert len(supports) == places


def test_convolutional_patterns_are_those_of_the_patches():
    X = np.eye(4)
    found = sample_patterns(X, 500, method=ConvolutionalSampling((4,), (1,)))
    # A direction on one coordinate: the other rows are on its hyperplane, and count as positive.
    assert {tuple(p) for p in found.tolist()} == {(1, 1, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)}


@pytest.mark.parametrize("seed", range(3))
def test_the_program_over_samples_is_the_full_program_over_them(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((15, 4)), rng.standard_normal(15)
    patterns = sample_patterns(X, 25, seed=7)
    expected = solve_full(X, y, 0.3, patterns=patterns)
    s = train_low_rank(X, y, 0.3, rank=2, n_samples=25, seed=7, tol=1e-4, max_time=60.0)
    assert s.method == "samples"
    assert s.n_cells == len(patterns)
    assert s.program_value == pytest.approx(expected.convex_objective, rel=1e-4)
    assert s.program_objective == pytest.approx(s.program_value, rel=1e-5)
    assert s.guarantee.factor is None


def test_zero_rows_are_positive():
    assert sample_patterns([[0.0, 0.0], [1.0, 0.0]], 20)[:, 0].all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, "n_samples must be an integer of at least 1"),
        ({"method": "uniform"}, "method must be 'gaussian' or a ConvolutionalSampling, got 'uniform'"),
        ({"method": ConvolutionalSampling((3,), (2,))}, r"X must have 3 columns for inputs of shape \(3,\), got 2"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"X": [[np.nan, 1.0]]}, "X.0, 0. is nan"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        sample_patterns(**{"X": [[1.0, 2.0]], "n_samples": 3, **arguments})


@pytest.mark.parametrize(
    ("shape", "patch", "message"),
    [
        ((3,), (4,), r"patch must fit into shape \(3,\), got \(4,\)"),
        ((3, 3), (), "patch must be a tuple of positive integers"),
        ((3, 3, 3), (1,), "patch must have as many entries as shape"),
        ((0,), (1,), "shape must be an integer of at least 1"),
    ],
)
def test_bad_patches(shape, patch, message):
    with pytest.raises(InputError, match=message):
        ConvolutionalSampling(shape, patch)
