"""Several outputs against what is known: one output, rotations, rank one, programs without cones, networks of all sorts."""

from __future__ import annotations

import math
import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import BIASES, ENTRY, KAPPAS, data
from topes import Arrangement, Status, VectorNetwork, certify, train, verify
from topes.errors import InputError
from topes.losses import get_loss, loss_names
from topes.pricing.flat import ascend, spectral_norm
from topes.pricing.oracle import Pricer
from topes.verify._spectral import norm_up

BETAS = st.sampled_from([1e-3, 0.05, 1.0])
FEW = settings(max_examples=max(8, settings().max_examples // 4))


@st.composite
def vector_data(draw, loss=None, most=3):
    """X and targets of one to `most` columns; columns may repeat, vanish, or be multiples of each other."""
    X, y = draw(data(loss))
    C = draw(st.integers(1, most))
    labels = loss is not None and get_loss(loss).needs_labels
    factor = st.sampled_from([1.0, -1.0] if labels else [1.0, -1.0, 0.0, 0.5])
    columns = [y]
    for _ in range(C - 1):
        if draw(st.booleans()):
            columns.append(draw(factor) * y)
        else:
            entry = st.sampled_from([-1.0, 1.0]) if labels else ENTRY
            columns.append(np.array(draw(st.lists(entry, min_size=len(y), max_size=len(y)))))
    return X, np.stack(columns, axis=1)


def check(solution, X, Y, beta, loss="squared", kappa=0.0, bias=False):
    """Everything a solution claims, recomputed from data, weights and dual point."""
    n, C = Y.shape
    net = solution.network
    assert isinstance(net, VectorNetwork)
    assert net.n_neurons <= max(n * C, 1)
    F = np.zeros((n, C))
    for i in range(n):
        for j in range(net.n_neurons):
            h = math.fsum(X[i] * net.W1[:, j]) + (0.0 if net.b1 is None else net.b1[j])
            F[i] += net.W2[j] * (h if h >= 0.0 else kappa * h)
    weights = [net.W1, net.W2, *([net.b1] if bias == "penalized" else [])]
    the_loss = get_loss(loss)
    objective = the_loss.value(F.ravel(), Y.ravel()) + 0.5 * beta * sum(float(np.sum(w * w)) for w in weights)
    assert solution.objective == pytest.approx(objective, rel=1e-10, abs=1e-12)
    V = solution.dual
    assert V.shape == Y.shape
    assert solution.lower_bound <= -the_loss.conjugate(V.ravel(), Y.ravel()) + 1e-12
    assert solution.lower_bound <= solution.objective * (1.0 + 1e-12) + 1e-12
    full = X if bias is False else np.hstack([X, np.ones((n, 1))])
    own = net.W1 if bias is False else np.vstack([net.W1, net.b1])
    U = np.hstack([full.T, -full.T, own, np.random.default_rng(0).standard_normal((full.shape[1], 200))])
    sizes = np.linalg.norm(U[:-1] if bias == "free" else U, axis=0)
    U = U[:, sizes > 1e-6 * np.linalg.norm(U, axis=0)] / sizes[sizes > 1e-6 * np.linalg.norm(U, axis=0)]
    H = full @ U
    rounding = 1e-14 * (n + 4) * float(np.abs(V).sum()) * max(1.0, abs(kappa)) * np.abs(H).max(axis=0, initial=0.0)
    prices = np.linalg.norm(V.T @ np.where(H >= 0.0, H, kappa * H), axis=0)
    assert np.all(prices <= beta * (1.0 + 1e-12) + rounding)
    if bias == "free":
        assert max(abs(math.fsum(v)) for v in V.T) <= 1e-12


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, BETAS)
def test_certified_for_every_loss_and_bias_and_true_to_its_claims(draw, loss, kappa, bias, beta):
    X, Y = draw.draw(vector_data(loss))
    solution = train(X, Y, beta, loss=loss, activation=kappa, bias=bias)
    check(solution, X, Y, beta, loss, kappa, bias)
    assert solution.status is Status.CERTIFIED


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, BETAS)
def test_one_column_is_one_output(draw, loss, kappa, bias, beta):
    X, y = draw.draw(data(loss))
    options = {"loss": loss, "activation": kappa, "bias": bias}
    several, one = train(X, y[:, None], beta, **options), train(X, y, beta, **options)
    scale = max(abs(one.objective), 1e-3 * get_loss(loss).value(np.zeros_like(y), y))
    assert several.objective == pytest.approx(one.objective, rel=0, abs=2e-6 * scale + 1e-12)
    assert several.lower_bound <= one.objective * (1.0 + 1e-12) + 1e-12


