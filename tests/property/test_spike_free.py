"""Spike-free data: the criterion against the definition, its proofs, and Theorem VII.1."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import topes
from checks import exact_data
from strategies import central
from topes import NotSpikeFree, reference

ENTRY = st.integers(-3, 3)


@st.composite
def spike_free_data(draw, most=4):
    """Rows that are positive multiples of independent directions with (BB')^-1 <= 0 off the diagonal; some rows zero.

    By the theorem these are all there are: the direction is turned until it holds, B = L^-1 for an L with LL' = M.
    """
    r = draw(st.integers(1, most))
    # M = D - N with N >= 0, dominated by its diagonal: positive definite, no positive entry off the diagonal.
    N = np.array(draw(st.lists(st.lists(st.integers(0, 2), min_size=r, max_size=r), min_size=r, max_size=r)))
    N = N + N.T
    np.fill_diagonal(N, 0)
    M = np.diag(N.sum(axis=1) + draw(st.integers(1, 3))) - N
    B = np.linalg.inv(np.linalg.cholesky(M))
    n = draw(st.integers(r, r + 2))
    E = np.zeros((n, r))
    for i in range(n):
        # Powers of two: the rows of one direction stay exactly parallel.
        E[i, i if i < r else draw(st.integers(0, r - 1))] = draw(st.sampled_from([1.0, 0.5, 4.0]))
    X = E @ B
    y = np.array(draw(st.lists(ENTRY.map(float), min_size=n, max_size=n)))
    return X, y


@given(
    central(
        kinds=["lattice", "fractions", "decimals", "nearly dependent", "big integers", "scaled"],
        shapes=((1, 3), (2, 3), (3, 3), (3, 4), (4, 4)),
    )
)
def test_the_criterion_is_the_definition(instance):
    result = topes.spike_free(instance.X, values=instance.values)
    assert result.spike_free == reference.is_spike_free(instance.X, values=instance.values)
    _check_proof(instance, result)


def test_an_inverse_in_doubles_of_more_than_they_hold():
    """Times 2^60 it was infinite, which was an OverflowError."""
    X = [[0.0, 1e-154, 0.0], [0.0, 1e-154, 5e-324], [0.0, 0.0, -5e-324]]
    assert topes.spike_free(X).spike_free == reference.is_spike_free(X)


@st.composite
def small_cones(draw):
    """Two or three rows with acute angles: both answers are frequent."""
    d = draw(st.integers(2, 4))
    n = draw(st.integers(1, 3))
    return np.array(draw(st.lists(st.lists(st.integers(-1, 3), min_size=d, max_size=d), min_size=n, max_size=n)))


@given(small_cones())
def test_the_criterion_is_the_definition_on_acute_rows(X):
    assert topes.spike_free(X).spike_free == reference.is_spike_free(X)


def _check_proof(instance, result):
    low, high = result.ratio
    assert low <= high
    if result:
        assert result.witness is None
        assert result.functional is None
        assert low == high == (1.0 if result.n_directions else 0.0)
        return
    rows, _ = exact_data(instance)
    heights = [sum((x * u for x, u in zip(row, result.witness, strict=True)), Fraction(0)) for row in rows]
    reach = sum((l * max(h, Fraction(0)) for l, h in zip(result.functional, heights, strict=True)), Fraction(0))
    across = [
        sum((l * row[j] for l, row in zip(result.functional, rows, strict=True)), Fraction(0))
        for j in range(instance.dimension)
    ]
    assert reach > 0
    assert reach**2 > sum(x * x for x in across) * sum(u * u for u in result.witness)
    assert low >= 1.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_no_direction_beats_the_bounds_on_the_ratio(seed, k):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((k, k + rng.integers(0, 3))) + rng.choice([0.0, 1.5])
    low, high = topes.spike_free(X).ratio
    U = rng.standard_normal((4000, X.shape[1])) @ (np.linalg.pinv(X) @ X).T  # what X does not see only lengthens u
    Z = np.maximum(U @ X.T, 0.0) @ np.linalg.pinv(X).T
    seen = np.linalg.norm(Z, axis=1) / np.linalg.norm(U, axis=1)
    assert seen.max() <= high * (1.0 + 1e-9)
    assert 1.0 <= low <= high < math.inf
    # The witness reaches what the lower bound says.
    result = topes.spike_free(X)
    if not result:
        u = result.witness.astype(float)
        z = np.linalg.pinv(X) @ np.maximum(X @ u, 0.0)
        assert np.linalg.norm(z) / np.linalg.norm(u) == pytest.approx(low, rel=1e-6)
    if k == 2 and not result:
        assert high == pytest.approx(low, rel=1e-9)  # of two rows both bounds are attained


@given(spike_free_data(), st.sampled_from(["squared", "logistic", "absolute"]))
def test_theorem_vii_1_spike_free_data_need_no_cells(problem, loss):
    X, y = problem
    if topes.losses.get_loss(loss).needs_labels:
        y = np.where(y > 0, 1.0, -1.0)
    result = topes.spike_free(X)
    assume(result.within(1e-9))  # rounding has put B near, not on, the data that hold exactly
    ours = topes.train_spike_free(X, y, 0.3, loss=loss)
    full = topes.solve_full(X, y, 0.3, loss=loss)
    scale = max(1e-3 * topes.losses.get_loss(loss).value(np.zeros(len(y)), y), abs(full.objective), 1e-9)
    assert ours.lower_bound <= full.objective + 1e-9 * scale
    assert abs(ours.objective - full.objective) <= 4e-6 * scale
    assert ours.status == topes.Status.CERTIFIED
    assert ours.n_neurons <= 2
    assert len(ours.patterns) == 1


@given(st.integers(0, 2**32 - 1))
def test_without_it_the_program_is_an_upper_bound_only(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((4, 5)), rng.standard_normal(4)
    value = float(topes.programs.spike_free(X, y, 0.1, check=False).problem.solve(solver="CLARABEL"))
    full = topes.solve_full(X, y, 0.1)
    assert value >= full.lower_bound * (1.0 - 1e-6)
    result = topes.spike_free(X)
    # Each atom is at most the ratio times one of (26), whose optimum is therefore at most the ratio times that of (7).
    assert value <= result.ratio[1] * full.objective * (1.0 + 1e-6)
    if not result:
        with pytest.raises(NotSpikeFree, match="witness u") as error:
            topes.train_spike_free(X, y, 0.1)
        assert not error.value.result


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0.01, 0.3, 2.0]))
def test_whitened_data_have_a_closed_form(seed, n, beta):
    rng = np.random.default_rng(seed)
    d = n + int(rng.integers(0, 3))
    scale = 10.0 ** rng.integers(-3, 4)
    U, _, V = np.linalg.svd(rng.standard_normal((n, d)), full_matrices=False)
    X, y = scale * (U @ V), rng.standard_normal(n)
    closed = topes.train_whitened(X, y, scale * beta)
    program = topes.train_spike_free(X, y, scale * beta)
    assert closed.status == topes.Status.CERTIFIED
    assert closed.gap <= 1e-9
    assert closed.lower_bound <= program.objective
    assert closed.objective <= program.objective * (1.0 + 1e-9) + 1e-12
    parts = [np.linalg.norm(np.maximum(y, 0.0)), np.linalg.norm(np.maximum(-y, 0.0))]
    value = sum(beta * s - beta**2 / 2 if s > beta else s**2 / 2 for s in parts)
    assert closed.objective == pytest.approx(value, rel=1e-12)
    assert closed.n_neurons == sum(s > beta for s in parts)
