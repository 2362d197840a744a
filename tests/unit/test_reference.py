"""The twin itself: against brute force, closed forms and definitions. Nothing here calls the core."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from checks import exact_data, signs_at
from strategies import affine, central
from topes import InputError, reference

# Brute force tries 2^n sign vectors, each by an elimination that squares the number of inequalities at each step.
TINY = ((1, 5), (2, 5), (3, 4))
ANY = st.one_of(central(), affine())


@given(st.one_of(central(shapes=TINY), affine(shapes=TINY)))
def test_sign_vectors_are_the_feasible_ones(instance):
    rows, offsets = exact_data(instance)
    expected = oracles.brute_sign_vectors(rows, offsets, instance.dimension)
    assert reference.sign_vectors(**instance.twin) == expected


@given(ANY)
def test_every_cell_comes_once_with_a_point_in_it(instance):
    found = reference.cells(**instance.twin)
    assert len({s for s, _ in found}) == len(found)
    for s, w in found:
        assert signs_at(instance, w) == s


@given(ANY)
def test_enumeration_and_zaslavskys_theorem_agree(instance):
    assert len(reference.cells(**instance.twin)) == reference.count(**instance.twin)


@given(st.one_of(central(shapes=TINY), affine(shapes=TINY)))
def test_the_characteristic_polynomial_is_whitneys_sum(instance):
    """chi(t) = sum of (-1)^|B| t^(d - rank B) over the subarrangements B with a common point."""
    rows, offsets = exact_data(instance)
    d = instance.dimension
    seen: dict[tuple[Fraction, ...], None] = {}
    for a, b in zip(rows, offsets, strict=True):
        if any(a):
            lead = next(x for x in a if x)
            seen[tuple(x / lead for x in (*a, b))] = None
    expected = [0] * (d + 1)
    for k in range(len(seen) + 1):
        for chosen in combinations(seen, k):
            rank = reference.rank([row[:-1] for row in chosen]) if chosen else 0
            if not chosen or reference.rank(list(chosen)) == rank:
                expected[d - rank] += (-1) ** k
    assert reference.characteristic_polynomial(**instance.twin) == tuple(expected)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_threshold_functions(m):
    assert len(reference.sign_vectors(oracles.threshold(m))) == oracles.THRESHOLD_COUNTS[m]


@pytest.mark.parametrize("m", [2, 3])
def test_resonance_arrangements(m):
    assert len(reference.sign_vectors(oracles.resonance(m))) == oracles.RESONANCE_COUNTS[m]


@pytest.mark.parametrize("m", [2, 3, 4])
def test_reflection_arrangements(m):
    assert len(reference.cells(oracles.braid(m))) == math.factorial(m)
    assert reference.count(oracles.type_b(m)) == 2**m * math.factorial(m)


def test_the_polynomial_of_the_braid_arrangement_is_a_falling_factorial():
    # t (t - 1) (t - 2) (t - 3)
    assert reference.characteristic_polynomial(oracles.braid(4)) == (0, -6, 11, -6, 1)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize(
    ("family", "counts"),
    [
        (oracles.shi, oracles.shi_counts),
        (oracles.catalan, oracles.catalan_counts),
        (oracles.linial, oracles.linial_counts),
    ],
)
def test_deformations_of_the_braid_arrangement(family, counts, m):
    X, b = family(m)
    n_cells, n_bounded = counts(m)
    assert len(reference.cells(X, b)) == reference.count(X, b) == n_cells
    assert reference.count_bounded(X, b) == n_bounded
    assert not any(reference.bounded(X, b).values())  # all contain lines along (1, ..., 1)
    # Cut by x_m = 0, which those lines cross: bounded modulo the line becomes bounded.
    relatively = reference.bounded(X[:, :-1], b)
    assert (len(relatively), sum(relatively.values())) == (n_cells, n_bounded)


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 1, 3)])
def test_boxes(sizes):
    X, b = oracles.grid(sizes)
    assert reference.count(X, b) == math.prod(s + 1 for s in sizes)
    assert sum(reference.bounded(X, b).values()) == math.prod(s - 1 for s in sizes)


@given(ANY)
def test_rays_and_vertices_generate_a_point_of_their_cell(instance):
    """The mean of the vertices plus the sum of the rays lies inside: none is missing that a sign needs."""
    rays, vertices = reference.rays(**instance.twin), reference.vertices(**instance.twin)
    for s in reference.sign_vectors(**instance.twin):
        corners = vertices[s]
        assert corners
        inside = [sum(v[j] for v in corners) / len(corners) for j in range(instance.dimension)]
        for ray in rays[s]:
            inside = [x + y for x, y in zip(inside, ray, strict=True)]
        assert signs_at(instance, inside) == s


@given(central())
def test_no_ray_is_a_sum_of_others(instance):
    """A ray lies on hyperplanes of rank r - 1, so only its multiples do: that is what extreme means."""
    rows, _ = exact_data(instance)
    r = reference.rank(instance.X, instance.values)
    for s, directions in reference.rays(**instance.twin).items():
        assert len(directions) >= r
        for ray in directions:
            touch = signs_at(instance, ray)
            assert all(t in (0, x) for t, x in zip(touch, s, strict=True))
            on = [row for row, t in zip(rows, touch, strict=True) if t == 0]
            assert (reference.rank(on) if on else 0) == r - 1


@given(ANY)
def test_crossing_a_facet_is_mutual(instance):
    facets = reference.facets(**instance.twin)
    total = sum(len(walls) for walls in facets.values())
    pieces = 0  # each facet is a cell of the restriction to its hyperplane, and bounds two cells
    for row in {row for walls in facets.values() for row in walls}:
        touching = [s for s, walls in facets.items() if row in walls]
        assert sum(s[row] for s in touching) == 0
        pieces += len(touching) // 2
    assert total == 2 * pieces


def test_facets_name_the_first_row_of_a_hyperplane():
    facets = reference.facets([[0, 0], [2, 0], [-1, 0], [0, 3], [5, 0], [0, -1]])
    assert set(facets.values()) == {(1, 3)}


def test_facets_leave_out_a_hyperplane_that_only_touches():
    # x + y = 0 meets the quadrant x, y > 0 in the origin.
    assert reference.facets([[1, 0], [0, 1], [1, 1]])[1, 1, 1] == (0, 1)


def test_rays_of_a_wedge_modulo_what_no_normal_sees():
    # Rank 2 in R^3: the columns 0 and 1 are the pivots, the third coordinate is free.
    found = reference.rays([[1, 0, 5], [0, 1, 7]])
    assert found[1, 1] == {(1, 0, 0), (0, 1, 0)}


def test_vertices_of_a_triangle():
    X, b = [[1, 0], [0, 1], [1, 1]], [0, 0, 1]
    third = Fraction(1)
    assert reference.vertices(X, b)[1, 1, -1] == {(0, 0), (third, 0), (0, third)}
    assert reference.rays(X, b)[1, 1, -1] == set()
    assert reference.rays(X, b)[-1, 1, 1] == {(-1, 1), (0, 1)}
    assert reference.bounded(X, b)[1, 1, -1]


@given(ANY, st.data())
def test_locate_gives_the_cells_that_agree_with_the_signs_of_the_point(instance, data):
    entry = st.sampled_from([Fraction(0), Fraction(1), Fraction(-2), Fraction(1, 3)])
    w = data.draw(st.lists(entry, min_size=instance.dimension, max_size=instance.dimension))
    here = signs_at(instance, w)
    rows, _ = exact_data(instance)
    fixed = [i for i, row in enumerate(rows) if here[i] or not any(row)]
    cells = reference.sign_vectors(**instance.twin)
    expected = {s for s in cells if all(s[i] == here[i] for i in fixed)}
    assert reference.locate(w=w, **instance.twin) == expected


@given(central(shapes=((2, 6),)))
def test_zonotope_vertices_in_the_plane_are_the_corners_of_the_hull_of_all_sums(instance):
    rows, _ = exact_data(instance)
    sums = {
        tuple(sum((u * row[j] for u, row in zip(us, rows, strict=True)), Fraction(0)) for j in range(2))
        for us in product((0, 1), repeat=instance.n)
    }
    found = list(reference.zonotope_vertices(instance.X, values=instance.values).values())
    assert len(set(found)) == len(found)
    assert set(found) == _hull(sums)


def _hull(points):
    """Corners of the convex hull, by the monotone chain; no point on an edge."""
    ordered = sorted(points)
    if len(ordered) <= 2:
        return set(ordered)
    corners = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[Fraction, Fraction]] = []
        for p in sequence:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        corners += chain
    return set(corners)


def _turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (4, 2)])
def test_no_hyperplane_has_one_cell(shape):
    X = np.zeros(shape)
    n, d = shape
    assert reference.cells(X) == [((0,) * n, (0,) * d)]
    assert reference.count(X) == reference.bound(0, 0) == 1
    assert reference.rank(X) == 0


def test_zero_rows_of_an_affine_arrangement():
    # 0 > 1 is false, 0 > -1 is true, 0 = 0 has no side.
    assert reference.sign_vectors([[0], [0], [0], [1]], [1, -1, 0, 5]) == {(-1, 1, 0, 1), (-1, 1, 0, -1)}
    assert reference.locate([[0], [1]], [5], [0, 5]) == {(0, 1), (0, -1)}


@pytest.mark.parametrize(("n", "r"), [(1, 1), (5, 1), (5, 2), (6, 3), (6, 4), (5, 5), (6, 5)])
def test_the_bound_is_reached_on_the_moment_curve(n, r):
    X = [[t**k for k in range(r)] for t in range(1, n + 1)]
    if r == 1:
        X = X[:1]  # in one dimension there is one central hyperplane
    assert reference.count(X) == reference.bound(len(X), r) == oracles.generic_count(len(X), r)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (5, 1), (5, 2), (6, 3)])
def test_the_affine_bound_is_reached_on_the_moment_curve(n, d):
    X = [[t**k for k in range(1, d + 1)] for t in range(1, n + 1)]
    b = [t ** (d + 1) for t in range(1, n + 1)]
    n_cells, n_bounded = oracles.generic_affine_counts(n, d)
    assert reference.count(X, b) == reference.bound(n, d, central=False) == n_cells
    assert reference.count_bounded(X, b) == n_bounded


@pytest.mark.parametrize(
    ("entry", "binary", "decimal"),
    [
        (0.1, Fraction(0.1), Fraction(1, 10)),
        (np.float64(0.1), Fraction(0.1), Fraction(1, 10)),
        (np.float32(0.1), Fraction(float(np.float32(0.1))), Fraction(1, 10)),
        (1e300, Fraction(1e300), Fraction(10**300)),
        (5e-324, Fraction(1, 2**1074), Fraction(5, 10**324)),
        (-0.0, Fraction(0), Fraction(0)),
        (True, Fraction(1), Fraction(1)),
        (np.int8(-7), Fraction(-7), Fraction(-7)),
        (2**200 + 1, Fraction(2**200 + 1), Fraction(2**200 + 1)),
        (Fraction(2, 3), Fraction(2, 3), Fraction(2, 3)),
        (Decimal("0.1"), Fraction(1, 10), Fraction(1, 10)),
    ],
)
def test_to_exact_reads_every_kind_of_number(entry, binary, decimal):
    assert reference.to_exact([[entry]]) == [(binary,)]
    assert reference.to_exact([[entry]], values="decimal") == [(decimal,)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1j, "1", None])
def test_to_exact_refuses_what_is_no_finite_real_number(bad):
    with pytest.raises(InputError, match=r"X\[0, 1\]"):
        reference.to_exact([[1, bad]])


@pytest.mark.parametrize("bad", [[[1, 2], [3]], [1, 2], ["12"], np.zeros(3), np.zeros((1, 1, 1))])
def test_to_exact_refuses_what_is_no_table(bad):
    with pytest.raises(InputError, match="X"):
        reference.to_exact(bad)


def test_arguments_of_the_wrong_length_or_word():
    with pytest.raises(InputError, match="offsets must have 1 entries"):
        reference.cells([[1, 2]], [1, 2])
    with pytest.raises(InputError, match="w must have 2 entries"):
        reference.locate([[1, 2]], [1])
    with pytest.raises(InputError, match="values must be"):
        reference.rank([[1]], values="hex")


@given(central())
def test_rank_is_that_of_the_transpose(instance):
    rows, _ = exact_data(instance)
    columns = [[row[j] for row in rows] for j in range(instance.dimension)]
    assert reference.rank(instance.X, instance.values) == (reference.rank(columns) if rows else 0)


@pytest.mark.parametrize("label", [-1.0, 1.0])
def test_logistic_loss_of_labels_all_alike_goes_to_zero_with_a_free_bias(label):
    value = reference.scalar_output_value([[0.0], [1.0]], [label, label], 1e-3, loss="logistic", bias="free")
    assert value == 0.0
    assert reference.scalar_output_value([[1.0], [1.0]], [label, label], 1e-3, loss="logistic", bias="penalized") > 1e-3