@FEW
@given(vector_data(), KAPPAS, BIASES, BETAS, st.integers(0, 2**32 - 1))
def test_rotated_outputs_have_the_same_optimum(sample, kappa, bias, beta, seed):
    X, Y = sample
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((Y.shape[1], Y.shape[1])))[0]
    a, b = (train(X, each, beta, activation=kappa, bias=bias) for each in (Y, Y @ Q))
    scale = max(abs(a.objective), 5e-4 * float(np.sum(Y * Y)))
    assert a.objective == pytest.approx(b.objective, rel=0, abs=2e-6 * scale + 1e-12)


@FEW
@given(data(), KAPPAS, BIASES, BETAS, st.sampled_from(["squared", "l2"]))
def test_targets_of_rank_one_are_one_output(sample, kappa, bias, beta, loss):
    """Y = y g', ||g|| = 1: replacing F by F g g' lowers the loss and no ||g_j|| grows, so the optimum is that of y."""
    X, y = sample
    g = np.array([2.0, -1.0, 2.0]) / 3.0
    options = {"loss": loss, "activation": kappa, "bias": bias}
    several, one = train(X, np.outer(y, g), beta, **options), train(X, y, beta, **options)
    scale = max(abs(one.objective), 1e-3 * get_loss(loss).value(np.zeros_like(y), y))
    assert several.objective == pytest.approx(one.objective, rel=0, abs=2e-6 * scale + 1e-12)


@FEW
@given(vector_data(), KAPPAS, BETAS)
def test_cones_left_out_bound_from_below_and_are_no_matter_on_a_line(sample, kappa, beta):
    """(29) with each u g' anywhere in place of its cone: sum of nuclear norms. For d = 1 a cone is a sign, and g has one."""
    X, Y = sample
    if not np.any(X):
        return
    F, penalty = np.zeros(Y.shape), 0.0
    for batch in Arrangement(X).cells():
        for s in batch.patterns:
            W = cp.Variable((X.shape[1], Y.shape[1]))
            F = F + (np.where(s, 1.0, kappa)[:, None] * X) @ W
            penalty = penalty + cp.normNuc(W)
    problem = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(F - Y) + beta * penalty))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits asked for may not be reached
        relaxed = problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    solution = train(X, Y, beta, activation=kappa)
    scale = max(abs(solution.objective), 5e-4 * float(np.sum(Y * Y)))
    assert relaxed <= solution.objective + 1e-6 * scale + 1e-9
    if X.shape[1] == 1:
        assert solution.objective == pytest.approx(relaxed, rel=0, abs=2e-6 * scale + 1e-8)


@FEW
@given(vector_data(), KAPPAS, BIASES, st.sampled_from([2, 1]), st.integers(0, 2**32 - 1))
def test_any_network_is_judged_by_a_bound_it_cannot_beat(sample, kappa, bias, output_norm, seed):
    X, Y = sample
    rng = np.random.default_rng(seed)
    m = int(rng.integers(0, 5))
    b1 = None if bias is False else rng.standard_normal(m)
    weights = rng.standard_normal((X.shape[1], m)), b1, rng.standard_normal((m, Y.shape[1]))
    judged = certify(X, Y, weights, 0.1, activation=kappa, bias=bias, output_norm=output_norm)
    assert judged.lower_bound <= judged.objective
    same = certify(X, Y, judged.optimum.network, 0.1, bias=bias, output_norm=output_norm)
    assert same.gap <= 2e-6


@FEW
@given(st.data(), KAPPAS, BIASES, st.sampled_from(["squared", "absolute", "hinge", "logistic"]), BETAS)
def test_l1_over_the_outputs_is_a_problem_for_each(draw, kappa, bias, loss, beta):
    X, Y = draw.draw(vector_data(loss))
    options = {"loss": loss, "activation": kappa, "bias": bias}
    solution = train(X, Y, beta, output_norm=1, **options)
    assert solution.status is Status.CERTIFIED
    assert np.all(np.count_nonzero(solution.network.W2, axis=1) <= 1)
    recomputed = solution.network.objective(X, Y, beta, loss=loss, bias=bias or None, output_norm=1)
    assert solution.objective == pytest.approx(recomputed, rel=1e-9, abs=1e-12)
    shared = train(X, Y, beta, **options)  # ||w2||_2 <= ||w2||_1
    assert shared.lower_bound <= solution.objective * (1.0 + 1e-12) + 1e-12


