"""Affine arrangements: the half of a central one, translations, offsets that make no difference."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import topes
from checks import as_set, build, cell_set, exact_array, exact_data
from strategies import affine, central, small_integers


@given(affine())
def test_an_affine_arrangement_is_half_of_a_central_one(instance):
    """Rows (x_i, -b_i), and one more hyperplane at infinity, t = 0, whose positive side is t = 1."""
    rows, offsets = exact_data(instance)
    d = instance.dimension
    lifted = [(*row, -b) for row, b in zip(rows, offsets, strict=True)]
    lifted.append((Fraction(0),) * d + (Fraction(1),))
    whole = as_set(topes.Arrangement(exact_array(lifted, d + 1)).sign_vectors())
    half = {s[:-1] for s in whole if s[-1] == 1}
    assert 2 * len(half) == len(whole)
    assert cell_set(instance) == half


@given(central())
def test_zero_offsets_are_no_offsets(instance):
    shifted = replace(instance, offsets=(0,) * instance.n)
    assert not build(shifted).is_central
    assert cell_set(shifted) == cell_set(instance)


@given(affine(), st.data())
def test_a_translation_changes_nothing(instance, data):
    rows, offsets = exact_data(instance)
    p = data.draw(st.lists(small_integers(5), min_size=instance.dimension, max_size=instance.dimension))
    moved = np.empty(instance.n, dtype=object)
    moved[:] = [b + sum(x * y for x, y in zip(row, p, strict=True)) for row, b in zip(rows, offsets, strict=True)]
    assert as_set(topes.Arrangement(exact_array(rows, instance.dimension), moved).sign_vectors()) == cell_set(instance)


@given(affine())
def test_far_away_an_affine_arrangement_looks_central(instance):
    """The signs along w -> infinity are those of the central arrangement: its cells are among the affine ones."""
    rows, _ = exact_data(instance)
    kept = [i for i, row in enumerate(rows) if any(row)]
    around = {tuple(s[i] for i in kept) for s in cell_set(replace(instance, offsets=None))}
    assert around <= {tuple(s[i] for i in kept) for s in cell_set(instance)}


@given(affine())
def test_a_zero_row_has_the_sign_of_minus_its_offset_everywhere(instance):
    rows, offsets = exact_data(instance)
    S = build(instance).sign_vectors()
    for i, (row, b) in enumerate(zip(rows, offsets, strict=True)):
        if not any(row):
            assert set(S[:, i].tolist()) == {(b < 0) - (b > 0)}
