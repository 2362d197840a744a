"""Batches of cells: together they are `patterns`, whatever their size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from checks import build
from strategies import affine, central

ANY = st.one_of(central(), affine())


@given(ANY, st.integers(1, 20), st.booleans(), st.integers(1, 3))
def test_batches_are_consecutive_pieces_of_patterns(instance, batch_size, geometry, n_threads):
    A = build(instance)
    batches = list(A.cells(batch_size=batch_size, geometry=geometry, n_threads=n_threads))
    assert all(len(b) == batch_size for b in batches[:-1])
    assert 1 <= len(batches[-1]) <= batch_size
    P = A.patterns()
    np.testing.assert_array_equal(np.concatenate([b.patterns for b in batches]), P)
    np.testing.assert_array_equal(np.concatenate([b.sign_vectors for b in batches]), A.sign_vectors())


@given(ANY)
def test_packed_bits_are_the_pattern_in_little_bit_order(instance):
    for batch in build(instance).cells(geometry=False):
        assert batch.packed.shape == (len(batch), -(-instance.n // 8))
        np.testing.assert_array_equal(np.packbits(batch.patterns, axis=1, bitorder="little"), batch.packed)


@given(ANY, st.integers(1, 5))
def test_a_stream_can_be_left_in_the_middle(instance, batch_size):
    A = build(instance)
    stream = A.cells(batch_size=batch_size, n_threads=2)
    first = next(stream)
    stream.close()
    np.testing.assert_array_equal(first.patterns, A.patterns()[:batch_size])


@given(ANY)
def test_shapes_of_the_geometry(instance):
    d = instance.dimension
    for batch in build(instance).cells(batch_size=16):
        k = len(batch)
        assert batch.witnesses.shape == (k, d)
        assert batch.exact_witnesses().shape == (k, d)
        assert batch.bounded.shape == (k,)
        assert batch.rays.shape == (batch.ray_indptr[-1], d if instance.offsets is None else d + 1)
        for indptr, total in (
            (batch.facet_indptr, len(batch.facet_indices)),
            (batch.ray_indptr, len(batch.rays)),
        ):
            assert indptr.shape == (k + 1,)
            assert (indptr[0], indptr[-1]) == (0, total)
            assert (np.diff(indptr) >= 0).all()
