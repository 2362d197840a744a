"""Interpolation against the program (24) over all cells; its exact test against the span of the features of all cells."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import BIASES, ENTRY, KAPPAS, NORMS, data
from topes import NotInterpolable, Status, gauge, interpolate, reference
from topes.activation import phi
from topes.models.indicator import InterpolationLoss, MarginLoss
from topes.programs import scalar_output

FEW = settings(max_examples=max(10, settings().max_examples // 4))


@st.composite
def lattice(draw, labels=False):
    """Rows of which many share a hyperplane, from both sides, so that consistency is a question."""
    d, n = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    entry = st.integers(-2, 2)
    seeds = draw(st.lists(st.lists(entry, min_size=d, max_size=d), min_size=1, max_size=4))
    rows = [[draw(st.sampled_from([-2, -1, 1, 1, 3])) * x for x in draw(st.sampled_from(seeds))] for _ in range(n)]
    if labels:
        return np.array(rows), np.array(draw(st.lists(st.sampled_from([-1, 1]), min_size=n, max_size=n)))
    if draw(st.booleans()):  # outputs of a network of small integers: consistent, or off in one place
        X = np.hstack([np.array(rows), np.ones((n, 1), dtype=int)])
        W = np.array(draw(st.lists(st.lists(entry, min_size=2, max_size=2), min_size=d + 1, max_size=d + 1)))
        W[-1] = 0
        y = np.maximum(X @ W, 0) @ np.array([1, -2])
        y[draw(st.integers(0, n - 1))] += draw(st.integers(0, 1))
        return np.array(rows), y
    return np.array(rows), np.array(draw(st.lists(entry, min_size=n, max_size=n)))


def check(solution, X, y, *, margin, kappa, bias, norm, tol=1e-6):
    """Feasibility of network and dual point and the two values, recomputed."""
    net = solution.network
    f = net.predict(X)
    off = np.maximum(0.0, 1.0 - y * f) if margin else np.abs(f - y)
    assert solution.residual == pytest.approx(float(off.max(initial=0.0)), abs=1e-15)
    assert solution.objective == pytest.approx(net.penalty(bias=bias or "penalized", norm=norm), rel=1e-12, abs=1e-300)
    v = solution.dual
    assert solution.lower_bound <= float(v @ y) * (1 + 1e-12) + 1e-300
    if margin:
        assert np.all(v * y >= 0.0)
    if bias == "free":
        assert sum(map(Fraction, v.tolist())) == pytest.approx(0.0, abs=1e-12 * float(np.abs(v).sum()))
    full = np.hstack([X, np.ones((len(X), 1))]) if bias else X
    own = net.W1 if bias is False else np.vstack([net.W1, net.b1])
    U = np.hstack([own, full.T, -full.T, np.random.default_rng(0).standard_normal((full.shape[1], 50))])
    sizes = np.linalg.norm(U[:-1] if bias == "free" else U, ord=norm, axis=0)
    U = U[:, sizes > 1e-6 * np.linalg.norm(U, axis=0)] / sizes[sizes > 1e-6 * np.linalg.norm(U, axis=0)]
    H = phi(full @ U, kappa)
    assert np.all(np.abs(v @ H) <= 1.0 + 1e-12 * (1.0 + np.abs(v) @ np.abs(H)))
    if solution.status is Status.CERTIFIED:
        assert solution.gap <= tol
        assert solution.residual <= 1e-9 * float(np.abs(y).max(initial=0.0))
    scale = float(np.abs(v).sum())
    assert solution.lower_bound <= solution.objective * (1 + 1e-12) + 2 * scale * solution.residual


@FEW
@given(data(), KAPPAS, BIASES, NORMS)
def test_the_gauge_is_that_of_the_full_program(sample, kappa, bias, norm):
    X, y = sample
    try:
        solution = interpolate(X, y, activation=kappa, bias=bias, norm=norm)
    except NotInterpolable as error:
        z = error.certificate.tolist()
        assert reference.outputs_vanish_on(X, z, kappa=kappa, bias=bias)
        assert sum(a * Fraction(b) for a, b in zip(z, y.tolist(), strict=True)) != 0
        assert not reference.is_interpolable(X, y, kappa=kappa, bias=bias)
        return
    assert reference.is_interpolable(X, y, kappa=kappa, bias=bias)
    check(solution, X, y, margin=False, kappa=kappa, bias=bias, norm=norm)
    program = scalar_output(X, y, 1.0, loss=InterpolationLoss(), activation=kappa, bias=bias, norm=norm)
    expected = program.problem.solve(solver="CLARABEL")
    if np.isfinite(expected):  # Clarabel may take a gauge of many digits for infeasible
        assert solution.lower_bound <= expected * (1 + 1e-6) + 1e-7
        if solution.status is Status.CERTIFIED:
            assert solution.objective == pytest.approx(expected, rel=1e-5, abs=1e-6)


@FEW
@given(data("hinge"), KAPPAS, BIASES, NORMS)
def test_the_margin_is_that_of_the_full_program(sample, kappa, bias, norm):
    X, y = sample
    try:
        solution = interpolate(X, y, margin=True, activation=kappa, bias=bias, norm=norm)
    except NotInterpolable as error:
        z = error.certificate.tolist()
        assert reference.outputs_vanish_on(X, z, kappa=kappa, bias=bias)
        products = [a * Fraction(b) for a, b in zip(z, y.tolist(), strict=True)]
        assert all(p >= 0 for p in products)
        assert any(products)
        return
    check(solution, X, y, margin=True, kappa=kappa, bias=bias, norm=norm)
    assert solution.residual == 0.0
    program = scalar_output(X, y, 1.0, loss=MarginLoss(), activation=kappa, bias=bias, norm=norm)
    expected = program.problem.solve(solver="CLARABEL")
    if np.isfinite(expected):
        assert solution.lower_bound <= expected * (1 + 1e-6) + 1e-7
        if solution.status is Status.CERTIFIED:
            assert solution.objective == pytest.approx(expected, rel=1e-5, abs=1e-6)


@given(lattice(), KAPPAS, BIASES)
def test_interpolable_is_decided_exactly(sample, kappa, bias):
    X, y = sample
    found = gauge(X, y, activation=kappa, bias=bias, tol=1e-3)
    assert np.isfinite(found.lower_bound) == reference.is_interpolable(X, y, kappa=kappa, bias=bias)
    if found.certificate is not None:
        z = found.certificate.tolist()
        assert reference.outputs_vanish_on(X, z, kappa=kappa, bias=bias)
        assert sum(a * int(b) for a, b in zip(z, y, strict=True)) != 0
    else:
        assert found.status is Status.CERTIFIED


@given(lattice(labels=True), KAPPAS, BIASES)
def test_separable_is_decided_exactly(sample, kappa, bias):
    X, y = sample
    try:
        solution = interpolate(X, y, margin=True, activation=kappa, bias=bias, tol=1e-3)
    except NotInterpolable as error:
        z = error.certificate.tolist()
        assert reference.outputs_vanish_on(X, z, kappa=kappa, bias=bias)
        assert all(a * int(b) >= 0 for a, b in zip(z, y, strict=True))
        assert any(z)
    else:
        assert solution.status is Status.CERTIFIED
        assert np.all(y * solution.network.predict(X) >= 1.0 - 1e-12)


@settings(max_examples=10)
@given(data(), st.sampled_from([0.0, -1.0, 0.5]), BIASES)
def test_the_program_is_the_twins(sample, kappa, bias):
    X, y = sample
    if not reference.is_interpolable(X, y, kappa=kappa, bias=bias) or len(X) > 4:
        return
    expected = reference.gauge_value(X, y, kappa=kappa, bias=bias)
    found = gauge(X, y, activation=kappa, bias=bias)
    if np.isfinite(expected) and found.status is Status.CERTIFIED:
        assert found.value == pytest.approx(expected, rel=1e-5, abs=1e-7)


@FEW
@given(data(), st.sampled_from([0.0, -1.0, 0.5]), st.sampled_from([-3.0, 1e-6, 1e6]), ENTRY)
def test_the_gauge_is_a_norm(sample, kappa, factor, shift):
    X, y = sample
    first = gauge(X, y, activation=kappa)
    if first.certificate is not None:
        assert gauge(X, factor * y, activation=kappa).certificate is not None
        return
    scaled = gauge(X, factor * y, activation=kappa)
    assert scaled.value == pytest.approx(abs(factor) * first.value, rel=3e-6)
    assert gauge(factor * X if factor > 0 else X, y, activation=kappa).value == pytest.approx(
        first.value / (factor if factor > 0 else 1.0), rel=3e-6
    )
    if kappa == 0.0:  # relu: one neuron's outputs have at most its norm, and the triangle inequality
        other = np.maximum(X @ np.full(X.shape[1], shift), 0.0)
        sum_ = gauge(X, y + other, activation=kappa)
        if sum_.certificate is None:  # a rounded sum may be off the span
            assert sum_.lower_bound <= first.value + abs(shift) * np.sqrt(X.shape[1]) + 1e-6
