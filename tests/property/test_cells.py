"""The cells of an arrangement against the exact twin, and the symmetries they must have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import topes
from checks import as_set, build, cell_set, exact_array, exact_data, parallel_classes, signs_at
from strategies import affine, central
from topes import reference

ANY = st.one_of(central(), affine())


@given(ANY)
def test_the_cells_are_those_of_the_twin(instance):
    assert cell_set(instance) == reference.sign_vectors(**instance.twin)


@given(ANY)
def test_the_count_is_that_of_zaslavskys_theorem(instance):
    A = build(instance)
    expected = reference.count(**instance.twin)
    assert A.count() == expected
    assert len(A.patterns()) == expected
    assert A.count() == expected  # now that the cells are held
    assert expected <= A.bound()


@given(ANY)
def test_shape_rank_and_distinct_hyperplanes(instance):
    A = build(instance)
    assert (A.n, A.dimension) == (instance.n, instance.dimension)
    assert A.rank == reference.rank(instance.X, instance.values)
    assert A.n_hyperplanes == len(parallel_classes(instance))
    assert A.is_central == (instance.offsets is None)
    assert A.bound() == reference.bound(A.n_hyperplanes, A.rank, central=A.is_central)


@given(ANY)
def test_every_exact_witness_lies_in_its_cell(instance):
    for batch in build(instance).cells():
        for s, w in zip(batch.sign_vectors.tolist(), batch.exact_witnesses(), strict=True):
            assert all(isinstance(x, Fraction | int) for x in w)
            assert signs_at(instance, w) == tuple(s)


@given(st.one_of(central(kinds=["lattice"]), affine(kinds=["lattice"], offsets_from=["zero", "small", "point"])))
def test_float_witnesses_lie_in_their_cells_where_the_data_are_small_integers(instance):
    # A cell can be too thin for any double; those that small integers cut are not.
    for batch in build(instance).cells():
        for s, w in zip(batch.sign_vectors.tolist(), batch.witnesses.tolist(), strict=True):
            assert signs_at(instance, w) == tuple(s)


@given(ANY)
def test_patterns_are_the_signs_with_zero_as_one(instance):
    A = build(instance)
    np.testing.assert_array_equal(A.patterns(), A.sign_vectors() >= 0)


@given(ANY)
def test_a_sign_is_zero_for_the_rows_without_a_side_only(instance):
    rows, offsets = exact_data(instance)
    nowhere = [not any(a) and b == 0 for a, b in zip(rows, offsets, strict=True)]
    S = build(instance).sign_vectors()
    np.testing.assert_array_equal(S == 0, np.broadcast_to(nowhere, S.shape))


@given(central())
def test_central_cells_come_in_antipodal_pairs(instance):
    A = build(instance)
    S = A.sign_vectors()
    if A.rank == 0:
        assert len(S) == 1
    else:
        assert len(S) % 2 == 0
        np.testing.assert_array_equal(S[1::2], -S[0::2])


@given(ANY, st.data())
def test_a_permutation_of_the_rows_permutes_the_columns(instance, data):
    order = data.draw(st.permutations(range(instance.n)))
    expected = {tuple(s[i] for i in order) for s in cell_set(instance)}
    assert cell_set(instance.take(order)) == expected


@given(ANY, st.data())
def test_scaling_a_row_does_nothing_and_a_negative_factor_flips_it(instance, data):
    rows, offsets = exact_data(instance)
    size = st.sampled_from([Fraction(1), Fraction(3), Fraction(1, 7), Fraction(10**30), Fraction(1, 2**400)])
    factors = [data.draw(size) * data.draw(st.sampled_from([1, -1])) for _ in rows]
    scaled = [[c * x for x in row] for c, row in zip(factors, rows, strict=True)]
    b = None if instance.offsets is None else [c * x for c, x in zip(factors, offsets, strict=True)]
    found = as_set(topes.Arrangement(exact_array(scaled, instance.dimension), _vector(b)).sign_vectors())
    assert found == {tuple(x if c > 0 else -x for c, x in zip(factors, s, strict=True)) for s in cell_set(instance)}


@given(ANY, st.data())
def test_an_invertible_map_of_space_changes_nothing(instance, data):
    rows, offsets = exact_data(instance)
    d = instance.dimension
    M = [[Fraction(i == j) for j in range(d)] for i in range(d)]
    for _ in range(data.draw(st.integers(0, 4))):  # a product of shears, stretches and swaps of coordinates
        i, j = data.draw(st.integers(0, d - 1)), data.draw(st.integers(0, d - 1))
        c = data.draw(st.sampled_from([Fraction(2), Fraction(-1), Fraction(1, 3), Fraction(-7)]))
        M[i] = [x + c * y for x, y in zip(M[i], M[j], strict=True)] if i != j else [c * x for x in M[i]]
        if data.draw(st.booleans()):
            M[i], M[j] = M[j], M[i]
    mapped = [[sum(row[k] * M[k][j] for k in range(d)) for j in range(d)] for row in rows]
    b = None if instance.offsets is None else offsets
    assert as_set(topes.Arrangement(exact_array(mapped, d), _vector(b)).sign_vectors()) == cell_set(instance)


@given(ANY)
def test_deletion_and_restriction(instance):
    """n(A) = n(A without h) + n(A on h), for each hyperplane h."""
    A = build(instance)
    rows, offsets = exact_data(instance)
    d = instance.dimension
    for members in parallel_classes(instance):
        others = [i for i in range(instance.n) if i not in members]
        a, b = rows[members[0]], offsets[members[0]]
        j = next(k for k in range(d) if a[k])
        on_h = [[rows[i][k] - rows[i][j] * a[k] / a[j] for k in range(d) if k != j] for i in others]
        shifts = [offsets[i] - rows[i][j] * b / a[j] for i in others]
        restricted = topes.Arrangement(exact_array(on_h, d - 1), None if A.is_central else _vector(shifts))
        assert A.count() == build(instance.take(others)).count() + restricted.count()


@given(ANY)
def test_the_same_bytes_for_any_number_of_threads(instance):
    answers = []
    for n_threads in (1, 2, 7):
        A = build(instance)
        batches = list(A.cells(batch_size=5, n_threads=n_threads))
        answers.append(
            (
                A.count(n_threads=n_threads),
                A.patterns(n_threads=n_threads).tobytes(),
                b"".join(b.packed.tobytes() for b in batches),
                b"".join(b.witnesses.tobytes() for b in batches),
                b"".join(b.facet_indices.tobytes() for b in batches),
                b"".join(b.rays.tobytes() for b in batches),
            )
        )
    assert answers[0] == answers[1] == answers[2]


@given(central(kinds=["decimals", "any floats"]))
def test_decimal_reads_a_float_as_the_number_it_prints(instance):
    typed = [[Fraction(str(x)) for x in row] for row in instance.rows]
    found = topes.Arrangement(instance.X, values="decimal").sign_vectors()
    assert as_set(found) == as_set(topes.Arrangement(exact_array(typed, instance.dimension)).sign_vectors())


def _vector(b):
    if b is None:
        return None
    out = np.empty(len(b), dtype=object)
    out[:] = b
    return out
