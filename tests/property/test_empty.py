"""The gradient of the loss at the network without neurons: a dual point that nothing but a price may rule out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from topes.losses import get_loss, loss_names
from topes.training.empty import empty_dual


def least_of_constants(loss, y):
    """The smallest loss of outputs that are all alike; of one column."""
    n_up, n_down = int(np.sum(y > 0)), int(np.sum(y < 0))
    log_ratio = np.log(n_up / n_down) if n_up and n_down else 800.0 * (n_up - n_down)
    low, high = float(y.min()) - 1e-9, float(y.max()) + 1e-9
    search = minimize_scalar(lambda c: loss.value(np.full_like(y, c), y), bounds=(low, high), method="bounded")
    candidates = [0.0, y.mean(), *y, search.x, *([log_ratio] if loss.needs_labels else [])]
    return min(loss.value(np.full_like(y, c), y) for c in candidates)


@pytest.mark.parametrize("name", loss_names())
@given(st.data())
def test_with_a_free_bias_it_proves_the_best_constants(name, data):
    """Entries that sum to zero and a conjugate at -v that is the least loss: strong duality of a network without weights."""
    loss = get_loss(name)
    size = 1.0 if loss.needs_labels else data.draw(st.sampled_from([1e-6, 1.0, 1e6]))
    outputs, n = data.draw(st.sampled_from([None, 1, 2])), data.draw(st.integers(1, 6))
    numbers = st.sampled_from([-1.0, 1.0]) if loss.needs_labels else st.integers(-30, 30).map(lambda k: size * k / 10)
    shape = (n,) if outputs is None else (n, outputs)
    y = np.array(data.draw(st.lists(numbers, min_size=n * (outputs or 1), max_size=n * (outputs or 1)))).reshape(shape)
    v = empty_dual(loss, y, free=True)
    assert v.shape == shape
    assert np.abs(v.sum(axis=0)).max() <= 1e-12 * n * max(size, 1.0)
    assert loss.in_domain(v.ravel(), y.ravel())
    if name == "l2":
        best = min(loss.value(np.broadcast_to(c, shape).ravel(), y.ravel()) for c in (y.mean(axis=0), *y))
    else:
        best = sum(least_of_constants(loss, column) for column in y.reshape(n, -1).T)
    assert -loss.conjugate(v.ravel(), y.ravel()) == pytest.approx(best, rel=1e-9, abs=1e-9 * min(size, size**2))


@pytest.mark.parametrize("name", loss_names())
def test_without_one_it_is_the_gradient_at_zero(name):
    loss, y = get_loss(name), np.array([[1.0, -1.0], [-1.0, -1.0]])
    assert np.array_equal(empty_dual(loss, y, free=False).ravel(), loss.gradient(np.zeros(4), y.ravel()))
    assert empty_dual(loss, np.zeros(0), free=True).shape == (0,)


def test_samples_on_a_kink_have_the_same_share():
    assert empty_dual(get_loss("hinge"), np.array([1.0, 1.0, 1.0, -1.0]), free=True) == pytest.approx([-1 / 3] * 3 + [1.0])
    assert empty_dual(get_loss("absolute"), np.array([0.0, 7.0, 7.0, 9.0, 1e300]), free=True) == pytest.approx(
        [1.0, 0.5, 0.5, -1.0, -1.0]
    )


@pytest.mark.parametrize("name", ["squared", "l2", "absolute", "huber"])
def test_targets_that_are_all_alike_leave_no_slope(name):
    """The mean of three times 0.1 is not 0.1, and the l2 loss had a gradient of norm 1 there."""
    assert np.abs(empty_dual(get_loss(name), np.full(3, 0.1), free=True)).max() <= 1e-15
