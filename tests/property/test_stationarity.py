"""`topes.stationarity` against its exact twin, and Theorem II.2 on planted, trained and locally trained networks."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from problems import BIASES, KAPPAS, data
from strategies import Instance, central
from topes import Arrangement, InputError, TwoLayerNetwork, reference, stationarity, train
from topes._support.nonnegative import nonnegative_least_squares
from topes.losses import get_loss, loss_names
from topes.programs.stationary import face_of
from topes.theory import Kind, balanced
from topes.theory.local_form import preactivation_signs

# Examples that train or solve conic programs.
FEW = settings(max_examples=max(10, settings().max_examples // 5))
# Small lattices: many pre-activations are zero, on dependent, repeated and opposite rows.
LATTICES = central(kinds=["lattice"], min_rows=1, shapes=((1, 4), (2, 6), (3, 6)))
SLOPES = st.sampled_from([0.0, -1.0, 0.5, -0.25])


@st.composite
def networks(draw, instance: Instance):
    """Small integer weights, so that whole faces are hit; targets in halves."""
    n, d = instance.n, instance.dimension
    m = draw(st.integers(1, 2))
    entry = st.integers(-2, 2)
    W = np.array(draw(st.lists(st.lists(entry, min_size=m, max_size=m), min_size=d, max_size=d)), dtype=float)
    c = np.array(draw(st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0]), min_size=m, max_size=m)))
    y = np.array(draw(st.lists(st.integers(-8, 8).map(lambda k: k / 2), min_size=n, max_size=n)))
    return W, c, y


def exact_kinds(X, y, beta, W, c, kappa):
    """Residual and descent of the twin, in units of the gradient."""
    residual = math.sqrt(reference.clarke_residual_squared(X, y, beta, W, c, kappa=kappa))
    return residual, math.sqrt(reference.descent_squared(X, y, beta, W, c, kappa=kappa))


def unit_of(beta, W, c, y):
    """Of gradients, for the squared loss."""
    size = beta * max(math.sqrt(float(np.sum(W**2) + np.sum(c**2))), 1e-3 * math.sqrt(float(y @ y) / beta))
    return size if size > 0.0 else 1.0


@given(LATTICES, st.data(), SLOPES, st.sampled_from([0.5, 0.125]))
def test_residual_and_descent_are_the_twins(instance, draw, kappa, beta):
    X = instance.X.astype(float)
    W, c, y = draw.draw(networks(instance))
    s = stationarity((W, c), X, y, beta, activation=kappa, zero_tol=0.0, compare=False)
    unit = unit_of(beta, W, c, y)
    residual, descent = exact_kinds(X, y, beta, W, c, kappa)
    scale = 1e-11 * (1.0 + residual)  # sums of a few integers, by active sets
    assert s.subdifferential == "Clarke"
    assert s.residual * unit == pytest.approx(residual, rel=1e-9, abs=scale)
    assert s.descent * unit == pytest.approx(descent, rel=1e-9, abs=scale)
    assert s.residual <= s.descent * (1 + 1e-9) + scale
    assert float(np.linalg.norm(s.neuron_residuals)) == pytest.approx(s.residual)


@given(LATTICES, st.data(), SLOPES, st.integers(0, 2**32 - 1))
def test_the_direction_leads_down_at_the_rate_told_and_none_leads_down_faster(instance, draw, kappa, seed):
    X, beta = instance.X.astype(float), 0.25
    W, c, y = draw.draw(networks(instance))
    s = stationarity((W, c), X, y, beta, activation=kappa, zero_tol=0.0, compare=False)
    unit = unit_of(beta, W, c, y)
    down = s.descent * unit

    def slope(direction):
        return float(reference.objective_slope(X, y, beta, W, c, direction[:-1], direction[-1], kappa=kappa))

    if down > 1e-6:
        assert np.linalg.norm(s.direction) == pytest.approx(1.0)
        # A direction on kinks is there up to rounding: the rate of the side it is on differs by that.
        assert slope(s.direction) == pytest.approx(-down, rel=1e-9, abs=1e-9)
    rng = np.random.default_rng(seed)
    for direction in (rng.standard_normal(s.direction.shape), rng.integers(-2, 3, s.direction.shape).astype(float)):
        assert slope(direction) >= -down * np.linalg.norm(direction) * (1 + 1e-9) - 1e-9


@given(central(min_rows=1, shapes=((1, 4), (2, 6), (3, 6))), st.integers(0, 2**32 - 1))
def test_signs_of_preactivations_are_exact(instance, seed):
    rng = np.random.default_rng(seed)
    W = rng.integers(-3, 4, (instance.dimension, 3)).astype(float)
    if instance.n > 1:  # next to a hyperplane: orthogonal to a row up to rounding
        row = np.array([float(x) for x in instance.rows[0]])
        if np.isfinite(row).all() and row.any() and np.abs(row).max() < 1e150 and instance.dimension > 1:
            W[:2, 0] = row[1], -row[0]
            W[2:, 0] = 0.0
    try:
        exact = np.array(reference.to_exact(instance.X, instance.values), dtype=object)
        doubles = np.array([[float(x) for x in row] for row in exact]).reshape(exact.shape)
    except OverflowError:
        assume(False)
    signs, _ = preactivation_signs(exact, doubles, W, 0.0)
    for j in range(3):
        w = [Fraction(x) for x in W[:, j].tolist()]
        for i, row in enumerate(exact):
            h = sum((a * b for a, b in zip(row, w, strict=True)), Fraction(0))
            assert signs[j, i] == (h > 0) - (h < 0)


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, st.sampled_from([2, 1]), st.sampled_from([0.05, 0.5]))
def test_what_training_returns_is_stationary_and_the_optimum_of_its_patterns(draw, loss, kappa, bias, norm, beta):
    X, y = draw.draw(data(loss))
    optimum = train(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm, tol=1e-10)
    assume(optimum.gap <= 1e-8)
    s = stationarity(optimum.network, X, y, beta, loss=loss, bias=bias, norm=norm, optimum=optimum)
    assert s.kind is Kind.GLOBAL
    assert s.program_gap <= 1e-6
    assert s.balanced_objective == pytest.approx(s.objective, rel=1e-9, abs=1e-12)  # Theorem II.1: the layers are balanced
    assert optimum.n_neurons <= len(X)
    # A neuron of a free bias alone has no cheapest scaling: (3) has no minimum then, and its layers are far out of balance.
    attained = bias != "free" or bool(np.all(np.any(optimum.network.W1 != 0.0, axis=0)))
    # A step t along the gradient g gains g t - curvature t^2 / 2 up to the next kink: no more than the gap is left to gain.
    if attained and s.objective > 1e-3 * get_loss(loss).value(np.zeros_like(y), y):
        size = float(np.linalg.norm(X) + len(X)) ** 2
        curvature = 2.0 * size * 2.0 * s.objective / beta + size * float(np.linalg.norm(optimum.dual)) + len(X.T) * beta
        left = max(optimum.gap, 1e-12) * s.objective
        slope = max(math.sqrt(2.0 * curvature * left), 2.0 * left / _next_kink(optimum.network, X, norm))
        assert s.residual <= slope / unit_of(beta, *_counted(optimum.network, bias), y) + 1e-4


def _counted(network, bias):
    """The weights that cost something."""
    W = network.W1 if network.b1 is None or bias == "free" else np.vstack([network.W1, network.b1])
    return W, network.w2


def _next_kink(network, X, norm):
    """How far the weights can move before a pre-activation, or for p = 1 a weight, that is not called zero becomes zero."""
    W, data = network.W1, X
    if network.b1 is not None:
        W, data = np.vstack([W, network.b1]), np.hstack([X, np.ones((len(X), 1))])
    lengths = np.linalg.norm(data, axis=1)
    away = np.abs(data @ W)[lengths > 0.0] / lengths[lengths > 0.0, None]
    away = away[away > 1e-7 * np.linalg.norm(W, axis=0)]
    weights = np.abs(W)
    weights = weights[weights > 1e-7 * weights.max(axis=0, initial=0.0)] if norm == 1 else away
    return min(float(away.min(initial=np.inf)), float(weights.min(initial=np.inf)))


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0, 1, 1], [1, 1, 0]], [0.3, 0.3]),  # a neuron of the bias alone: features of millions, output weight of 1e-8
        ([[0, 0, 0], [0, 0, -1], [-0.1, 3, 2]], [0, 0.1, 2]),  # both biases are held at zero: no dual point sums to zero
    ],
)
def test_what_training_returns_with_a_free_bias_is_the_optimum_of_its_patterns(X, y):
    options = {"loss": "l2", "bias": "free"}
    optimum = train(X, y, 0.05, activation=0.5, tol=1e-10, **options)
    s = stationarity(optimum.network, X, y, 0.05, optimum=optimum, **options)
    assert s.program_gap <= 1e-6
    assert s.residual <= 1e-4


WEIGHTS = {2: [(3.0, 4.0), (0.0, 1.0), (5.0, -12.0)], 3: [(1.0, 2.0, 2.0), (0.0, 0.0, 1.0)]}  # of integer length


@st.composite
def planted(draw, together=True):
    """A neuron that is stationary by construction: X'D v c = -beta w, D on the kinks the mean of those of two cells around.

    Not `together`: slopes of [kappa, 1] drawn for each row by itself, as the chain rule lets them be.
    """
    d = draw(st.sampled_from([2, 3]))
    w = np.array(draw(st.sampled_from(WEIGHTS[d])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kappa, beta = draw(SLOPES), 0.5
    c = draw(st.sampled_from([-1.0, 1.0])) * float(np.linalg.norm(w))
    ahead = rng.integers(-2, 3, (d + 2, d)).astype(float)
    walls = rng.integers(-2, 3, (draw(st.integers(1, 3)), d)) @ _frame(w)  # integer rows orthogonal to w
    X = np.vstack([walls, ahead])
    h = X @ w
    D = np.where(h > 0, 1.0, kappa)
    zero = X[h == 0]
    if together:
        D[h == 0] = np.where(zero @ rng.standard_normal((d, 2)) > 0, 1.0, kappa).mean(axis=1)
    else:
        D[h == 0] = rng.choice([kappa, 1.0, (1 + kappa) / 2], len(zero))
    A = c * (D[:, None] * X).T
    v, _, rank, _ = np.linalg.lstsq(A, -beta * w, rcond=None)
    assume(rank == d and np.abs(A @ v + beta * w).max() < 1e-12)
    kernel = np.linalg.svd(A)[2][rank:]
    v = v + kernel.T @ rng.standard_normal(len(kernel))
    f = np.where(h >= 0, h, kappa * h) * c
    return X, f - v, beta, w[:, None], np.array([c]), kappa


def _frame(w):
    """Integer vectors orthogonal to w in all rows but the last."""
    if len(w) == 2:
        return np.array([[-w[1], w[0]], [0.0, 0.0]])
    a, b = (np.array([0.0, w[2], -w[1]]), np.array([w[1], -w[0], 0.0])) if w[0] else (np.eye(3)[0], np.eye(3)[1])
    return np.stack([a, b, np.zeros(3)])


@given(planted())
def test_theorem_ii2_holds_for_trichotomies(instance):
    X, y, beta, W, c, kappa = instance
    s = stationarity((W, c), X, y, beta, activation=kappa, zero_tol=0.0, compare=False)
    scale = 1e-9 * (1.0 + float(np.abs(y).max())) / unit_of(beta, W, c, y)
    assert s.residual <= scale
    assert s.program_gap <= 1e-8
    assert s.is_optimum_of_own_patterns
    assert s.kind is (Kind.CONCAVE_KINK if s.descent > s.tol else Kind.LOCAL)


@given(planted(), st.data())
def test_facets_describe_a_face_as_well_as_all_rows(instance, draw):
    """Each row is a sum of facets with weights that are not negative, and of normals of the span."""
    X, _, _, W, _, _ = instance
    other = np.array(draw.draw(st.lists(st.integers(-2, 2).map(float), min_size=len(W), max_size=len(W))))
    for w in (W[:, 0], other):
        signs = np.sign(X @ w).astype(np.int8)
        flat, rows = face_of(X, signs)
        flat_too, facets = face_of(X, signs, arrangement=Arrangement(X))
        assert np.array_equal(flat, flat_too)
        assert len(facets) <= len(rows)
        assert np.abs(flat @ w).max(initial=0.0) <= 1e-12 * np.linalg.norm(w)
        for row in rows:
            A = np.vstack([facets, flat, -flat]).T
            assert np.linalg.norm(A @ nonnegative_least_squares(A, row) - row) <= 1e-12


@given(planted(together=False))
def test_the_chain_rule_is_enough_for_theorem_ii2(instance):
    """Kinks of dependent rows may cancel: 0 in the zonotope, not in Clarke's set. The program cannot tell."""
    X, y, beta, W, c, kappa = instance
    s = stationarity((W, c), X, y, beta, activation=kappa, zero_tol=0.0, compare=False)
    assert s.program_gap <= 1e-8
    residual, descent = exact_kinds(X, y, beta, W, c, kappa)
    assert s.residual * unit_of(beta, W, c, y) == pytest.approx(residual, rel=1e-8, abs=1e-9)
    assert s.descent * unit_of(beta, W, c, y) == pytest.approx(descent, rel=1e-8, abs=1e-9)


