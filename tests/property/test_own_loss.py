"""Losses of one's own: copies of those of the package, by their cvxpy expressions, and two that it does not have."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from problems import BIASES, KAPPAS, NORMS, data
from topes import InputError, beta_max, certify, path, stationarity, train, train_cnn, train_low_rank
from topes.full_program import solve_full
from topes.losses import Loss, get_loss, is_own, loss_names

FEW = settings(max_examples=max(10, settings().max_examples // 5))
COPIES = {name: type("Copy", (type(get_loss(name)),), {"name": f"my {name}"})() for name in loss_names()}


class Pinball(Loss):
    """Its least value is at a quantile."""

    name = "pinball"
    homogeneity = 1

    def __init__(self, tau):
        self.tau = tau

    def value(self, f, y):
        return float(np.sum(np.maximum(self.tau * (y - f), (self.tau - 1) * (y - f))))

    def gradient(self, f, y):
        return np.where(y > f, -self.tau, np.where(y < f, 1 - self.tau, 0.0))

    def expression(self, f, y):
        return cp.sum(cp.maximum(self.tau * (y - f), (self.tau - 1) * (y - f)))

    def _conjugate_inside(self, v, y):
        return float(v @ y)

    def _box(self, y):
        return np.full(y.shape, -self.tau), np.full(y.shape, 1 - self.tau)

    def lipschitz(self, n):
        return max(self.tau, 1 - self.tau) * n**0.5


class Cubed(Loss):
    """sum |f - y|^3 / 3: power cones, curvature zero at the target."""

    name = "cubed"
    homogeneity = 3

    def value(self, f, y):
        return float(np.sum(np.abs(f - y) ** 3)) / 3

    def gradient(self, f, y):
        return np.abs(f - y) * (f - y)

    def expression(self, f, y):
        return cp.sum(cp.power(cp.abs(f - y), 3)) / 3

    def _conjugate_inside(self, v, y):
        return float(v @ y + 2 / 3 * np.sum(np.abs(v) ** 1.5))

    def lipschitz(self, n):
        return None


OWN = {"pinball": Pinball(0.25), "cubed": Cubed()}


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, NORMS, st.sampled_from([0.05, 0.5]))
def test_a_copy_has_the_optimum_of_the_original(draw, name, kappa, bias, norm, beta):
    X, y = draw.draw(data(name))
    options = {"activation": kappa, "bias": bias, "norm": norm}
    original, copy = (train(X, y, beta, loss=loss, **options) for loss in (name, COPIES[name]))
    scale = max(original.objective, 1e-3 * get_loss(name).value(np.zeros_like(y), y))
    assert copy.lower_bound <= original.objective * (1 + 1e-12)
    assert original.lower_bound <= copy.objective * (1 + 1e-12)
    assert copy.objective - original.objective <= 2e-6 * scale + 1e-12
    assert copy.gap <= 1e-6 or copy.gap <= 10 * original.gap


@FEW
@given(st.data(), st.sampled_from(sorted(OWN)), KAPPAS, BIASES)
def test_losses_not_known_are_those_of_the_full_program(draw, name, kappa, bias):
    X, y = draw.draw(data())
    loss, options = OWN[name], {"activation": kappa, "bias": bias}
    solution, full = train(X, y, 0.3, loss=loss, **options), solve_full(X, y, 0.3, loss=loss, **options)
    assert solution.gap <= 1e-5
    assert solution.lower_bound <= full.objective * (1 + 1e-9) + 1e-12
    assert full.lower_bound <= solution.objective * (1 + 1e-9) + 1e-12
    assert solution.objective == pytest.approx(full.objective, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", sorted(OWN))
def test_everything_that_trains_takes_them(name):
    rng = np.random.default_rng(0)
    X, y, loss = rng.standard_normal((20, 3)), rng.standard_normal(20), OWN[name]
    beta = 0.1 * beta_max(X, y, loss=loss)
    one = train(X, y, beta, loss=loss)
    assert one.gap <= 1e-6
    assert certify(X, y, one.network, beta, loss=loss).gap <= 1e-5
    assert train(X, y, 11 * beta, loss=loss).n_neurons == 0
    assert all(s.gap <= 1e-6 for s in path(X, y, [2 * beta, beta, 0.3 * beta], loss=loss))
    assert train(X, np.column_stack([y, -y]), beta, loss=loss, max_time=60.0).gap <= 1e-6
    assert train(X, np.column_stack([y, -y]), beta, loss=loss, output_norm=1).gap <= 1e-6
    assert train_cnn(X.reshape(20, 3, 1), y, beta, loss=loss).gap <= 1e-6
    assert train_low_rank(X, y, beta, loss=loss).lower_bound <= one.objective


def test_what_they_are_not_taken_for(tmp_path):
    X, y = [[1.0, 2.0], [0.0, 1.0]], [1.0, -1.0]
    solution = train(X, y, 0.1, loss=OWN["pinball"])
    with pytest.raises(InputError, match=r"loss of a certificate must be one of squared.*got 'pinball'"):
        solution.save_certificate(tmp_path / "c")
    with pytest.raises(InputError, match=r"loss must be one of .*kinks of others are not known, got Pinball 'pinball'"):
        stationarity(solution.network, X, y, 0.1, loss=OWN["pinball"])
    squared = type("Mine", (type(get_loss("squared")),), {})()
    with pytest.raises(InputError, match="loss must have a name of its own, got Mine with the name 'squared'"):
        train(X, y, 0.1, loss=squared)
    assert is_own(squared)
    assert not any(is_own(get_loss(name)) for name in loss_names())


def test_a_loss_that_couples_outputs():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((12, 2)), rng.standard_normal((12, 2))
    copy = COPIES["l2"]
    for call in (train, path):
        with pytest.raises(InputError, match="loss must be a sum over the outputs for output_norm=1, got 'my l2'"):
            call(X, Y, 0.3 if call is train else [0.3], loss=copy, output_norm=1)
    assert beta_max(X, Y, loss=copy) == pytest.approx(beta_max(X, Y, loss="l2"), rel=1e-9)
    assert train(X, Y, 0.3, loss=copy).objective == pytest.approx(train(X, Y, 0.3, loss="l2").objective, rel=1e-5)
    with pytest.raises(InputError, match="bias must not be 'free' for several outputs whose loss is no sum over them"):
        train(X, Y, 0.3, loss=copy, bias="free")


class Gamma(Loss):
    """Gamma deviance with a logarithmic link: best constants lie far from the targets."""

    name = "gamma"

    def value(self, f, y):
        return float(np.sum(y * np.exp(-f) + f - np.log(y) - 1))

    def gradient(self, f, y):
        return 1 - y * np.exp(-f)

    def expression(self, f, y):
        return cp.sum(cp.multiply(y, cp.exp(-f))) + cp.sum(f) - float(np.sum(np.log(y) + 1))

    def _conjugate_inside(self, v, y):
        u = 1 - v
        return float(np.sum(xlogy(u, u) - u * np.log(y) + v + np.log(y)))

    def _box(self, y):
        return np.full(y.shape, -np.inf), np.ones(y.shape)

    def conjugate_size(self, v, y):
        u = 1 - v
        return float(np.sum(np.abs(xlogy(u, u)) + np.abs(u * np.log(y)) + np.abs(v) + np.abs(np.log(y))))

    def lipschitz(self, n):
        return None


def test_the_best_constant_of_a_loss_with_a_link():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((15, 2)), np.exp(rng.standard_normal(15)) * 5 + 20
    top = beta_max(X, y, loss=Gamma(), bias="free")
    above, below = (train(X, y, t * top, loss=Gamma(), bias="free") for t in (1.01, 0.9))
    assert above.gap <= 1e-6
    assert np.ptp(above.network.predict(X)) <= 1e-6
    assert np.exp(above.network.predict(X)[0]) == pytest.approx(y.mean(), rel=1e-4)
    assert np.ptp(below.network.predict(X)) > 1e-4


class InsensitiveToTen(type(get_loss("absolute"))):
    """Derived from a homogeneous loss, and none."""

    name = "insensitive"

    def value(self, f, y):
        return float(np.sum(np.maximum(np.abs(f - y) - 10, 0)))

    def gradient(self, f, y):
        return np.where(np.abs(f - y) > 10, np.sign(f - y), 0)

    def expression(self, f, y):
        return cp.sum(cp.pos(cp.abs(f - y) - 10))

    def _conjugate_inside(self, v, y):
        return float(v @ y + 10 * np.abs(v).sum())


def test_the_homogeneity_of_another_loss_is_not_inherited():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((12, 2)), 100 * rng.standard_normal(12)
    full = solve_full(X, y, 1.0, loss=InsensitiveToTen())
    assert full.objective > 100.0
    assert train(X, y, 1.0, loss=InsensitiveToTen()).objective == pytest.approx(full.objective, rel=1e-5)


class InfiniteAtZero(Gamma):
    name = "infinite"

    def value(self, f, y):
        return float(np.sum(np.where(f > 0, f - y * np.log(np.where(f > 0, f, 1)), np.inf)))


class NotConvex(Cubed):
    name = "not convex"

    def expression(self, f, y):
        return -cp.sum_squares(f)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (InfiniteAtZero(), "loss must be finite for all outputs, got one that is not at 0"),
        (NotConvex(), "loss must have a convex cvxpy expression, one number"),
        (type("Mine", (Cubed,), {"name": "margin"})(), "loss must have a name of its own, got Mine with the name 'margin'"),
        (type("Mine", (Cubed,), {"name": ["a"]})(), r"loss must have a name of its own, got Mine with the name \['a'\]"),
    ],
)
@pytest.mark.parametrize("fit", [train, train_low_rank])
def test_what_no_loss_can_be(loss, message, fit):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((8, 2)), rng.poisson(3, 8) + 1.0
    with pytest.raises(InputError, match=message):
        fit(X, y, 0.1, loss=loss)


def test_the_path_of_hubers_loss_begins_at_the_constants():
    X = np.random.default_rng(0).standard_normal((20, 3))
    y = np.r_[np.full(17, 1.9e-3), np.full(3, -1.9e-3)]
    assert beta_max(X, y, loss="huber", bias="free") == pytest.approx(beta_max(X, y, loss="squared", bias="free"), rel=1e-9)
