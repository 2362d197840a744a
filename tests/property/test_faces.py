"""Facets, rays and neighbours of cells against the twin and against each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from checks import as_set, build, flipped, heights, parallel_classes, same_directions
from strategies import affine, central
from topes import reference

ANY = st.one_of(central(), affine())
INTEGERS = ["lattice"]
SMALL = ["zero", "small", "point"]


def _cells(instance, batch_size=65536):
    """(sign vector, facets, rays, bounded) of every cell."""
    for batch in build(instance).cells(batch_size=batch_size):
        for k, s in enumerate(batch.sign_vectors.tolist()):
            facets = batch.facet_indices[batch.facet_indptr[k] : batch.facet_indptr[k + 1]]
            rays = batch.rays[batch.ray_indptr[k] : batch.ray_indptr[k + 1]]
            yield tuple(s), tuple(facets.tolist()), rays, bool(batch.bounded[k])


@given(ANY)
def test_the_facets_are_those_of_the_twin(instance):
    assert {s: facets for s, facets, _, _ in _cells(instance)} == reference.facets(**instance.twin)


@given(ANY)
def test_flipping_a_hyperplane_gives_a_cell_exactly_when_it_is_a_facet(instance):
    classes = parallel_classes(instance)
    found = list(_cells(instance))
    present = {s for s, *_ in found}
    for s, facets, _, _ in found:
        assert facets == tuple(m[0] for m in classes if flipped(s, m) in present)


@given(ANY)
def test_neighbours_differ_in_the_facet_and_know_each_other(instance):
    A = build(instance)
    S = [tuple(s) for s in A.sign_vectors().tolist()]
    members_of = {m[0]: m for m in parallel_classes(instance)}
    graph = A.neighbors()
    facets = {s: f for s, f, _, _ in _cells(instance)}
    assert len(graph.indptr) == len(S) + 1
    edges = set()
    for k, s in enumerate(S):
        span = slice(graph.indptr[k], graph.indptr[k + 1])
        assert tuple(graph.facets[span].tolist()) == facets[s]
        for row, other in zip(graph.facets[span].tolist(), graph.cells[span].tolist(), strict=True):
            assert S[other] == flipped(s, members_of[row])
            edges.add((k, row, other))
    assert edges == {(other, row, k) for k, row, other in edges}


# Rays come as doubles, up to the linear space that no normal sees: compare what the normals see of them, X times the
# ray, for data where that is far from rounding.


@given(central(kinds=INTEGERS))
def test_the_rays_are_those_of_the_twin(instance):
    expected = reference.rays(**instance.twin)
    for s, _, rays, bounded in _cells(instance):
        seen = [heights(instance, ray) for ray in rays.tolist()]
        assert same_directions(seen, [heights(instance, ray) for ray in expected[s]])
        assert not bounded


@given(affine(kinds=INTEGERS, offsets_from=SMALL))
def test_the_vertices_and_rays_of_affine_cells_are_those_of_the_twin(instance):
    directions, vertices = reference.rays(**instance.twin), reference.vertices(**instance.twin)
    normals = central_part(instance)
    for s, _, rays, _ in _cells(instance):
        assert set(rays[:, -1].tolist()) <= {0.0, 1.0}
        at_infinity = [heights(normals, ray[:-1]) for ray in rays.tolist() if ray[-1] == 0]
        assert same_directions(at_infinity, [heights(normals, ray) for ray in directions[s]])
        points = [[*heights(normals, ray[:-1]), 1] for ray in rays.tolist() if ray[-1] == 1]
        assert same_directions(points, [[*heights(normals, v), 1] for v in vertices[s]])


@given(affine())
def test_bounded_cells_are_those_of_the_twin(instance):
    found = {s: bounded for s, _, _, bounded in _cells(instance)}
    assert found == reference.bounded(**instance.twin)
    if reference.rank(instance.X, instance.values) == instance.dimension:
        assert sum(found.values()) == reference.count_bounded(**instance.twin)


@given(ANY, st.integers(1, 9))
def test_facets_and_rays_do_not_depend_on_the_batch(instance, batch_size):
    whole, parts = list(_cells(instance)), list(_cells(instance, batch_size))
    assert len(whole) == len(parts)
    for a, b in zip(whole, parts, strict=True):
        assert a[:2] == b[:2]
        np.testing.assert_array_equal(a[2], b[2])
        assert a[3] == b[3]


@given(ANY)
def test_cells_and_sign_vectors_agree(instance):
    assert {s for s, *_ in _cells(instance)} == as_set(build(instance).sign_vectors())


def central_part(instance):
    return type(instance)(instance.rows, instance.dimension, None, instance.values)