def test_files_and_warm_starts(tmp_path):
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((12, 2)), rng.standard_normal((12, 3))
    solution = train(X, Y, 0.5, bias="free")
    solution.network.save(tmp_path / "net.json")
    loaded = VectorNetwork.load(tmp_path / "net.json")
    assert np.array_equal(loaded.predict(X), solution.network.predict(X))
    again = train(X, Y, 0.5, bias="free", warm_start=solution)
    assert again.status is Status.CERTIFIED
    assert len(again.history) <= len(solution.history)
    empty = train(X, Y, 1e4).network
    assert empty.n_neurons == 0
    empty.save(tmp_path / "empty.json")
    assert VectorNetwork.load(tmp_path / "empty.json").predict(X).shape == (12, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"norm": 1}, "norm must be 2"),
        ({"output_norm": 3}, "output_norm must be one of"),
        ({"output_norm": 1, "loss": "l2"}, "sum over the outputs"),
        ({"loss": "hinge"}, "labels -1 and"),
    ],
)
def test_errors_name_the_argument(options, words):
    with pytest.raises(InputError, match=words):
        train([[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]], 0.1, **options)


def test_shapes_are_checked():
    with pytest.raises(InputError, match="one row for each of the 2 rows"):
        train([[1.0], [2.0]], [[1.0, 2.0]], 0.1)
    with pytest.raises(InputError, match="at least 1 column"):
        train([[1.0], [2.0]], np.zeros((2, 0)), 0.1)
    with pytest.raises(InputError, match="y must have two axes"):
        certify([[1.0], [2.0]], [1.0, 2.0], VectorNetwork([[1.0]], None, [[1.0, 1.0]]), 0.1)


@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("unit", [1.0, 1e-120, 1e120])
def test_a_flat_price_is_met_and_its_proof_is_verified(n, unit, tmp_path):
    """Orthonormal data and one-hot targets: the price is the same in so many directions that no search over cones ends."""
    solution = train(unit * np.eye(n), np.eye(n, max(n, 2)), 0.1 * unit)
    # n neurons of norms s: 1/2 sum (1 - s)^2 + 0.1 sum s
    assert solution.objective == pytest.approx(0.095 * n, rel=1e-9)
    assert solution.status is Status.CERTIFIED
    solution.save_certificate(tmp_path / "proof.npz")
    found = verify(tmp_path / "proof.npz")
    assert found.valid, found.reason
    assert found.lower_bound == pytest.approx(0.095 * n, rel=1e-8)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(2, 4), KAPPAS, st.sampled_from([False, "penalized"]))
def test_the_bound_by_norms_is_above_every_price_and_directions_have_the_prices_said(seed, r, C, kappa, bias):
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((r + int(rng.integers(0, 4)), r)))[0] * rng.choice([1.0, 3.0])
    V = rng.standard_normal((len(X), C)) * rng.choice([0.0, 1.0], (len(X), 1))
    if rng.random() < 0.5:
        V = np.eye(len(X), C)
    pricer = Pricer(X, activation=kappa, bias=bias)
    U, prices = ascend(pricer.data, V, kappa, np.zeros((pricer.data.shape[1], 0)), math.inf)
    H = pricer.data @ U
    np.testing.assert_allclose(prices, np.linalg.norm(V.T @ np.where(H >= 0, H, kappa * H), axis=0), rtol=1e-12, atol=1e-300)
    most = max(1.0, abs(kappa)) * spectral_norm(pricer.data) * spectral_norm(V)
    assert most >= np.max(prices, initial=0.0)
    pricing = pricer.price(V, tol=1e-3, max_nodes=2000)
    assert pricing.upper_bound >= np.max(prices, initial=0.0) * (1.0 - 1e-12)
    assert pricing.best >= np.max(pricing.values, initial=0.0) * (1.0 - 1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1e-200, 1e-8, 1.0, 1e200]))
def test_the_checkers_spectral_norm_is_above_and_close(seed, n, k, unit):
    rng = np.random.default_rng(seed)
    A = unit * rng.standard_normal((n, k)) * rng.choice([0.0, 1e-9, 1.0], (1, k))
    exact = float(np.linalg.norm(A, 2))
    assert exact * (1.0 - 1e-14) <= norm_up(A) <= exact * (1.0 + 1e-8)
    assert exact * (1.0 - 1e-14) <= spectral_norm(A) <= exact * (1.0 + 1e-11)
