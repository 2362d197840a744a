"""Shares over a Dask cluster on this machine, one of whose workers dies."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor

import numpy as np
import pytest

import topes
from shares import gaussian
from topes import Arrangement
from topes.estimators import ConvexReLURegressorCV
from topes.jobs import pricing as jobs_pricing
from topes.jobs.count import count_in_shares
from topes.jobs.shares import PlanSize
from topes.pricing import oracle

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # the cluster's own


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask")
    with (
        distributed.LocalCluster(
            processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(folder)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster_gives_the_same(client, tmp_path):
    A = Arrangement(gaussian(60, 4))
    assert A.count(executor=client.get_executor()) == A.bound()
    B = Arrangement(gaussian(24, 4))
    assert topes.solid_angle_summary(B, executor=client.get_executor()).sum == topes.solid_angle_summary(B).sum
    path = tmp_path / "cells.npy"
    assert B.save_patterns(path, executor=client.get_executor, resume=True) == B.bound()
    assert np.array_equal(topes.open_patterns(path)[:], B.patterns())


def test_rows_travel_once_to_each_worker(client):
    A = Arrangement(gaussian(6000, 2))
    assert A.count(executor=client.get_executor()) == A.bound()


def test_a_worker_that_is_killed_loses_nothing(client, tmp_path):
    A = Arrangement(gaussian(250, 4))
    path = tmp_path / "count"
    pids = sorted(client.run(os.getpid).values())
    killed = []

    def progress(fraction, n_cells):
        if n_cells > 0 and not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    n_cells, _ = count_in_shares(
        A,
        executor=client.get_executor(),
        checkpoint=path,
        n_threads=None,
        progress=progress,
        max_cells=2**64 - 1,
        size=PlanSize(400, 0),
    )
    assert killed
    assert n_cells == A.bound()
    shares = [line.split(b"[")[1].split(b",")[0] for line in path.read_bytes().splitlines()[1:]]
    assert len(shares) == len(set(shares)) > 300


@pytest.fixture
def small_pieces(monkeypatch):
    """All pricing goes out, in many pieces."""
    monkeypatch.setattr(jobs_pricing, "_SECONDS_HERE", 0.0)
    monkeypatch.setattr(oracle, "_SLICE", 100)


def test_training_in_a_cluster(client, small_pieces):
    X, y = gaussian(60, 3), gaussian(60, 1)[:, 0]
    alone, shared = (topes.train(X, y, 0.5, tol=1e-3, executor=e) for e in (None, client.get_executor))
    assert (alone.objective, alone.lower_bound, alone.n_priced) == (shared.objective, shared.lower_bound, shared.n_priced)
    assert np.array_equal(alone.network.W1, shared.network.W1)


def test_cross_validation_in_a_cluster(client):
    X, y = gaussian(60, 2), gaussian(60, 1)[:, 0]
    model = ConvexReLURegressorCV(betas=3, cv=3)
    scores = model.fit(X, y).scores_.copy()
    assert np.array_equal(model.fit(X, y, executor=client.get_executor()).scores_, scores)


def test_training_goes_on_where_a_worker_is_killed(client, small_pieces):
    X, y = gaussian(60, 3), gaussian(60, 1)[:, 0]
    alone = topes.train(X, y, 0.5, tol=1e-3)
    executor, pids, n = client.get_executor(), sorted(client.run(os.getpid).values()), 0

    class Killing(Executor):
        def submit(self, function, ticket):
            nonlocal n
            n += 1
            if n == 30:
                os.kill(pids[0], signal.SIGKILL)
            return executor.submit(function, ticket)

    shared = topes.train(X, y, 0.5, tol=1e-3, executor=Killing())
    assert n > 30
    assert (alone.objective, alone.lower_bound, alone.n_priced) == (shared.objective, shared.lower_bound, shared.n_priced)


def test_interrupted_in_a_cluster(client, tmp_path):
    A = Arrangement(gaussian(60, 4))
    path = tmp_path / "count"

    def interrupt(fraction, n_cells):
        if n_cells > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        A.count(executor=client.get_executor(), checkpoint=path, progress=interrupt)
    assert A.count(executor=client.get_executor(), checkpoint=path) == A.bound()
