"""Gauges with closed forms, limits of training, and what cannot be interpolated."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from topes import InputError, NotInterpolable, Status, gauge, interpolate, train

EXAMPLE_X, EXAMPLE_Y = [[2, 2], [3, 3], [1, 0]], [1.0, -1.0, 1.0]


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("activation", ["relu", "abs", 0.5, -2.5])
def test_one_sample_needs_its_size_over_the_size_of_the_row(activation, scale):
    slope = max(1.0, abs({"relu": 0.0, "abs": -1.0}.get(activation, activation)))
    found = gauge([[3.0, 4.0]], [-10.0 * scale], activation=activation)
    assert found.status is Status.CERTIFIED
    assert found.value == pytest.approx(2.0 * scale / slope, rel=1e-6)
    assert found.lower_bound == pytest.approx(2.0 * scale / slope, rel=1e-6)
    assert gauge([[3.0 * scale, 4.0 * scale]], [10.0], activation=activation).value == pytest.approx(
        2.0 / scale / slope, rel=1e-6
    )


def test_signed_unit_vectors_take_one_neuron_for_each_sign():
    """X = +-e_i, y = 1: u = (1, 1, 1) and its negative, each of norm sqrt(3); no v of sum above that has price 1."""
    s = interpolate(np.vstack([np.eye(3), -np.eye(3)]), np.ones(6))
    assert s.status is Status.CERTIFIED
    assert s.objective == pytest.approx(2.0 * np.sqrt(3.0), rel=1e-6)
    assert s.n_neurons <= 6


@pytest.mark.parametrize(("norm", "expected"), [(1, 6.0), (2, 2.0 * np.sqrt(3.0)), (np.inf, 2.0)])
def test_the_norm_of_the_weights_is_the_one_asked_for(norm, expected):
    found = gauge(np.vstack([np.eye(3), -np.eye(3)]), np.ones(6), norm=norm)
    assert found.value == pytest.approx(expected, rel=1e-6)


def test_outputs_of_one_neuron_on_all_sides_cost_its_norm():
    """y = phi(Xu), u.x >= 0 for all x, n >= d: v = (X')^-1 u / ||u|| on d rows shows that no less will do."""
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert gauge(X, X @ [3.0, 4.0]).value == pytest.approx(5.0, rel=1e-6)


def test_example_ii1_cannot_be_interpolated_but_separated_neither():
    """Rows 0 and 1 are parallel: their outputs are as 2 to 3."""
    with pytest.raises(NotInterpolable, match=r"no network has f = y: see rows 0, 1 of X and y") as error:
        interpolate(EXAMPLE_X, EXAMPLE_Y)
    assert error.value.certificate.tolist() == [Fraction(-3, 2), Fraction(1), Fraction(0)]
    with pytest.raises(NotInterpolable, match="no network has y_i f_i >= 1"):
        interpolate(EXAMPLE_X, EXAMPLE_Y, margin=True)
    found = gauge(EXAMPLE_X, EXAMPLE_Y)
    assert found.value == found.lower_bound == np.inf
    assert repr(found) == "Gauge(inf: no network has these outputs)"
    assert gauge(EXAMPLE_X, [2.0, 3.0, 1.0]).status is Status.CERTIFIED


def test_opposite_rows_are_linked_by_abs_only_until_their_normals_depend():
    X, y = [[1.0, 0.0], [-1.0, 0.0]], [1.0, 2.0]
    assert gauge(X, y).status is Status.CERTIFIED
    assert gauge(X, y, activation="abs").certificate.tolist() == [-1, 1]
    # Three hyperplanes from both sides in the plane: phi(x.u) - phi(-x.u) is linear, so three differences depend.
    X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]])
    assert np.isfinite(gauge(X, [1, 0, 1, 0, 2, 0]).value)
    z = gauge(X, [1, 0, 1, 0, 3, 0]).certificate
    assert z is not None
    assert abs(int(z @ np.array([1, 0, 1, 0, 3, 0]))) == 1


