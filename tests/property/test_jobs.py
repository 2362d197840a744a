"""Walks in shares against walks in one go, on troublesome arrangements: any cut, any stop, the same cells in order."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
import topes
from topes import Arrangement
from topes.jobs.count import count_in_shares
from topes.jobs.patterns import save_in_shares
from topes.jobs.shares import PlanSize

INSTANCES = st.one_of(strategies.central(), strategies.affine())
SIZES = st.sampled_from([PlanSize(1, 0), PlanSize(3, 0), PlanSize(30, 0), PlanSize(1e9, 0)])
SHARED = {"n_threads": None, "progress": False, "max_cells": 2**64 - 1}


def arrangement(instance):
    return Arrangement(instance.X, instance.b, values=instance.values)


def one():
    return ThreadPoolExecutor(1)


@given(instance=INSTANCES, size=SIZES, kept=st.floats(0, 1))
def test_counts_from_any_cut_and_any_stop(instance, size, kept):
    A = arrangement(instance)
    expected = A.count()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "count"
        n_cells, _ = count_in_shares(A, executor=one, checkpoint=path, size=size, **SHARED)
        assert n_cells == expected
        if path.exists():
            whole = path.read_bytes()
            path.write_bytes(whole[: int(kept * len(whole))])
            n_cells, _ = count_in_shares(A, executor=one, checkpoint=path, size=size, **SHARED)
            assert n_cells == expected
            assert len(path.read_bytes()) == len(whole)


@given(instance=INSTANCES, size=SIZES, packed=st.booleans(), kept=st.floats(0, 1))
def test_patterns_from_any_cut_and_any_stop(instance, size, packed, kept):
    A = arrangement(instance)
    expected = A.patterns()
    with tempfile.TemporaryDirectory() as folder:
        path, lines = Path(folder) / "cells.npy", Path(folder) / "cells.npy.checkpoint"
        for _ in range(2):
            n_cells = save_in_shares(A, path, packed=packed, executor=one, resume=True, size=size, **SHARED)
            assert n_cells == len(expected)
            found = topes.open_patterns(path)
            assert found.complete
            assert found.shape == expected.shape
            assert np.array_equal(found[:], expected)
            whole = lines.read_bytes()
            lines.write_bytes(whole[: int(kept * len(whole))])


@settings(max_examples=max(10, settings().max_examples // 5))  # all but flat cones take seconds
@given(instance=strategies.central(shapes=((2, 6), (3, 7), (4, 6), (5, 6), (6, 7))))
def test_angles_to_the_last_bit(instance):
    A = arrangement(instance)
    a, b = topes.solid_angle_summary(A, n_points=64), topes.solid_angle_summary(A, n_points=64, executor=one)
    assert (a.n_cells, a.sum, a.error, a.exact_cones) == (b.n_cells, b.sum, b.error, b.exact_cones)
    assert np.array_equal(a.histogram, b.histogram)
    assert np.array_equal(a.edges, b.edges)
    for x, y in ((a.least, b.least), (a.greatest, b.greatest)):
        assert (x.angle, x.error, x.witness) == (y.angle, y.error, y.witness)
