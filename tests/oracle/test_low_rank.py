"""Data of high rank whose answer is known, degenerate data, bad arguments, and the predicted cost of pricing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from topes import CellLimitError, InputError, PricingCostWarning, Status, pricing_cost, train, train_low_rank
from topes.pricing.cost import _fitted


def nearly_rank_two(seed=0, n=40, d=15, noise=1e-4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2)) @ rng.standard_normal((2, d)) + noise * rng.standard_normal((n, d))
    return X, np.abs(X[:, 0]) - X[:, 1]


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_nearly_low_rank_data_of_rank_fifteen_are_certified(bias):
    X, y = nearly_rank_two()
    assert np.linalg.matrix_rank(X) == 15
    s = train_low_rank(X, y, 1.0, bias=bias, max_time=120.0)
    assert s.status is Status.CERTIFIED
    assert s.gap <= 1e-3
    assert s.network.objective(X, y, 1.0, bias=bias or None) == pytest.approx(s.objective, rel=1e-12)


def test_wide_data():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((6, 30)), rng.standard_normal(6)
    s = train_low_rank(X, y, 0.5, rank=6, tol=1e-4, max_time=120.0)
    # Six samples span six directions: in these the data have few columns, and all cells can be priced.
    assert s.status is Status.CERTIFIED
    coordinates = np.linalg.qr(X.T)[1].T
    assert s.objective == pytest.approx(train(coordinates, y, 0.5).objective, rel=2e-4)


def test_degenerate_data():
    X = np.zeros((7, 12))
    X[1], X[2], X[3] = np.arange(12.0), 2.0 * np.arange(12.0), -np.arange(12.0)
    X[4, 0] = X[5, 0] = 1.0
    y = np.array([1.0, 2.0, -1.0, 0.5, 1.0, 1.0, 0.0])
    for rank in (1, 2, 5):
        s = train_low_rank(X, y, 0.1, rank=rank, max_time=60.0)
        expected = train(X, y, 0.1)
        assert s.lower_bound <= expected.objective * (1 + 1e-9)
        assert s.objective >= expected.lower_bound * (1 - 1e-9)
        assert rank == 1 or s.status is Status.CERTIFIED


def test_nothing_to_train_on():
    for X, y in ((np.zeros((0, 3)), []), (np.zeros((3, 2)), [1.0, 2.0, 3.0])):
        for method in ("data", "cells", "samples"):
            s = train_low_rank(X, y, 0.1, method=method, max_time=5.0)
            assert s.status is Status.CERTIFIED
            assert s.n_neurons == 0


def test_the_same_seed_gives_the_same_result():
    X, y = nearly_rank_two(3, n=20, d=10, noise=0.1)
    one, two = (train_low_rank(X, y, 0.5, rank=2, max_time=60.0, tol=0.05, n_threads=k) for k in (1, 2))
    assert one.objective == two.objective
    assert one.lower_bound == two.lower_bound


def test_a_tight_time_leaves_bounds():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((150, 12)), rng.standard_normal(150)
    s = train_low_rank(X, y, 0.5, max_time=0.5)
    assert s.status in (Status.TIME_LIMIT, Status.RANK_LIMIT)
    assert 0.0 <= s.lower_bound <= s.objective <= 0.5 * float(y @ y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0]}, "y must have one entry for each of the 3 rows of X, got 1"),
        ({"beta": -1.0}, "beta must be a positive finite number"),
        ({"rank": 0}, "rank must be an integer of at least 1"),
        ({"rank": 3}, "rank must be at most 2 for these data, got 3"),
        ({"norm": 1}, "norm must be one of 2"),
        ({"method": "all"}, "method must be one of 'data', 'cells', 'samples'"),
        ({"method": "cells", "n_samples": 3}, "n_samples goes with method 'samples', got method 'cells'"),
        ({"n_samples": 2.5}, "n_samples must be an integer of at least 1"),
        ({"method": "cells", "bias": "free"}, "method must be 'data' where the bias is free"),
        ({"X": np.zeros((3, 0))}, "X must have at least 1 column"),
        ({"X": [[np.inf, 1.0], [1.0, 1.0], [0.0, 1.0]]}, "X.0, 0. is inf"),
        ({"max_time": 0.0}, "max_time must be a positive finite number"),
        ({"tol": 0.0}, "tol must be a positive finite number"),
        ({"loss": "hinge", "y": [0.0, 1.0, 1.0]}, "the hinge loss takes labels"),
        ({"X": np.eye(3, 12) + 1.0, "rank": 9}, "rank must be at most 8 for these data, got 9"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        train_low_rank(**{"X": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], "y": [1.0, 2.0, 3.0], "beta": 0.1, **arguments})


def test_too_many_cells_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(CellLimitError, match="give a smaller rank, method='data'"):
        train_low_rank(
            rng.standard_normal((40, 10)), rng.standard_normal(40), 1.0, rank=4, method="cells", max_cells=100, max_time=1.0
        )


def test_train_names_the_way_out():
    with pytest.raises(InputError, match=r"X has rank 20; .* train_low_rank"):
        train(np.eye(20), np.ones(20), 0.1)


def test_the_cost_of_small_data_is_measured():
    X = np.random.default_rng(0).standard_normal((30, 3))
    cost = pricing_cost(X, max_time=60.0)
    assert not cost.extrapolated
    assert cost.measured[-1][0] == 30
    assert cost.dimension == 3
    assert pricing_cost(X, bias="free").dimension == 4
    assert pricing_cost(np.zeros((3, 2))).n_nodes >= 1
    assert pricing_cost(X, v=np.ones(30)).n_nodes >= 1


def test_the_cost_of_large_data_is_extrapolated():
    X = np.random.default_rng(0).standard_normal((3000, 7))
    cost = pricing_cost(X, max_time=0.5)
    assert cost.extrapolated
    assert cost.n_nodes > cost.measured[-1][1]
    assert cost.seconds > cost.measured[-1][2]


def test_train_warns_before_hours_are_spent():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((2000, 7)), np.zeros(2000)
    with pytest.warns(PricingCostWarning, match="2000 hyperplanes in 7 dimensions takes about .* use train_low_rank"):
        train(X, y, 1.0)  # an optimum of zero: pricing ends at once
    train(X, y, 1.0, max_time=10.0)  # no warning, which would be an error here


def test_a_power_law_is_followed():
    cost = _fitted([(10, 100.0, 1.0), (20, 400.0, 4.0), (40, 1600.0, 16.0)], 80, False, 6)
    assert cost.exponent == pytest.approx(2.0)
    assert cost.n_nodes == pytest.approx(6400.0)
    assert cost.seconds == pytest.approx(64.0 * math.sqrt(2.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.eye(9)}, "X has rank 9; pricing over all cells takes at most 8"),
        ({"v": [1.0]}, "v must have one entry for each of the 3 rows"),
        ({"tol": -1.0}, "tol must be a positive finite number"),
        ({"max_time": 0.0}, "max_time must be a positive finite number"),
    ],
)
def test_bad_arguments_of_the_cost(arguments, message):
    with pytest.raises(InputError, match=message):
        pricing_cost(**{"X": np.eye(3), **arguments})
