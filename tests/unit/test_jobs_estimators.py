"""Estimators over an executor: folds as shares, and the last fit; what is fitted is the same."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shares import Inline, gaussian
from topes import InputError, JobError
from topes.estimators import (
    ConvexReLUClassifier,
    ConvexReLUClassifierCV,
    ConvexReLURegressor,
    ConvexReLURegressorCV,
)
from topes.jobs import calls, worker
from topes.jobs import pricing as jobs_pricing

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::topes.estimators.OptimalityWarning"),
]

X = gaussian(24, 2)
TARGETS = np.abs(X[:, 0]) - 0.5 * X[:, 1]
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])


@pytest.fixture(autouse=True)
def nothing_is_kept():
    yield
    for store in (calls._common, jobs_pricing._spaces, jobs_pricing._weights):
        assert not store.ready


def told(model):
    more = (model.beta_, model.betas_.tobytes(), model.scores_.tobytes()) if hasattr(model, "scores_") else ()
    net = model.network_
    # At a rank that is not priced over all cells the bound depends on the time there is.
    bound = () if getattr(model, "rank", None) == 1 else (model.lower_bound_, model.status_)
    return (*more, net.W1.tobytes(), net.b1.tobytes(), model.objective_, *bound)


def fails_on_purpose(estimator, X, y):
    raise ZeroDivisionError("of the scorer")


CV = {"betas": 4, "cv": 3, "max_time": 1.0}
MODELS = [
    (ConvexReLURegressorCV(**CV), TARGETS),
    (ConvexReLUClassifierCV(betas=3, cv=2, max_time=0.2), CLASSES),
    (ConvexReLURegressorCV(**CV, rank=1), TARGETS),
    (ConvexReLURegressor(0.1), TARGETS),
    (ConvexReLUClassifier(0.1), CLASSES),
]


@pytest.mark.parametrize(("model", "y"), MODELS, ids=lambda m: type(m).__name__)
def test_the_same_fit(processes, threads, model, y, monkeypatch):
    monkeypatch.setattr(jobs_pricing, "_SECONDS_HERE", 0.0)
    alone = told(clone(model).fit(X, y))
    for executor in (threads, processes):
        assert told(clone(model).fit(X, y, executor=executor)) == alone


def test_weights_and_splitters(threads):
    weights = np.arange(24) % 3
    model = ConvexReLURegressorCV(betas=[1.0, 0.1], cv=LeaveOneOut(), scoring="neg_mean_squared_error")
    alone = told(clone(model).fit(X, TARGETS, weights + 1.0))
    assert told(clone(model).fit(X, TARGETS, weights + 1.0, executor=threads)) == alone


def test_each_fold_is_a_share():
    arguments = []

    class Watched(Inline):
        def submit(self, function, ticket):
            if hasattr(ticket, "arguments"):
                arguments.append(ticket.arguments)
            return super().submit(function, ticket)

    executor = Watched()
    ConvexReLURegressorCV(**CV).fit(X, TARGETS, executor=executor)
    assert len(arguments) == 3
    assert all(len(train) + len(test) == 24 for train, test in arguments)
    assert not executor.shut


def test_in_a_pipeline(threads):
    model = make_pipeline(StandardScaler(), ConvexReLURegressorCV(**CV))
    name = model.steps[-1][0]
    model.fit(X, TARGETS, **{f"{name}__executor": threads})
    alone = make_pipeline(StandardScaler(), ConvexReLURegressorCV(**CV)).fit(X, TARGETS)
    assert told(model[-1]) == told(alone[-1])


def test_large_data_travel_when_asked_for(processes):
    rows = gaussian(1500, 2)
    y = np.abs(rows[:, 0])
    sent = []

    class Watched(Executor):
        def submit(self, function, ticket):
            if hasattr(ticket, "common"):
                sent.append(ticket.common.pickled is not None)
            return processes.submit(function, ticket)

    model = ConvexReLURegressorCV(betas=[100.0], cv=3).fit(rows, y, executor=Watched())
    assert 0 < sum(sent) < len(sent)
    assert model.beta_ == 100.0


def test_an_error_of_the_scorer_is_raised_as_it_is(processes, threads):
    for executor in (processes, threads, None):
        with pytest.raises(ZeroDivisionError, match="of the scorer"):
            ConvexReLURegressorCV(**CV, scoring=fails_on_purpose).fit(X, TARGETS, executor=executor)


def test_what_cannot_be_sent_is_refused(threads):
    with pytest.raises(InputError, match="executor needs what can be pickled"):
        ConvexReLURegressorCV(**CV, scoring=lambda *_: 1.0).fit(X, TARGETS, executor=threads)


def test_bad_input(threads):
    with pytest.raises(InputError, match="n_jobs must be None where there is an executor, got 2"):
        ConvexReLURegressorCV(n_jobs=2).fit(X, TARGETS, executor=threads)
    with pytest.raises(InputError, match="executor must be"):
        ConvexReLUClassifier().fit(X, CLASSES, executor=3)


def test_a_fold_that_always_fails_is_given_up():
    with pytest.raises(JobError, match="failed 4 times"):
        ConvexReLURegressorCV(**CV).fit(X, TARGETS, executor=Inline(1, MemoryError()))


def test_an_interruption_ends_a_fold():
    late = []

    class Interrupted(Inline):
        def submit(self, function, ticket):
            late.append((function, ticket))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ConvexReLURegressorCV(**CV).fit(X, TARGETS, executor=Interrupted())
    function, ticket = late[0]
    with pytest.raises(worker.EndedError):
        function(ticket)
