"""The network with global average pooling against the programs (14) over all cells of the patches; patches against loops."""

from __future__ import annotations

import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from problems import ENTRY, KAPPAS
from topes import ConvolutionalNetwork, Status, certify, extract_patches, reference, train, train_cnn
from topes.activation import phi
from topes.losses import get_loss, loss_names
from topes.pricing.oracle import Pricer
from topes.programs import convolutional

PENALISED = st.sampled_from([False, "penalized"])
BIASES = st.sampled_from([False, "penalized", "free"])
NORMS = st.sampled_from([2, 1, np.inf])
BETAS = st.sampled_from([1e-3, 0.05, 1.0])
FEW = settings(max_examples=max(8, settings().max_examples // 4))


@st.composite
def pooled_data(draw, loss="squared", most=6):
    """Few patches in all; zero, repeated, opposite ones, within a sample and between samples."""
    shapes = [(1, 1, 1), (2, 2, 1), (1, 4, 2), (2, 2, 2), (3, 2, 2), (2, 2, 3)]
    n, K, d = draw(st.sampled_from([shape for shape in shapes if shape[0] * shape[1] <= most]))
    rows = np.array(draw(st.lists(st.lists(ENTRY, min_size=d, max_size=d), min_size=n * K, max_size=n * K)))
    for i in draw(st.lists(st.integers(0, n * K - 1), max_size=3)):
        rows[i] = draw(st.sampled_from([0.0, 1.0, -1.0, 2.0])) * rows[draw(st.integers(0, n * K - 1))]
    labels = get_loss(loss).needs_labels
    y = draw(st.lists(st.sampled_from([-1.0, 1.0]) if labels else ENTRY, min_size=n, max_size=n))
    return rows.reshape(n, K, d), np.array(y)


def value(program):
    """The optimal value; where Clarabel does not reach an accuracy, at the next; no example where it reaches neither."""
    for tol in (1e-10, 1e-9):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an inaccurate solution is not used
                program.problem.solve(solver="CLARABEL", tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol)
        except cp.SolverError:
            continue
        if program.problem.status == "optimal":
            return float(program.problem.value)
    return assume(False)


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, PENALISED, NORMS, BETAS)
def test_the_optimum_is_that_of_the_full_program(draw, loss, kappa, bias, norm, beta):
    X, y = draw.draw(pooled_data(loss))
    solution = train_cnn(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm)
    expected = value(convolutional(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm))
    assert solution.status is Status.CERTIFIED
    # A network's own objective is no less than the optimum: below `expected` it shows Clarabel's accuracy (logistic: 6e-9).
    assert solution.objective <= expected * (1 + 1e-6) + 2e-9
    assert solution.objective >= expected * (1 - 1e-6) - 1e-8
    assert solution.lower_bound <= expected * (1 + 1e-9) + 1e-9
    again = solution.network.objective(X, y, beta, loss=loss, bias=bias, norm=norm)
    assert again == pytest.approx(solution.objective, rel=1e-12, abs=1e-14)
    assert solution.n_neurons <= len(X)


@FEW
@given(pooled_data(), KAPPAS, NORMS)
def test_bounds_hold_with_a_free_bias(sample, kappa, norm):
    X, y = sample
    solution = train_cnn(X, y, 0.05, activation=kappa, bias="free", norm=norm, max_time=2.0)
    expected = value(convolutional(X, y, 0.05, activation=kappa, bias="free", norm=norm))
    assert solution.lower_bound <= expected + 1e-8
    assert solution.objective >= expected - 1e-8
    if solution.status is Status.CERTIFIED:
        assert solution.objective == pytest.approx(expected, rel=2e-6, abs=2e-9)


@settings(max_examples=8)
@given(pooled_data(most=4), st.sampled_from(["squared", "absolute"]), KAPPAS, BIASES)
def test_the_program_is_the_twins(sample, loss, kappa, bias):
    X, y = sample
    expected = reference.convolutional_value(X, y, 0.1, loss=loss, kappa=kappa, bias=bias)
    found = value(convolutional(X, y, 0.1, loss=loss, activation=kappa, bias=bias))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)


