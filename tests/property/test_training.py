"""The working set against the program over all cells, and what must hold in every round."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kkt import check_solution
from problems import BIASES, KAPPAS, data
from topes import InputError, Status, beta_max, certify, path, solve_full, train
from topes.losses import get_loss, loss_names

BETAS = st.sampled_from([1e-3, 0.05, 1.0])
# Two conic programs an example.
FEW = settings(max_examples=max(10, settings().max_examples // 2))


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, BETAS)
def test_the_optimum_is_that_of_the_full_program(draw, loss, kappa, bias, beta):
    X, y = draw.draw(data(loss))
    solution = train(X, y, beta, loss=loss, activation=kappa, bias=bias)
    full = solve_full(X, y, beta, loss=loss, activation=kappa, bias=bias)
    assert solution.status is Status.CERTIFIED
    assert solution.objective == pytest.approx(full.objective, rel=2e-6, abs=1e-8)
    assert solution.lower_bound <= full.objective * (1 + 1e-9) + 1e-12
    check_solution(solution, X, y, beta, loss=loss, kappa=kappa, bias=bias)


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, st.sampled_from([2, 1, np.inf]), BETAS)
def test_bounds_hold_for_every_norm(draw, loss, kappa, bias, norm, beta):
    X, y = draw.draw(data(loss))
    solution = train(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm, max_time=2.0)
    full = solve_full(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm)
    scale = max(abs(full.objective), 1e-3)
    allowed = 2e-6 * max(abs(full.objective), 1e-3 * get_loss(loss).value(np.zeros_like(y), y))  # the gap of both
    assert solution.lower_bound <= full.objective + 1e-8 * scale
    assert solution.objective >= full.lower_bound - 1e-8 * scale
    if solution.status is Status.CERTIFIED:
        assert solution.objective == pytest.approx(full.objective, rel=0, abs=allowed)


@FEW
@given(data(), BIASES, BETAS)
def test_bounds_close_in_round_by_round(sample, bias, beta):
    X, y = sample
    rounds = []
    solution = train(X, y, beta, bias=bias, callback=rounds.append)
    assert tuple(rounds) == solution.history
    for before, after in pairwise(rounds):
        assert after.objective <= before.objective
        assert after.lower_bound >= before.lower_bound
    for each in rounds:
        assert each.lower_bound <= each.objective * (1 + 1e-12) + 1e-300


@FEW
@given(data(), KAPPAS, BIASES)
def test_nothing_is_gained_above_beta_max_and_something_below(sample, kappa, bias):
    X, y = sample
    most = beta_max(X, y, activation=kappa, bias=bias)
    if most < 1e-6:
        return
    above = train(X, y, 1.001 * most, activation=kappa, bias=bias)
    constant = y - y.mean() if bias == "free" else y
    assert above.objective == pytest.approx(0.5 * float(constant @ constant), rel=1e-9, abs=1e-12)
    below = train(X, y, 0.5 * most, activation=kappa, bias=bias)
    assert below.objective < 0.5 * float(constant @ constant)


@FEW
@given(data(), KAPPAS, st.integers(0, 2**32 - 1))
def test_any_network_is_judged_by_a_bound_it_cannot_beat(sample, kappa, seed):
    X, y = sample
    rng = np.random.default_rng(seed)
    W1, b1, w2 = rng.standard_normal((X.shape[1], 3)), rng.standard_normal(3), rng.standard_normal(3)
    found = certify(X, y, (W1, b1, w2), 0.1, activation=kappa)
    assert found.lower_bound <= found.objective
    again = certify(X, y, found.optimum.network, 0.1)
    assert again.gap <= 2e-6


@FEW
@given(data(), st.integers(1, 200))
def test_a_limit_of_cones_gives_bounds_that_hold_and_the_same_each_time(sample, most):
    X, y = sample
    found = train(X, y, 0.1, max_cones=most, n_threads=1)
    again = train(X, y, 0.1, max_cones=most, n_threads=2)
    assert found.status in (Status.CERTIFIED, Status.CONE_LIMIT, Status.NUMERICAL_FAILURE)
    assert (found.objective, found.lower_bound, found.n_priced) == (again.objective, again.lower_bound, again.n_priced)
    optimum = train(X, y, 0.1)
    assert found.lower_bound <= optimum.objective * (1 + 1e-12)
    assert found.objective >= optimum.lower_bound * (1 - 1e-12)
    with pytest.raises(InputError, match="max_cones must be an integer of at least 1, got 0"):
        train(X, y, 0.1, max_cones=0)


@given(data())
@settings(max_examples=10)
def test_a_path_is_certified_at_each_point(sample):
    X, y = sample
    betas = [1.0, 0.1, 0.01]
    for beta, solution in zip(betas, path(X, y, betas), strict=True):
        assert solution.status is Status.CERTIFIED
        assert solution.objective == pytest.approx(train(X, y, beta).objective, rel=3e-6, abs=1e-9)
