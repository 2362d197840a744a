"""Zonotopes with known answers: permutohedra, regular polygons, sums in coding theory, and the hulls of their vertices."""

from __future__ import annotations

import math
from contextlib import nullcontext
from fractions import Fraction
from itertools import combinations, product
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from topes import Zonotope
from topes.zonotope import membership as guessing


def braid(n):
    """e_i - e_j: the arrangement of orders; its zonotope is the permutohedron, moved."""
    return [[(k == i) - (k == j) for k in range(n)] for i, j in combinations(range(n), 2)]


# Faces of dimension n - k are the ordered partitions of n into k parts.
@pytest.mark.parametrize(("n", "f"), [(2, (2, 1)), (3, (6, 6, 1)), (4, (24, 36, 14, 1)), (5, (120, 240, 150, 30, 1))])
def test_the_permutohedron(n, f):
    Z = Zonotope(braid(n))
    assert Z.f_vector() == f
    assert len(Z.edges()) == f[1] if n > 2 else 1
    # Spanning trees of the complete graph [Stanley86], times the covolume sqrt(n) of the lattice.
    volume = Z.volume()
    assert volume.coefficient**2 * volume.radicand == Fraction(n ** (n - 2)) ** 2 * n
    assert float(volume) == pytest.approx(n ** (n - 2) * math.sqrt(n), rel=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_the_cube(d):
    Z = Zonotope(np.eye(d, dtype=np.int64))
    assert Z.f_vector() == tuple(math.comb(d, k) * 2 ** (d - k) for k in range(d + 1))
    assert Z.volume().coefficient == 1
    assert Z.membership([Fraction(1, 2)] * d).gauge == 0
    assert Z.membership([0] * d).gauge == 1
    assert Z.membership([2] + [Fraction(1, 2)] * (d - 1)).gauge == 3


def test_the_rhombic_triacontahedron_in_a_lattice_of_golden_numbers():
    """Six generators to the corners of an icosahedron, 1/phi replaced by ratios of Fibonacci numbers: 30 rhombi."""
    a, b = 987, 1597
    Z = Zonotope([[0, a, b], [0, a, -b], [a, b, 0], [a, -b, 0], [b, 0, a], [-b, 0, a]])
    assert Z.f_vector() == (32, 60, 30, 1)
    faces = Z.facets()
    assert np.diff(faces.indptr).tolist() == [4] * 30


def test_the_hexagonal_prism_has_a_facet_of_three_generators():
    faces = Zonotope([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]).facets()
    assert sorted(np.diff(faces.indptr).tolist()) == [4] * 6 + [6] * 2


def test_a_facet_of_many_generators_is_a_convex_polygon():
    """Seven generators in one plane, in no order, and one beside: a prism over a polygon of 14 sides."""
    plane = [[3, 1], [0, 1], [-2, 1], [1, 3], [5, -1], [1, 1], [-1, 4]]
    faces = Zonotope([*([x, y, x - y] for x, y in plane), [1, 2, 9]]).facets()
    assert sorted(np.diff(faces.indptr).tolist()) == [4] * 14 + [14] * 2
    for k, normal in enumerate(faces.normals.astype(float)):
        corners = faces.polygon(k)
        sides = np.roll(corners, -1, axis=0) - corners
        assert (np.cross(sides, np.roll(sides, -1, axis=0)) @ normal > 0).all()


def test_regular_polygons_have_the_area_of_a_circle_in_the_limit():
    m = 20_000
    angle = np.arange(m) * (np.pi / m)
    Z = Zonotope(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    # 2m sides of length 1: perimeter^2 / (4 pi) up to 1 / m^2.
    assert float(Z.volume()) == pytest.approx(m * m / np.pi, rel=1e-8)
    assert Z.polygon().shape == (2 * m, 2)
    value, error = Z.approx_volume()
    assert abs(value - float(Z.volume())) <= error <= 1e-9 * value


@pytest.mark.parametrize(("n", "d", "seed"), [(12, 2, 0), (20, 3, 1), (9, 4, 2), (8, 5, 3)])
def test_volume_and_support_are_those_of_the_hull_of_the_vertices(n, d, seed):
    X = np.random.default_rng(seed).standard_normal((n, d))
    Z = Zonotope(X)
    V = Z.vertices()
    hull = ConvexHull(V)
    assert float(Z.volume()) == pytest.approx(hull.volume, rel=1e-9)
    assert len(hull.vertices) == Z.n_vertices
    C = np.random.default_rng(seed + 1).standard_normal((50, d))
    assert np.allclose(Z.support(C), (V @ C.T).max(axis=0), rtol=1e-13, atol=0.0)
    # Inside and outside by the hull's inequalities, away from the boundary.
    for p in np.random.default_rng(seed + 2).uniform(V.min(axis=0), V.max(axis=0), size=(20, d)):
        slack = (hull.equations[:, :-1] @ p + hull.equations[:, -1]).max()
        if abs(slack) > 1e-9:
            assert (p in Z) == (slack < 0)


def test_facets_of_random_generators_are_those_of_the_hull():
    X = np.random.default_rng(4).standard_normal((15, 3))
    faces = Zonotope(X).facets()
    hull = ConvexHull(faces.points)
    ours = faces.normals.astype(float)
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    # The hull's triangles are halves of our parallelograms.
    assert len(hull.simplices) == 2 * len(faces)
    gap = np.abs(ours[:, None, :] - hull.equations[None, :, :3]).max(axis=2) < 1e-9
    assert (gap.sum(axis=1) == 2).all()
    area = sum(
        np.linalg.norm(np.cross(q[1] - q[0], q[3] - q[0])) for q in (faces.polygon(k) for k in range(len(faces)))
    )
    assert area == pytest.approx(hull.area, rel=1e-9)


@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("guessed", [True, False])
def test_the_gauge_is_exact_where_many_hyperplanes_meet(d, guessed):
    """All vectors of -1, 0, 1: without a guess most steps of the exact method have length 0, and Bland's rule ends them."""
    Z = Zonotope([v for v in product((-1, 0, 1), repeat=d) if any(v)])  # symmetric about 0
    gauges = [Fraction(1), Fraction(1, 3), Fraction(10**30 + 1, 10**30)]
    with nullcontext() if guessed else mock.patch.object(guessing, "linprog", return_value=SimpleNamespace(status=4)):
        for k, c in enumerate(product((-1, 0, 1), repeat=d)):
            if any(c):
                top = Z.face(c)
                assert top.vertex @ np.array(c) == top.value
                gauge = gauges[k % 3]
                found = Z.membership(gauge * top.vertex)
                assert found.gauge == gauge
                assert found.position == ("boundary" if gauge == 1 else "inside" if gauge < 1 else "outside")


def test_a_thousand_generators():
    X = np.random.default_rng(0).standard_normal((1000, 3))
    Z = Zonotope(X)
    exact = float(Z.volume())
    value, error = Z.approx_volume()
    assert abs(value - exact) <= error <= 1e-10 * exact
    c = np.array([1.0, 2.0, 3.0])
    top = Z.face(c)
    assert (top.dimension, Z.membership(top.vertex).position) == (0, "boundary")
    assert float(top.value) == Z.support(c[None])[0]
    assert Z.membership([x + Fraction(1, 10**30) for x in top.vertex]).position == "outside"
