"""Linear convolutional networks against the programs (16), (17), (20), loops, and restarts of local training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from problems import ENTRY
from topes import LinearConvolutionalNetwork, SolverError, Status, reference, train_linear_cnn
from topes.linear_cnn.lifts import CircularLift, PatchLift
from topes.losses import get_loss, loss_names
from topes.programs import circular_convolutional, linear_convolutional, linear_convolutional_dual

BETAS = st.sampled_from([1e-3, 0.05, 1.0])
SCALES = st.sampled_from([1.0, 1e-8, 1e8])
FEW = settings(max_examples=max(10, settings().max_examples // 3))


@st.composite
def samples(draw, loss="squared", circular=False):
    """Few samples; zero, repeated, opposite ones among their rows."""
    around, patches = [(1, 4), (3, 3), (2, 2, 2), (5, 4), (2, 1), (3, 2, 3)], [(1, 1, 1), (2, 3, 2), (4, 2, 3), (6, 2, 2)]
    shapes = around if circular else patches
    shape = draw(st.sampled_from(shapes))
    n, d = shape[0], int(np.prod(shape[1:]))
    rows = np.array(draw(st.lists(st.lists(ENTRY, min_size=d, max_size=d), min_size=n, max_size=n)))
    for i in draw(st.lists(st.integers(0, n - 1), max_size=2)):
        rows[i] = draw(st.sampled_from([0.0, 1.0, -1.0, 2.0])) * rows[draw(st.integers(0, n - 1))]
    labels = get_loss(loss).needs_labels
    y = draw(st.lists(st.sampled_from([-1.0, 1.0]) if labels else ENTRY, min_size=n, max_size=n))
    return rows.reshape(shape), np.array(y)


def value(program):
    try:
        found = program.solve(1e-10)
    except SolverError:
        return assume(False)
    assume(program.problem.status == "optimal")
    return found


def check(solution, X, y, beta, loss, expected):
    """Certified, at the program's value up to its own accuracy, and the objective is what the weights say."""
    assert solution.status is Status.CERTIFIED
    scale = 1e-9 * max(1.0, get_loss(loss).value(np.zeros_like(y), y))  # Clarabel's accuracy
    assert solution.lower_bound <= expected + scale
    assert solution.objective >= expected - 10 * scale
    assert solution.objective <= expected * (1 + 1e-6) + 10 * scale
    again = solution.network.objective(X, y, beta, loss=loss)
    assert again == pytest.approx(solution.objective, rel=1e-12, abs=1e-14)


@FEW
@given(st.data(), st.sampled_from(loss_names()), BETAS)
def test_patches_reach_the_nuclear_norm_program(draw, loss, beta):
    X, y = draw.draw(samples(loss))
    solution = train_linear_cnn(X, y, beta, loss=loss)
    check(solution, X, y, beta, loss, value(linear_convolutional(X, y, beta, loss=loss)))
    assert solution.n_filters <= min(X.shape[1:])


@FEW
@given(st.data(), st.sampled_from(loss_names()), BETAS)
def test_circular_filters_reach_the_program_in_the_fourier_basis(draw, loss, beta):
    X, y = draw.draw(samples(loss, circular=True))
    solution = train_linear_cnn(X, y, beta, loss=loss, circular=True)
    check(solution, X, y, beta, loss, value(circular_convolutional(X, y, beta, loss=loss)))
    assert solution.n_filters <= 1


@FEW
@given(samples(), BETAS)
def test_the_dual_program_has_the_same_value(sample, beta):
    X, y = sample
    problem, _ = linear_convolutional_dual(X, y, beta)
    expected = float(problem.solve(solver="CLARABEL"))
    solution = train_linear_cnn(X, y, beta, tol=1e-8)
    assert solution.objective == pytest.approx(expected, rel=1e-6, abs=1e-7)  # Clarabel's default accuracy


@FEW
@given(samples(circular=True), BETAS, st.sampled_from(["squared", "huber", "logistic"]))
def test_circular_filters_are_filters_over_all_cyclic_shifts(sample, beta, loss):
    X, y = sample
    y = np.where(y >= 0.0, 1.0, -1.0) if loss == "logistic" else y
    places = list(np.ndindex(X.shape[1:]))
    shifted = np.array([[np.roll(x, [-k for k in at], axis=tuple(range(x.ndim))).ravel() for at in places] for x in X])
    over_patches = train_linear_cnn(shifted, y, beta, loss=loss, tol=1e-8)
    around = train_linear_cnn(X, y, beta, loss=loss, circular=True, tol=1e-8)
    slack = 3e-8 * max(around.objective, 1e-3 * get_loss(loss).value(np.zeros_like(y), y))
    assert abs(over_patches.objective - around.objective) <= slack