@FEW
@given(LATTICES, st.data(), SLOPES, st.sampled_from(["absolute", "hinge"]))
def test_kinks_of_the_loss_against_all_choices(instance, draw, kappa, loss):
    """The chain rule's set is the hull of the gradients for the ends of the slopes of the loss and of the activation."""
    X, beta = instance.X.astype(float), 0.25
    W, c, _ = draw.draw(networks(instance))
    H = X @ W
    f = np.where(H >= 0, H, kappa * H) @ c
    fitted = np.array(draw.draw(st.lists(st.booleans(), min_size=len(X), max_size=len(X))))
    if loss == "absolute":
        y = np.where(fitted, f, f + 1.0)
    else:
        y = np.where(fitted & (np.abs(f) == 1.0), f, 1.0)
    low, high = (-1.0, 1.0) if loss == "absolute" else (np.minimum(-y, 0.0), np.maximum(-y, 0.0))
    on = y == f
    v0 = get_loss(loss).gradient(f, y)
    low, high = np.where(on, low, v0), np.where(on, high, v0)
    choices: list = [sorted({a, b}) for a, b in zip(low, high, strict=True)]
    places = [(i, j) for i, j in np.argwhere(H == 0).tolist() if c[j] and X[i].any() and (on[i] or v0[i])]
    assume(math.prod(len(each) for each in choices) * 2 ** len(places) <= 2048)
    points = []
    for v in product(*choices):
        for slopes in product((kappa, 1.0), repeat=len(places)):
            D = np.where(H > 0, 1.0, kappa)
            for place, slope in zip(places, slopes, strict=True):
                D[place] = slope
            G = X.T @ (D * np.array(v)[:, None]) * c + beta * W
            points.append(np.append(G.ravel(), (D * H).T @ np.array(v) + beta * c))
    points = np.unique(points, axis=0)
    mu = nonnegative_least_squares(np.vstack([points.T, np.ones(len(points))]), np.append(np.zeros(len(points[0])), 1.0))
    expected = float(np.linalg.norm((mu / mu.sum()) @ np.array(points)))
    s = stationarity((W, c), X, y, beta, loss=loss, activation=kappa, zero_tol=0.0, compare=False)
    unit = beta * max(
        math.sqrt(float(np.sum(W**2) + np.sum(c**2))),
        1e-3 * math.sqrt(2.0 * get_loss(loss).value(np.zeros_like(y), y) / beta),
    )
    if on.any() and unit:  # without, the set is Clarke's own
        assert s.residual * unit == pytest.approx(expected, rel=1e-6, abs=1e-7 * (1.0 + unit))
    if s.descent is not None:
        down = steepest_by_cells(X, W, c, H, [sorted({a, b}) for a, b in zip(low, high, strict=True)], beta, kappa)
        assert s.descent * unit == pytest.approx(down, rel=1e-6, abs=1e-7 * (1.0 + unit))
        assert s.residual <= s.descent + 1e-7 * (1.0 + unit) / unit


