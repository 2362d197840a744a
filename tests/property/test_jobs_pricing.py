"""Pricing in pieces against pricing in one go, on troublesome arrangements: the same bits, and a bound that holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import strategies
import topes
from problems import BIASES, KAPPAS
from shares import Inline
from topes.dual import zero_sum
from topes.errors import RankLimitError
from topes.jobs import pricing as jobs_pricing
from topes.pricing import Pricer, oracle

FEW = settings(max_examples=max(10, settings().max_examples // 4))
SLICES = st.sampled_from([3, 20, 2**14])
NORMS = st.sampled_from([2, 2, 1, np.inf])


def everything_goes_out(cones):
    """Nothing is searched here, and pieces have so many cones at most."""
    return patch.multiple(oracle, _SLICE=cones), patch.multiple(jobs_pricing, _SECONDS_HERE=0.0)


def moderate(instance):
    """Whether squares of the entries are doubles: pricing warns of those that are not."""
    return all(x == 0 or 1e-100 < abs(x) < 1e100 for row in instance.rows for x in row)


def pricer_of(instance, **options):
    assume(moderate(instance))
    try:
        return Pricer(instance.X, values=instance.values, **options)
    except RankLimitError:
        assume(False)


@FEW
@given(
    strategies.central(), KAPPAS, BIASES, NORMS, st.integers(1, 2), SLICES, st.booleans(), st.integers(0, 2**32 - 1)
)
def test_the_same_bits_from_any_pieces(instance, kappa, bias, norm, outputs, cones, limited, seed):
    pricer = pricer_of(instance, activation=kappa, bias=bias, norm=norm)
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((instance.n, outputs))
    if bias == "free":
        V = np.stack([zero_sum(v - v.mean()) for v in V.T], axis=1) if instance.n else V
    V = V[:, 0] if outputs == 1 else V
    options = {"tol": 1e-3, "keep": 0.5, "max_nodes": 300 if limited else 2_000, "reallot": limited}
    slices, nothing_here = everything_goes_out(cones)
    with slices, nothing_here:
        here = pricer.price(V, **options)
        with jobs_pricing.workers(Inline(), None) as at_work:
            there = pricer.price(V, workers=at_work, **options)
    assert (here.upper_bound, here.best, here.complete, here.n_nodes) == (
        there.upper_bound,
        there.best,
        there.complete,
        there.n_nodes,
    )
    for name in ("directions", "values", "signs"):
        assert np.array_equal(getattr(here, name), getattr(there, name))
    whole = pricer.price(V, **options)
    assert whole.best <= there.upper_bound
    assert there.best <= whole.upper_bound
    if whole.complete and there.complete:
        assert there.upper_bound == pytest.approx(whole.upper_bound, rel=4e-3, abs=1e-9)


@FEW
@given(strategies.central(), st.integers(0, 2**32 - 1), SLICES)
def test_certificates_from_pieces_are_the_same_files_and_hold(instance, seed, cones):
    assume(moderate(instance))
    y = np.random.default_rng(seed).standard_normal(instance.n)
    try:
        beta = 0.1 * topes.beta_max(instance.X, y, values=instance.values) or 0.1
    except RankLimitError:
        assume(False)
    slices, nothing_here = everything_goes_out(cones)
    with slices, nothing_here, tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "here.npz", Path(folder) / "there.npz"]
        for file, executor in zip(files, (None, Inline()), strict=True):
            s = topes.train(instance.X, y, beta, values=instance.values, tol=1e-3, max_cones=2_000, executor=executor)
            assume(s.status is topes.Status.CERTIFIED)
            s.save_certificate(file, executor=executor)
        assert files[0].read_bytes() == files[1].read_bytes()
        assert topes.verify(files[1]).valid
