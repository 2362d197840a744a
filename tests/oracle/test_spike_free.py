"""Problem (26) against the full program: whitened and generic instances, and data whose optimum is known."""

from __future__ import annotations

import numpy as np
import pytest

import topes


def instance():
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, 6)), rng.standard_normal(4)


def whitened(X):
    U, _, V = np.linalg.svd(X, full_matrices=False)
    return U @ V


def test_whitened_data_need_one_cell():
    X, y = whitened(instance()[0]), instance()[1]
    full = topes.solve_full(X, y, 0.1)
    ours = topes.train_spike_free(X, y, 0.1)
    by_pricing = topes.train(X, y, 0.1)
    closed = topes.train_whitened(X, y, 0.1)
    for s in (full, ours, by_pricing, closed):
        assert s.status == topes.Status.CERTIFIED
        assert s.objective == pytest.approx(0.1992565, abs=5e-8)
    assert len(full.patterns) == 16


def test_a_leak_breaks_it():
    """(26) has no slope in it: at 0.2 the network reaches less."""
    X, y = whitened(instance()[0]), instance()[1]
    assert topes.solve_full(X, y, 0.1, activation=0.2).objective == pytest.approx(0.1955775, abs=5e-8)


def test_wide_data_that_are_not_spike_free():
    X, y = instance()
    assert not topes.spike_free(X)
    value = float(topes.programs.spike_free(X, y, 0.1, check=False).problem.solve(solver="CLARABEL"))
    assert value == pytest.approx(0.164563, abs=5e-7)
    assert topes.solve_full(X, y, 0.1).objective == pytest.approx(0.158614, abs=5e-7)
    # The proof that the optimum of (26) is above that of the network.
    assert topes.train(X, y, 0.1).objective < value - 5e-3


def test_rank_fifty_is_certified_without_cells():
    """2^50 cells, beyond any enumeration and the pricing search."""
    rng = np.random.default_rng(1)
    X, y = whitened(rng.standard_normal((50, 60))), rng.standard_normal(50)
    closed, program = topes.train_whitened(X, y, 0.3), topes.train_spike_free(X, y, 0.3)
    assert closed.status == program.status == topes.Status.CERTIFIED
    parts = [np.linalg.norm(np.maximum(y, 0.0)), np.linalg.norm(np.maximum(-y, 0.0))]
    assert closed.objective == pytest.approx(sum(0.3 * s - 0.045 for s in parts), rel=1e-12)
    assert program.objective == pytest.approx(closed.objective, rel=1e-6)


def test_no_other_training_does_better():
    """Local training of a wide network comes no lower than the bound, on data with repeated and scaled directions."""
    X = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.5, 0.5, 0.0], [3.0, 3.0, 3.0], [0.0, 0.0, 0.0]])
    y = np.array([1.0, -1.0, 2.0, 1.0, -3.0, 0.7])
    assert topes.spike_free(X)
    ours = topes.train_spike_free(X, y, 0.2)
    assert ours.status == topes.Status.CERTIFIED
    rng = np.random.default_rng(2)
    W, w = 0.5 * rng.standard_normal((3, 30)), 0.5 * rng.standard_normal(30)
    best = np.inf
    for step in range(4000):
        Z = X @ W
        H = np.maximum(Z, 0.0)
        error = H @ w - y
        best = min(best, 0.5 * error @ error + 0.1 * (np.sum(W * W) + w @ w))
        rate = 0.02 / (1.0 + step / 1000.0)
        W, w = W - rate * (X.T @ (np.outer(error, w) * (Z > 0.0)) + 0.2 * W), w - rate * (H.T @ error + 0.2 * w)
    assert best >= ours.lower_bound
    assert best <= ours.objective * 1.05
