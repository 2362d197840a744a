"""Descent in the core against its twin in numpy, and what must hold where it stops."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import reference
from topes.activation import phi
from topes.losses import get_loss
from topes.losses.smoothed import HalfHuberLoss
from topes.pricing.oracle import Pricer
from topes.training.descent import Descent

BIASES_OF_DESCENT = [False, "free"]  # a penalised bias is one more column
SMOOTH = ["squared", "l2", "huber", "logistic", "squared_hinge", HalfHuberLoss()]


def begun(kind, pricer, y, beta, loss, seed, m):
    """A descent with m blocks at random, the same for each kind."""
    rng = np.random.default_rng(seed)
    U, signs = rng.standard_normal((pricer.data.shape[1], m)), np.where(rng.random(m) < 0.5, 1.0, -1.0)
    descent = kind(pricer, y, beta, get_loss(loss))
    descent.enter(U, signs)
    return descent


def objective(descent, pricer, y, beta, loss):
    return descent.blocks().objective(pricer, y, beta, get_loss(loss))


def least_slope(descent, pricer, y, beta, loss, rng):
    """The least one-sided slope of the objective over many directions of each block."""
    blocks = descent.blocks()
    v = pricer.spread(get_loss(loss).gradient(blocks.outputs(pricer), y)) / pricer.pool
    H = pricer.data @ blocks.columns
    size = np.linalg.norm(pricer.data, axis=1)
    least = 0.0
    for j, (u, sign) in enumerate(zip(blocks.columns.T, blocks.signs, strict=True)):
        counted = np.append(u[:-1], 0.0) if pricer.bias == "free" else u
        toward = np.linalg.svd(np.vstack([np.atleast_2d(pricer.reference), np.eye(len(u))]))[2]
        D = np.vstack([rng.standard_normal((200, len(u))), toward, -toward, u, -u, pricer.reference, -pricer.reference])
        D /= np.linalg.norm(D, axis=1, keepdims=True)
        slopes = pricer.data @ D.T
        on = np.abs(H[:, j]) <= 1e-9 * size * np.linalg.norm(u)
        bent = np.where(on[:, None], phi(slopes, pricer.kappa), np.where(H[:, j] > 0.0, 1.0, pricer.kappa)[:, None] * slopes)
        change = sign * (v @ bent) + beta * (D @ counted) / np.linalg.norm(counted)
        least = min(least, float(change.min()))
    return least


@pytest.mark.parametrize("loss", SMOOTH)
def test_the_core_and_its_twin_come_to_the_same_stationary_points(loss):
    same = []
    for seed, bias, pool in product(range(6), BIASES_OF_DESCENT, (1, 3)):
        rng = np.random.default_rng(seed)
        n, d, kappa = 40, 2 + seed % 3, [0.0, -0.3, 0.5, -1.0][seed % 4]
        X = rng.standard_normal((n * pool, d))
        y = Pricer(X, pool=pool).pooled(np.maximum(X @ rng.standard_normal((d, 3)), 0.0)) @ np.array([3.0, -2.0, 1.0])
        y = np.where(y > np.median(y), 1.0, -1.0) if get_loss(loss).needs_labels else y + 0.3 * rng.standard_normal(n)
        pricer, beta = Pricer(X, activation=kappa, bias=bias, pool=pool), 0.05 if seed % 2 else 0.005
        values = []
        for kind in (Descent, reference.Descent):
            descent = begun(kind, pricer, y, beta, loss, seed, 6)
            before = descent.value()
            descent.minimise(1e-9)
            values.append(descent.value())
            assert descent.value() == pytest.approx(objective(descent, pricer, y, beta, loss), rel=1e-10)
            assert descent.value() <= before * (1.0 + 1e-12)
            # Roundings of the value, 1e-16 of it, hide slopes of the root of that.
            assert least_slope(descent, pricer, y, beta, loss, rng) >= -1e-6 * beta - 1e-7 * values[-1]
        same.append(abs(values[0] - values[1]) <= 1e-9 * values[1])
    # On a tie roundings choose the way, and another way may end in another minimum.
    assert np.mean(same) >= 0.8, same


@given(st.data(), st.sampled_from(SMOOTH), KAPPAS, BIASES, st.sampled_from([0.05, 1.0]), st.integers(0, 99))
def test_lengths_are_those_of_the_twin_and_steps_only_descend(draw, loss, kappa, bias, beta, seed):
    X, y = draw.draw(data(loss))
    pricer = Pricer(X, activation=kappa, bias=bias)
    fast, slow = (begun(kind, pricer, y, beta, loss, seed, 3) for kind in (Descent, reference.Descent))
    before = fast.value()
    assert before == pytest.approx(slow.value(), rel=1e-12, abs=1e-12)
    scale = before + get_loss(loss).value(np.zeros_like(y), y)
    fast.deadline = slow.deadline = time.perf_counter()  # no time for steps: lengths are chosen, blocks of one cell merged
    fast.minimise(0.0)
    slow.minimise(0.0)
    chosen = fast.value()
    assert chosen <= before + 1e-12 * scale
    if loss == "squared":  # one quadratic problem; else a few models of it, which roundings lead elsewhere where it is flat
        assert chosen == pytest.approx(slow.value(), rel=1e-6, abs=1e-6 * scale)
    fast.deadline = np.inf
    fast.minimise(1e-9)
    assert fast.value() <= chosen + 1e-12 * scale
    assert fast.value() == pytest.approx(objective(fast, pricer, y, beta, loss), rel=1e-9, abs=1e-12 * scale)


def test_no_time_is_no_steps():
    rng = np.random.default_rng(0)
    pricer = Pricer(rng.standard_normal((200, 3)))
    descent = begun(Descent, pricer, rng.standard_normal(200), 0.1, "squared", 0, 20)
    descent.deadline = 0.0
    begin = time.perf_counter()
    descent.minimise(1e-12)
    assert len(descent) > 0
    assert time.perf_counter() - begin < 5.0


