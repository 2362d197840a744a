"""Rows a single unit in the last place from a coincidence are told apart, and exact coincidences are seen."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from checks import as_set
from topes import Arrangement, reference

SCALES = [1.0, 0.1, 3.0, 1e-300, 1e300, 2.0**-1060]


def _off(x, ulps=1):
    return math.nextafter(x, math.inf) if ulps > 0 else math.nextafter(x, -math.inf)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("ulps", [-1, 1])
def test_two_rows_one_ulp_from_parallel(scale, d, ulps):
    v = np.array([1.0, 3.0, 5.0, 7.0, 9.0][:d]) * scale
    nearly = v.copy()
    nearly[-1] = _off(v[-1], ulps)
    assert as_set(Arrangement(np.array([v, v])).sign_vectors()) == {(1, 1), (-1, -1)}
    found = as_set(Arrangement(np.array([v, nearly])).sign_vectors())
    assert found == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


@pytest.mark.parametrize("scale", [1.0, 2.0**-500, 2.0**500])
@pytest.mark.parametrize("factor", [2.0, -4.0, 0.5])
def test_an_exact_multiple_is_parallel_and_its_neighbour_is_not(scale, factor):
    v = np.array([0.1, 0.7, -0.3]) * scale
    assert Arrangement(np.array([v, factor * v])).count() == 2
    nearly = factor * v
    nearly[1] = _off(nearly[1])
    assert Arrangement(np.array([v, nearly])).count() == 4


def test_three_tenths_is_not_three_times_a_tenth_in_binary_but_is_in_decimal():
    X = [[0.1, 1.0], [0.3, 3.0]]
    assert Arrangement(X).count() == 4
    assert Arrangement(X, values="decimal").count() == 2


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("ulps", [-1, 1])
@pytest.mark.parametrize("scale", [1.0, 2.0**-1000, 2.0**900])
def test_three_planes_one_ulp_from_a_common_line(at, ulps, scale):
    """u, v, u + v share a line: 6 cells; off it they have rank 3: 8 cells. A fourth plane doubles the 6, or makes 14."""
    u, v, across = np.array([[1.0, 2.0, 4.0], [3.0, -1.0, 0.5], [0.0, 7.0, -2.0]]) * scale
    pencil = np.array([u, v, u + v])
    nearly = pencil.copy()
    nearly[2, at] = _off(nearly[2, at], ulps)
    assert Arrangement(pencil).count() == 6
    assert Arrangement(np.vstack([pencil, across])).count() == 12
    assert Arrangement(nearly).count() == 8
    assert Arrangement(np.vstack([nearly, across])).count() == 14


@pytest.mark.parametrize("k", [5, 9, 17])
def test_one_line_of_a_pencil_one_ulp_off(k):
    """k planes (cos, sin, 0) share an axis: 2k cells; one that leans cuts all but one of k - 1 other lines' places."""
    angles = np.arange(k) * math.pi / k + 0.1
    X = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(k)])
    assert Arrangement(X).count() == 2 * k
    X[-1, 2] = 5e-324  # the smallest double
    # Generic against a pencil of k - 1: deletion and restriction, 2 (k - 1) + 2 (k - 1) where it crosses them.
    assert Arrangement(X).count() == 4 * (k - 1)


@pytest.mark.parametrize("ulps", [-1, 0, 1])
def test_an_affine_line_one_ulp_from_a_crossing(ulps):
    """x = 1/10, y = 2/10 and x + y = c: 6 cells when all meet, 7 when a triangle opens, of any size."""
    x, y = 0.1, 0.2
    exact = Fraction(x) + Fraction(y)  # no double: 0.1 + 0.2 rounds up
    assert Fraction(x + y) > exact
    X = [[1, 0], [0, 1], [1, 1]]
    b = [Fraction(x), Fraction(y), exact]
    if ulps == 0:
        assert Arrangement(X, b).count() == 6
        assert Arrangement(X, [0.1, 0.2, 0.3], values="decimal").count() == 6
        return
    A = Arrangement(X, [x, y, x + y if ulps > 0 else _off(x + y, -1)])
    assert A.count() == 7
    triangle = {(1, 1, -1), (-1, -1, 1)} & as_set(A.sign_vectors())
    assert triangle == {(1, 1, -1) if ulps > 0 else (-1, -1, 1)}


@pytest.mark.parametrize("k", [10, 40, 80, 200, 700])
def test_consecutive_fibonacci_numbers_are_as_near_to_parallel_as_integers_can_be(k):
    """F(k) F(k+3) - F(k+1) F(k+2) = +-1, while the products have 1.4 k bits."""
    f = [0, 1]
    while len(f) < k + 4:
        f.append(f[-1] + f[-2])
    X = [[f[k], f[k + 1]], [f[k + 2], f[k + 3]]]
    assert as_set(Arrangement(X).sign_vectors()) == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    between = Arrangement(X).locate([f[k + 1] + f[k + 3], -f[k] - f[k + 2]])
    assert between.tolist() == [[1 if k % 2 else -1, -1 if k % 2 else 1]]


@pytest.mark.parametrize("seed", range(8))
def test_determinants_that_cancel_to_the_last_bit(seed):
    """Rows of 53-bit integers in a lattice plane, then one entry off by one: the twin decides, and so must the core."""
    rng = np.random.default_rng(seed)
    u, v = rng.integers(-(2**25), 2**25, size=(2, 3))
    coefficients = rng.integers(-(2**25), 2**25, size=(4, 2))
    X = (coefficients @ np.array([u, v])).astype(float)
    assert Arrangement(X).rank == 2
    assert Arrangement(X).count() == 8
    X[rng.integers(4), rng.integers(3)] += 1.0
    expected = reference.sign_vectors(X)
    assert len(expected) > 8
    assert as_set(Arrangement(X).sign_vectors()) == expected
