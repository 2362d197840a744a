"""Estimators: against the functions they stand for, and as parts of scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import topes
from topes.estimators import (
    ConvexReLUClassifier,
    ConvexReLUClassifierCV,
    ConvexReLURegressor,
    ConvexReLURegressorCV,
    OptimalityWarning,
    problem,
)
from topes.low_rank.local_training import train_locally

RNG = np.random.default_rng(5)
X = RNG.standard_normal((40, 2))
Y = np.abs(X[:, 0]) - 0.5 * X[:, 1] + 0.05 * RNG.standard_normal(40)
LABELS = np.array(["in", "out"])[(np.linalg.norm(X, axis=1) > 1.0).astype(int)]


def test_the_regressor_is_train():
    model = ConvexReLURegressor(beta=0.5, tol=1e-6).fit(X, Y)
    solution = topes.train(X, Y, 0.5, bias="penalized", tol=1e-6)
    assert model.objective_ == solution.objective
    assert model.lower_bound_ == solution.lower_bound
    assert model.gap_ <= 1e-6
    assert (model.status_, model.n_neurons_) == ("certified", solution.n_neurons)
    np.testing.assert_array_equal(model.predict(X), solution.network.predict(X))
    assert model.network_.objective(X, Y, 0.5) == pytest.approx(model.objective_, rel=1e-12)


@pytest.mark.parametrize("intercept", [True, False, "free"])
@pytest.mark.parametrize("loss", ["squared", "absolute", "huber", "l2"])
def test_parameters_reach_the_problem(loss, intercept):
    bias = {True: "penalized", False: False, "free": "free"}[intercept]
    model = ConvexReLURegressor(beta=0.5, loss=loss, fit_intercept=intercept, activation=0.1, tol=1e-3).fit(X, Y)
    solution = topes.train(X, Y, 0.5, loss=loss, bias=bias, activation=0.1, tol=1e-3)
    assert model.objective_ == pytest.approx(solution.objective, rel=2e-3)
    assert model.network_.activation == solution.network.activation


def test_the_certificate_of_a_fitted_estimator_is_verified(tmp_path):
    model = ConvexReLURegressor(beta=0.5).fit(X, Y)
    model.certificate_.save_certificate(tmp_path / "proof.npz")
    found = topes.verify(tmp_path / "proof.npz")
    assert found.valid
    assert found.lower_bound <= model.objective_ <= found.objective_upper


def test_two_classes_are_one_problem_and_more_are_one_each():
    two = ConvexReLUClassifier(beta=0.1).fit(X, LABELS)
    signs = np.where(LABELS == "out", 1.0, -1.0)
    assert two.objective_ == topes.train(X, signs, 0.1, loss="logistic", bias="penalized", tol=1e-4).objective
    assert two.classes_.tolist() == ["in", "out"]
    p = two.predict_proba(X)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-two.decision_function(X))), rtol=1e-12)
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    three = ConvexReLUClassifier(beta=0.1, loss="squared_hinge").fit(X, y)
    parts = [
        topes.train(X, np.where(y == c, 1.0, -1.0), 0.1, loss="squared_hinge", bias="penalized", tol=1e-4) for c in range(3)
    ]
    assert three.objective_ == sum(s.objective for s in parts)
    assert three.lower_bound_ == sum(s.lower_bound for s in parts)
    assert three.n_neurons_ == sum(s.n_neurons for s in parts) == three.network_.n_neurons
    outputs = np.column_stack([s.network.predict(X) for s in parts])
    np.testing.assert_allclose(three.decision_function(X), outputs, rtol=1e-12, atol=1e-12)
    assert len(three.certificate_) == 3
    assert not hasattr(three, "predict_proba")


@pytest.mark.parametrize("loss", ["squared", "absolute", "l2"])
def test_weights_count_as_repeated_samples_do(loss):
    weights = RNG.integers(0, 4, 40)
    weighted = ConvexReLURegressor(beta=0.5, loss=loss, tol=1e-5).fit(X, Y, sample_weight=weights)
    repeated = ConvexReLURegressor(beta=0.5, loss=loss, tol=1e-5).fit(np.repeat(X, weights, axis=0), np.repeat(Y, weights))
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=2e-5)
    ones = ConvexReLURegressor(beta=0.5, loss=loss).fit(X, Y, sample_weight=np.ones(40))
    assert ones.objective_ == ConvexReLURegressor(beta=0.5, loss=loss).fit(X, Y).objective_


def test_weights_are_those_of_the_loss():
    weights = RNG.uniform(0.1, 3.0, 40)
    model = ConvexReLURegressor(beta=0.5, tol=1e-6).fit(X, Y, sample_weight=weights)
    network = model.network_
    sizes = np.sum(network.W1**2) + np.sum(network.b1**2) + np.sum(network.w2**2)
    value = 0.5 * np.sum(weights * (model.predict(X) - Y) ** 2) + 0.25 * sizes
    assert value == pytest.approx(model.objective_, rel=1e-9)
    for model, y in ((ConvexReLURegressor(loss="huber"), Y), (ConvexReLUClassifier(), LABELS)):
        with pytest.raises(topes.InputError, match=r"sample_weight must be whole numbers.*l2 and absolute losses take any"):
            model.fit(X, y, sample_weight=weights)


def test_cross_validation_scores_the_path_and_fits_the_best():
    model = ConvexReLURegressorCV(betas=[0.01, 0.5, 100.0], cv=KFold(4)).fit(X, Y)
    assert model.betas_.tolist() == [100.0, 0.5, 0.01]
    assert model.scores_.shape == (3, 4)
    for k, beta in enumerate(model.betas_):
        for f, (train, test) in enumerate(KFold(4).split(X)):
            plain = ConvexReLURegressor(beta, tol=1e-5).fit(X[train], Y[train])
            assert model.scores_[k, f] == pytest.approx(plain.score(X[test], Y[test]), abs=0.05)
    assert model.beta_ == model.betas_[np.argmax(model.scores_.mean(axis=1))]
    np.testing.assert_array_equal(model.predict(X), ConvexReLURegressor(model.beta_).fit(X, Y).predict(X))


def test_a_scorer_of_ones_own_needs_to_know_of_no_weights():
    def worst(model, X, y):
        return -float(np.abs(model.predict(X) - y).max())

    model = ConvexReLURegressorCV(betas=[0.1, 10.0], cv=2, scoring=worst).fit(X, Y)
    assert np.all(model.scores_ < 0.0)
    heavy = ConvexReLURegressorCV(betas=[0.1, 10.0], cv=2).fit(X, Y, sample_weight=np.full(40, 2.0))
    doubled = ConvexReLURegressorCV(betas=[0.05, 5.0], cv=2).fit(X, Y)
    np.testing.assert_allclose(heavy.scores_, doubled.scores_, atol=0.05)  # 2 L + beta R is twice L + beta/2 R


@pytest.mark.filterwarnings("ignore:R\\^2 score:UserWarning")  # of scikit-learn, for each fold
def test_scores_that_are_not_finite_choose_no_beta():
    with pytest.raises(topes.InputError, match="scoring must give a finite score"):
        ConvexReLURegressorCV(betas=3, cv=LeaveOneOut()).fit(X[:6], Y[:6])
    assert ConvexReLURegressorCV(2, cv=LeaveOneOut(), scoring="neg_mean_squared_error").fit(X[:6], Y[:6]).beta_ > 0.0

    def for_the_empty_network_only(model, X, y):
        return -1.0 if model.network_.n_neurons == 0 else np.nan

    with pytest.warns(UserWarning, match="scores of beta = 0.1 are not finite"):
        model = ConvexReLURegressorCV([0.1, 1e6], cv=2, scoring=for_the_empty_network_only).fit(X, Y)
    assert model.beta_ == 1e6


def test_masked_samples_are_refused():
    masked = np.ma.masked_array(X, X > 1.0)
    model = ConvexReLURegressor(0.5)
    for given in ((masked, Y), (X, np.ma.masked_array(Y, Y > 1.0)), (X, Y, np.ma.masked_array(np.ones(40), Y > 1.0))):
        with pytest.raises(topes.InputError, match="has masked entries"):
            model.fit(*given)
    with pytest.raises(topes.InputError, match="X has masked entries"):
        model.fit(X, Y).predict(masked)


def test_the_path_begins_above_the_first_beta_that_has_neurons():
    model = ConvexReLURegressorCV(betas=1, least=1.0 - 1e-9, cv=2).fit(X, Y)
    assert model.n_neurons_ == 0
    assert model.beta_ >= topes.beta_max(X, Y, bias="penalized", tol=1e-6) * (1 - 1e-6)
    many = ConvexReLUClassifierCV(betas=4, cv=3).fit(X, LABELS)
    assert len(many.betas_) == 4
    assert np.all(np.diff(many.betas_) < 0)
    assert many.score(X, LABELS) > 0.8


def slowed(function, seconds):
    def slow(*given, **named):
        time.sleep(seconds)
        return function(*given, **named)

    return slow


def test_high_rank_says_how_far_it_is_and_is_the_same_each_time(monkeypatch):
    wide = RNG.standard_normal((25, 9))
    y = np.maximum(wide[:, 0], 0.0) + wide[:, 1]
    models = []
    for busy in (0.0, 2.0):  # a slower machine has less time for the bound, and the same network
        monkeypatch.setattr(problem, "train_locally", slowed(train_locally, busy))
        with pytest.warns(OptimalityWarning, match=r"lies between .* and the objective"):
            models.append(ConvexReLURegressor(beta=2.0, max_time=2.0).fit(wide, y))
    a, b = models
    np.testing.assert_array_equal(a.predict(wide), b.predict(wide))
    assert a.objective_ == b.objective_ == pytest.approx(a.network_.objective(wide, y, 2.0), rel=1e-12)
    assert 0.0 < a.lower_bound_ < a.objective_
    assert a.certificate_.lower_bound == a.lower_bound_
    fixed = ConvexReLURegressor(beta=2.0, max_time=2.0, rank=2)
    with pytest.warns(OptimalityWarning):
        assert fixed.fit(wide, y).certificate_.rank == 2


def test_nothing_depends_on_numpys_generator_or_on_the_seed():
    wide = RNG.standard_normal((30, 3))
    np.random.seed(1)  # noqa: NPY002
    first = ConvexReLURegressor(beta=0.3, random_state=1).fit(wide, wide[:, 0])
    np.random.seed(2)  # noqa: NPY002
    second = ConvexReLURegressor(beta=0.3, random_state=2).fit(wide, wide[:, 0])
    np.testing.assert_array_equal(first.predict(wide), second.predict(wide))


@pytest.mark.parametrize("model", [ConvexReLURegressor(0.5), ConvexReLURegressorCV(2, cv=2)])
def test_pickles_clones_pipelines_and_grids(model):
    fitted = model.fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert clone(fitted).get_params() == model.get_params()
    assert make_pipeline(StandardScaler(), clone(model)).fit(X, Y).score(X, Y) > 0.8


def test_a_grid_over_beta():
    grid = GridSearchCV(ConvexReLURegressor(tol=1e-3), {"beta": [0.1, 1000.0]}, cv=3).fit(X, Y)
    assert grid.best_params_ == {"beta": 0.1}


def test_names_of_columns_are_kept():
    frame = pandas.DataFrame(X, columns=["length", "width"])
    model = ConvexReLURegressor(0.5).fit(frame, Y)
    assert model.feature_names_in_.tolist() == ["length", "width"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"length": "height"}))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ConvexReLURegressor(beta=0), "beta must be a positive finite number, got 0"),
        (ConvexReLURegressor(beta="1"), "beta must be a positive finite number, got '1'"),
        (ConvexReLURegressor(loss="logistic"), "see ConvexReLUClassifier"),
        (ConvexReLURegressor(loss="cubic"), "'absolute', 'huber', or an instance .* topes.losses.Loss; got 'cubic'"),
        (ConvexReLURegressor(fit_intercept="always"), "fit_intercept must be"),
        (ConvexReLURegressor(rank=0), "rank must be 'auto', None or a positive int, got 0"),
        (ConvexReLURegressor(n_jobs=0), "n_jobs must be"),
        (ConvexReLURegressor(tol=-1), "tol must be"),
        (ConvexReLURegressor(tol=2), "tol must be below 1, got 2"),
        (ConvexReLURegressor(max_time=0), "max_time must be"),
        (ConvexReLURegressor(norm=3), "norm must be"),
        (ConvexReLURegressor(activation="tanh"), "activation must be"),
        (ConvexReLURegressorCV(betas=0), "betas must be a positive int or positive numbers, got 0"),
        (ConvexReLURegressorCV(betas=[]), "got none"),
        (ConvexReLURegressorCV(betas=[1, -1]), "betas must be a positive finite number, got -1"),
        (ConvexReLURegressorCV(least=0), "least must be"),
        (ConvexReLURegressorCV(least=2.0), "least must be at most 1, got 2"),
    ],
)
def test_bad_parameters_are_named(model, message):
    with pytest.raises(topes.InputError, match=message.replace("(", r"\(")):
        model.fit(X, Y)


def test_bad_labels_are_named():
    with pytest.raises(topes.InputError, match="at least two classes"):
        ConvexReLUClassifier().fit(X, np.ones(40))
    with pytest.raises(topes.InputError, match="at least two classes"):
        ConvexReLUClassifier().fit(X, LABELS, sample_weight=(LABELS == "in").astype(float))


def test_a_missing_scikit_learn_is_named():
    script = "import sys; sys.modules['sklearn'] = None\ntry:\n import topes.estimators\nexcept ImportError as e:\n print(e)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'topes[sklearn]'" in done.stdout
