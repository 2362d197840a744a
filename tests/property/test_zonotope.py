"""Zonotopes: vertices are X'D of the cells, exactly, and normal cones are the cells."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topes
from checks import exact_data, heights, primitive, signs_at
from strategies import central
from topes import InputError, Zonotope, reference


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
