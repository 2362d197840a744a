"""Nothing depends on the units of data and targets: powers of two of both leave the same problem, and the same answer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import Status, beta_max, certify, path, train, train_cnn, verify
from topes.losses import get_loss, loss_names
from topes.training.units import Units

FEW = settings(max_examples=max(10, settings().max_examples // 2))
LOSSES = st.sampled_from(loss_names())
EXPONENTS = st.sampled_from([-200, -80, -40, 40, 80, 200])


def in_units(X, y, beta, loss, bias, a, b):
    """The problem of 2^a X and 2^b y, as far as loss and bias have one; and what its objective is a multiple of by."""
    q = get_loss(loss).homogeneity
    a, b = 0 if bias == "penalized" else a, 0 if q is None else b
    q = q or 0
    return np.ldexp(X, a), np.ldexp(y, b), float(np.ldexp(beta, a + (q - 1) * b)), float(np.ldexp(1.0, q * b))


@FEW
@given(st.data(), LOSSES, KAPPAS, BIASES, EXPONENTS, EXPONENTS)
def test_answers_are_those_of_the_problem_in_other_units(draw, loss, kappa, bias, a, b):
    X, y = draw.draw(data(loss))
    assume(np.any(X))  # else beta alone has a unit
    options = {"loss": loss, "activation": kappa, "bias": bias}
    plain = train(X, y, 0.05, **options)
    X2, y2, beta, unit = in_units(X, y, 0.05, loss, bias, a, b)
    solution = train(X2, y2, beta, **options)
    assert solution.status is Status.CERTIFIED
    assert solution.objective / unit == pytest.approx(plain.objective, rel=2e-6, abs=2e-9)
    assert solution.lower_bound / unit <= plain.objective * (1 + 1e-9)
    network = solution.network  # its own objective, and layers that weigh the same
    fit = get_loss(loss).value(network.predict(X2), y2)
    assert fit + beta * network.penalty(bias=bias or "penalized") == pytest.approx(solution.objective, rel=1e-9)
    proof = certify(X2, y2, network, beta, loss=loss, bias=bias)
    assert proof.objective == pytest.approx(solution.objective, rel=1e-9)


@FEW
@given(st.data(), LOSSES, BIASES, st.sampled_from([-80, -40, 60, 80]), st.sampled_from([-80, -40, 60, 80]))
def test_answers_are_the_same_to_the_last_bit_far_from_one(draw, loss, bias, a, b):
    X, y = draw.draw(data(loss))
    assume(np.any(X))
    first, second = (in_units(X, y, 0.05, loss, bias, *exponents) for exponents in ((40, 40), (a, b)))
    one, other = (train(*each[:3], loss=loss, bias=bias) for each in (first, second))
    assert one.objective / first[3] == other.objective / second[3]
    assert one.lower_bound / first[3] == other.lower_bound / second[3]
    assert [r.objective / first[3] for r in one.history] == [r.objective / second[3] for r in other.history]
    assert one.n_neurons == other.n_neurons


@FEW
@given(st.data(), KAPPAS, BIASES, st.sampled_from([0, -20, -60]), st.booleans())
def test_huber_of_short_targets_is_the_squared_loss(draw, kappa, bias, b, several):
    X, y = draw.draw(data())
    y = np.ldexp(0.9 * y / max(float(np.linalg.norm(y)), 1e-3), b)
    if several:
        y = np.column_stack([y, -y / 4])[:, : draw.draw(st.integers(1, 2))]
    beta = float(np.ldexp(0.05, b))
    huber, squared = (train(X, y, beta, loss=loss, activation=kappa, bias=bias) for loss in ("huber", "squared"))
    assert huber.problem.loss == "huber"
    assert huber.gap <= 1e-6
    assert huber.objective == pytest.approx(squared.objective, rel=1e-12, abs=0.0)
    assert huber.lower_bound == pytest.approx(squared.lower_bound, rel=1e-9, abs=0.0)
    again = certify(X, y, huber.network, beta, loss="huber", bias=bias)
    assert again.objective == pytest.approx(huber.objective, rel=1e-9)
    assert again.gap <= 1e-5


def test_huber_of_longer_targets_is_not():
    assert train([[1.0]], [3.0], 1.5, loss="huber").n_neurons == 0  # its slope is at most 1
    assert train([[1.0]], [3.0], 1.5, loss="squared").objective == pytest.approx(1.5**2 / 2 + 1.5 * 1.5)


@pytest.mark.parametrize("loss", loss_names())
@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_warm_starts_and_paths_keep_the_units_given(loss, bias):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2))
    y = np.where(X[:, 0] > 0.2, 1.0, -1.0)
    top = beta_max(X, y, loss=loss, bias=bias)
    X2, y2, beta, unit = in_units(X, y, 0.1 * top, loss, bias, 40, -30)
    largest = in_units(X, y, top, loss, bias, 40, -30)[2]
    assert beta_max(X2, y2, loss=loss, bias=bias) == pytest.approx(largest, rel=1e-8)
    plain = train(X, y, 0.1 * top, loss=loss, bias=bias)
    along = path(X2, y2, [largest, beta], loss=loss, bias=bias)
    again = train(X2, y2, beta, loss=loss, bias=bias, warm_start=along[-1])
    for solution in (along[-1], again):
        assert solution.status is Status.CERTIFIED
        assert solution.objective / unit == pytest.approx(plain.objective, rel=2e-6)
    if loss in ("squared", "logistic", "squared_hinge"):  # smooth: what a start is worth shows in the first round
        assert again.history[0].objective <= along[-1].objective * (1 + 1e-4)


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_several_outputs_and_patches_in_other_units(bias):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((12, 2))
    Y = np.stack([np.abs(X[:, 0]), X[:, 1]], axis=1)
    plain = train(X, Y, 0.1, bias=bias)
    X2, Y2, beta, unit = in_units(X, Y, 0.1, "squared", bias, -40, 60)
    solution = train(X2, Y2, beta, bias=bias)
    assert solution.status is Status.CERTIFIED
    assert solution.dual.shape == Y.shape
    assert solution.objective / unit == pytest.approx(plain.objective, rel=2e-6)
    fit = 0.5 * float(np.sum((solution.network.predict(X2) - Y2) ** 2))
    assert fit + beta * solution.network.penalty(bias=bias or "penalized") == pytest.approx(solution.objective, rel=1e-9)

    patches, y = rng.standard_normal((10, 2, 2)), rng.standard_normal(10)
    plain = train_cnn(patches, y, 0.05, bias=bias)
    P2, y2, beta, unit = in_units(patches, y, 0.05, "squared", bias, 50, -30)
    solution = train_cnn(P2, y2, beta, bias=bias)
    assert solution.status is Status.CERTIFIED
    assert solution.objective / unit == pytest.approx(plain.objective, rel=2e-6)


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_certificates_are_of_the_problem_as_given(bias, tmp_path):
    X, y = np.array([[1.0, 2.0], [-1.0, 3.0], [0.5, -2.0], [2.0, 1.0]]), np.array([1.0, -1.0, 2.0, 0.5])
    X2, y2, beta, _ = in_units(X, y, 0.1, "squared", bias, 40, -60)
    solution = train(X2, y2, beta, bias=bias)
    solution.save_certificate(tmp_path / "proof.npz")
    report = verify(tmp_path / "proof.npz", X=X2, y=y2)
    assert report.valid
    assert report.gap <= 2e-6


def test_a_bound_below_the_normal_numbers_is_not_rounded_upwards():
    units = Units(data=0, targets=-530, homogeneity=2, free=False)
    for x in np.linspace(1.0, 2.0, 50).tolist():
        assert 0.0 < Fraction(units.bound(x)) <= Fraction(x) / 2**1060


def test_data_that_a_power_of_two_would_round_are_left_as_they_are():
    X = np.ldexp(np.array([[1.0, 0.0], [-1.0, 0.0], [0.5, 1.0]]), np.array([400, 0]))
    y = np.array([1.0, 2.0, 1.0])
    X[2, 1] = np.ldexp(1.0 + 2.0**-52, -700)
    solution = train(X, y, np.ldexp(1.0, 396))
    assert solution.status is Status.CERTIFIED
    X[2, 1] = 0.0
    assert solution.objective == pytest.approx(train(X, y, np.ldexp(1.0, 396)).objective, rel=1e-6)
