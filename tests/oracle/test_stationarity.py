"""Networks whose kind is known: the counterexample to the dichotomy form, saddles, kinks of losses; bad arguments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from topes import InputError, TwoLayerNetwork, VectorNetwork, solve_full, stationarity, train, train_low_rank
from topes.programs import scalar_output
from topes.programs import stationary as stationary_program
from topes.theory import Kind

# The two points of errata 1: one neuron along (1, 0) with the first point on its kink, which is concave.
X2, Y2, BETA2 = np.array([[0.0, 1.0], [1.0, -1.0]]), np.array([1.0, 1.0]), 0.1
W2 = math.sqrt(0.9)
CONCAVE = ([[W2], [0.0]], [W2])


def solved(program):
    return float(program.problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11))


def test_the_dichotomy_form_of_theorem_ii2_is_false():
    s = stationarity(CONCAVE, X2, Y2, BETA2, zero_tol=0.0)
    assert s.kind is Kind.CONCAVE_KINK
    assert s.objective == pytest.approx(0.595, abs=1e-12)
    assert s.residual <= 1e-14
    assert s.subdifferential == "Clarke"
    assert s.sign_vectors.tolist() == [[0, 1]]
    # The slope of the kink that makes it stationary is 0.1: v = (-1, -0.1), X'D v = -beta w / |w2|.
    assert s.program_value == pytest.approx(0.595, abs=1e-9)
    assert s.program_gap <= 1e-9
    assert s.lower_bound == pytest.approx(0.1632107, abs=2e-7)
    assert s.gap == pytest.approx((0.595 - 0.1632107) / 0.595, abs=1e-6)
    # (46), and (7) subsampled to either pattern that (5) or the other side of the kink gives.
    assert solved(stationary_program(X2, Y2, BETA2, [[0, 1]])) == pytest.approx(0.595, abs=1e-8)
    assert solved(scalar_output(X2, Y2, BETA2, patterns=[[1, 1]])) == pytest.approx(0.2106167, abs=1e-7)
    assert solved(scalar_output(X2, Y2, BETA2, patterns=[[0, 1]])) == pytest.approx(0.5682107, abs=1e-7)
    assert solve_full(X2, Y2, BETA2).objective == pytest.approx(0.1632107, abs=1e-7)


def test_the_direction_off_the_concave_kink_leads_down():
    s = stationarity(CONCAVE, X2, Y2, BETA2, compare=False)
    # Upwards the first point is seen: the slope is -w2 (1 - 0.1) = -0.9 w2 in the second weight, in units of beta ||theta||.
    assert s.descent * BETA2 * math.sqrt(1.8) == pytest.approx(0.9 * W2, rel=1e-12)
    assert s.direction[:, 0] == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)
    step = 1e-6
    W = np.array(CONCAVE[0]) + step * s.direction[:-1]
    after = TwoLayerNetwork(W, None, CONCAVE[1] + step * s.direction[-1]).objective(X2, Y2, BETA2)
    assert (s.objective - after) / step == pytest.approx(0.9 * W2, rel=1e-4)


def test_d_stationary_points_are_no_optima_of_dichotomies_either():
    # A convex kink, no way down; but (7) has blocks of both signs for each pattern: the other one can use the first point.
    X, y = np.eye(2)[::-1], np.array([-1.0, 1.5])
    s = stationarity(([[1.0], [0.0]], [1.0]), X, y, 0.5, zero_tol=0.0)
    assert s.kind is Kind.LOCAL
    assert s.descent <= 1e-15
    assert s.objective == 1.125
    assert solved(stationary_program(X, y, 0.5, [[0, 1]])) == pytest.approx(1.125, abs=1e-8)
    assert solved(scalar_output(X, y, 0.5, patterns=[[1, 1]])) == pytest.approx(1.0, abs=1e-8)


def test_the_zero_network_is_stationary_and_has_no_patterns():
    for network in (([[0.0], [0.0]], [0.0]), (np.zeros((2, 0)), np.zeros(0)), (np.zeros((2, 3)), np.zeros(3))):
        s = stationarity(network, X2, Y2, BETA2)
        assert s.kind is Kind.ZERO
        assert (s.residual, s.descent, s.objective) == (0.0, 0.0, 1.0)
        assert len(s.sign_vectors) == 0
        assert s.program_value == 1.0
    # Its pattern by (5) is I, and the program with I is far below it.
    assert solved(scalar_output(X2, Y2, BETA2, patterns=[[1, 1]])) == pytest.approx(0.2106167, abs=1e-7)
    assert stationarity(([[0.0], [0.0]], [0.0]), X2, Y2, 5.0).kind is Kind.GLOBAL  # beta above beta_max


@pytest.mark.parametrize("loss", ["squared", "absolute", "l2"])
def test_nothing_to_see(loss):
    none = stationarity(([[1.0], [0.0]], [1.0]), np.zeros((0, 2)), [], 0.5, loss=loss)
    assert (none.kind, none.objective, none.lower_bound) == (Kind.NOT_STATIONARY, 0.5, 0.0)
    assert none.program_value == pytest.approx(0.0, abs=1e-8)
    assert none.residual == pytest.approx(1.0)  # the gradient is that of the penalty
    assert stationarity((np.zeros((2, 0)), []), np.zeros((0, 2)), [], 0.5, loss=loss).kind is Kind.GLOBAL
    zeros = stationarity(([[1.0], [0.0]], [1.0]), np.zeros((2, 2)), [1.0, 2.0], 0.5, loss=loss)
    assert zeros.kind is Kind.NOT_STATIONARY
    assert zeros.n_zeros == 0
    assert zeros.residual == pytest.approx(1.0)


def test_half_dead_neurons_are_not_stationary():
    for network in (([[1.0], [0.0]], [0.0]), ([[0.0], [0.0]], [1.0])):
        s = stationarity(network, X2, Y2, BETA2, compare=False)
        assert s.kind is Kind.NOT_STATIONARY
        assert s.balanced_objective < s.objective
        assert stationarity(network, X2, Y2, BETA2, compare=False, balance=True).kind is Kind.ZERO


def test_one_sample_in_closed_form():
    # 1/2 (c w - y)^2 + beta / 2 (c^2 + w^2): 0 and c = w = sqrt(y - beta) are the stationary points with w >= 0.
    w = math.sqrt(2.0 - 0.5)
    s = stationarity(([[w]], [w]), [[1.0]], [2.0], 0.5)
    assert s.kind is Kind.GLOBAL
    assert s.residual <= 1e-15
    assert s.objective == pytest.approx(0.125 + 0.5 * 1.5)
    assert s.nearest == 1.0
    assert stationarity(([[w]], [w * 1.01]), [[1.0]], [2.0], 0.5).kind is Kind.NOT_STATIONARY


def test_a_local_optimum_that_is_not_global():
    # Two opposite samples, a neuron each; one neuron alone sees only its own.
    X, y, w = np.array([[1.0], [-1.0]]), np.array([2.0, 2.0]), math.sqrt(1.5)
    one = stationarity(([[w]], [w]), X, y, 0.5)
    assert one.kind is Kind.LOCAL
    assert one.descent <= 1e-12
    assert one.objective == pytest.approx(0.875 + 2.0)
    assert one.lower_bound == pytest.approx(1.75, rel=1e-6)
    assert one.sign_vectors.tolist() == [[1, -1]]
    assert stationarity(([[w, -w]], [w, w]), X, y, 0.5).kind is Kind.GLOBAL


def test_kinks_that_cancel_are_none():
    # One row twice, slopes of the loss opposite: (3) is smooth there, and the chain rule alone would call it stationary.
    X, y = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([-1.0, 1.0, 2.0])
    w = math.sqrt(1.5)
    s = stationarity(([[0.0], [w]], [w]), X, y, 0.5, compare=False)
    assert s.n_zeros == 2
    assert s.residual <= 1e-15
    assert s.descent <= 1e-15
    assert s.subdifferential == "Clarke"
    tilted = stationarity(([[0.0], [w]], [w]), np.array([[1.0, 0.0], [1.0, 0.0], [0.2, 1.0]]), y, 0.5, compare=False)
    assert tilted.residual > 1e-2  # 0.2 c v_3 in the first weight; a zonotope of [-1, 1] c would hold its negative


def test_the_number_of_cells_is_limited():
    # 12 rows orthogonal to the neuron, kinks of both signs, in two dimensions: dependent, so cells are enumerated.
    t = np.linspace(0.1, 3.0, 12)
    X = np.vstack([np.column_stack([np.cos(t), np.sin(t), 0 * t]), [0.0, 0.0, 1.0]])
    y = np.append(np.where(np.arange(12) % 2, 1.0, -1.0), 2.0)
    w = math.sqrt(1.5)
    network = ([[0.0], [0.0], [w]], [w])
    full = stationarity(network, X, y, 0.5, compare=False)
    few = stationarity(network, X, y, 0.5, compare=False, max_cells=10)
    assert (full.subdifferential, few.subdifferential) == ("Clarke", "chain rule")
    assert few.descent is None
    assert few.residual <= full.residual <= full.descent


@pytest.mark.parametrize("loss", ["absolute", "l2", "hinge"])
def test_outputs_on_kinks_of_the_loss(loss):
    # One sample fitted exactly: the slope of the loss is free in [-1, 1] (hinge [-1, 0]), and beta = 1/2 is within.
    s = stationarity(([[1.0]], [1.0]), [[1.0]], [1.0], 0.5, loss=loss)
    assert s.kind is Kind.GLOBAL
    assert s.residual <= 1e-8
    assert s.subdifferential == "Clarke"
    assert s.descent <= 1e-8
    # Beyond beta = 1 the penalty wins: least distance at v = -1, gradient beta - 1 in both weights.
    s = stationarity(([[1.0]], [1.0]), [[1.0]], [1.0], 1.5, loss=loss)
    assert s.kind is Kind.NOT_STATIONARY
    assert s.residual == pytest.approx(math.sqrt(2.0) * 0.5 / (1.5 * math.sqrt(2.0)), rel=1e-7)


@pytest.mark.parametrize("loss", ["absolute", "l2", "hinge"])
def test_a_kink_of_the_loss_on_a_kink_of_the_neuron(loss):
    # Sample 1 is fitted, sample 2 is on the neuron's kink; the absolute loss has its kink there too, at 0 = y.
    X, y = np.eye(2), np.array([1.0, 0.0]) if loss != "hinge" else np.array([1.0, -1.0])
    s = stationarity(([[1.0], [0.0]], [1.0]), X, y, 0.5, loss=loss, compare=False)
    # Output 0 for the label -1 is not on the kink of the hinge: slope 1, and a convex kink of the neuron.
    assert s.subdifferential == ("Clarke" if loss == "hinge" else "chain rule")
    assert s.residual <= 1e-8
    assert s.descent <= 1e-8  # up, the second loss grows; down, nothing changes
    assert s.program_gap <= 1e-7


def test_a_way_down_beside_a_kink_of_the_loss():
    # Two neurons of opposite signs on the kinks of rows 2 and 3. f_2 = y_2: its slope is free; v_1 = v_3 = -1. Along the
    # second weights a and b (3) moves at the rate |a+ - b+| - 2 (a+ - b+), a+ = max(a, 0): least at a = 1, where it is -1.
    X, y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), np.array([1.0, 0.0, 4.0])
    network = ([[1.0, 1.0], [0.0, 0.0]], [1.0, -1.0])
    s = stationarity(network, X, y, 0.5, loss="absolute", compare=False)
    # The slopes in the other weights are -1/2, 3/2, -1/2, -3/2; the unit, beta ||theta||, is 1.
    assert s.residual == pytest.approx(math.sqrt(5.0), rel=1e-7)
    assert s.descent == pytest.approx(math.sqrt(6.0), rel=1e-7)
    # The norm is flat at its minimum: 1e-11 asked of it leaves about the root of that in the point.
    assert s.direction[1] * math.sqrt(6.0) == pytest.approx([1.0, 0.0], abs=1e-5)
    assert s.subdifferential == "chain rule"


def test_losses_with_kinks_at_their_optimum():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((15, 2)), rng.standard_normal(15)
    for loss, targets in (("absolute", y), ("l2", y), ("hinge", np.sign(y))):
        optimum = train(X, targets, 0.4, loss=loss, tol=1e-10)
        s = stationarity(optimum.network, X, targets, 0.4, loss=loss, optimum=optimum)
        assert s.kind is Kind.GLOBAL
        assert s.residual <= 1e-5
        assert s.program_gap <= 1e-8


def test_exact_zeros_by_decimals():
    # 0.1 and 0.3 as decimals are orthogonal to (3, -1), as doubles they are not.
    X, y, network = [[0.1, 0.3], [1.0, 0.0]], [1.0, 1.0], ([[3.0], [-1.0]], [math.sqrt(10.0)])
    options = {"zero_tol": 0.0, "compare": False}
    assert stationarity(network, X, y, 0.1, values="decimal", **options).n_zeros == 1
    binary = stationarity(network, X, y, 0.1, **options)
    assert binary.n_zeros == 0
    assert 0.0 < binary.nearest < 1e-15


class _Tensor:
    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


class _FittedMLP:
    def __init__(self, coefs, intercepts, activation="relu"):
        self.coefs_, self.intercepts_, self.activation = coefs, intercepts, activation


def test_networks_from_elsewhere():
    W1, b1, w2 = np.array([[1.0, -2.0], [0.5, 1.0]]), np.array([0.1, -0.3]), np.array([1.0, 2.0])
    X, y = np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, 0.3]]), np.array([1.0, 0.0, 2.0])
    expected = stationarity(TwoLayerNetwork(W1, b1, w2), X, y, 0.1)
    state = {"lin1.weight": _Tensor(W1.T), "lin1.bias": _Tensor(b1), "lin2.weight": _Tensor(w2[None, :])}
    for network in (
        (W1, b1, w2),
        state,
        {**state, "lin2.bias": _Tensor([0.0])},
        _FittedMLP([W1, w2[:, None]], [b1, np.zeros(1)]),
    ):
        s = stationarity(network, X, y, 0.1, optimum=expected.optimum)
        assert (s.kind, s.objective, s.residual) == (expected.kind, expected.objective, expected.residual)
        assert s.gap == expected.gap
    for network, message in (
        ({**state, "lin2.bias": _Tensor([0.5])}, "network must have no output bias, got .0.5."),
        (_FittedMLP([W1, w2[:, None]], [b1, np.ones(1)]), "network must have no output bias"),
        (_FittedMLP([W1, w2[:, None]], [b1, np.zeros(1)], "tanh"), "network must have activation 'relu'"),
        (_FittedMLP([W1, W1, w2[:, None]], [b1, b1, np.zeros(1)]), "network must have two layers, got 3"),
        ({"a": np.eye(2)}, "network must have two matrices"),
        ("net", "network must be a TwoLayerNetwork or"),
        ((W1,), "network must be a TwoLayerNetwork or"),
    ):
        with pytest.raises(InputError, match=message):
            stationarity(network, X, y, 0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.ones((2, 3))}, "X must have the 2 columns that the network takes, got 3"),
        ({"y": [1.0]}, "y must have one entry for each of the 2 rows of X, got 1"),
        ({"network": ([[1.0], [np.nan]], [1.0])}, r"W1\[1, 0\] is nan"),
        ({"network": ([[1.0], [1.0]], [1.0, 2.0])}, "w2 must have one entry for each of the 1 columns of W1, got 2"),
        ({"network": VectorNetwork([[1.0], [1.0]], None, [[1.0, 2.0]])}, "network must be fully connected with one output"),
        ({"network": ([[1.0], [1.0]], [1.0], [1.0]), "bias": False}, "bias must be 'penalized' or 'free'"),
        ({"network": ([[1e200], [1.0]], [1e200])}, "network must have a finite objective on X and y, got inf"),
        ({"beta": 0.0}, "beta must be a positive finite number, got 0.0"),
        ({"beta": -1.0}, "beta must be a positive finite number"),
        ({"norm": np.inf}, "norm must be one of 2, 1"),
        ({"zero_tol": 1.0}, r"zero_tol must be a number in \[0, 1\), got 1.0"),
        ({"zero_tol": "auto"}, "zero_tol must be a number"),
        ({"tol": 0.0}, "tol must be a positive finite number"),
        ({"max_cells": 0}, "max_cells must be an integer of at least 1"),
        ({"loss": "hinge", "y": [0.0, 1.0]}, "the hinge loss takes labels"),
        ({"activation": 1.0}, "activation must be"),
    ],
)
def test_bad_arguments(arguments, message):
    given = {"network": CONCAVE, "X": X2, "y": Y2, "beta": BETA2, "compare": False, **arguments}
    with pytest.raises(InputError, match=message):
        stationarity(**given)


def test_an_optimum_of_another_problem_is_refused():
    optimum = train(X2, Y2, BETA2)
    assert stationarity(CONCAVE, X2, Y2, BETA2, optimum=optimum).optimum is optimum
    others = {"beta": 0.2, "y": [1.0, 2.0], "X": X2 + 1.0, "loss": "l2"}
    for name, other in others.items():
        with pytest.raises(InputError, match=f"optimum must be of the same problem: its {name} is another"):
            stationarity(CONCAVE, **{"X": X2, "y": Y2, "beta": BETA2, "optimum": optimum, name: other})
    some = solve_full(X2, Y2, BETA2, patterns=[[1, 1]])
    with pytest.raises(InputError, match="optimum must bound all networks"):
        stationarity(CONCAVE, X2, Y2, BETA2, optimum=some)


def test_high_rank_takes_the_bound_of_train_low_rank():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 12)) * 0.5 ** np.arange(12)
    y = rng.standard_normal(20)
    low = train_low_rank(X, y, 0.5, max_time=1.0)
    s = stationarity(low.network, X, y, 0.5, optimum=low)
    assert s.lower_bound == low.lower_bound
    assert s.gap == pytest.approx(low.gap)
    with pytest.raises(InputError, match="train_low_rank"):
        stationarity(low.network, X, y, 0.5)
    assert stationarity(low.network, X, y, 0.5, compare=False).gap is None


def test_it_prints():
    text = repr(stationarity(CONCAVE, X2, Y2, BETA2))
    assert text.startswith("Stationarity(Clarke stationary at a concave kink; at most 72.6 %")
    assert "objective 0.595" in text
    near = stationarity(([[W2], [-1e-5]], [W2]), X2, Y2, BETA2, compare=False)  # beside its kink: the gradient of one side
    assert near.kind is Kind.NOT_STATIONARY
    assert "the nearest pre-activation not called zero is at 1.05e-05: see zero_tol" in repr(near)
