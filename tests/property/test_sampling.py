"""The sampler against its twins, direction by direction; the theorem's numbers against rational arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from strategies import central
from topes import Arrangement, ConvolutionalSampling, cell_bound, cell_bound_power, reference, sample_patterns
from topes.sampling import (
    clopper_pearson,
    coverage_probability,
    coverage_samples,
    sample_cells,
    sample_directions,
    sample_sizes,
    sufficient_samples,
    union_bound,
    union_samples,
)

SEEDS = st.integers(0, 2**130)


def as_counts(found) -> dict[tuple[int, ...], int]:
    return dict(zip(map(tuple, found.patterns.tolist()), found.counts.tolist(), strict=True))


@given(central(), SEEDS)
def test_every_pattern_is_that_of_exact_arithmetic(instance, seed):
    found = sample_cells(instance.X, 30, values=instance.values, seed=seed)
    expected = reference.patterns_of_directions(
        instance.X, sample_directions(instance.dimension, 30, seed=seed), values=instance.values
    )
    if expected is None:
        assert found.counters["redrawn"] > 0
        return
    assert list(as_counts(found).items()) == list(expected.items())  # the order, too
    assert found.counters["redrawn"] == 0
    assert found.counters["signs"] == 30 * sum(any(row) for row in instance.rows)


@given(central(), SEEDS)
def test_gaussian_patterns_are_cells(instance, seed):
    found = sample_cells(instance.X, 60, values=instance.values, seed=seed)
    A = Arrangement(instance.X, values=instance.values)
    cells = {tuple(p) for p in A.patterns().tolist()}
    assert set(as_counts(found)) <= cells
    assert len(found) <= found.n_known <= len(cells)
    assert int(found.counts.sum()) == 60
    estimate = found.estimate_n_cells()
    assert found.n_known == estimate.n_known <= estimate.low <= estimate.estimate <= estimate.high
    assert len(cells) <= A.bound() <= estimate.bound


@given(central(kinds=("lattice", "nearly dependent", "scaled")), SEEDS, st.sampled_from([False, "penalized"]))
def test_directions_on_patches(instance, seed, bias):
    d = instance.dimension
    method = ConvolutionalSampling((d,), (max(1, d - 2),))
    found = sample_cells(instance.X, 30, method=method, bias=bias, seed=seed)
    W = sample_directions(d, 30, method=method, bias=bias, seed=seed)
    rows = [(*row, 1) if bias else row for row in instance.rows]
    if not rows:
        assert len(found) == 1
        return
    expected = reference.patterns_of_directions(rows, W)
    assume(expected is not None)
    assert list(as_counts(found).items()) == list(expected.items())


@pytest.mark.parametrize(("n", "d"), [(1, 1), (17, 3), (100, 3), (64, 8), (33, 60), (200, 300)])
def test_plain_numpy_agrees_on_gaussian_data(n, d):
    X = np.random.default_rng(n).standard_normal((n, d))
    found = sample_cells(X, 500, seed=5)
    patterns, counts = reference.patterns_of_directions_in_floats(X, sample_directions(d, 500, seed=5))
    order = np.lexsort(found.patterns.T[::-1])
    assert np.array_equal(found.patterns[order], patterns)
    assert np.array_equal(found.counts[order], counts)
    assert np.array_equal(found.patterns, sample_patterns(X, 500, seed=5))


@given(central(kinds=("lattice", "random", "any floats")), SEEDS)
def test_threads_do_not_matter(instance, seed):
    one = sample_cells(instance.X, 3000, seed=seed, n_threads=1)
    for threads in (2, 7):
        more = sample_cells(instance.X, 3000, seed=seed, n_threads=threads)
        for name in ("packed", "counts", "first_seen"):
            assert np.array_equal(getattr(one, name), getattr(more, name))
        assert one.counters == more.counters


@given(central(kinds=("lattice", "random")), st.integers(-200, 200))
def test_powers_of_two_move_nothing(instance, exponent):
    X = instance.X.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(X, exponent)
        assume(bool(np.isfinite(scaled).all() and (np.ldexp(scaled, -exponent) == X).all()))
    assert np.array_equal(sample_cells(scaled, 200).packed, sample_cells(X, 200).packed)


@given(st.integers(0, 500), st.integers(0, 20), SEEDS, st.integers(1, 9))
def test_a_sample_is_the_same_in_every_call(first, count, seed, d):
    all_of_them = sample_directions(d, first + count, seed=seed)
    assert np.array_equal(all_of_them[first:], sample_directions(d, count, seed=seed, first=first))


# The theorem.

SHARES = st.one_of(
    st.sampled_from([0.05, 0.5, 0.25, 2.0**-10, 1 - 2.0**-53, 1e-300, Fraction(1, 3)]), st.floats(1e-12, 1 - 1e-12)
)


@given(st.integers(1, 10**6), st.floats(1e-6, 1.0), SHARES)
def test_the_theorem_is_the_rounded_up_quotient(n_cells, scale, eps):
    theta = scale / n_cells
    assume(0 < theta <= 1 / n_cells)
    with localcontext() as context:
        context.prec = 90
        ratio = n_cells / Fraction(eps)
        quotient = (Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln() / Decimal(theta)
    assert sufficient_samples(n_cells, theta, eps) == math.ceil(quotient)


@given(st.integers(2, 500), st.floats(0.01, 1.0), SHARES)
def test_the_sharper_form_is_the_least_power(n_cells, scale, eps):
    theta = scale / n_cells
    n = sufficient_samples(n_cells, theta, eps, form="sharper")
    assume(n < 2000)
    kept = 1 - Fraction(theta)
    assert n_cells * kept**n <= Fraction(eps)
    assert n == 1 or n_cells * kept ** (n - 1) > Fraction(eps)
    assert n <= sufficient_samples(n_cells, theta, eps)


def test_ties_count_as_reached():
    assert sufficient_samples(2, 0.5, 0.25, form="sharper") == 3  # 2 / 2^3 is 1/4
    assert sufficient_samples(2, 0.5, 2.0**-1000, form="sharper") == 1001
    assert sufficient_samples(3, Fraction(1, 3), Fraction(8, 81) * 3, form="sharper") == 6  # 3 (2/3)^6 = 64/243 <= 8/27 ...
    assert sufficient_samples(3, Fraction(1, 3), Fraction(64, 243), form="sharper") == 6  # ... and equal to 64/243
    assert union_samples([0.5, 0.5], 0.25) == 3
    assert union_samples([0.25] * 4, Fraction(3, 4) ** 40 * 4) == 40
    assert union_samples([0.25] * 4, Fraction(3, 4) ** 40 * 4 * Fraction(10**20, 10**20 + 1)) == 41


@st.composite
def angles(draw, most=7):
    weights = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=most))
    return [w / sum(weights) for w in weights]


@given(angles(), SHARES)
def test_the_union_bound_is_solved_for_the_least_number(theta, eps):
    n = union_samples(theta, eps)
    assume(n < 1500)
    total = sum(theta)
    exact = [1 - Fraction(t / total) for t in theta]
    assert sum(k**n for k in exact) <= Fraction(eps)
    assert n == 1 or sum(k ** (n - 1) for k in exact) > Fraction(eps)
    assert union_bound(theta, n) == pytest.approx(float(sum(k**n for k in exact)), rel=1e-10, abs=1e-300)


def by_inclusion_and_exclusion(theta: list[float], n: int) -> Fraction:
    exact = [Fraction(t) for t in theta]
    exact = [t / sum(exact) for t in exact]
    out = Fraction(0)
    for size in range(len(exact) + 1):
        for missed in combinations(exact, size):
            out += (-1) ** size * (1 - sum(missed)) ** n
    return out


@given(angles(), st.integers(1, 400))
def test_coverage_by_the_integral_is_that_by_inclusion_and_exclusion(theta, n):
    assert coverage_probability(theta, n) == pytest.approx(float(by_inclusion_and_exclusion(theta, n)), rel=0, abs=1e-12)


@given(st.integers(1, 60), st.integers(1, 2000))
def test_coverage_of_equal_cells_is_the_coupon_collectors(n_cells, n):
    expected = sum((-1) ** k * math.comb(n_cells, k) * Fraction(n_cells - k, n_cells) ** n for k in range(n_cells + 1))
    found = coverage_probability([1 / n_cells], n, multiplicity=[n_cells])
    assert found == pytest.approx(float(expected), rel=0, abs=1e-13)


@given(angles(), st.sampled_from([0.5, 0.05, 1e-3]))
def test_the_forms_are_ordered_and_the_last_is_the_least(theta, eps):
    sizes = sample_sizes(theta, eps=eps)
    assert sizes.theorem >= sizes.sharper >= sizes.union >= sizes.exact >= len(theta)
    # The accuracy that coverage_probability states, twice.
    assert all(sizes.reached[name] >= 1 - eps - 2e-12 for name in ("theorem", "sharper", "union", "exact"))
    assert coverage_samples(theta, eps) == sizes.exact
    if sizes.exact > len(theta):
        assert coverage_probability(theta, sizes.exact - 1) < 1 - eps


@given(st.integers(1, 10**6), st.data(), st.floats(0.5, 1 - 1e-6))
def test_intervals_are_where_the_tails_are(trials, data, confidence):
    k = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(k, trials, confidence=confidence)
    tail = (1 - confidence) / 2
    assert 0 <= low <= k / trials <= high <= 1
    # scipy's own tails are good to some nine digits here.
    assert low == 0 if k == 0 else binom.sf(k - 1, trials, low) == pytest.approx(tail, rel=1e-7)
    assert high == 1 if k == trials else binom.cdf(k, trials, high) == pytest.approx(tail, rel=1e-7)


@given(st.integers(1, 300), st.data())
def test_both_forms_of_the_bound(n, data):
    r = data.draw(st.integers(1, n))
    assert cell_bound(n, r) == reference.bound(n, r) <= 2**n
    if n > 1:
        assert cell_bound(n, r) <= cell_bound_power(n, r)
    with localcontext() as context:
        context.prec = 400
        power = 2 * r * (Decimal(1).exp() * (n - 1) / r) ** r
    assert cell_bound_power(n, r) == math.ceil(power)
