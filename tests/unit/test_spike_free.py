"""Spike-free data by hand, bad input, and what the result says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import topes
from topes import InputError, NotSpikeFree, reference, spike_free
from topes.programs import spike_free as program


@pytest.mark.parametrize(
    "X",
    [
        np.eye(3),
        np.eye(3)[[0, 0, 2]] * [[1], [5], [2]],  # positive multiples
        [[1, 2], [2, 4], [0, 0]],  # one direction
        [[3, 4]],
        [[1, 0], [1, 1]],  # an acute angle
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]],  # (XX')^-1 has three diagonals, with a zero in the corner: decided exactly
        np.zeros((2, 3)),
        np.zeros((0, 3)),
        np.zeros((2, 0)),
        [[2.0**-1070, 0.0], [0.0, 2.0**1000]],
    ],
)
def test_data_that_are(X):
    result = spike_free(X)
    assert result
    assert result.ratio == (1.0, 1.0) if result.n_directions else (0.0, 0.0)
    assert result.witness is result.functional is None
    assert result.within(1e-300)
    assert repr(result).startswith("SpikeFree(True: ")


@pytest.mark.parametrize(
    ("X", "ratio"),
    [
        ([[1], [-1]], math.inf),  # opposite rows
        ([[1, 0], [0, 1], [1, 1]], math.inf),
        ([[1, 2, 0], [2, 4, 0], [1, 0, 0], [0, 1, 0]], math.inf),
        ([[1, 0], [-1, 1]], math.sqrt(2)),  # an obtuse angle of 135 degrees: 1 / sin
        ([[1, 0], [-1, Fraction(1, 10**12)]], 1e12),
        ([[1, 0, 0, 1], [0, 1, 0, -1]], 2 / math.sqrt(3)),
    ],
)
def test_data_that_are_not(X, ratio):
    result = spike_free(X)
    assert not result
    assert result.ratio[0] == pytest.approx(ratio, rel=1e-9)
    assert result.ratio[1] >= ratio * (1 - 1e-12)
    assert not result.within(0.1)
    if math.isfinite(ratio) and ratio < 1e6:
        assert result.ratio[1] == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("digits", [10, 30, 60, 200])  # by doubles, 128 bits, 512 bits, elimination
def test_one_part_in_many_digits_decides(digits):
    tiny = Fraction(1, 10**digits)
    assert spike_free([[1, 1], [1, tiny - 1]])
    result = spike_free([[1, 1], [1, -tiny - 1]])
    assert not result
    assert result.within(1e-12)  # but the ratio is 1 + 10^-20 / 2 or less
    X = np.array([[Fraction(1), Fraction(1)], [Fraction(1), -tiny - 1]], dtype=object)
    heights = [max(sum(x * u for x, u in zip(row, result.witness, strict=True)), 0) for row in X]
    across = [sum(l * row[j] for l, row in zip(result.functional, X, strict=True)) for j in range(2)]
    reach = sum(l * h for l, h in zip(result.functional, heights, strict=True))
    assert reach**2 > sum(x * x for x in across) * sum(u * u for u in result.witness)


def test_decimals_are_read_as_such():
    X = [[0.3, 0.1], [0.6, 0.2], [0.9, 0.3], [-0.1, 0.3]]  # three multiples of (3, 1), and a row orthogonal to it
    assert spike_free(X, values="decimal")
    assert not spike_free(X)


def test_many_rows_are_decided_at_once():
    rng = np.random.default_rng(0)
    assert spike_free(rng.standard_normal((5000, 40))).ratio == (math.inf, math.inf)
    X = np.linalg.qr(rng.standard_normal((120, 80)))[0].T
    result = spike_free(X)
    assert result.within(1e-12)
    assert spike_free(rng.integers(1, 9, size=(300, 1)) * np.ones((1, 4), dtype=np.int64))


@pytest.mark.parametrize(
    ("X", "message"),
    [([1, 2], "X must have 2 dimensions"), ([[1, math.nan]], "X"), ([[1j]], "X"), ([["a"]], "X"), ([[1], [1, 2]], "X")],
)
def test_bad_data_are_named(X, message):
    with pytest.raises(InputError, match=message):
        spike_free(X)


def test_the_program_names_the_witness():
    with pytest.raises(NotSpikeFree, match=r"rows 0 and 1.*witness u = \[\d") as error:
        program([[1, 0], [-1, 1]], [1, 2], 0.1)
    assert not error.value.result
    assert isinstance(error.value, InputError)
    unchecked = program([[1, 0], [-1, 1]], [1, 2], 0.1, check=False)
    assert unchecked.problem.is_dcp()
    assert "norm" in str(unchecked.problem)
    with pytest.raises(NotSpikeFree):
        topes.train_spike_free([[1], [-1]], [1, 2], 0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 0], [0, 1]], [1], 0.1), "y must have one entry"),
        (([[1, 0], [0, 1]], [1, 2], 0.0), "beta must be"),
        (([[1, 0], [0, 1]], [1, math.inf], 0.1), r"y\[1\] is inf"),
    ],
)
@pytest.mark.parametrize("function", [program, topes.train_spike_free, topes.train_whitened])
def test_bad_problems_are_named(function, arguments, message):
    with pytest.raises(InputError, match=message):
        function(*arguments)


@pytest.mark.parametrize("X", [[[1, 0], [1, 1]], [[1, 0], [0, 2]], np.zeros((2, 2)), [[1], [1]]])
def test_the_closed_form_needs_whitened_data(X):
    with pytest.raises(InputError, match="X must be whitened"):
        topes.train_whitened(X, [1, 2], 0.1)


def test_nothing_to_fit():
    zero = topes.train_whitened(np.eye(3), [0, 0, 0], 0.5)
    assert (zero.objective, zero.n_neurons, zero.gap) == (0.0, 0, 0.0)
    assert topes.train_spike_free(np.zeros((2, 2)), [1, 2], 0.5).objective == 2.5


def horn(corner):
    """The Horn matrix, copositive but no sum of a positive semidefinite and a non-negative one, with another corner."""
    row = [1, -1, 1, 1, -1]
    A = [[Fraction(row[(j - i) % 5]) for j in range(5)] for i in range(5)]
    A[0][0] = corner
    return [tuple(each) for each in A]


def test_the_twin_knows_copositive_matrices():
    assert reference.is_copositive(horn(Fraction(1)))
    assert not reference.is_copositive(horn(Fraction(1) - Fraction(1, 1000)))
    rng = np.random.default_rng(0)
    answers = set()
    for _ in range(200):
        A = rng.integers(-2, 4, size=(3, 3))
        A = A + A.T
        # The least value over the simplex, on a grid: a certificate of "no", and nearly one of "yes".
        a, b = (g.ravel() for g in np.meshgrid(np.linspace(0, 1, 61), np.linspace(0, 1, 61)))
        points = np.stack([a, b, 1 - a - b], axis=1)[a + b <= 1 + 1e-12]
        least = np.einsum("ki,ij,kj->k", points, A, points).min()
        answer = reference.is_copositive([tuple(map(Fraction, row.tolist())) for row in A])
        answers.add(answer)
        if least < -1e-9:
            assert not answer
        elif least > 0.02:
            assert answer
    assert answers == {True, False}
