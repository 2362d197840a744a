"""Sampled patterns, and the program over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems import data
from topes import (
    Arrangement,
    CellLimitError,
    ConvolutionalSampling,
    InputError,
    MemoryLimitError,
    cell_bound,
    cell_bound_power,
    sample_patterns,
    sampling,
    solve_full,
    train_low_rank,
)


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
        ({"n_samples": 2**63}, r"n_samples must be at most 2\*\*63 - 1 to be drawn"),
        ({"n_samples": 2.5}, "n_samples must be an integer of at least 1, got 2.5"),
        ({"method": np.ones(2)}, "method must be 'gaussian' or a ConvolutionalSampling"),
        ({"bias": 3}, "bias must be one of"),
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


def test_columns_of_a_patch():
    offsets, places = ConvolutionalSampling((3, 4, 2), (2, 2)).columns()
    image = np.zeros((3, 4, 2))
    image[:2, :2, :] = 1.0
    assert offsets == np.flatnonzero(image).tolist()
    moved = np.roll(image, (1, 2), axis=(0, 1))
    assert [o + places[-1] for o in offsets] == np.flatnonzero(moved).tolist()
    assert len(places) == ConvolutionalSampling((3, 4, 2), (2, 2)).n_places == 2 * 3


def test_both_ways_to_draw_on_patches_have_one_law():
    method = ConvolutionalSampling((4, 5), (2, 3))
    ours = sampling.sample_directions(20, 20000, method=method)
    theirs = method.directions(20000, np.random.default_rng(0)).T
    for a, b in ((ours, theirs), (ours != 0, theirs != 0)):
        difference = a.mean(axis=0) - b.mean(axis=0)
        # Standard errors are below 1/sqrt(20000), of a difference 1/100.
        assert np.abs(difference).max() < 0.05
    assert np.abs(ours[ours != 0].var() - 1) < 0.03


def test_a_bias_is_a_column_of_ones():
    X = np.random.default_rng(0).standard_normal((6, 2))
    with_ones = np.hstack([X, np.ones((6, 1))])
    for bias in ("penalized", "free"):
        assert np.array_equal(sample_patterns(X, 300, bias=bias, seed=3), sample_patterns(with_ones, 300, seed=3))
    whole = (10 * X).astype(np.int64)
    expected = sample_patterns(np.hstack([whole, np.ones((6, 1), np.int64)]), 300)
    assert np.array_equal(sample_patterns(whole, 300, bias="free"), expected)


def test_a_result_is_readable_and_complete():
    s = sampling.sample_cells([[1, 0], [0, 1], [1, 1]], 5000, seed=4)
    assert repr(s) == "SampledCells(6 patterns of 3 rows in 5,000 samples, 0 seen once)"
    assert s.shares.sum() == pytest.approx(1.0)
    low, high = s.intervals().T
    assert ((low < s.shares) & (s.shares < high)).all()
    wider = s.intervals(simultaneous=True)
    assert (wider[:, 0] < low).all()
    assert (wider[:, 1] > high).all()
    assert all(not a.flags.writeable for a in (s.packed, s.counts, s.first_seen, s.patterns, s.shares))
    assert s.unseen_mass().high < 2e-3
    assert "6 cells seen, 6 known, about 6" in str(s.estimate_n_cells())


def test_antipodes_of_what_was_seen_are_known():
    one = sampling.sample_cells([[1, 0], [0, 1], [0, 0]], 1)
    assert (len(one), one.n_known) == (1, 2)
    assert one.estimate_n_cells().bound == 4
    nothing = sampling.sample_cells([[0, 0], [0, 0]], 10)
    assert (nothing.patterns.tolist(), nothing.counts.tolist(), nothing.n_known) == ([[1, 1]], [10], 1)
    assert nothing.estimate_n_cells().bound == 1
    patches = sampling.sample_cells(np.eye(3), 100, method=ConvolutionalSampling((3,), (1,)))
    assert patches.n_known == len(patches) == 4
    assert patches.estimate_n_cells().bound is None


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_empty_data_has_one_pattern(shape):
    s = sampling.sample_cells(np.zeros(shape), 9)
    assert s.patterns.shape == (1, shape[0])
    assert s.patterns.all()
    assert s.counts.tolist() == [9]
    assert s.intervals(simultaneous=True).shape == (1, 2)


def test_intervals_of_a_family_beyond_any_float():
    s = sampling.sample_cells(np.random.default_rng(0).standard_normal((3000, 2000)), 20)
    low, high = s.intervals(simultaneous=True).T
    assert (low >= 0).all()
    assert (low < 1e-200).all()
    assert (high == 1).all()


def test_limits():
    X = np.random.default_rng(0).standard_normal((50, 4))
    with pytest.raises(CellLimitError, match="10,000 samples see more than max_patterns = 100 distinct patterns") as caught:
        sampling.sample_cells(X, 10_000, max_patterns=100)
    assert caught.value.bound == 100
    with pytest.raises(InputError, match="max_patterns must be an integer of at least 1"):
        sampling.sample_cells(X, 10, max_patterns=0)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("topes.sampling.cells.default_limit", lambda: 20_000)
    X = np.random.default_rng(0).standard_normal((50, 4))
    with pytest.raises(MemoryLimitError, match="distinct patterns, which fill the memory") as caught:
        sampling.sample_cells(X, 10_000)
    assert caught.value.available <= 20_000 < caught.value.needed
    assert len(sampling.sample_cells(X[:3], 10_000)) == 8


def test_progress_is_told():
    shares = []
    sampling.sample_cells(np.ones((2000, 40)), 200_000, progress=lambda share, n: shares.append((share, n)), n_threads=1)
    assert shares
    assert all(0 <= share <= 1 and n <= 2 for share, n in shares)


THETA = [3 / 8, 1 / 8, 1 / 8, 3 / 8]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sampling.sufficient_samples(0, 0.5, 0.05), "n_cells must be an integer of at least 1"),
        (lambda: sampling.sufficient_samples(4, 0.0, 0.05), r"theta_min must lie in \(0, 1 / n_cells\].*got 0.0"),
        (lambda: sampling.sufficient_samples(4, 1.5, 0.05), r"theta_min must lie in \(0, 1 / n_cells\]"),
        (lambda: sampling.sufficient_samples(4, 0.26, 0.05), "the angles of 4 cells sum to 1"),
        (lambda: sampling.sufficient_samples(4, np.nan, 0.05), "theta_min must be a number"),
        (lambda: sampling.sufficient_samples(4, True, 0.05), "theta_min must be a number"),
        (lambda: sampling.sufficient_samples(4, 0.1, 0.0), "eps must lie strictly between 0 and 1, got 0.0"),
        (lambda: sampling.sufficient_samples(4, 0.1, 1), "eps must lie strictly between 0 and 1, got 1"),
        (lambda: sampling.sufficient_samples(4, 0.1, "x"), "eps must lie strictly between 0 and 1, got 'x'"),
        (lambda: sampling.sufficient_samples(4, 0.1, 0.1, form="best"), "form must be one of"),
        (lambda: sampling.union_samples([0.5, 0.6], 0.05), "theta must sum to 1 over all cells, got a sum of 1.1"),
        (lambda: sampling.union_samples([0.5, 0.5, 0.0], 0.05), r"theta\[2\] is 0.0; theta must lie in"),
        (lambda: sampling.union_samples([1.5], 0.05), r"theta\[0\] is 1.5"),
        (lambda: sampling.union_samples([0.5], 0.05, multiplicity=[0]), "multiplicity must hold an integer of at least 1"),
        (lambda: sampling.union_samples([0.5], 0.05, multiplicity=[1, 1]), "multiplicity must hold an integer"),
        (lambda: sampling.union_samples([], 0.05), "theta must sum to 1"),
        (lambda: sampling.union_bound(THETA, 0), "n_samples must be an integer of at least 1"),
        (lambda: sampling.coverage_probability(THETA, 2**1001), r"n_samples must be below 2\*\*1000"),
        (lambda: sampling.coverage_samples(THETA, 1e-11), "eps must be at least 1e-10 here"),
        (lambda: sampling.coverage(THETA), "n_samples or eps must be given"),
        (lambda: sampling.coverage(THETA, 2**63), r"n_samples must be at most 2\*\*63 - 1"),
        (lambda: sampling.coverage(THETA, 0), "n_samples must be an integer of at least 1"),
        (lambda: sampling.coverage(THETA, 5, repetitions=0), "repetitions must be an integer of at least 1"),
        (lambda: sampling.coverage(THETA, 5, eps=2.0), "eps must lie strictly between 0 and 1"),
        (lambda: sampling.coverage(THETA, 5, confidence=1.0), "confidence must lie strictly between 0 and 1"),
        (lambda: sampling.coverage_of_data([[0.0, 0.0]], 5), "X must have a row that is not zero"),
        (lambda: sampling.coverage_of_data([[1.0, 0.0]], eps=0.05), "theta must be given for the theorem's number"),
        (lambda: sampling.coverage_of_data([[1.0, 0.0]], 5, theta=[0.25] * 4), "one entry for each of the 2 cells, got 4"),
        (lambda: sampling.coverage_of_data([[1.0, 0.0]], 2**62), r"n_samples \* repetitions must be at most"),
        (lambda: sampling.clopper_pearson(5, 4), "successes must be integers from 0 to trials = 4"),
        (lambda: sampling.clopper_pearson([0.5], 4), "successes must be integers"),
        (lambda: sampling.sample_directions(-1, 4), "n_columns must be an integer of at least 0"),
        (lambda: cell_bound(2, 3), "rank must be from 1 to the number of hyperplanes, 2, got 3"),
        (lambda: cell_bound(2, 0), "rank must be from 1"),
        (lambda: cell_bound(-1, 0), "n_hyperplanes must be an integer of at least 0"),
        (lambda: cell_bound_power(0, 0), "rank must be an integer of at least 1"),
    ],
)
def test_bad_arguments_of_the_theorem(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_experiments_read_well():
    done = sampling.coverage(THETA, 36, eps=0.001, repetitions=2000, rng=0)
    assert done.held is False
    assert str(done).endswith("exact 0.983689; 1 - eps = 0.999 REFUTED")
    done = sampling.coverage(THETA, 36, eps=0.0164, repetitions=2000, rng=0)
    assert (done.held, done.shown) == (True, False)
    assert str(done).endswith("not refuted")
    assert sampling.coverage([1.0], 1, repetitions=3).n_covered == 3
    assert sampling.coverage(THETA, 3, repetitions=50, rng=0).n_covered == 0
    assert sampling.sample_sizes([0.25] * 4).looseness == pytest.approx(18 / 16)


def test_the_bound_of_the_paper_fails_for_one_hyperplane_of_rank_one():
    assert (cell_bound(1, 1), cell_bound_power(1, 1)) == (2, 0)
    assert cell_bound_power(2, 1) == 6  # 2 e, rounded up
    assert cell_bound(10**6, 3) == 2 * (1 + (10**6 - 1) + (10**6 - 1) * (10**6 - 2) // 2)
    assert cell_bound_power(10**6, 600).bit_length() == 7298  # 600 log2(999999 e / 600) + log2(1200) is 7297.5


def test_the_bounds_on_the_unseen_mass_are_those_of_the_documentation():
    """Each end fails with 0.025: the upper one in two bounds of 0.0125, of which the first rests on two events."""
    n = 10**6
    mass = sampling.unseen.unseen_mass(300_000, 499_999, n, 0.95)
    assert mass.high == pytest.approx(0.3 + (1 + 2**0.5) * (np.log(2 / 0.0125) / n) ** 0.5, rel=1e-12)
    assert mass.low == pytest.approx(0.3 - 1e-6 - (1 + 2**0.5) * (np.log(2 / 0.025) / n) ** 0.5, rel=1e-12)
    mass = sampling.unseen.unseen_mass(0, 0, n, 0.95)
    assert (1 - mass.high) ** (n // 2) == pytest.approx(0.0125, rel=1e-6)  # of half a million tests none was new
    assert (mass.estimate, mass.low) == (0, 0)
