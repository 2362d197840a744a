"""Pricing over all cells against the twin, which tries every face, and against enumeration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import reference
from topes.activation import phi
from topes.dual import zero_sum
from topes.pricing.oracle import Pricer
from topes.pricing.over_cells import price as price_by_enumeration
from topes.programs.scalar_output import Cones


def dual_point(n, seed, zero=False):
    v = np.random.default_rng(seed).standard_normal(n)
    return zero_sum(v - v.mean()) if zero else v


@given(data(), KAPPAS, st.sampled_from([False, "penalized"]), st.integers(0, 2**32 - 1))
def test_the_price_is_the_twins(sample, kappa, bias, seed):
    X, _ = sample
    v = dual_point(len(X), seed)
    pricing = Pricer(X, activation=kappa, bias=bias).price(v)
    expected = reference.price(X, v, kappa=kappa, bias=bias)
    assert pricing.complete
    assert expected <= pricing.upper_bound
    assert pricing.upper_bound == pytest.approx(expected, rel=1e-8, abs=1e-10)
    assert pricing.best == pytest.approx(expected, rel=1e-8, abs=1e-10)


@given(data(), KAPPAS, BIASES, st.sampled_from([2, 1, np.inf]), st.integers(0, 2**32 - 1))
def test_bounds_hold_and_directions_have_the_prices_they_claim(sample, kappa, bias, norm, seed):
    X, _ = sample
    pricer = Pricer(X, activation=kappa, bias=bias, norm=norm)
    v = dual_point(len(X), seed, bias == "free")
    pricing = pricer.price(v, keep=0.3, max_nodes=10**6 if norm == 2 else 20_000)
    enumerated, _ = price_by_enumeration(Cones.of(X, bias=bias), v, kappa, bias=bias, norm=norm)
    scale = float(np.abs(v) @ np.linalg.norm(pricer.data, axis=1)) + 1e-300
    assert pricing.best <= enumerated * (1 + 1e-9) + 1e-9 * scale
    assert pricing.best <= pricing.upper_bound
    for u, value, sign in zip(pricing.directions.T, pricing.values, pricing.signs, strict=True):
        assert np.linalg.norm(u[:-1] if bias == "free" else u, ord=norm) <= 1 + 1e-9
        assert sign * float(v @ phi(pricer.data @ u, kappa)) == pytest.approx(value, rel=1e-9, abs=1e-9 * scale)
    if norm == 2:
        # With a free bias the enumerated price is itself a bound, up to a few millionths too large.
        assert pricing.complete
        assert pricing.upper_bound <= enumerated * (1 + 1e-8) + 1e-9 * scale


@given(data(), KAPPAS, st.integers(0, 2**32 - 1))
def test_several_outputs_are_bounded_by_the_best_combination(sample, kappa, seed):
    X, _ = sample
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((len(X), 3))
    pricer = Pricer(X, activation=kappa)
    pricing = pricer.price(V, tol=1e-3, max_nodes=20_000)
    for g in rng.standard_normal((5, 3)):
        assert pricer.price(V @ (g / np.linalg.norm(g))).best <= pricing.upper_bound * (1 + 1e-12)
    for u, value in zip(pricing.directions.T, pricing.values, strict=True):
        assert np.linalg.norm(V.T @ phi(pricer.data @ u, kappa)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(data(), st.integers(0, 2**32 - 1))
def test_rows_may_be_split_permuted_and_scaled(sample, seed):
    X, _ = sample
    v = dual_point(len(X), seed)
    expected = Pricer(X).price(v).best
    order = np.random.default_rng(seed).permutation(len(X))
    assert Pricer(X[order]).price(v[order]).best == pytest.approx(expected, rel=1e-7, abs=1e-9)
    halves = Pricer(np.vstack([X, 3 * X])).price(np.concatenate([v / 2, v / 6]))
    assert halves.best == pytest.approx(expected, rel=1e-7, abs=1e-9)
    assert Pricer(1e-150 * X).price(v).best == pytest.approx(1e-150 * expected, rel=1e-7, abs=1e-160)


@given(data(), st.integers(0, 2**32 - 1))
def test_zero_sums_are_exact_and_stay_in_their_box(sample, seed):
    X, _ = sample
    v = dual_point(len(X), seed)
    z = zero_sum(v - v.mean())
    assert sum(map(Fraction, z.tolist())) == 0
    assert np.all(np.abs(z) <= np.abs(v - v.mean()))
    assert np.all(z * (v - v.mean()) >= 0)
