"""Walks in shares, for tests: arrangements, counts cut finely, an executor and a process to stop at a known place."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from topes.jobs.count import count_in_shares
from topes.jobs.shares import PlanSize

ALL = 2**64 - 1
FINE = PlanSize(40, 0)  # shares of small arrangements too


def gaussian(n, r, seed=0):
    return np.random.default_rng(seed).standard_normal((n, r))


def fine_count(A, executor=None, checkpoint=None, progress=False, max_cells=ALL, size=FINE):
    return count_in_shares(
        A, executor=executor, checkpoint=checkpoint, n_threads=None, progress=progress, max_cells=max_cells, size=size
    )[0]


class Inline(Executor):
    """Does the work at once, in this thread: what tests need to stop at a known place."""

    def __init__(self, after=None, error=None):
        self.left, self.error, self.shut = after, error, False

    def submit(self, function, /, *arguments, **options):
        future = Future()
        if self.left == 0:
            if isinstance(self.error, BrokenProcessPool):
                raise self.error
            future.set_exception(self.error)
            return future
        if self.left is not None:
            self.left -= 1
        future.set_result(function(*arguments, **options))
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.shut = True


def started(script, path, **streams):
    """A process of its own that runs the script on the path, its lines to be read, and Ctrl-C not ignored."""
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may have it ignored
        **streams,
    )
