"""A second opinion on a `Solution`: everything it claims, recomputed from the data, the weights and the dual point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from topes import Solution
from topes.losses import get_loss


def check_solution(solution: Solution, X, y, beta, *, loss="squared", kappa=0.0, bias=False, norm=2) -> None:
    """Objective by scalar arithmetic, bound from the dual point, dual feasibility at many directions, width."""
    net = solution.network
    n, d = X.shape
    assert net.W1.shape == (d, solution.n_neurons)
    assert (net.b1 is None) == (bias is False)
    assert solution.n_neurons <= n

    outputs = []
    for x in X:
        total = 0.0
        for j in range(solution.n_neurons):
            h = sum(x[k] * net.W1[k, j] for k in range(d)) + (0.0 if net.b1 is None else net.b1[j])
            total += net.w2[j] * (h if h >= 0 else kappa * h)
        outputs.append(total)
    penalty = 0.0
    for j in range(solution.n_neurons):
        weights = [*net.W1[:, j], *([net.b1[j]] if bias == "penalized" else [])]
        size = (
            max((abs(w) for w in weights), default=0.0)
            if norm == np.inf
            else sum(abs(w) ** norm for w in weights) ** (1 / norm)
        )
        penalty += size**2 + net.w2[j] ** 2
    objective = get_loss(loss).value(np.array(outputs), y) + 0.5 * beta * penalty
    assert solution.objective == pytest.approx(objective, rel=1e-12, abs=1e-14)

    v = solution.dual
    assert solution.lower_bound <= -get_loss(loss).conjugate(v, y) + 1e-12
    assert solution.lower_bound <= solution.objective * (1 + 1e-12) + 1e-12
    scale = max(abs(solution.objective), 1e-3 * get_loss(loss).value(np.zeros(n), y), 1e-300)
    assert solution.gap == pytest.approx((solution.objective - solution.lower_bound) / scale)

    # No direction prices above beta: rows, their sums and random ones, all of unit p-norm without a free bias coordinate.
    data = X if bias is False else np.hstack([X, np.ones((n, 1))])
    rng = np.random.default_rng(0)
    directions = np.vstack(
        [data, -data, data + data[::-1], net_directions(net, bias), rng.standard_normal((200, data.shape[1]))]
    )
    for u in directions:
        size = np.linalg.norm(u[:-1] if bias == "free" else u, ord=norm)
        if size <= 1e-6 * np.linalg.norm(u):
            continue
        h = data @ u / size
        rounding = 4e-16 * (n + 4) * float(np.abs(v) @ np.abs(h)) * max(1.0, abs(kappa))
        assert abs(math.fsum(v * np.where(h >= 0, h, kappa * h))) <= beta * (1 + 1e-12) + rounding
    if bias == "free" and n:
        assert abs(math.fsum(v)) <= 1e-12


def net_directions(net, bias):
    """The neurons' own directions: where the price is beta at an optimum."""
    return (net.W1 if bias is False else np.vstack([net.W1, net.b1])).T
