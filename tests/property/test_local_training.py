"""Local training at any rank: searches along great circles against their twin, and what training must reach."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import Status, reference, solve_full, train, train_cnn, train_low_rank
from topes.losses import get_loss, loss_names
from topes.low_rank.local_rows import LocalRows
from topes.low_rank.local_training import LocalProblem, train_locally
from topes.training import loop
from topes.training.blocks import Blocks
from topes.training.great_circles import best_on_circles, search
from topes.training.local_descent import Work, descend_first, descend_locally

FEW = settings(max_examples=max(10, settings().max_examples // 6))
SEEDS = st.integers(0, 2**32 - 1)


def nothing(problem):
    return Blocks.none(problem.data.shape[1])


@given(data(), SEEDS, KAPPAS, st.booleans())
def test_the_best_of_a_circle_is_the_twins(sample, seed, kappa, free):
    X, _ = sample
    rng = np.random.default_rng(seed)
    d, counted = X.shape[1] + int(free), X.shape[1]
    rows = np.hstack([X, np.ones((len(X), int(free)))])
    v = rng.standard_normal(len(X)) * rng.choice([0.0, 1.0], len(X), p=[0.2, 0.8])
    U = rng.standard_normal((d, 3))
    U[:, 0] = np.round(U[:, 0])  # on walls of lattice data
    U[0, 0] += U[0, 0] == 0.0
    if counted > 1 and len(X):  # and where a row is
        U[:counted, 1] = np.roll(X[0], 1) * np.where(np.arange(counted) % 2, -1.0, 1.0) + 1e-300
    sizes = np.linalg.norm(U[:counted], axis=0)
    U = U[:, sizes > 0.0] / sizes[sizes > 0.0]
    E = rng.standard_normal(U.shape)
    signs = np.where(np.arange(U.shape[1]) % 2, -1.0, 1.0)
    found, heights = best_on_circles(rows, v, U, np.ascontiguousarray((rows @ U).T), E, signs, kappa, counted)
    prices = np.maximum(heights, kappa * heights) @ v
    scale = float(np.abs(v) @ np.linalg.norm(rows, axis=1)) * max(1.0, abs(kappa)) * (1.0 + np.abs(U).max(initial=0.0))
    for k in range(U.shape[1]):
        e = E[:, k] - U[:, k] * (U[:counted, k] @ E[:counted, k])
        size = np.linalg.norm(e[:counted])
        if size < 1e-6:  # one column: u and -u are the whole circle, and e is a rounding
            continue
        e = e / size
        expected = reference.largest_on_circle(rows, signs[k] * v, U[:, k], e, kappa)
        spread = scale * (1.0 + np.linalg.norm(e))
        assert signs[k] * prices[k] == pytest.approx(expected, rel=1e-9, abs=1e-9 * spread)
        assert np.linalg.norm(found[:counted, k]) == pytest.approx(1.0, rel=1e-9)


@given(data(), SEEDS)
def test_rows_share_a_hyperplane_where_they_are_parallel(sample, seed):
    X, _ = sample
    rng = np.random.default_rng(seed)
    rows = np.vstack([X, X * rng.choice([-3.0, 0.1, 1.0], (len(X), 1)), np.zeros((1, X.shape[1]))])
    found = LocalRows.of(rows, False, 0.0)
    n = len(X)
    assert np.array_equal(found.hyperplanes[:n], found.hyperplanes[n:-1])
    assert found.hyperplanes[-1] == -1
    used = found.hyperplanes >= 0
    assert np.array_equal(used, np.any(rows != 0.0, axis=1))
    back = found.factor[used, None] * found.reference[found.hyperplanes[used]]
    np.testing.assert_allclose(back, rows[used], atol=1e-9 * np.abs(rows).max(initial=0.0))
    np.testing.assert_allclose(found.span.T @ found.span, np.eye(found.span.shape[1]), atol=1e-12)
    np.testing.assert_allclose(rows @ found.span @ found.span.T, rows, atol=1e-9 * np.abs(rows).max(initial=0.0))


@FEW
@given(data("squared"), st.sampled_from(loss_names()), BIASES, KAPPAS, st.sampled_from([0.3, 0.03]))
def test_it_is_never_below_the_certified_bound_nor_above_what_it_was_given(sample, name, bias, kappa, share):
    X, y = sample
    loss = get_loss(name)
    y = np.where(y > 0.0, 1.0, -1.0) if loss.needs_labels else y
    beta = share * max(float(np.linalg.norm(X)), 1e-3)
    rows = X if bias is False else np.hstack([X, np.ones((len(X), 1))])
    problem = LocalProblem(rows, y, beta, loss, kappa, bias)
    start = Blocks(np.random.default_rng(0).standard_normal((rows.shape[1], 2)), np.array([1.0, -1.0]))
    trained = train_locally(problem, start, seed=0, deadline=math.inf, work=1.0)
    assert problem.value(trained) <= problem.value(start)
    exact = train(X, y, beta, loss=name, bias=bias, activation=kappa, tol=1e-4)
    assert problem.value(trained) >= exact.lower_bound * (1.0 - 1e-9) - 1e-12


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", "squared_hinge", "absolute", "hinge"])
def test_at_low_rank_it_comes_to_the_optimum(loss, bias):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 3))
    y = np.maximum(X @ rng.standard_normal((3, 3)), 0.0).sum(axis=1) - 1.5 + 0.3 * rng.standard_normal(60)
    y = np.sign(y) if get_loss(loss).needs_labels else y
    rows = X if bias is False else np.hstack([X, np.ones((60, 1))])
    exact = train(X, y, 2.0, loss=loss, bias=bias, tol=1e-6, max_time=60.0)
    problem = LocalProblem(rows, y, 2.0, get_loss(loss), 0.0, bias)
    assert problem.task.is_taken(nothing(problem))
    trained = train_locally(problem, nothing(problem), seed=0, deadline=math.inf)
    assert problem.value(trained) >= exact.lower_bound * (1.0 - 1e-9)
    assert problem.value(trained) <= exact.objective * (1.0 + 1e-3)


def test_the_same_seed_and_work_give_the_same_neurons_and_more_work_no_worse_ones():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((80, 10)), rng.standard_normal(80)
    problem = LocalProblem(X, y, 3.0, get_loss("squared"), 0.0, False)
    a, b, more = (train_locally(problem, nothing(problem), seed=1, deadline=math.inf, work=w) for w in (0.2, 0.2, 4.0))
    np.testing.assert_array_equal(a.columns, b.columns)
    assert problem.value(more) <= problem.value(a)


def test_a_search_finds_more_than_ascents_do():
    rng = np.random.default_rng(1)
    X, v = rng.standard_normal((100, 10)), rng.standard_normal(100)
    ascents = rng.standard_normal((10, 1000))
    for _ in range(40):
        ascents /= np.linalg.norm(ascents, axis=0)
        gradients = X.T @ ((X @ ascents > 0.0) * v[:, None])
        ascents += gradients / np.linalg.norm(gradients, axis=0)
    ascents /= np.linalg.norm(ascents, axis=0)
    U, prices = search(X, v, np.zeros((10, 0)), np.eye(10), rng, kappa=0.0, penalised=10, circles=20)
    np.testing.assert_allclose(prices, v @ np.maximum(X @ U, 0.0), rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(U, axis=0), 1.0, rtol=1e-12)
    assert np.abs(prices).max() > (v @ np.maximum(X @ ascents, 0.0)).max()


def test_ranks_that_leave_too_few_neurons_are_trained_by_many():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 200))
    wide = LocalProblem(X, X[:, 0], 0.5, get_loss("squared"), 0.0, False)
    assert wide.task.is_taken(nothing(wide))  # of rank 20
    X = rng.standard_normal((160, 160))
    wide = LocalProblem(X, X[:, 0], 0.5, get_loss("squared"), 0.0, False)
    assert not wide.task.is_taken(nothing(wide))
    trained = train_locally(wide, nothing(wide), seed=0, deadline=math.inf, work=0.5)
    assert wide.value(trained) < wide.value(nothing(wide))


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (1, 4), (3, 0)])
def test_few_rows_and_no_columns(shape):
    X = np.ones(shape)
    problem = LocalProblem(X, np.ones(shape[0]), 0.1, get_loss("squared"), 0.0, False)
    trained = train_locally(problem, nothing(problem), seed=0, deadline=math.inf)
    if 0 in shape:
        assert len(trained) == 0
    else:  # one sample of size s: its output is 1 - beta / s
        assert problem.outputs(trained) == pytest.approx(1.0 - 0.1 / math.sqrt(shape[1]), rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "logistic", "absolute", "hinge"])
@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_where_training_begins_with_it_the_optimum_is_that_of_the_full_program(loss, bias, monkeypatch):
    rng = np.random.default_rng(5)
    X = np.round(rng.standard_normal((9, 5 - (bias is not False))), 1)
    X[1], X[2], X[3] = 0.0, X[0], -2.0 * X[0]
    y = np.sign(rng.standard_normal(9)) if get_loss(loss).needs_labels else rng.standard_normal(9)
    found = []
    monkeypatch.setattr(loop, "descend_first", lambda *given: found.append(descend_first(*given)) or found[-1])
    trained = train(X, y, 0.2, loss=loss, bias=bias, tol=1e-7)
    assert len(found) == 1
    assert len(found[0]) > 0
    assert trained.status is Status.CERTIFIED
    full = solve_full(X, y, 0.2, loss=loss, bias=bias)
    assert trained.objective == pytest.approx(full.objective, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
@pytest.mark.parametrize("scale", [0.0, 1e-6, 1e6])
def test_targets_of_any_size(loss, scale):
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((8, 5)), scale * rng.standard_normal(8)
    beta = 0.1 * (1.0 if loss == "absolute" else min(scale, 1.0) if loss == "huber" else scale) or 0.1
    trained = train(X, y, beta, loss=loss, tol=1e-5)
    assert trained.status is Status.CERTIFIED
    assert trained.objective > 0.0 or scale == 0.0


def test_pooled_patches_of_five_entries():
    rng = np.random.default_rng(2)
    patches = rng.standard_normal((12, 3, 5))
    y = rng.standard_normal(12)
    trained = train_cnn(patches, y, 0.1, tol=1e-6)
    assert trained.status is Status.CERTIFIED
    again = train_cnn(patches, y, 0.1, tol=1e-6, warm_start=trained)
    assert again.objective == pytest.approx(trained.objective, rel=2e-6)


def test_where_time_runs_out_both_sides_hold():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 8))
    s = train(X, np.maximum(X[:, 0], 0.0) + rng.standard_normal(2000), 1.0, max_time=0.5)
    assert s.status is Status.TIME_LIMIT
    assert math.isfinite(s.objective)
    assert s.lower_bound <= s.objective


@pytest.mark.parametrize(("seed", "d", "beta", "tol"), [(5, 5, 0.5, 1e-6), (0, 3, 0.05, 1e-4)])
def test_a_round_of_smoothing_without_directions(seed, d, beta, tol):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((12, d)), rng.standard_normal(12)
    assert train(X, y, beta, loss="absolute", tol=tol).status is Status.CERTIFIED


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_work_is_what_was_allowed_up_to_a_round(loss):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 40)), rng.standard_normal(300)
    problem = LocalProblem(X, y, 1.0, get_loss(loss), 0.0, False)
    work = Work(0.5)
    descend_locally(problem.task, nothing(problem), np.random.default_rng(0), deadline=math.inf, work=work)
    assert 0.1 < work.done < 1.5


def test_a_start_of_many_neurons_is_trained_by_many_and_kept_if_it_is_better():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 30)), rng.standard_normal(60)
    problem = LocalProblem(X, y, 1.0, get_loss("squared"), 0.0, False)
    start = Blocks(rng.standard_normal((30, 100)) / 100, np.sign(rng.standard_normal(100)))
    assert not problem.task.is_taken(start)
    assert problem.value(train_locally(problem, start, seed=0, deadline=math.inf, work=0.3)) < problem.value(start)


class Mine(type(get_loss("squared"))):
    name = "mine"


def test_a_loss_of_ones_own_is_trained_by_many():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 10)), rng.standard_normal(20)
    mine, ours = (train_low_rank(X, y, 1.0, loss=loss, max_time=2.0) for loss in (Mine(), "squared"))
    assert mine.objective == pytest.approx(ours.objective, rel=0.1)  # two local methods