def test_one_ulp_decides():
    X = [[0.1], [0.2]]
    assert np.isfinite(gauge(X, [0.1, 0.2]).value)
    assert gauge(X, [0.1, np.nextafter(0.2, 1.0)]).certificate is not None
    # 0.3 is not three times 0.1 in doubles, but it is in decimals.
    assert gauge([[0.1], [0.3]], [0.1, 0.3]).status is Status.CERTIFIED
    assert gauge([[1.0], [3.0]], [0.1, 0.3]).certificate is not None
    assert gauge([[1.0], [3.0]], [0.1, 0.3], values="decimal").status is Status.CERTIFIED


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_it_is_what_training_tends_to(bias):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((12, 2)), rng.standard_normal(12)
    least = interpolate(X, y, bias=bias)
    assert least.status is Status.CERTIFIED
    before = np.inf
    for beta in (1e-3, 1e-4, 1e-5):
        s = train(X, y, beta, bias=bias)
        # p*/beta = gauge - beta/2 ||v||^2 and less: from below, and the closer the smaller beta is.
        assert s.lower_bound / beta <= least.objective * (1 + 1e-6)
        off = 1.0 - s.objective / beta / least.objective
        assert -2e-6 <= off < before
        before = off
    assert before < 0.05


def test_margins_are_what_the_hinge_loss_tends_to():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((15, 2)), rng.choice([-1.0, 1.0], 15)
    least = interpolate(X, y, margin=True)
    assert least.status is Status.CERTIFIED
    beta = 0.5 / float(np.abs(least.dual).max())  # an exact penalty from here on
    s = train(X, y, beta, loss="hinge")
    assert s.objective / beta == pytest.approx(least.objective, rel=1e-5)
    assert np.all(y * least.network.predict(X) >= 1.0 - 1e-14)


def test_a_planted_network_is_found_at_no_more_than_its_norm():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((40, 3))
    W, w = rng.standard_normal((3, 3)), np.array([1.0, 1.0, -1.0])
    y = np.maximum(X @ W, 0.0) @ w
    s = interpolate(X, y)
    assert s.lower_bound <= float(np.linalg.norm(W, axis=0).sum())
    assert s.objective <= float(np.linalg.norm(W, axis=0).sum()) * (1 + 1e-6)
    assert s.residual <= 1e-9


def test_sixty_samples_to_the_gap_asked_for():
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    s = interpolate(X, y)
    assert s.status is Status.CERTIFIED
    assert s.gap <= 1e-6
    assert s.residual <= 1e-9
    assert all(a.lower_bound <= b.lower_bound for a, b in zip(s.history, s.history[1:], strict=False))


def test_limits_leave_bounds():
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    late = interpolate(X, y, max_time=0.2)
    assert late.status is Status.TIME_LIMIT
    assert 0.0 < late.lower_bound < late.objective
    stopped = interpolate(X, y, callback=lambda state: True)
    assert stopped.status is Status.CANCELLED
    assert len(stopped.history) == 1
    assert stopped.objective == stopped.gap == np.inf
    assert stopped.n_neurons == 0


def test_nothing_to_interpolate():
    for X, y in ((np.zeros((0, 2)), []), (np.zeros((2, 2)), [0.0, 0.0]), ([[1.0, 2.0]], [0.0])):
        s = interpolate(X, y)
        assert s.status is Status.CERTIFIED
        assert (s.objective, s.lower_bound, s.n_neurons) == (0.0, 0.0, 0)
    constant = interpolate([[1.0], [2.0], [2.0]], [3.0, 3.0, 3.0], bias="free")
    assert constant.status is Status.CERTIFIED
    assert constant.objective < 1e-12
    with pytest.raises(NotInterpolable):
        interpolate([[0.0, 0.0]], [1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0]}, "y must have one entry for each of the 2 rows of X, got 1"),
        ({"y": [1.0, np.nan]}, r"y\[1\] is nan; y must be finite"),
        ({"margin": "yes"}, "margin must be True or False, got 'yes'"),
        ({"margin": True, "y": [0.0, 1.0]}, r"y\[0\] is 0; the margin loss takes labels -1 and \+1"),
        ({"tol": 0.0}, "tol must be a positive finite number"),
        ({"bias": "some"}, "bias must be one of"),
        ({"norm": 3}, "norm must be one of"),
        ({"X": np.eye(20), "y": np.ones(20)}, "X has rank 20; pricing over all cells takes at most 8"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        interpolate(**{"X": [[1.0, 2.0], [0.0, 1.0]], "y": [1.0, 2.0], **arguments})
