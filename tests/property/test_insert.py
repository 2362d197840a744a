"""Inserting hyperplanes one by one: the same cells as building at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import topes
from checks import as_set, build, cell_set, parallel_classes
from strategies import affine, central

ANY = st.one_of(central(min_rows=1), affine(min_rows=1))


@given(ANY, st.data())
def test_inserting_rows_is_building_with_them(instance, data):
    start = data.draw(st.integers(0, instance.n))
    A = build(instance.take(range(start)))
    for i in range(start, instance.n):
        if data.draw(st.booleans()):
            A.patterns()  # now its cells are held, and insertion starts from them
        A = A.insert(instance.X[i]) if instance.b is None else A.insert(instance.X[i], instance.b[i])
        so_far = instance.take(range(i + 1))
        assert A.count() == build(so_far).count()
    assert as_set(A.sign_vectors()) == cell_set(instance)
    assert A.rank == build(instance).rank
    assert A.n_hyperplanes == len(parallel_classes(instance))


@given(ANY)
def test_an_arrangement_does_not_change_when_a_row_is_inserted(instance):
    A = build(instance.take(range(instance.n - 1)))
    before = A.patterns().copy()
    B = A.insert(instance.X[-1], 0 if instance.b is None else instance.b[-1])
    B.patterns()
    np.testing.assert_array_equal(A.patterns(), before)
    assert (A.n, B.n) == (instance.n - 1, instance.n)


@given(ANY)
def test_insertion_adds_the_cells_the_new_hyperplane_cuts(instance):
    """Dropping the new sign maps the new cells onto the old ones, two to one exactly where a cell is cut."""
    A = build(instance.take(range(instance.n - 1)))
    old = as_set(A.sign_vectors())
    new = as_set(A.insert(instance.X[-1], 0 if instance.b is None else instance.b[-1]).sign_vectors())
    assert {s[:-1] for s in new} == old
    cut = {s for s in old if (*s, 1) in new and (*s, -1) in new}
    assert len(new) == len(old) + len(cut)


@given(ANY, st.booleans())
def test_streams_of_an_inserted_arrangement_follow_its_patterns(instance, held):
    A = build(instance.take(range(instance.n - 1)))
    if held:
        A.patterns()
    B = A.insert(instance.X[-1], 0 if instance.b is None else instance.b[-1])
    streamed = [batch.patterns for batch in B.cells(batch_size=7)]
    np.testing.assert_array_equal(np.concatenate(streamed), B.patterns())


@given(central(kinds=["lattice"], min_rows=1), central(kinds=["fractions", "big integers", "scaled"], min_rows=1))
def test_rows_of_another_kind_of_number_can_be_inserted(instance, other):
    width = min(instance.dimension, other.dimension)
    A = topes.Arrangement(instance.X[:, :width])
    A.patterns()
    B = A.insert(other.X[0, :width])
    together = np.empty((instance.n + 1, width), dtype=object)
    together[:-1], together[-1] = instance.X[:, :width], other.X[0, :width]
    assert as_set(B.sign_vectors()) == as_set(topes.Arrangement(together).sign_vectors())
