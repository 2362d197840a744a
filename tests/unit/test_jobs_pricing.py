"""Training over an executor: the same solution whoever prices, through deaths, limits and interruptions."""

from __future__ import annotations

import os
import pickle
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

import topes
from shares import Inline, gaussian
from topes import InputError, JobError, Status
from topes.jobs import pricing as jobs_pricing
from topes.jobs import worker
from topes.pricing import Pricer, oracle

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

X, Y = gaussian(60, 3), gaussian(60, 2, seed=1)
PROBLEM = {"beta": 0.5, "tol": 1e-4}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Nothing is done in this process that can be sent, and it is sent in many pieces."""
    monkeypatch.setattr(jobs_pricing, "_SECONDS_HERE", 0.0)
    monkeypatch.setattr(oracle, "_SLICE", 30)
    yield
    assert not jobs_pricing._spaces.ready
    assert not jobs_pricing._weights.ready


def told(solution):
    """All of a solution but its seconds."""
    net = solution.network
    return (
        solution.status,
        solution.objective,
        solution.lower_bound,
        solution.gap,
        solution.n_priced,
        net.W1.tobytes(),
        None if net.b1 is None else net.b1.tobytes(),
        net.w2.tobytes(),
        solution.dual.tobytes(),
        [(r.objective, r.lower_bound, r.gap) for r in solution.history],
    )


class Counted(Inline):
    """Counts shares, and the pieces in them."""

    def __init__(self, *given):
        super().__init__(*given)
        self.tickets = []

    def submit(self, function, ticket):
        self.tickets.append(ticket)
        return super().submit(function, ticket)


# -- the same solution


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"bias": "penalized", "activation": 0.1},
        {"bias": "free"},
        {"norm": 1},
        {"loss": "huber"},
        {"max_cones": 3000, "tol": 1e-9},
    ],
    ids=str,
)
def test_threads_and_processes_give_the_same(processes, threads, more):
    problem = {**PROBLEM, "tol": 1e-3, **more}
    rows = slice(20 if "bias" in more else 60)  # a bias is one more dimension
    alone = topes.train(X[rows], Y[rows, 0], **problem)
    for executor in (threads, processes):
        assert told(topes.train(X[rows], Y[rows, 0], executor=executor, **problem)) == told(alone)


@pytest.mark.parametrize("output_norm", [2, 1])
def test_several_outputs(processes, output_norm):
    problem = {"beta": 2.0, "tol": 1e-3, "output_norm": output_norm}
    alone = topes.train(X, Y, **problem)
    assert told(topes.train(X, Y, executor=processes, **problem)) == told(alone)


def test_pieces_become_pieces():
    executor = Counted()
    topes.train(X, Y[:, 0], executor=executor, **PROBLEM)
    pieces = [piece for ticket in executor.tickets for piece in ticket.pieces]
    assert {len(path) > 0 for _, path, _, _ in pieces} == {False, True}
    assert len({part for part, *_ in pieces}) == 16


def test_paths(processes):
    alone = topes.path(X, Y[:, 0], 3, least=0.1, tol=1e-3)
    shared = topes.path(X, Y[:, 0], 3, least=0.1, tol=1e-3, executor=processes)
    assert [told(s) for s in shared] == [told(s) for s in alone]
    assert topes.beta_max(X, Y[:, 0], executor=processes) == topes.beta_max(X, Y[:, 0])


def test_convolutional_networks(processes):
    series, y = gaussian(12, 6), gaussian(12, 1)[:, 0]
    alone = topes.train_cnn(series, y, 0.05, kernel_size=3, tol=1e-3)
    shared = topes.train_cnn(series, y, 0.05, kernel_size=3, tol=1e-3, executor=processes)
    assert told(shared) == told(alone)


def test_interpolation(processes, tmp_path):
    alone, shared = (topes.interpolate(X[:12], Y[:12, 0], tol=1e-4, executor=e) for e in (None, processes))
    assert (alone.objective, alone.lower_bound, alone.n_priced) == (shared.objective, shared.lower_bound, shared.n_priced)
    alone.save_certificate(tmp_path / "a.npz")
    shared.save_certificate(tmp_path / "b.npz", executor=processes)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_certify_and_certificates(processes, tmp_path):
    network = topes.TwoLayerNetwork(np.eye(3), None, np.ones(3), "relu")
    alone = topes.certify(X, Y[:, 0], network, **PROBLEM)
    shared = topes.certify(X, Y[:, 0], network, executor=processes, **PROBLEM)
    assert (shared.objective, shared.lower_bound) == (alone.objective, alone.lower_bound)
    alone.optimum.save_certificate(tmp_path / "a.npz")
    shared.optimum.save_certificate(tmp_path / "b.npz", executor=processes)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert topes.verify(tmp_path / "b.npz").valid


def test_data_without_rows_or_rank():
    for rows in (np.zeros((3, 2)), np.zeros((0, 2))):
        s = topes.train(rows, np.ones(len(rows)), 0.1, executor=Inline())
        assert s.status is Status.CERTIFIED


# -- what goes out


def test_what_is_quick_stays_here(monkeypatch):
    monkeypatch.setattr(jobs_pricing, "_SECONDS_HERE", 1e9)
    executor = Counted()
    topes.train(X, Y[:, 0], executor=executor, **PROBLEM)
    assert not executor.tickets


def test_after_a_call_that_took_long_the_next_goes_out_at_once(monkeypatch):
    monkeypatch.setattr(jobs_pricing, "_SECONDS_HERE", 1e9)
    pricer, v, executor = Pricer(X), Y[:, 0], Counted()
    with jobs_pricing.workers(executor, None) as at_work:
        at_work.large = True
        alone = pricer.price(v)
        assert pricer.price(v, workers=at_work).upper_bound == alone.upper_bound
        sent = len(executor.tickets)
        assert sent > 0
        assert not at_work.large
        assert pricer.price(v, workers=at_work).upper_bound == alone.upper_bound
        assert len(executor.tickets) == sent


def test_many_rows_travel_only_when_asked_for(processes):
    pricer = Pricer(gaussian(1500, 2))
    v = gaussian(1500, 1)[:, 0]
    sent = []

    class Watched(Executor):
        def submit(self, function, ticket):
            sent.append((len(ticket.pieces), ticket.space.pickled is not None, ticket.weights.pickled is not None))
            return processes.submit(function, ticket)

    with jobs_pricing.workers(Watched(), None) as at_work:
        for k in (1.0, 2.0):
            assert pricer.price(k * v, workers=at_work).upper_bound == pricer.price(k * v).upper_bound
    assert not all(space for _, space, _ in sent)
    assert any(space for _, space, _ in sent)


def test_many_pieces_share_a_share(monkeypatch):
    monkeypatch.setattr(jobs_pricing, "_MOST_SHARES", 3)
    executor = Counted()
    shared = topes.train(X, Y[:, 0], executor=executor, **PROBLEM)
    assert max(len(ticket.pieces) for ticket in executor.tickets) >= 6
    assert told(shared) == told(topes.train(X, Y[:, 0], **PROBLEM))


def test_pieces_travel_whole():
    pricer = Pricer(X)
    bend, linear, _ = pricer._terms(Y)
    found = pricer._space.search_pieces(
        bend, linear, [(0, b"", np.inf, 10**6), (3, b"", np.inf, 10**6)], 0.0, 0.0, 0.5, 1e-3, 1e300, 100, 1, None, False, 5
    )
    assert any(piece.n_open for piece in found)
    for piece in found:
        copy = pickle.loads(pickle.dumps(piece))
        assert copy.__getstate__() == piece.__getstate__()
        assert (copy.upper, copy.nodes, copy.n_open) == (piece.upper, piece.nodes, piece.n_open)
    with pytest.raises(ValueError, match="another version"):
        type(found[0]).__new__(type(found[0])).__setstate__((1.0,))


def test_another_build_is_refused():
    class Other(Inline):
        def submit(self, function, ticket):
            return super().submit(function, ticket._replace(digest="0" * 16))

    with pytest.raises(topes.TopesError, match="another version of topes"):
        topes.train(X, Y[:, 0], executor=Other(), **PROBLEM)


# -- deaths


class Killer:
    """Makes pools of two processes; a worker is killed when so many shares were submitted, by itself or by the other one."""

    def __init__(self, at):
        self.at, self.n, self.pools = at, 0, []

    def __call__(self):
        killer = self

        class Pool(ProcessPoolExecutor):
            def submit(self, function, *arguments):
                killer.n += 1
                if killer.n in killer.at:
                    super().submit(os.kill, next(iter(self._processes)), signal.SIGKILL)
                return super().submit(function, *arguments)

        self.pools.append(Pool(2))
        return self.pools[-1]


def test_a_worker_that_dies_loses_nothing():
    alone = topes.train(X, Y[:, 0], **PROBLEM)
    killer = Killer({40, 90})
    assert told(topes.train(X, Y[:, 0], executor=killer, **PROBLEM)) == told(alone)
    assert len(killer.pools) == 3


def test_a_broken_executor_without_a_function_is_an_error():
    with Killer({40})() as pool, pytest.raises(JobError, match=r"no function that makes another one.*shares are done"):
        topes.train(X, Y[:, 0], executor=pool, **PROBLEM)


def test_executors_that_never_work_are_given_up():
    made = []

    def broken():
        made.append(Inline(0, BrokenProcessPool("dead on arrival")))
        return made[-1]

    with pytest.raises(JobError, match=r"4 executors broke .*dead on arrival"):
        topes.train(X, Y[:, 0], executor=broken, **PROBLEM)
    assert len(made) == 4
    assert all(executor.shut for executor in made)


def test_a_share_that_always_fails_is_given_up():
    with pytest.raises(JobError, match=r"failed 4 times \(MemoryError\); \d of \d+ shares are done of the pricing"):
        topes.train(X, Y[:, 0], executor=Inline(7, MemoryError()), **PROBLEM)


# -- ends


def test_a_time_limit_ends_the_run_whatever_the_executor_does():
    class Never(Executor):
        def submit(self, function, *arguments):
            return Future()

    s = topes.train(X, Y[:, 0], executor=Never(), max_time=0.3, **PROBLEM)
    assert s.status is Status.TIME_LIMIT
    assert s.lower_bound <= topes.train(X, Y[:, 0], **PROBLEM).objective
    assert sum(s.seconds.values()) < 30.0


def test_an_interruption_ends_at_once_and_frees_everything():
    made = []

    class Interrupted(Inline):
        def submit(self, function, ticket):
            if self.left == 0:
                late.append((function, ticket))
                raise KeyboardInterrupt
            return super().submit(function, ticket)

    late = []

    def make():
        made.append(Interrupted(20))
        return made[-1]

    with pytest.raises(KeyboardInterrupt):
        topes.train(X, Y[:, 0], executor=make, **PROBLEM)
    assert len(made) == 1
    assert made[0].shut
    function, ticket = late[0]
    with pytest.raises(worker.EndedError):
        function(ticket)


def test_executors_that_were_made_are_ended_and_given_ones_are_not():
    given, made = Counted(), []

    def make():
        made.append(Counted())
        return made[-1]

    topes.path(X, Y[:, 0], [1.0, 0.5], tol=1e-3, executor=make)
    topes.path(X, Y[:, 0], [1.0, 0.5], tol=1e-3, executor=given)
    assert [executor.shut for executor in made] == [True]
    assert not given.shut


@pytest.mark.parametrize("face", [topes.train, topes.path, topes.beta_max])
def test_bad_input(face):
    more = {"beta": 0.5} if face is topes.train else {}
    with pytest.raises(InputError, match="executor must be"):
        face(X, Y[:, 0], executor=3, **more)
    with pytest.raises(InputError, match="n_threads must be left out where there is an executor, got 2"):
        face(X, Y[:, 0], executor=Inline(), n_threads=2, **more)
    with pytest.raises(InputError, match="executor must make"):
        face(X, Y[:, 0], executor=lambda: 3, **more)
