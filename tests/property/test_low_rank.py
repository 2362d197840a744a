"""The bound at any rank against the twins, and what must hold of every result of `train_low_rank`."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import InputError, Status, TwoLayerNetwork, certify, reference, solve_full, train, train_low_rank
from topes.losses import get_loss, loss_names
from topes.low_rank.any_rank import AnyRankBound
from topes.low_rank.norm_bound import bound_absolute_sum
from topes.low_rank.split import LowRankSplit
from topes.pricing.oracle import Pricer

# Examples that train, or solve conic programs.
FEW = settings(max_examples=max(10, settings().max_examples // 6))
RANKS = st.integers(1, 3)


def matrix(seed, n, d):
    return np.random.default_rng(seed).standard_normal((n, d))


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 4), st.sampled_from([1.0, 1e-3, 1e3]))
def test_the_norm_bound_is_above_the_maximum_and_within_the_relaxation(seed, n, d, scale):
    rng = np.random.default_rng(seed)
    rows = scale * rng.standard_normal((n, d)) * rng.choice([0.0, 1e-6, 1.0], (n, 1), p=[0.2, 0.2, 0.6])
    exact = max(float(np.linalg.norm(np.array(s) @ rows)) for s in product([-1.0, 1.0], repeat=n))
    found, B = bound_absolute_sum(rows)
    assert found >= exact
    assert found <= float(np.linalg.norm(rows, axis=1).sum()) * (1 + 1e-9)
    assert found <= 1.02 * math.sqrt(math.pi / 2) * exact + 1e-300
    assert float(np.linalg.norm(rows @ B, axis=1).sum()) <= found * (1 + 1e-9)


@given(data(), st.integers(0, 2**32 - 1), RANKS, KAPPAS, st.booleans())
def test_the_price_at_any_rank_is_above_the_twins(sample, seed, rank, kappa, adapted):
    X, _ = sample
    rank = min(rank, X.shape[1])
    v = np.random.default_rng(seed).standard_normal(len(X)) * np.random.default_rng(seed + 1).choice([0.0, 1.0, 1e3], len(X))
    split = LowRankSplit.adapted(X, rank, v, kappa) if adapted else LowRankSplit.of(X, rank)
    price = Pricer(split.coordinates, activation=kappa).price(v)
    exact = reference.price(X, v, kappa=kappa)
    bound = split.bound(v, price.upper_bound, kappa)
    assert bound >= exact
    scale = float(np.abs(v) @ np.linalg.norm(X, axis=1)) + 1e-12
    # The rank-k price is that of directions in the span, and the plain bound of the triangle inequality is never better.
    assert price.best <= exact * (1 + 1e-9) + 1e-9 * scale
    plain = price.upper_bound + max(1.0, abs(kappa)) * float(np.linalg.norm(v)) * split.residual_norm
    assert bound <= plain * (1 + 1e-9) + 1e-9 * scale
    if rank == X.shape[1]:
        assert bound == pytest.approx(exact, rel=1e-8, abs=1e-9 * scale)


@given(data(), st.integers(0, 2**32 - 1), RANKS, KAPPAS)
@example((np.array([[0.0, 0.0], [3.0, 1.5], [1.0, 0.0]]), np.zeros(3)), 4_049_286_844, 1, 0.0)  # no price is above the floor
def test_cuts_are_below_the_bound_everywhere(sample, seed, rank, kappa):
    X, y = sample
    rng = np.random.default_rng(seed)
    judge = AnyRankBound(LowRankSplit.of(X, min(rank, X.shape[1])), y, 1.0, get_loss("squared"), kappa, False)
    found = judge.assess(rng.standard_normal(len(X)))
    scale = float(np.linalg.norm(X, axis=1).sum()) + 1e-12
    for _ in range(5):
        w = rng.standard_normal(len(X))
        assert float(found.cut @ w) <= judge.assess(w, tol=1e-9).price * (1 + 1e-9) + 1e-8 * scale
    assert float(found.cut @ found.raw) >= 0.95 * found.price - 1e-6 * scale


@FEW
@given(
    st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, st.sampled_from([1e-3, 0.05, 1.0]),
    st.sampled_from(["data", "cells", "samples"]), RANKS,
)  # fmt: skip
def test_bounds_hold_whatever_the_method_and_the_rank(draw, loss, kappa, bias, beta, method, rank):
    X, y = draw.draw(data(loss))
    rank = min(rank, X.shape[1])
    method = "data" if bias == "free" else method
    options = {"loss": loss, "activation": kappa, "bias": bias}
    s = train_low_rank(X, y, beta, rank=rank, method=method, max_time=1.0, **options)
    full = solve_full(X, y, beta, **options)
    scale = max(abs(full.objective), 1e-3)
    # With a free bias solve_full may return constants of 1e10 that cancel, and an objective that is off by their rounding.
    upper = train(X, y, beta, max_time=5.0, **options).objective if bias == "free" else full.objective
    assert s.lower_bound <= upper + 1e-8 * scale
    assert s.objective >= full.lower_bound - 1e-8 * scale
    value = s.network.objective(X, y, beta, loss=loss, bias=bias or None)
    assert s.objective == pytest.approx(value, rel=1e-12)
    assert -get_loss(loss).conjugate(s.dual, y) == pytest.approx(s.lower_bound, abs=1e-9 * scale)
    rng = np.random.default_rng(0)
    for _ in range(3):
        W, b, w2 = rng.standard_normal((X.shape[1], 3)), rng.standard_normal(3), rng.standard_normal(3)
        other = TwoLayerNetwork(W, b if bias else None, w2, kappa)
        assert other.objective(X, y, beta, loss=loss, bias=bias or None) >= s.lower_bound


@FEW
@given(data(), st.sampled_from([0.0, 0.1, -1.0]), st.sampled_from(["data", "cells"]), st.sampled_from([0.05, 0.5]))
def test_all_of_the_rank_gives_the_optimum(sample, kappa, method, beta):
    X, y = sample
    s = train_low_rank(X, y, beta, activation=kappa, rank=X.shape[1], method=method, tol=1e-4, max_time=60.0)
    expected = train(X, y, beta, activation=kappa)
    assert s.status is Status.CERTIFIED
    assert s.objective == pytest.approx(expected.objective, rel=2e-4, abs=2e-7)


LIPSCHITZ = [name for name in loss_names() if get_loss(name).lipschitz(1) is not None]


def instance(seed, loss, n=5, d=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * np.array([1.0, 0.6, 0.2])[:d]
    y = rng.choice([-1.0, 1.0], n) if get_loss(loss).needs_labels else 2.0 * rng.standard_normal(n)
    return X, y


@pytest.mark.parametrize("loss", LIPSCHITZ)
@pytest.mark.parametrize("kappa", [0.0, 0.1, -1.0])
def test_theorem_iii_1_and_the_sharper_one_for_the_rank_k_data(loss, kappa):
    for seed, rank, beta in ((0, 2, 0.1), (1, 1, 0.3)):
        X, y = instance(seed, loss)
        optimum = reference.scalar_output_value(X, y, beta, loss=loss, kappa=kappa)
        program = reference.rank_k_program(X, y, beta, rank, loss=loss, kappa=kappa)
        constant = get_loss(loss).lipschitz(len(y))
        ratio = 1.0 + constant * (1.0 - kappa) * program.sigma / beta
        assert optimum * (1 - 1e-7) <= program.objective <= optimum * ratio**2 * (1 + 1e-7)
        assert optimum / ratio * (1 - 1e-7) <= program.value <= optimum * ratio * (1 + 1e-7)
        split = LowRankSplit.of(X, rank)
        rank_k = reference.scalar_output_value(split.coordinates, y, beta, loss=loss, kappa=kappa)
        rho = constant * max(1.0, abs(kappa)) * program.sigma / beta
        assert optimum * (1 - 1e-7) <= rank_k <= optimum * math.hypot(1.0, rho) * (1 + 1e-7)


@pytest.mark.parametrize("method", ["data", "cells"])
@pytest.mark.parametrize("loss", loss_names())
def test_the_guarantee_is_kept(loss, method):
    X, y = instance(3, loss, n=6)
    beta = 0.2
    s = train_low_rank(X, y, beta, loss=loss, rank=2, method=method, max_time=20.0)
    optimum = train(X, y, beta, loss=loss).lower_bound
    assert (s.guarantee.factor is None) == (loss in ("squared", "squared_hinge"))
    if s.guarantee.factor is not None:
        assert 1.0 <= s.guarantee.factor < math.inf
        assert s.program_objective <= s.guarantee.factor * optimum * (1 + 1e-6)
    if s.guarantee.at_most is not None:
        assert s.program_objective <= s.guarantee.at_most * (1 + 1e-9)
    assert s.objective <= s.program_objective * (1 + 1e-9)


@pytest.mark.parametrize("loss", loss_names())
@pytest.mark.parametrize(("seed", "kappa"), [(0, 0.0), (1, 0.1), (2, -1.0)])
def test_the_program_over_rank_k_cells_is_the_twins(seed, loss, kappa):
    X, y = instance(seed, loss, n=4)
    twin = reference.rank_k_program(X, y, 0.1, 2, loss=loss, kappa=kappa)
    s = train_low_rank(X, y, 0.1, loss=loss, activation=kappa, rank=2, method="cells", tol=1e-4, max_time=60.0)
    assert s.n_cells == twin.n_cells
    assert s.program_value == pytest.approx(twin.value, rel=1e-4, abs=1e-6)
    assert s.residual_norm == pytest.approx(twin.sigma, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("seed", "exponent"), [(0, -250), (1, -3), (2, 250)])
def test_a_power_of_two_changes_nothing(seed, exponent):
    X, y = instance(seed, "squared")
    one = train_low_rank(X, y, 0.1, rank=2, max_time=120.0)
    other = train_low_rank(np.ldexp(X, exponent), y, math.ldexp(0.1, exponent), rank=2, max_time=120.0)
    assert other.lower_bound == pytest.approx(one.lower_bound, rel=1e-6)
    assert other.objective == pytest.approx(one.objective, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_cutting_planes_never_lose(seed):
    X, y = matrix(seed, 12, 5), matrix(seed + 1, 12, 1)[:, 0]
    judge = AnyRankBound(LowRankSplit.of(X, 2), y, 0.5, get_loss("squared"), 0.0, False)
    start = judge.assess(-y)
    better = judge.improve(start, np.zeros((12, 0)), deadline=math.inf)
    assert better.value >= start.value
    assert better.value <= train(X, y, 0.5).objective


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1), st.sampled_from([False, "penalized", "free"]))
def test_any_network_is_judged_where_the_rank_is_too_high_to_price(seed, bias):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 10))
    y = np.maximum(X[:, 0], 0.0) + 0.5
    b1 = None if bias is False else rng.standard_normal(3)
    network = TwoLayerNetwork(rng.standard_normal((10, 3)), b1, rng.standard_normal(3))
    judged = certify(X, y, network, 1.0, bias=bias, max_time=1.0)
    assert judged.objective == network.objective(X, y, 1.0, bias=bias or None)
    assert judged.lower_bound <= judged.optimum.objective <= judged.objective * (1 + 1e-12)
    started = train_low_rank(X, y, 1.0, bias=bias, warm_start=judged.optimum.network, max_time=1.0)
    assert started.objective <= judged.optimum.objective * (1 + 1e-6)
    with pytest.raises(InputError, match="at most 8"):
        certify(X, y, network, 1.0, bias=bias, norm=1)
    with pytest.raises(InputError, match="warm_start must have 4 inputs"):
        train_low_rank(X[:, :4], y, 1.0, bias=bias, warm_start=network)