def steepest_by_cells(X, W, c, H, slopes, beta, kappa):
    """Over the cells of all rows at zero at each neuron: on the cone of a choice only the loss has kinks."""
    zero = [X[(H[:, j] == 0) & np.any(X != 0, axis=1)] for j in range(len(c))]
    worst = 0.0
    for sides in product(*(sorted(reference.sign_vectors(z.astype(int))) if len(z) else [()] for z in zero)):
        D = np.where(H > 0, 1.0, kappa)
        cones = np.zeros((0, W.size + len(c)))
        for j, side in enumerate(sides):
            at = (H[:, j] == 0) & np.any(X != 0, axis=1)
            D[at, j] = np.where(np.array(side) > 0, 1.0, kappa)
            G = np.zeros((len(side), len(W), len(c)))
            if len(side):
                G[:, :, j] = np.array(side)[:, None] * zero[j]
            cones = np.vstack([cones, np.hstack([G.reshape(len(side), W.size), np.zeros((len(side), len(c)))])])
        points = [
            np.append((X.T @ (D * np.array(v)[:, None]) * c + beta * W).ravel(), (D * H).T @ np.array(v) + beta * c)
            for v in product(*slopes)
        ]
        A = np.vstack([np.hstack([np.array(points).T, -cones.T]), np.append(np.ones(len(points)), np.zeros(len(cones)))])
        mu = nonnegative_least_squares(A, np.append(np.zeros(len(points[0])), 1.0))
        worst = max(worst, float(np.linalg.norm(A[:-1] @ mu)) / float(mu[: len(points)].sum()))
    return worst


