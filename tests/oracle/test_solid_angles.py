"""Solid angles that are known: orthants, polygons, reflection groups; and answers of other programs."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import topes
from topes import Arrangement, reference, solid_angle, solid_angle_summary, solid_angles


def type_a(n):
    """e_i - e_j in R^(n + 1), of rank n: the cells are the orders of n + 1 numbers."""
    eye = np.eye(n + 1, dtype=np.int64)
    return np.array([eye[i] - eye[j] for i, j in combinations(range(n + 1), 2)])


def type_b(n):
    eye = np.eye(n, dtype=np.int64)
    pairs = [eye[i] + s * eye[j] for i, j in combinations(range(n), 2) for s in (1, -1)]
    return np.array([*eye, *pairs])


@pytest.mark.parametrize("r", range(8))
@pytest.mark.parametrize("extra", [0, 2])
def test_orthants(r, extra):
    H = np.hstack([np.eye(r), np.zeros((r, extra))])
    found = solid_angle(halfspaces=H)
    assert found.rank == r
    assert abs(found.value - 0.5**r) <= max(found.error, 1e-15)
    assert found.error <= (1e-14 if r <= 3 else 1e-9 * 0.5**r if r <= 5 else 1e-3)


@pytest.mark.parametrize("m", [1, 2, 3, 7, 50, 1000])
def test_regular_polygons(m):
    turn = np.pi * np.arange(m) / m
    found = solid_angles(Arrangement(np.column_stack([np.cos(turn), np.sin(turn)])))
    assert len(found) == 2 * m
    assert np.abs(found.angles - 0.5 / m).max() <= 1e-15


@pytest.mark.parametrize(
    ("rows", "n_cells"),
    [(type_a(n), math.factorial(n + 1)) for n in range(1, 6)] + [(type_b(n), 2**n * math.factorial(n)) for n in range(1, 6)],
)
def test_chambers_of_reflection_groups_are_equal(rows, n_cells):
    found = solid_angles(Arrangement(rows))
    assert len(found) == n_cells
    assert (found.errors <= 1e-9 * found.angles).all()
    assert np.abs(found.angles * n_cells - 1).max() <= (1e-14 if found.rank <= 3 else 1e-9)


def test_chambers_of_rank_six_are_equal_within_the_error_bars():
    found = solid_angles(Arrangement(type_a(6)), n_points=512)
    assert len(found) == math.factorial(7)
    deviation = np.abs(found.angles * len(found) - 1)
    assert np.mean(deviation <= found.errors * len(found)) >= 0.95  # three standard errors, from eight shifts
    assert deviation.max() <= 0.02
    more = solid_angles(Arrangement(type_a(6)), n_points=4096)
    assert more.errors.mean() < 0.5 * found.errors.mean()


def test_example_ii1():
    A = Arrangement([[2, 2], [3, 3], [1, 0]])
    found = {tuple(p): a for p, a in zip(A.patterns().tolist(), solid_angles(A).angles, strict=True)}
    for pattern, angle in {(1, 1, 1): 3 / 8, (0, 0, 0): 3 / 8, (1, 1, 0): 1 / 8, (0, 0, 1): 1 / 8}.items():
        assert abs(found[pattern] - angle) <= 1e-16


@pytest.mark.parametrize(("n", "d", "r"), [(6, 2, 2), (6, 3, 3), (6, 5, 3), (6, 4, 4), (6, 5, 5), (7, 7, 5)])
def test_against_the_multivariate_normal(n, d, r):
    """P(H w > 0) for all n rows at once, whether they are facets or not: a covariance of rank r."""
    rng = np.random.default_rng(n + d)
    X = rng.standard_normal((n, r)) @ rng.standard_normal((r, d)) if r < d else rng.standard_normal((n, d))
    X = np.round(64 * X)  # integers, so that the rank is what it seems
    if r < d:
        X[:, r:] = X[:, :1] - X[:, 1:2]
    A = Arrangement(X.astype(np.int64))
    assert A.rank == r
    angles = solid_angles(A).angles
    order = np.argsort(angles)[-6:]
    for k in order:
        signs = 2.0 * A.patterns()[k] - 1
        H = signs[:, None] * X / np.linalg.norm(X, axis=1)[:, None]
        zero = np.zeros(n)
        limits = {"maxpts": 200_000, "abseps": 1e-6, "releps": 1e-6}
        # Random points inside: without a seed one run in some tens was off by more than is asked for here.
        probability = multivariate_normal(zero, H @ H.T, allow_singular=True, seed=0, **limits).cdf(zero)
        assert abs(probability - angles[k]) <= 2e-4


@pytest.mark.parametrize(("n", "d", "r"), [(7, 3, 3), (6, 4, 4), (7, 6, 4), (8, 5, 5)])
def test_against_frequencies(n, d, r):
    rng = np.random.default_rng(7)
    X = rng.integers(-9, 10, size=(n, r)) @ (np.eye(r, d) if d == r else rng.integers(-3, 4, size=(r, d)))
    A = Arrangement(X.astype(np.int64))
    assert A.rank == r
    angles = solid_angles(A).angles
    draws = 200_000
    seen = rng.standard_normal((draws, d)) @ X.T >= 0
    index = {p.tobytes(): k for k, p in enumerate(A.patterns())}
    counts = np.bincount([index[p.tobytes()] for p in seen.view(np.uint8)], minlength=len(angles))
    # Deviations in standard units: their squares sum to about the number of cells.
    expected = draws * angles
    likely = expected >= 5
    chi = ((counts - expected) ** 2 / expected)[likely].sum()
    k = likely.sum()
    assert abs(chi - k) <= 5 * math.sqrt(2 * k)


@pytest.mark.parametrize("exponent", [3, 6, 9, 12, 15, 30, 100])
@pytest.mark.parametrize("r", [2, 3, 4, 5])
def test_slivers_keep_their_digits(r, exponent):
    """A cone squeezed in one direction: x_1 > 0, x_2 > 0, ..., and x_0 between 0 and eps x_1."""
    eps = Fraction(1, 10**exponent)
    H = [[int(i == j) for j in range(r)] for i in range(r)]
    H.append([-1, eps, *[0] * (r - 2)])
    found = solid_angle(halfspaces=np.array(H, dtype=object))
    # The wedge arctan(eps) of the first two coordinates, times the orthant of the others.
    wedge = math.atan(float(eps)) / (2 * math.pi)
    exact = wedge * 0.5 ** (r - 2)
    assert abs(found.value / exact - 1) <= (1e-14 if r <= 3 else 1e-9)
    assert found.error <= 1e-9 * found.value


@pytest.mark.parametrize("r", [2, 3, 4, 5])
@pytest.mark.parametrize("exponent", [2, 5, 8, 40])
def test_small_simplices_keep_their_digits(r, exponent):
    """Rays e_0 and e_0 + eps v_i: nearly flat, of angle det V eps^(r - 1) / ((r - 1)! area)."""
    rng = np.random.default_rng(r)
    V = rng.integers(-9, 10, size=(r - 1, r - 1))
    eps = Fraction(1, 10**exponent)
    rays = np.array([[1, *[0] * (r - 1)], *[[1, *[eps * int(x) for x in v]] for v in V]], dtype=object)
    found = solid_angle(rays=rays)
    area = 2 * math.pi ** (r / 2) / math.gamma(r / 2)
    flat = abs(np.linalg.det(V)) * float(eps) ** (r - 1) / math.factorial(r - 1) / area
    quick = exponent <= (8 if r < 5 else 5)  # the twin takes a minute for the next; `flat` is as good there
    twin = float(reference.solid_angle(_halfspaces(rays), digits=60 + 8 * r * exponent)) if quick else flat
    assert twin == pytest.approx(flat, rel=1e4 * float(eps) ** 2)
    assert found.value == pytest.approx(twin, rel=1e-9, abs=0)


def _halfspaces(rays):
    """Facet normals of a simplicial cone: rows of the adjugate."""
    r = len(rays)
    out = []
    for k in range(r):
        others = np.delete(rays, k, axis=0)
        normal = [(-1) ** j * _det(np.delete(others, j, axis=1)) for j in range(r)]
        side = sum(x * y for x, y in zip(normal, rays[k], strict=True))
        out.append([x if side > 0 else -x for x in normal])
    return out


def _det(a):
    if len(a) == 1:
        return Fraction(a[0][0])
    return sum((-1) ** j * Fraction(a[0][j]) * _det(np.delete(a[1:], j, axis=1)) for j in range(len(a)))


def test_angles_below_the_range_of_doubles_are_zero():
    tiny = Fraction(1, 10**200)
    H = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, tiny], [0, -1, tiny]], dtype=object)
    assert solid_angle(halfspaces=H).value == 0.0
    summary = solid_angle_summary(Arrangement(H))
    assert summary.least.angle == 0.0
    assert summary.histogram[0] >= 2
    assert abs(summary.sum - 1) <= summary.error


@pytest.mark.parametrize("exponent", [1, 4, 8, 12])
@pytest.mark.parametrize("r", [3, 4, 5])
def test_wide_cones_close_to_a_halfspace(r, exponent):
    """x_0 > 0 or nearly so: the complement of slivers. Rays nearly opposite to each other."""
    eps = Fraction(1, 10**exponent)
    H = [[1, *[eps * ((i >> j) & 1 or -1) for j in range(r - 1)]] for i in range(2 ** (r - 1))]
    found = solid_angle(halfspaces=np.array(H, dtype=object))
    if exponent >= 8:
        # The cross-polytope's cone: to first order the halfspace less eps times the mean of |u|_1 over the equator.
        assert 0.5 - found.value == pytest.approx(_first_order(r) * float(eps), rel=1e-6, abs=2e-10)
    else:
        twin = float(reference.solid_angle(H, digits=30))
        assert found.value == pytest.approx(twin, rel=1e-9)


def test_a_cone_that_the_twin_once_got_wrong():
    """Rays up to 170 degrees apart: a Gauss rule over the whole edge was 2e-9 off."""
    H = [[-2, 5, -9, -8], [-8, -6, -6, -6], [2, -3, 0, -5], [9, 3, 3, -7]]
    exact = Decimal("0.13777900927055639544275300849")
    assert abs(reference.solid_angle(H) / exact - 1) < Decimal("1e-13")
    assert solid_angle(halfspaces=H).value == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize("r", [4, 5])
def test_columns_of_very_different_size(r):
    """Cones that are wide and flat at once: halving them had no end."""
    X = np.random.default_rng(r).integers(-3, 4, (r + 1, r)) * np.array([1, 1e-310, 1e-155, 1e100, 1e-200])[:r]
    found = solid_angles(Arrangement(X))
    assert found.exact_cones > 0
    assert abs(found.angles.sum() - 1) <= found.errors.sum() + 1e-14
    assert found.errors.sum() < 1e-9


@pytest.mark.parametrize("r", [6, 7, 8])
def test_wide_cones_of_high_rank(r):
    """As many random hyperplanes as dimensions: the cells are simplices with rays at any angle to each other."""
    found = solid_angles(Arrangement(np.random.default_rng(1).standard_normal((r, r))))
    assert len(found) == 2**r
    assert abs(found.angles.sum() - 1) <= 3 * math.sqrt((found.errors**2).sum()) + 1e-12


def _first_order(r):
    """Area of the equator over that of the sphere, times the mean of |u|_1 there."""
    area = [0, 2, *[2 * math.pi ** (k / 2) / math.gamma(k / 2) for k in range(2, r + 1)]]
    mean = math.gamma((r - 1) / 2) / (math.sqrt(math.pi) * math.gamma(r / 2))  # of |u_1| in dimension r - 1
    return area[r - 1] / area[r] * (r - 1) * mean


def test_badly_conditioned_columns():
    """Columns of very different size, below full rank: angles in the row space, not in the pivot columns."""
    X = [[1, 10**8, 10**8 + 1], [1, 2 * 10**8, 2 * 10**8 - 1], [3, -(10**8), 10**8], [2, 5, 10**8]]
    for rows in (X, [[*row, sum(row), row[0] - row[2]] for row in X]):
        found = solid_angles(Arrangement(rows))
        twin = reference.solid_angles(rows, digits=50)
        for s, angle in zip(Arrangement(rows).sign_vectors().tolist(), found.angles, strict=True):
            assert abs(Decimal(float(angle)) / twin[tuple(s)] - 1) <= 1e-9


@pytest.mark.large
@pytest.mark.parametrize(("n", "r"), [(300_000, 2), (1000, 3), (150, 4), (60, 5)])
def test_a_million_cells_sum_to_one(n, r):
    A = topes.Arrangement(np.random.default_rng(0).standard_normal((n, r)))
    s = solid_angle_summary(A)
    assert s.n_cells >= 500_000
    assert abs(s.sum - 1) <= s.error <= 1e-9
    assert abs(s.sum - 1) <= 1e-11
    assert s.histogram.sum() == s.n_cells
