"""What is pickled is what was: arrangements of any kind, and solutions with what their certificates need."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topes
from checks import build
from strategies import affine, central

ANY = st.one_of(central(), affine())


@given(ANY, st.booleans())
def test_arrangements(instance, held):
    A = build(instance)
    if held:
        A.patterns()
    for B in (pickle.loads(pickle.dumps(A)), copy.deepcopy(A)):
        assert (B.n, B.dimension, B.rank, B.is_central, B.values) == (A.n, A.dimension, A.rank, A.is_central, A.values)
        np.testing.assert_array_equal(B.sign_vectors(), A.sign_vectors())  # in the same order


@given(central(min_rows=1))
def test_the_order_of_cells_survives_insertion_and_pickling(instance):
    A = build(instance).insert(instance.X[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(A)).patterns(), A.patterns())


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_solutions_save_their_certificate_after_it(bias, norm, tmp_path):
    X = np.random.default_rng(3).standard_normal((12, 2))
    solution = topes.train(X, X[:, 0] + 1.0, 0.1, bias=bias, norm=norm)
    again = pickle.loads(pickle.dumps(solution))
    for name, each in (("was", solution), ("is", again)):
        each.save_certificate(tmp_path / f"{name}.npz")
    assert topes.verify(tmp_path / "is.npz").valid
    assert (tmp_path / "is.npz").read_bytes() == (tmp_path / "was.npz").read_bytes()
