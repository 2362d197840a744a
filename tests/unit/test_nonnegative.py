"""Nonnegative least squares: the minimum also where scipy's `nnls` returns another point."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from topes._support.nonnegative import nonnegative_least_squares


def is_least(A, b, x):
    slope = A.T @ (A @ x - b)
    room = 1e-9 * (1.0 + np.linalg.norm(A, axis=0) * np.linalg.norm(b))
    return np.all(x >= 0.0) and np.all(slope >= -room) and np.all(np.abs(slope[x > 0.0]) <= room[x > 0.0])


@given(st.integers(1, 5), st.integers(0, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_no_slope_leads_down_on_small_integers(m, n, seed, convex):
    """Repeated, opposite and dependent columns; as asked for the nearest point of a convex hull, or any right side."""
    rng = np.random.default_rng(seed)
    A, b = rng.integers(-1, 2, (m, n)).astype(float), rng.integers(-2, 3, m).astype(float)
    if convex:
        A, b = np.vstack([A, np.ones(n)]), np.append(np.zeros(m), 1.0)
    assert is_least(A, b, nonnegative_least_squares(A, b))


def test_the_nearest_point_of_a_zonotope_with_repeated_vertices():
    """scipy 1.17 returned a point of norm 1.22 with a residual of 0; the nearest one has norm 0.5."""
    rows = np.array([[0, 0, 1], [1, 0, 0], [1, 0, 1], [0, 1, 0]], dtype=float)
    points = []
    for ends in product([-1.0, 1.0], repeat=2):
        for on in product([0.0, 1.0], repeat=4):
            v = np.array([-1.0, -1.0, *ends])
            points.append(np.append(-2.0 * rows.T @ (np.array(on) * v), -0.5))
    A = np.vstack([np.array(points).T, np.ones(len(points))])
    mu = nonnegative_least_squares(A, np.append(np.zeros(4), 1.0))
    assert np.linalg.norm((mu / mu.sum()) @ np.array(points)) < 0.5 + 1e-9
