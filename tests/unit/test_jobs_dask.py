"""Shares over a Dask cluster on this machine, one of whose workers dies."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

import topes
from shares import gaussian
from topes import Arrangement
from topes.jobs.count import count_in_shares
from topes.jobs.shares import PlanSize

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


def test_interrupted_in_a_cluster(client, tmp_path):
    A = Arrangement(gaussian(60, 4))
    path = tmp_path / "count"

    def interrupt(fraction, n_cells):
        if n_cells > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        A.count(executor=client.get_executor(), checkpoint=path, progress=interrupt)
    assert A.count(executor=client.get_executor(), checkpoint=path) == A.bound()