@given(pooled_data(), KAPPAS, st.integers(0, 2**32 - 1))
def test_the_price_is_that_of_the_patches_each_at_its_share(sample, kappa, seed):
    X, _ = sample
    n, K, d = X.shape
    v = np.random.default_rng(seed).standard_normal(n)
    pricing = Pricer(X.reshape(n * K, d), activation=kappa, pool=K).price(v)
    expected = Pricer(X.reshape(n * K, d), activation=kappa).price(np.repeat(v / K, K))
    assert pricing.upper_bound == pytest.approx(expected.upper_bound, rel=1e-8, abs=1e-12)
    for u, price, sign in zip(pricing.directions.T, pricing.values, pricing.signs, strict=True):
        assert sign * float(v @ phi(X @ u, kappa).mean(axis=1)) == pytest.approx(price, rel=1e-9, abs=1e-12)


@FEW
@given(pooled_data(), KAPPAS, PENALISED)
def test_one_patch_a_sample_is_no_convolution(sample, kappa, bias):
    X, _ = sample
    rows = X.reshape(-1, X.shape[2])
    y = np.linspace(-1.0, 2.0, len(rows))
    pooled = train_cnn(rows[:, None, :], y, 0.05, activation=kappa, bias=bias)
    plain = train(rows, y, 0.05, activation=kappa, bias=bias)
    assert pooled.objective == pytest.approx(plain.objective, rel=2e-6)


@FEW
@given(pooled_data(), st.integers(0, 2**32 - 1))
def test_the_order_of_patches_does_not_matter_and_any_network_is_judged(sample, seed):
    X, y = sample
    rng = np.random.default_rng(seed)
    first = train_cnn(X, y, 0.05)
    shuffled = np.stack([rng.permutation(x) for x in X])
    assert train_cnn(shuffled, y, 0.05).objective == pytest.approx(first.objective, rel=2e-6, abs=1e-9)
    network = ConvolutionalNetwork(rng.standard_normal((X.shape[2], 3)), None, rng.standard_normal(3))
    found = certify(X, y, network, 0.05)
    assert found.lower_bound <= found.objective
    assert found.objective == pytest.approx(network.objective(X, y, 0.05), rel=1e-12)
    assert found.optimum.objective == pytest.approx(first.objective, rel=2e-6, abs=1e-9)


@st.composite
def samples(draw):
    axes, n, channels = draw(st.integers(1, 2)), draw(st.integers(0, 3)), draw(st.integers(1, 2))
    shape = tuple(draw(st.integers(1, 5)) for _ in range(axes))
    kernel = tuple(draw(st.integers(1, size)) for size in shape)
    stride = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    X = np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 9, size=(n, *shape, channels))
    return X, kernel, stride


@given(samples())
def test_patches_are_the_twins(sample):
    X, kernel, stride = sample
    expected = reference.patches(X, kernel, stride)
    assert extract_patches(X, kernel, stride).tolist() == expected
    if X.shape[-1] == 1:
        assert extract_patches(X[..., 0], kernel, stride).tolist() == expected
        if len(set(kernel)) == len(set(stride)) == 1:
            assert extract_patches(X[..., 0], kernel[0], stride[0]).tolist() == expected


@given(samples(), KAPPAS, st.booleans())
def test_a_network_averages_over_the_places_of_its_filters(sample, kappa, with_bias):
    X, kernel, stride = sample
    rng = np.random.default_rng(0)
    W1 = rng.standard_normal((int(np.prod(kernel)) * X.shape[-1], 2))
    b1 = rng.standard_normal(2) if with_bias else None
    network = ConvolutionalNetwork(W1, b1, [1.0, -2.0], kappa, kernel, stride)
    expected = []
    for patches in reference.patches(X, kernel, stride):
        total = 0.0
        for patch in patches:
            h = np.array(patch, dtype=float) @ W1 + (b1 if with_bias else 0.0)
            total += float(phi(h, kappa) @ [1.0, -2.0])
        expected.append(total / len(patches))
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-12, atol=1e-12)
    assert ConvolutionalNetwork.from_dict(network.to_dict()).predict(X).tolist() == network.predict(X).tolist()
