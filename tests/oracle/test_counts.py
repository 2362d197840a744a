"""Counts that someone proved or published, for arrangements from generic to very degenerate."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import numpy as np
import pytest

import oracles
from checks import as_set
from topes import Arrangement

GENERIC = [
    *((n, 1) for n in (1,)),
    *((n, 2) for n in (2, 3, 10, 1000)),
    *((n, 3) for n in (3, 4, 20, 150)),
    *((n, 4) for n in (4, 5, 15, 50)),
    *((n, 5) for n in (5, 6, 12, 25)),
    *((n, 6) for n in (6, 7, 16)),
    *((n, 7) for n in (7, 9, 14)),
    *((n, 8) for n in (8, 13)),
    *((n, 9) for n in (9, 12)),
]


@pytest.mark.parametrize(("n", "r"), GENERIC)
def test_gaussian_rows_reach_the_bound(n, r):
    X = np.random.default_rng([n, r]).standard_normal((n, r))
    A = Arrangement(X)
    assert A.count() == A.bound() == oracles.generic_count(n, r)


@pytest.mark.parametrize(("n", "r"), [(n, r) for n, r in GENERIC if n <= 60])
def test_points_of_the_moment_curve_reach_the_bound(n, r):
    """Integer rows (1, t, ..., t^(r - 1)): any r are independent by Vandermonde's determinant; entries pass int64."""
    X = [[t**k for k in range(r)] for t in range(-(n // 2), n - n // 2)]
    assert Arrangement(X).count() == oracles.generic_count(n, r)


@pytest.mark.parametrize(("n", "r"), [(40, 3), (20, 4), (12, 5), (10, 6)])
def test_generic_rows_of_rank_r_in_a_larger_space(n, r):
    rng = np.random.default_rng([n, r])
    X = rng.integers(-1000, 1000, size=(n, r)) @ rng.integers(-5, 6, size=(r, r + 2))
    A = Arrangement(X)
    assert (A.dimension, A.rank) == (r + 2, r)
    assert A.count() == oracles.generic_count(n, r)


@pytest.mark.parametrize(("n", "r", "expected"), [(2393, 3, 5724058), (200, 4, 2627200)])
def test_millions_of_generic_cells(n, r, expected):
    assert Arrangement(np.random.default_rng(0).standard_normal((n, r))).count() == expected


@pytest.mark.parametrize(("m", "expected"), oracles.THRESHOLD_COUNTS.items())
def test_threshold_functions(m, expected):
    assert Arrangement(oracles.threshold(m)).count() == expected


@pytest.mark.parametrize(("m", "expected"), oracles.RESONANCE_COUNTS.items())
def test_resonance_arrangements(m, expected):
    assert Arrangement(oracles.resonance(m)).count() == expected


@pytest.mark.parametrize("m", range(1, 9))
def test_braid_arrangements(m):
    assert Arrangement(oracles.braid(m)).count() == math.factorial(m)


@pytest.mark.parametrize("m", range(1, 5))
def test_cells_of_the_braid_arrangement_are_the_orders(m):
    expected = {
        tuple(1 if order[i] > order[j] else -1 for i, j in combinations(range(m), 2)) for order in permutations(range(m))
    }
    assert as_set(Arrangement(oracles.braid(m)).sign_vectors()) == expected


@pytest.mark.parametrize("m", range(1, 7))
def test_arrangements_of_type_b(m):
    assert Arrangement(oracles.type_b(m)).count() == 2**m * math.factorial(m)


@pytest.mark.parametrize("m", range(2, 7))
def test_arrangements_of_type_d(m):
    assert Arrangement(oracles.type_d(m)).count() == 2 ** (m - 1) * math.factorial(m)


@pytest.mark.parametrize("m", range(1, 9))
def test_coordinate_hyperplanes_cut_orthants(m):
    assert as_set(Arrangement(np.eye(m)).sign_vectors()) == set(product((1, -1), repeat=m))


@pytest.mark.parametrize("seed", range(6))
def test_graphic_arrangements_count_acyclic_orientations(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(4, 8))
    pairs = list(combinations(range(m), 2))
    edges = [pairs[k] for k in rng.choice(len(pairs), size=min(10, len(pairs)), replace=False)]
    assert Arrangement(oracles.graphic(m, edges)).count() == oracles.acyclic_orientations(m, edges)


def _bounded(A):
    return sum(int(batch.bounded.sum()) for batch in A.cells())


@pytest.mark.parametrize(
    ("family", "counts", "largest"),
    [
        (oracles.shi, oracles.shi_counts, 6),
        (oracles.catalan, oracles.catalan_counts, 5),
        (oracles.linial, oracles.linial_counts, 6),
    ],
)
def test_deformations_of_the_braid_arrangement(family, counts, largest):
    for m in range(2, largest + 1):
        X, b = family(m)
        n_cells, n_bounded = counts(m)
        assert Arrangement(X, b).count() == n_cells
        assert _bounded(Arrangement(X, b)) == 0  # every cell contains lines along (1, ..., 1)
        section = Arrangement(X[:, :-1], b)  # by x_m = 0
        assert (section.count(), _bounded(section)) == (n_cells, n_bounded)


@pytest.mark.parametrize(("m", "expected"), oracles.SEMIORDER_COUNTS.items())
def test_semiorder_arrangements(m, expected):
    assert Arrangement(*oracles.semiorder(m)).count() == expected


@pytest.mark.parametrize("sizes", [(1,), (9,), (30, 40), (5, 6, 7), (2, 3, 4, 5)])
def test_boxes(sizes):
    A = Arrangement(*oracles.grid(sizes))
    assert A.count() == math.prod(s + 1 for s in sizes)
    assert _bounded(A) == math.prod(s - 1 for s in sizes)


@pytest.mark.parametrize(("n", "d"), [(7, 1), (60, 2), (25, 3), (14, 4), (10, 5)])
def test_generic_affine_arrangements(n, d):
    rng = np.random.default_rng([n, d])
    A = Arrangement(rng.standard_normal((n, d)), rng.standard_normal(n))
    assert (A.count(), _bounded(A)) == oracles.generic_affine_counts(n, d)
    assert A.bound() == A.count()


@pytest.mark.parametrize(("n", "r"), [(30, 3), (16, 4), (11, 5)])
def test_repeated_opposite_and_zero_rows_add_no_cells(n, r):
    X = np.random.default_rng([n, r]).standard_normal((n, r))
    X = np.concatenate([X, -X[::2], 0.5 * X, np.zeros((3, r))])
    A = Arrangement(np.random.default_rng(1).permutation(X))
    assert A.n_hyperplanes == n
    assert A.count() == oracles.generic_count(n, r)
