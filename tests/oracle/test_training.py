"""Problems whose optimum is known, and larger ones than the full program carries."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import minimize

from topes import InputError, Status, TwoLayerNetwork, certify, solve_full, train

TOY_X, TOY_Y = np.arange(-2.0, 3.0)[:, None], np.array([1.0, -1.0, 1.0, 1.0, -1.0])


def teacher(n, r, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, r))
    y = np.maximum(X @ rng.standard_normal((r, 5)), 0) @ rng.standard_normal(5) + 0.1 * rng.standard_normal(n)
    return X, y


def test_the_toy_of_figure_7_with_penalised_and_free_bias():
    penalised = train(TOY_X, TOY_Y, 1e-3, bias="penalized", tol=1e-8)
    assert penalised.status is Status.CERTIFIED
    assert penalised.objective == pytest.approx(0.0101168, abs=5e-8)
    assert penalised.n_neurons == 4
    free = train(TOY_X, TOY_Y, 1e-3, bias="free")
    assert free.status is Status.CERTIFIED
    assert free.objective == pytest.approx(8 * 1e-3 * (1 - 1e-3), rel=1e-6)


def test_example_ii1():
    X, y = [[2, 2], [3, 3], [1, 0]], [1, -1, 1]
    s = train(X, y, 0.1, tol=1e-9)
    assert s.status is Status.CERTIFIED
    assert s.objective == pytest.approx(solve_full(X, y, 0.1).objective, rel=1e-8)


@pytest.mark.parametrize("beta", [1e-3, 0.1])
@pytest.mark.parametrize("d", [2, 3, 4])
def test_signed_unit_vectors_need_two_neurons(d, beta):
    """u and -u with entries of one size: the minimum-norm solution of (7) has 2^d blocks."""
    s = train(np.vstack([np.eye(d), -np.eye(d)]), np.ones(2 * d), beta)
    assert s.status is Status.CERTIFIED
    assert s.n_neurons == 2
    assert s.network.objective(np.vstack([np.eye(d), -np.eye(d)]), np.ones(2 * d), beta) == s.objective


SEEDS = [pytest.param(seed, 40, id=str(seed)) for seed in range(5)]
SEEDS += [pytest.param(seed, 200, id=f"{seed}, 200 restarts", marks=pytest.mark.large) for seed in range(20)]


@pytest.mark.parametrize(("seed", "restarts"), SEEDS)
def test_no_local_training_gets_below_the_bound(seed, restarts):
    X, y = teacher(25, 2 + seed % 2, seed)
    d, beta = X.shape[1], 0.1
    s = train(X, y, beta)
    assert s.status is Status.CERTIFIED
    rng = np.random.default_rng(seed)
    m = 10

    def objective(z):
        W, w = z[: d * m].reshape(d, m), z[d * m :]
        H = X @ W
        A = np.maximum(H, 0)
        r = A @ w - y
        gradient = [(X.T @ ((H > 0) * np.outer(r, w)) + beta * W).ravel(), A.T @ r + beta * w]
        return 0.5 * r @ r + 0.5 * beta * (z @ z), np.concatenate(gradient)

    starts = rng.standard_normal((restarts, (d + 1) * m))
    best = min(minimize(objective, start, jac=True, method="L-BFGS-B").fun for start in starts)
    assert best >= s.lower_bound
    assert best <= 1.5 * s.objective  # local training is not bad: the comparison means something


def test_a_million_cells():
    X, y = teacher(1000, 3)
    s = train(X, y, 20.0, tol=1e-3)
    assert s.status is Status.CERTIFIED
    assert s.network.objective(X, y, 20.0) == pytest.approx(s.objective, rel=1e-12)
    assert s.n_neurons <= 1000


def test_a_time_limit_is_kept_and_leaves_bounds():
    X, y = teacher(2000, 3)
    start = time.perf_counter()
    s = train(X, y, 0.01, tol=1e-9, max_time=1.0)
    assert s.status is Status.TIME_LIMIT
    assert time.perf_counter() - start < 60
    assert 0 <= s.lower_bound <= s.objective < 0.5 * float(y @ y)


def test_a_callback_stops():
    X, y = teacher(50, 2)
    s = train(X, y, 0.1, callback=lambda state: True)
    assert s.status is Status.CANCELLED
    assert len(s.history) == 1


def test_a_warm_start_is_where_it_begins():
    X, y = teacher(50, 2)
    cold = train(X, y, 0.1)
    warm = train(X, y, 0.1, warm_start=cold)
    assert warm.status is Status.CERTIFIED
    assert len(warm.history) <= len(cold.history)
    assert warm.history[0].objective <= 1.001 * cold.objective


def test_the_result_does_not_depend_on_threads():
    X, y = teacher(60, 3)
    one, two = (train(X, y, 0.5, n_threads=k) for k in (1, 2))
    assert one.objective == two.objective
    assert one.lower_bound == two.lower_bound


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0, 2.0]}, "y must have one entry for each of the 5 rows of X, got 2"),
        ({"beta": 0.0}, "beta must be a positive finite number"),
        ({"beta": 1e-20}, "beta must be at least 1e-12 times the beta at which the empty network is optimal"),
        ({"tol": -1.0}, "tol must be a positive finite number"),
        ({"max_time": 0}, "max_time must be a positive finite number"),
        ({"loss": "logistic", "y": [0.0, 1.0, 1.0, 0.0, 1.0]}, r"y\[0\] is 0; the logistic loss takes labels -1 and \+1"),
        ({"X": np.eye(5, 9) + np.arange(45).reshape(5, 9) ** 2, "norm": 1}, "X has 9 columns; pricing over all cells"),
        ({"X": np.eye(20), "y": np.ones(20)}, "X has rank 20; pricing over all cells takes at most 8"),
        ({"warm_start": TwoLayerNetwork([[1.0], [1.0]], None, [1.0])}, "warm_start must take 1 inputs"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        train(**{"X": TOY_X, "y": TOY_Y, "beta": 0.1, **arguments})


def test_certify_refuses_what_is_no_network():
    with pytest.raises(InputError, match="network must be a TwoLayerNetwork or"):
        certify(TOY_X, TOY_Y, 3, 0.1)
    with pytest.raises(InputError, match="bias must be 'penalized' or 'free' for a network with biases, got False"):
        certify(TOY_X, TOY_Y, ([[1.0]], [1.0], [1.0]), 0.1, bias=False)


def test_nothing_to_train_on():
    for X, y in ((np.zeros((0, 2)), []), (np.zeros((3, 2)), [1.0, 2.0, 3.0])):
        s = train(X, y, 0.1)
        assert s.status is Status.CERTIFIED
        assert s.n_neurons == 0
    one = train([[2.0]], [3.0], 0.1)
    assert one.objective == pytest.approx(0.1 * 3 / 2 - 0.005 / 4, rel=1e-6)


def test_a_cone_whose_vertices_differ_along_the_free_bias_only():
    """Once the bound of such a cone stayed a few millionths too large: the projection stopped at dependent vertices."""
    X = [[-1.0, -2.0], [0.0, 0.0], [3.0, 0.0], [1.0, 0.0]]
    s = train(X, [-1.0, 1.0, 1.0, -1.0], 0.05, loss="logistic", activation=0.5, bias="free")
    assert s.status is Status.CERTIFIED
