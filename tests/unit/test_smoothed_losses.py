"""Losses with their kinks rounded off: what their file says of them, and training by them against the conic program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topes
from topes.losses import get_loss
from topes.losses.smoothed import SMOOTHED
from topes.training import loop

NUMBERS = st.floats(-5.0, 5.0)
WIDTHS = st.sampled_from([1e-3, 0.1, 1.0, 3.0])


@pytest.mark.parametrize("name", SMOOTHED)
@given(f=NUMBERS, y=NUMBERS, v=NUMBERS, width=WIDTHS)
def test_it_is_the_envelope(name, f, y, v, width):
    loss, rounded = get_loss(name), SMOOTHED[name]
    if loss.needs_labels:
        y = 1.0 if y > 0.0 else -1.0
    F, Y = np.array([f]), np.array([y])
    value = width * rounded.value(F / width, Y / width)
    assert loss.value(F, Y) - 0.5 * width <= value + 1e-12
    assert value <= loss.value(F, Y) + 1e-12
    points = np.append(np.linspace(-8.0, 8.0, 2001), y)
    by_hand = min(loss.value(np.array([g]), Y) + (f - g) ** 2 / (2.0 * width) for g in points)
    assert value <= by_hand + 1e-12
    assert by_hand - value <= 0.008**2 / width + 0.008  # a step of the grid beside the best g
    slope = rounded.gradient(F / width, Y / width)
    assert slope == pytest.approx(loss.project_dual((F - Y) / width, Y), abs=1e-12)
    # Fenchel and Young: never below, and equal at the gradient
    V = np.array([v])
    assert rounded.value(F, Y) + rounded.conjugate(V, Y) >= float(F @ V) - 1e-9
    slope = rounded.gradient(F, Y)
    assert rounded.value(F, Y) + rounded.conjugate(slope, Y) == pytest.approx(float(F @ slope), abs=1e-9)


@pytest.mark.parametrize("name", SMOOTHED)
def test_the_expression_has_its_value(name):
    f, y = np.linspace(-3.0, 3.0, 13), np.resize([1.0, -1.0], 13)
    rounded = SMOOTHED[name]
    assert float(rounded.expression(f, y).value) == pytest.approx(rounded.value(f, y), rel=1e-9)


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
@pytest.mark.parametrize("name", SMOOTHED)
def test_the_same_optimum_as_the_conic_program_alone(name, bias, monkeypatch):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((60, 2))
    y = np.abs(X[:, 0]) - 0.5 + 0.3 * rng.standard_normal(60)
    y = np.sign(y) if get_loss(name).needs_labels else y
    for tol in (1e-3, 1e-6, 1e-8):
        found = topes.train(X, y, 0.3, loss=name, bias=bias, tol=tol)
        assert found.status is topes.Status.CERTIFIED
        assert found.gap <= tol
    with monkeypatch.context() as patch:
        patch.setattr(loop, "is_smoothed", lambda judge: False)
        alone = topes.train(X, y, 0.3, loss=name, bias=bias, tol=1e-8)
    assert alone.status is topes.Status.CERTIFIED
    assert found.objective == pytest.approx(alone.objective, rel=2e-8)


def test_a_thousand_samples_on_their_kinks():
    """The conic program alone was at a gap of 0.28 after sixty seconds."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 3))
    y = np.maximum(X @ rng.standard_normal((3, 5)), 0.0) @ rng.standard_normal(5) + 0.1 * rng.standard_normal(1000)
    solution = topes.train(X, y, 1.0, loss="absolute", tol=1e-4)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.objective == pytest.approx(84.14385, rel=1e-4)
