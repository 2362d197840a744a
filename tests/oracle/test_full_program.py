"""Optima that are known in closed form, were computed by others, or follow from theory."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

import topes
from topes import TwoLayerNetwork, reference, solve_full
from topes.losses import get_loss, loss_names

REGRESSION = ("squared", "l2", "absolute", "huber")
# Five points of a line with alternating labels, after Figure 7 of the paper.
LINE, TURNS = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]), np.array([1.0, -1.0, 1.0, 1.0, -1.0])


@pytest.mark.parametrize("kappa", [0.0, -1.0, 0.3, -0.4])
@pytest.mark.parametrize(("y", "beta"), [(3.0, 1.0), (-2.0, 0.25), (0.1, 10.0)])
def test_one_sample_is_soft_thresholded(y, beta, kappa):
    """With one sample f is reached at cost |f| / ||x|| (phi has slope 1 on one side, and |kappa| <= 1 on the other)."""
    x = np.array([[3.0, 4.0]])
    solution = solve_full(x, [y], beta, activation=kappa)
    f = math.copysign(max(abs(y) - beta / 5, 0.0), y)
    assert solution.objective == pytest.approx(0.5 * (f - y) ** 2 + beta * abs(f) / 5, rel=1e-7)
    assert solution.network.predict(x) == pytest.approx([f], abs=1e-5)


@pytest.mark.parametrize("loss", loss_names())
def test_beyond_the_largest_useful_beta_the_network_is_empty(loss):
    """f = 0 is optimal exactly when the gradient of the loss at 0 is priced at most beta."""
    X = np.array([[1.0, 2.0], [-1.0, 1.0], [0.5, -2.0]])
    y = np.array([1.0, -1.0, 1.0])
    at_zero = get_loss(loss).value(np.zeros(3), y)
    threshold = reference.price(X, get_loss(loss).gradient(np.zeros(3), y))
    above, below = (solve_full(X, y, factor * threshold, loss=loss) for factor in (1.01, 0.9))
    assert above.objective == pytest.approx(at_zero, rel=1e-7)
    assert above.n_neurons == 0 or np.abs(above.network.predict(X)).max() < 1e-5
    if loss in ("l2", "absolute", "hinge"):  # a kink at f = 0 keeps it optimal, or not, for another gradient
        assert below.objective <= at_zero * (1 + 1e-9)
    else:
        assert below.objective < at_zero * (1 - 1e-6)


def test_two_points_where_gradient_descent_can_stop_at_the_wrong_place():
    solution = solve_full([[0, 1], [1, -1]], [1, 1], 0.1)
    assert solution.objective == pytest.approx(0.1632107, abs=5e-8)
    stuck = TwoLayerNetwork([[math.sqrt(0.9)], [0.0]], None, [math.sqrt(0.9)])  # stationary, and not optimal
    assert stuck.objective([[0, 1], [1, -1]], [1, 1], 0.1) == pytest.approx(0.595)


@pytest.mark.parametrize("beta", [1e-3, 1e-2])
def test_a_free_bias_costs_nothing(beta):
    """Interpolating the five points takes slopes -2, 4, -2, -2: the optimum is 8 beta (1 - beta)."""
    solution = solve_full(LINE, TURNS, beta, bias="free")
    assert solution.status is topes.Status.CERTIFIED
    assert solution.objective == pytest.approx(8 * beta * (1 - beta), rel=1e-6)


def test_a_penalised_bias_costs_more():
    solution = solve_full(LINE, TURNS, 1e-3, bias="penalized")
    assert solution.objective == pytest.approx(0.0101168, rel=1e-5)


def test_two_neurons_suffice_for_the_six_points_of_an_octahedron():
    """The constant 1 on +-e_i is phi of (1, 1, 1) plus phi of its negative, and a solver spreads it over eight cells."""
    X = np.vstack([np.eye(3), -np.eye(3)])
    solution = solve_full(X, np.ones(6), 1e-3)
    assert len(solution.patterns) == 8
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 6
    by_hand = TwoLayerNetwork(np.array([[1.0, -1.0]] * 3) * 3**-0.25, None, [3**0.25] * 2)
    assert by_hand.predict(X) == pytest.approx(np.ones(6))
    assert solution.objective <= by_hand.objective(X, np.ones(6), 1e-3)


def test_patterns_of_a_subset_give_no_certificate_and_a_larger_optimum():
    X, y = [[0, 1], [1, -1]], [1, 1]
    values = {}
    for pattern in product((0, 1), repeat=2):
        part = solve_full(X, y, 0.1, patterns=[pattern])
        assert part.status is topes.Status.GAP_ON_WORKING_SET
        values[pattern] = part.objective
    assert values[1, 1] == pytest.approx(0.2106167, abs=1e-6)
    assert values[0, 1] == pytest.approx(0.5682107, abs=1e-6)
    assert min(values.values()) >= solve_full(X, y, 0.1).lower_bound


@pytest.mark.parametrize("loss", REGRESSION)
def test_no_descent_finds_a_better_network(loss):
    """L-BFGS on the weights of 12 neurons from 40 starts: never below the bound, and it comes near the optimum."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    X, y, beta, m = rng.standard_normal((7, 2)), rng.standard_normal(7), 0.1, 12
    solution = solve_full(X, y, beta, loss=loss)
    assert solution.status is topes.Status.CERTIFIED

    def objective(theta):
        network = TwoLayerNetwork(theta[: 2 * m].reshape(2, m), None, theta[2 * m :])
        f = network.predict(X)
        g = get_loss(loss).gradient(f, y)
        h = X @ network.W1
        to_w1 = X.T @ ((h > 0) * g[:, None] * network.w2)
        to_w2 = np.maximum(h, 0).T @ g
        value = get_loss(loss).value(f, y) + 0.5 * beta * theta @ theta
        return value, np.concatenate([to_w1.ravel(), to_w2]) + beta * theta

    found = [minimize(objective, rng.standard_normal(3 * m), jac=True, method="L-BFGS-B").fun for _ in range(40)]
    assert min(found) >= solution.lower_bound
    if loss in ("squared", "huber"):  # where L-BFGS is made for the loss, it comes near
        assert min(found) <= solution.objective * 1.05