@given(planted())
def test_at_a_d_stationary_point_no_adjacent_cell_has_a_better_neuron_of_its_sign(instance):
    """What is left of the dichotomy form: all cells around the neuron, output weights of its sign."""
    X, y, beta, W, c, kappa = instance
    s = stationarity((W, c), X, y, beta, activation=kappa, zero_tol=0.0, compare=False)
    signs = s.sign_vectors[0]
    v = np.where(X @ W >= 0, X @ W, kappa * (X @ W)) @ c - y
    zero = X[(signs == 0) & np.any(X != 0.0, axis=1)]
    worst = 0.0
    for around in reference.sign_vectors(zero.astype(int)):
        side = signs.astype(int)
        side[(signs == 0) & np.any(X != 0.0, axis=1)] = around
        q = -math.copysign(1.0, c[0]) * (np.where(side >= 0, 1.0, kappa) * v) @ X
        G = side[:, None] * X
        G = G[np.any(G != 0.0, axis=1)]
        worst = max(worst, float(np.linalg.norm(q + G.T @ nonnegative_least_squares(G.T, -q))))
    if s.kind is Kind.LOCAL:
        assert worst <= beta * (1 + 1e-5)
    else:  # the way down leads into one of these cells
        assert worst > beta * (1 + 1e-9)