@FEW
@given(st.data(), st.booleans(), SCALES)
def test_outputs_and_prices_are_those_of_the_loops(draw, circular, scale):
    X, y = draw.draw(samples(circular=circular))
    X = scale * X
    lift = CircularLift(X) if circular else PatchLift(X)
    m = draw.draw(st.integers(0, 2))
    rng = np.random.default_rng(draw.draw(st.integers(0, 99)))
    U, W = rng.standard_normal((lift.h, m)), rng.standard_normal((lift.K, m))
    network = LinearConvolutionalNetwork(U, W, circular=X.shape[1:] if circular else None)
    loops = reference.circular_outputs if circular else reference.linear_outputs
    expected = np.array([float(f) for f in loops(X, U, W)])
    size = 1e-13 * scale * (1.0 + np.abs(U).sum() * np.abs(W).sum() * 30.0)
    np.testing.assert_allclose(network.predict(X), expected, rtol=0, atol=size)
    np.testing.assert_allclose(lift.outputs(U, W), expected, rtol=0, atol=size)
    price = (reference.circular_price if circular else reference.linear_price)(X, y)
    assert price * (1 - 1e-14) <= lift.price(y) <= price * (1 + 1e-9) + 1e-11 * scale


@pytest.mark.parametrize("circular", [False, True])
def test_no_restart_of_local_training_is_below_and_the_best_reaches_it(circular):
    """100 starts of L-BFGS on the non-convex objective (15), (18)."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((12, 7) if circular else (15, 4, 3))
    y, beta = rng.standard_normal(len(X)), 0.7
    solution = train_linear_cnn(X, y, beta, circular=circular, tol=1e-10)
    lift = CircularLift(X) if circular else PatchLift(X)
    m = 1 if circular else 3
    cut = lift.h * m

    def objective(x):
        U, W = x[:cut].reshape(lift.h, m), x[cut:].reshape(lift.K, m)
        f = lift.outputs(U, W)
        du, dw = lift.slopes(f - y, U, W)
        total = 0.5 * np.sum((f - y) ** 2) + 0.5 * beta * np.sum(x * x)
        return total, np.concatenate([(du + beta * U).ravel(), (dw + beta * W).ravel()])

    starts = [rng.standard_normal(cut + lift.K * m) for _ in range(100)]
    values = [minimize(objective, x, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).fun for x in starts]
    assert min(values) >= solution.lower_bound - 1e-12
    assert min(values) == pytest.approx(solution.objective, rel=1e-6)
    assert 0.0 < solution.objective < 0.99 * 0.5 * float(y @ y)  # beta is not so large that nothing is learned


def test_the_scale_of_the_fourier_matrix():
    """(20) with the unnormalised matrix and Appendix M-C with the unitary one agree; matrix and weight mixed do not."""
    rng = np.random.default_rng(2)
    X, y, beta = rng.standard_normal((10, 6)), rng.standard_normal(10), 0.6
    expected = train_linear_cnn(X, y, beta, circular=True, tol=1e-9).objective
    for transform in ("unnormalised", "unitary"):
        assert circular_convolutional(X, y, beta, transform=transform).solve() == pytest.approx(expected, rel=1e-7)
    mixed = [circular_convolutional(X, y, beta * factor).solve() for factor in (6**0.5, 6**-0.5)]
    assert mixed[0] > 1.05 * expected
    assert mixed[1] < 0.95 * expected


@FEW
@given(samples(), SCALES, SCALES)
def test_scales_of_data_and_targets_change_nothing_else(sample, by, of):
    """X to s X and y to t y with beta to s t beta: the objective goes with t^2."""
    X, y = sample
    plain = train_linear_cnn(X, y, 0.3, tol=1e-7)
    scaled = train_linear_cnn(by * X, of * y, by * of * 0.3, tol=1e-7)
    assert scaled.status is Status.CERTIFIED
    assert scaled.objective == pytest.approx(of**2 * plain.objective, rel=1e-5, abs=2e-10 * of**2 * float(y @ y))
