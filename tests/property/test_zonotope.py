"""Zonotopes: vertices are X'D of the cells, exactly, and normal cones are the cells."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import topes
from checks import exact_array, exact_data, heights, parallel_classes, primitive, signs_at
from strategies import Instance, central, points
from topes import InputError, Zonotope, reference
from topes.reference.exact import echelon
from topes.zonotope import membership as guessing

# The twin takes all faces from what facets share.
FEW = ((1, 4), (2, 5), (3, 5), (3, 6), (4, 5))


@given(central(kinds=["lattice"]))
def test_vertices_of_integer_data_are_those_of_the_twin(instance):
    Z = Zonotope(instance.X)
    V = Z.vertices()
    expected = reference.zonotope_vertices(instance.X)
    assert Z.n_vertices == len(V) == len(expected)
    for s, v in zip(Z.arrangement.sign_vectors().tolist(), V.tolist(), strict=True):
        assert tuple(Fraction(x) for x in v) == expected[tuple(s)]
    assert len({tuple(v) for v in V.tolist()}) == len(V)


@given(central(kinds=["lattice", "decimals", "nearly dependent", "fractions"]))
def test_vertices_are_sums_of_rows_up_to_one_rounding(instance):
    Z = Zonotope(instance.X, values=instance.values)
    rows, _ = exact_data(instance)
    # Each row is rounded to doubles once, the sum once more.
    scale = [sum(abs(float(row[j])) for row in rows) for j in range(instance.dimension)]
    tolerance = 4 * np.finfo(float).eps * np.array(scale)
    for pattern, v in zip(Z.arrangement.patterns().tolist(), Z.vertices(), strict=True):
        chosen = [row for row, bit in zip(rows, pattern, strict=True) if bit]
        exact = np.array([float(sum(row[j] for row in chosen)) for j in range(instance.dimension)])
        assert (np.abs(v - exact) <= tolerance).all()


@given(central())
def test_the_normal_cone_is_the_closure_of_the_cell(instance):
    Z = Zonotope(instance.X, values=instance.values)
    rays, facets = reference.rays(**instance.twin), reference.facets(**instance.twin)
    for s, pattern in zip(Z.arrangement.sign_vectors().tolist(), Z.arrangement.patterns(), strict=True):
        cone = Z.normal_cone(pattern)
        # Rays up to the space orthogonal to all rows: what the rows see of them.
        seen = [primitive(heights(instance, ray)) for ray in cone.rays]
        assert len(set(seen)) == len(seen)
        assert set(seen) == {primitive(heights(instance, ray)) for ray in rays[tuple(s)]}
        assert tuple(cone.facets.tolist()) == facets[tuple(s)]
        assert signs_at(instance, cone.witness) == tuple(s)


@settings(max_examples=max(20, settings().max_examples // 3))  # all pairs of vertices, in fractions
@given(central())
def test_a_functional_in_the_cell_is_largest_at_its_vertex_alone(instance):
    vertices = reference.zonotope_vertices(instance.X, values=instance.values)
    Z = Zonotope(instance.X, values=instance.values)
    for s, pattern in zip(Z.arrangement.sign_vectors().tolist(), Z.arrangement.patterns(), strict=True):
        w = Z.normal_cone(pattern).witness
        value = {t: sum((x * y for x, y in zip(v, w, strict=True)), Fraction(0)) for t, v in vertices.items()}
        assert [t for t, x in value.items() if x == max(value.values())] == [tuple(s)]


@given(central(min_rows=1), st.data())
def test_a_pattern_that_is_no_cell_has_no_normal_cone(instance, data):
    Z = Zonotope(instance.X, values=instance.values)
    bits = data.draw(st.lists(st.integers(0, 1), min_size=instance.n, max_size=instance.n))
    if bits in topes.Arrangement(instance.X, values=instance.values).patterns().tolist():
        assert Z.normal_cone(bits).witness.shape == (instance.dimension,)
    else:
        with pytest.raises(InputError, match="pattern"):
            Z.normal_cone(bits)


@given(central(kinds=["lattice"]))
def test_the_zonotope_is_symmetric_about_half_the_sum_of_its_generators(instance):
    V = Zonotope(instance.X).vertices()
    total = instance.X.sum(axis=0)
    assert {tuple(v) for v in V.tolist()} == {tuple(v) for v in (total - V).tolist()}


def _dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _exact(v):
    return [Fraction(x) for x in v]


def _as_read(instance, v):
    """A vector given to a zonotope is read as its data are: a float may be a decimal."""
    return reference.to_exact([list(v)], instance.values)[0]


def _minus(a, b):
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _total(rows, weights, d):
    return tuple(sum((u * row[j] for u, row in zip(weights, rows, strict=True)), Fraction(0)) for j in range(d))


@given(central(), st.data())
def test_the_support_function_is_the_largest_of_all_sums(instance, data):
    Z = Zonotope(instance.X, values=instance.values)
    C = data.draw(st.lists(points(instance), min_size=1, max_size=3))
    found = Z.exact_support(Instance(tuple(C), instance.dimension).X)
    for c, h in zip(C, found, strict=True):
        assert h == reference.zonotope_support(instance.X, c, values=instance.values)


@given(central(), st.data())
def test_the_support_function_in_doubles_is_right_to_the_last_roundings(instance, data):
    Z = Zonotope(instance.X, values=instance.values)
    C = np.array(data.draw(st.lists(points(instance), min_size=1, max_size=3)), dtype=float)
    # What it sums are the doubles nearest to the rows.
    rows = [_exact(row) for row in Z.arrangement.normals]
    n, d = instance.n, instance.dimension
    for c, h in zip(C, Z.support(C), strict=True):
        exact = sum((max(_dot(row, _exact(c)), Fraction(0)) for row in rows), Fraction(0))
        size = sum((abs(x * Fraction(y)) for row in rows for x, y in zip(row, c, strict=True)), Fraction(0))
        if exact > Fraction(np.finfo(float).max):
            assert h >= np.finfo(float).max
            continue
        # One rounding of the result, which may be subnormal, and what doubled precision leaves of cancellation.
        assert abs(Fraction(float(h)) - exact) <= exact * Fraction(2, 2**53) + size * (n + d + 4) / 2**104 + Fraction(5e-324)


@given(central(), st.data())
def test_a_face_is_where_the_function_is_largest(instance, data):
    Z = Zonotope(instance.X, values=instance.values)
    rows, _ = exact_data(instance)
    d = instance.dimension
    c = data.draw(points(instance))
    if any(map(any, rows)) and data.draw(st.booleans()):
        # A direction that is orthogonal to rows: its face has a dimension.
        c = data.draw(st.sampled_from(sorted(reference.zonotope_normals(**_only_rows(instance)))))
    face = Z.face(Instance((tuple(c),), d).X[0])
    c = _as_read(instance, c)
    heights = [_dot(row, c) for row in rows]
    assert face.value == sum((max(h, Fraction(0)) for h in heights), Fraction(0)) == _dot(face.vertex, c)
    expected = [1 if not any(row) else -1 if h == 0 else int(h > 0) for row, h in zip(rows, heights, strict=True)]
    assert face.pattern.tolist() == expected
    assert tuple(face.vertex) == _total(rows, [int(x > 0) for x in expected], d)
    assert face.dimension == reference.rank([row for row, x in zip(rows, expected, strict=True) if x < 0] or [[0] * d])


def _only_rows(instance):
    return {"X": instance.X, "values": instance.values}


@given(central())
def test_the_volume_is_the_sum_over_all_parallelotopes(instance):
    volume = Zonotope(**_only_rows(instance)).volume()
    a, b = reference.zonotope_volume(**_only_rows(instance))
    # The same number, written over other columns perhaps.
    assert volume.coefficient**2 * volume.radicand == a**2 * b
    if b == 1 == volume.radicand:
        assert volume.coefficient == a
    if Fraction(1, 10**290) < a * a * b < 10**300:
        assert abs(float(volume) ** 2 / float(a * a * b) - 1.0) < 1e-14


@given(central())
def test_the_volume_in_doubles_is_within_its_bound(instance):
    Z = Zonotope(**_only_rows(instance))
    exact = Z.volume()
    value, error = Z.approx_volume()
    if not (math.isfinite(value) and math.isfinite(error)):
        return  # beyond the range of doubles
    low, high = Fraction(value) - Fraction(error), Fraction(value) + Fraction(error)
    square = exact.coefficient**2 * exact.radicand
    assert low <= 0 or low * low <= square
    assert square <= high * high or high < Fraction(1e-290)  # a subnormal volume has no digits


@given(central(kinds=["lattice", "random", "fractions", "nearly dependent"], min_rows=1), st.data())
def test_volume_grows_with_a_generator_by_height_times_shadow(instance, data):
    """A prism over the projection: vol(Z + [0, g]) - vol(Z) = sum of |det| with g, which a doubled g doubles."""
    Z = Zonotope(**_only_rows(instance))
    i = data.draw(st.integers(0, instance.n - 1))
    without = instance.take([k for k in range(instance.n) if k != i])
    doubled = Instance((*instance.rows, instance.rows[i]), instance.dimension, values=instance.values)
    if Zonotope(**_only_rows(without)).arrangement.rank == Z.arrangement.rank == instance.dimension:
        v = [Zonotope(**_only_rows(each)).volume().coefficient for each in (without, instance, doubled)]
        assert v[2] - v[1] == v[1] - v[0]


@given(central(shapes=FEW))
def test_edges_are_the_faces_of_dimension_one(instance):
    Z = Zonotope(**_only_rows(instance))
    edges = Z.edges()
    signs = [tuple(s) for s in Z.arrangement.sign_vectors().tolist()]
    expected = reference.zonotope_faces(**_only_rows(instance)).get(1, set())
    assert {frozenset((signs[a], signs[b])) for a, b in edges.vertices.tolist()} == expected
    assert len(edges) == len(expected)
    corners = reference.zonotope_vertices(**_only_rows(instance))
    rows, _ = exact_data(instance)
    classes = {members[0]: members for members in parallel_classes(instance)}
    for (a, b), i in zip(edges.vertices.tolist(), edges.generators.tolist(), strict=True):
        # The difference is the generator merged from all parallel rows, in the direction of the first.
        turned = [1 if _dot(rows[k], rows[i]) > 0 else -1 for k in classes[i]]
        step = _total([rows[k] for k in classes[i]], turned, instance.dimension)
        assert _minus(corners[signs[b]], corners[signs[a]]) == step


@given(central(shapes=FEW))
def test_the_numbers_of_faces(instance):
    Z = Zonotope(**_only_rows(instance))
    found = Z.f_vector()
    faces = reference.zonotope_faces(**_only_rows(instance))
    assert found == tuple(len(faces[k]) for k in range(Z.arrangement.rank + 1))


@given(central())
def test_the_numbers_of_faces_obey_euler(instance):
    Z = Zonotope(**_only_rows(instance))
    f = Z.f_vector()
    assert f[0] == Z.n_vertices
    assert sum((-1) ** k * x for k, x in enumerate(f)) == 1
    if Z.arrangement.rank > 1:
        assert f[1] == len(Z.edges())


@given(central(shapes=((2, 8), (3, 8))))
def test_the_polygon_goes_around_all_vertices(instance):
    Z = Zonotope(**_only_rows(instance))
    if Z.arrangement.rank != 2:
        with pytest.raises(InputError, match="rank 2"):
            Z.polygon()
        return
    corners = Z.polygon()
    expected = {tuple(map(_nearest, v)) for v in reference.zonotope_vertices(**_only_rows(instance)).values()}
    assert len(corners) == Z.n_vertices
    assert {tuple(v) for v in corners.tolist()} == expected
    if instance.X.dtype == np.int64 and np.abs(instance.X).max() < 1000:
        exact = [_exact(v) for v in corners]
        columns = echelon(reference.to_exact(instance.X))[1]
        sides = [[y[j] - x[j] for j in columns] for x, y in zip(exact, [*exact[1:], exact[0]], strict=True)]
        assert all(a[0] * b[1] - a[1] * b[0] > 0 for a, b in zip(sides, [*sides[1:], sides[0]], strict=True))


def _nearest(x):
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


@given(central(shapes=((3, 7), (4, 6))))
def test_facets_are_polygons_seen_from_outside(instance):
    Z = Zonotope(**_only_rows(instance))
    if Z.arrangement.rank != 3:
        with pytest.raises(InputError, match="rank 3"):
            Z.facets()
        return
    F = Z.facets()
    d = instance.dimension
    assert (len(F.points), len(F)) == (Z.n_vertices, Z.f_vector()[2])
    found = {tuple(c): b for c, b in zip(F.normals.tolist(), F.offsets, strict=True)}
    assert len(found) == len(F)
    for c, h in zip(F.normals, F.offsets, strict=True):
        assert h == Z.exact_support(c[None])[0]
        assert math.gcd(*c) == 1
    if set(np.flatnonzero((F.normals != 0).any(axis=0))) <= set(echelon(reference.to_exact(instance.X, instance.values))[1]):
        assert set(found) == {tuple(int(x) for x in c) for c in reference.zonotope_normals(**_only_rows(instance))}
    if instance.X.dtype != np.int64 or np.abs(instance.X).max() > 1000:
        return  # the points are rounded
    assert {tuple(map(Fraction, p)) for p in F.points.tolist()} == set(
        reference.zonotope_vertices(**_only_rows(instance)).values()
    )
    for k, (c, h) in enumerate(zip(F.normals, F.offsets, strict=True)):
        corners = [_exact(p) for p in F.polygon(k)]
        assert all(_dot(c, p) == h for p in corners)
        assert len(corners) == sum(_dot(c, _exact(p)) == h for p in F.points)
        sides = [_minus(b, a) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
        j = list(F.columns)
        for a, b in zip(sides, [*sides[1:], sides[0]], strict=True):
            turn = reference.determinant([tuple(x[i] for i in j) for x in (a, b, _exact(c))])
            assert turn > 0
    assert d >= 3


@given(central(), st.data())
def test_membership_is_decided_and_proved(instance, data):
    Z = Zonotope(**_only_rows(instance))
    rows, _ = exact_data(instance)
    d = instance.dimension
    how = data.draw(st.sampled_from(["combination", "binary", "any"]))
    if how == "any":
        p = data.draw(points(instance))
    else:
        weight = st.sampled_from([0, 1]) if how == "binary" else st.sampled_from([0, 1, Fraction(1, 2), Fraction(1, 3), 2])
        p = _total(rows, data.draw(st.lists(weight, min_size=instance.n, max_size=instance.n)), d)
    found = Z.membership(Instance((tuple(p),), d).X[0])
    assert found.position == reference.zonotope_position(**_only_rows(instance), p=p)
    assert bool(found) == (found.position != "outside") == (Instance((tuple(p),), d).X[0] in Z)
    exact = _as_read(instance, p)
    if found.coefficients is not None:
        assert all(0 <= u <= 1 for u in found.coefficients)
        assert _total(rows, found.coefficients, d) == exact
    if found.direction is not None:
        c = _exact(found.direction)
        h = reference.zonotope_support(instance.X, c, values=instance.values)
        if found.position == "boundary":
            assert _dot(c, exact) == h
            assert any(_dot(c, row) for row in rows)
        else:
            assert _dot(c, exact) > h
    assert (found.coefficients is None) == (found.position == "outside")
    assert (found.direction is None) == (found.position == "inside")
    # From any basis, not the guessed one: the exact method alone ends at the same gauge.
    with mock.patch.object(guessing, "linprog", return_value=SimpleNamespace(status=4)):
        alone = Z.membership(Instance((tuple(p),), d).X[0])
    assert (alone.position, alone.gauge) == (found.position, found.gauge)
    if found.gauge is not None and found.gauge > 0:
        # Moved to gauge 1 about the centre, the point is on the boundary; a gauge beside 1 would not do that.
        centre = _total(rows, [Fraction(1, 2)] * instance.n, d)
        moved = tuple(m + (x - m) / found.gauge for m, x in zip(centre, exact, strict=True))
        assert reference.zonotope_position(**_only_rows(instance), p=moved) == "boundary"


@given(central(shapes=FEW))
def test_every_vertex_is_on_the_boundary(instance):
    Z = Zonotope(**_only_rows(instance))
    for v in list(reference.zonotope_vertices(**_only_rows(instance)).values())[:6]:
        found = Z.membership(exact_array([v], instance.dimension)[0])
        assert found.position == ("boundary" if Z.arrangement.rank else "inside")
        assert found.gauge == (1 if Z.arrangement.rank else 0)


@given(central(), st.data())
def test_projections_are_zonotopes_of_projected_generators(instance, data):
    Z = Zonotope(**_only_rows(instance))
    columns = data.draw(st.lists(st.integers(0, instance.dimension - 1), max_size=3))
    shadow = Z.project(columns)
    c = data.draw(st.tuples(*[st.integers(-3, 3)] * len(columns)))
    full = [0] * instance.dimension
    for j, x in zip(columns, c, strict=True):
        full[j] += x
    below = np.array([c], dtype=np.int64).reshape(1, len(columns))
    assert shadow.exact_support(below)[0] == Z.exact_support([full])[0]


@given(central(shapes=FEW), st.data())
def test_the_normal_cones_cover_space_and_meet_in_the_normal_cones_of_faces(instance, data):
    """c is in the normal cones of exactly those vertices that its face has: one where the face is a vertex."""
    Z = Zonotope(**_only_rows(instance))
    rows, _ = exact_data(instance)
    c = data.draw(points(instance))
    if any(map(any, rows)) and data.draw(st.booleans()):
        c = data.draw(st.sampled_from(sorted(reference.zonotope_normals(**_only_rows(instance)))))
    around = {tuple(s) for s in Z.arrangement.locate(Instance((tuple(c),), instance.dimension).X[0]).tolist()}
    c = _as_read(instance, c)
    height = {s: _dot(v, c) for s, v in reference.zonotope_vertices(**_only_rows(instance)).items()}
    assert around == {s for s, h in height.items() if h == max(height.values())}
    for s in around:
        cone = Z.normal_cone([int(x >= 0) for x in s])
        assert all(x * h >= 0 for x, h in zip(s, (_dot(row, c) for row in rows), strict=True))
        assert signs_at(instance, cone.witness) == s