def trained_locally(X, y, beta, m, rng):
    """L-BFGS on (3), restarted until it moves no more."""
    d = X.shape[1]
    z = 0.5 * rng.standard_normal(m * (d + 1))

    def objective(z):
        W, c = z[: m * d].reshape(d, m), z[m * d :]
        H = X @ W
        A = np.maximum(H, 0.0)
        v = A @ c - y
        gradient = X.T @ ((H >= 0.0) * v[:, None] * c) + beta * W
        return 0.5 * v @ v + 0.5 * beta * (z @ z), np.concatenate([gradient.ravel(), A.T @ v + beta * c])

    for _ in range(4):
        options = {"maxiter": 500, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 30}
        z = minimize(objective, z, jac=True, method="L-BFGS-B", options=options).x
    return z[: m * d].reshape(d, m), z[m * d :]


@pytest.mark.parametrize("seed", range(8))
def test_local_training_ends_at_the_optimum_of_its_patterns(seed):
    rng = np.random.default_rng(seed)
    X, y, beta = rng.standard_normal((12, 2)), rng.standard_normal(12), 0.3
    s = stationarity(trained_locally(X, y, beta, 3, rng), X, y, beta, zero_tol=1e-6)
    # Next to a kink L-BFGS stalls: gradients on either side are not small, and the objective is that of the kink to 1e-4.
    assert s.program_gap <= 2e-4
    assert s.residual > 1e-5 or s.program_gap <= 1e-6
    assert s.lower_bound <= s.program_lower_bound * (1 + 1e-9) <= s.objective * (1 + 1e-8)


@given(st.integers(0, 2**32 - 1), BIASES, st.sampled_from([1, 2]), KAPPAS)
def test_balancing_keeps_the_function_and_costs_nothing(seed, bias, norm, kappa):
    rng = np.random.default_rng(seed)
    W, b, c = (rng.standard_normal(s) * rng.choice([0.0, 1e-8, 1.0, 1e8], s) for s in ((3, 4), (4,), (4,)))
    net = TwoLayerNetwork(W, b if bias else None, c, kappa)
    even = balanced(net, bias=bias, norm=norm)
    X = rng.standard_normal((6, 3))
    scale = np.abs(X) @ np.abs(W) @ np.abs(c) + np.abs(b) @ np.abs(c) + 1e-300
    assert np.all(np.abs(net.predict(X) - even.predict(X)) <= 1e-12 * max(1.0, abs(kappa)) * scale)
    options = {"bias": bias or "penalized", "norm": norm}
    assert even.penalty(**options) <= net.penalty(**options) * (1 + 1e-12)
    again = balanced(even, bias=bias, norm=norm)
    assert np.allclose(again.W1, even.W1, rtol=1e-12, atol=0.0)


@FEW
@given(st.integers(0, 2**32 - 1), st.floats(1.001, 100.0))
def test_unbalanced_layers_are_not_stationary(seed, factor):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
    optimum = train(X, y, 0.05, tol=1e-8)
    net = TwoLayerNetwork(optimum.network.W1 * factor, None, optimum.network.w2 / factor)
    assume(net.n_neurons > 0)
    s = stationarity(net, X, y, 0.05, tol=1e-9, compare=False)
    assert s.kind is Kind.NOT_STATIONARY
    assert s.balanced_objective < s.objective
    assert stationarity(net, X, y, 0.05, optimum=optimum, balance=True).kind is Kind.GLOBAL


def test_bad_numbers_are_named():
    with pytest.raises(InputError, match="zero_tol must be a number in"):
        stationarity(([[1.0]], [1.0]), [[1.0]], [1.0], 0.1, zero_tol=-1.0)
