"""Theorem II.1: the network read off the convex optimum attains it, with balanced layers and at most n neurons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import KAPPAS, NORMS, data
from topes import TwoLayerNetwork, solve_full, stationarity, train
from topes.losses import get_loss, loss_names
from topes.programs import scalar_output
from topes.theory import Kind

FEW = settings(max_examples=max(10, settings().max_examples // 5))


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, st.sampled_from([False, "penalized"]), NORMS, st.booleans())
def test_the_network_attains_the_convex_optimum(draw, loss, kappa, bias, norm, full):
    X, y = draw.draw(data(loss))
    s = (solve_full if full else train)(X, y, 0.2, loss=loss, activation=kappa, bias=bias, norm=norm)
    empty = get_loss(loss).value(np.zeros_like(y), y)
    assert s.objective == pytest.approx(s.convex_objective, rel=1e-5, abs=1e-6 * max(empty, 1e-3))
    assert s.n_neurons <= len(X)
    W = s.network.W1 if s.network.b1 is None else np.vstack([s.network.W1, s.network.b1])
    assert np.linalg.norm(W, ord=norm, axis=0) == pytest.approx(np.abs(s.network.w2), rel=1e-9, abs=1e-12)
    # Any width m >= m* attains it: neurons that are zero cost nothing.
    wider = TwoLayerNetwork(
        np.hstack([s.network.W1, np.zeros((len(s.network.W1), 3))]),
        None if s.network.b1 is None else np.append(s.network.b1, np.zeros(3)),
        np.append(s.network.w2, np.zeros(3)),
        kappa,
    )
    assert wider.objective(X, y, 0.2, loss=loss, norm=norm) == pytest.approx(s.objective, rel=1e-14, abs=1e-300)


def test_the_minimum_norm_solution_is_far_from_the_smallest():
    # errata 6: X = +-e_i, y = 1. An interior-point solution has all 8 blocks, more than n + 1 = 7; two neurons are enough.
    X, y = np.vstack([np.eye(3), -np.eye(3)]), np.ones(6)
    program = scalar_output(X, y, 0.1)
    value = float(program.problem.solve(solver="CLARABEL"))
    used = sum(np.count_nonzero(np.linalg.norm(w.value, axis=0) > 1e-5) for w in (program.positive, program.negative))
    s = train(X, y, 0.1)
    assert used == 8
    assert s.n_neurons == 2
    assert s.objective == pytest.approx(value, rel=1e-6)


def test_one_neuron_fewer_than_the_smallest_network_is_not_enough():
    # Two opposite samples: m* = 2. The best of one neuron is stationary, the optimum of its pattern, and above p*.
    X, y = np.array([[1.0], [-1.0]]), np.array([2.0, 2.0])
    s = train(X, y, 0.5)
    assert s.n_neurons == 2
    assert s.objective == pytest.approx(1.75)
    one = stationarity(([[1.5**0.5]], [1.5**0.5]), X, y, 0.5, optimum=s)
    assert (one.kind, one.objective) == (Kind.LOCAL, pytest.approx(2.875))
