"""Paths and where they begin, for several outputs and for convolutional networks, against training at each beta."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import BIASES, KAPPAS, data
from topes import ConvolutionalNetwork, InputError, Status, VectorNetwork, beta_max, path, train, train_cnn
from topes.losses import get_loss, loss_names

FEW = settings(max_examples=max(8, settings().max_examples // 4))
OUTPUT_NORMS = st.sampled_from([1, 2])


@st.composite
def problems(draw):
    """X of one or two columns, Y of one to three, the loss, and how outputs are measured."""
    loss = draw(st.sampled_from(loss_names()))
    X, y = draw(data(loss))
    X = X[:, :2]  # several outputs with the same price all around take long from four dimensions on: docs/models.md
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    Y = np.stack([y, *(rng.permutation(y) for _ in range(draw(st.integers(0, 2))))], axis=1)
    return X, Y, loss, 2 if loss == "l2" else draw(OUTPUT_NORMS)


@FEW
@given(problems(), KAPPAS, BIASES)
def test_nothing_is_gained_above_beta_max_and_something_below(sample, kappa, bias):
    X, Y, loss, output_norm = sample
    options = {"loss": loss, "activation": kappa, "bias": bias, "output_norm": output_norm}
    most = beta_max(X, Y, tol=1e-6, **options)
    if most < 1e-6:
        return
    constants = train(np.zeros_like(X), Y, 1.0, **options).objective  # no inputs: the best constants under a free bias
    empty = constants if bias == "free" else get_loss(loss).value(np.zeros(Y.size), Y.ravel())
    above = train(X, Y, 1.01 * most, **options)
    assert above.objective == pytest.approx(empty, rel=1e-6, abs=1e-9)
    assert above.lower_bound >= empty * (1 - 1e-5) - 1e-9
    if loss in ("squared", "logistic", "squared_hinge"):  # smooth: the empty network has one dual point only
        below = train(X, Y, 0.5 * most, tol=1e-8, **options)
        assert below.objective < empty - 1e-6 * min(1.0, empty)


@FEW
@given(problems(), BIASES)
def test_each_solution_of_a_path_is_that_of_training(sample, bias):
    X, Y, loss, output_norm = sample
    betas = [0.05, 1.0, 0.2]
    options = {"loss": loss, "bias": bias, "output_norm": output_norm}
    solutions = path(X, Y, betas, **options)
    for beta, solution in zip(sorted(betas, reverse=True), solutions, strict=True):
        alone = train(X, Y, beta, **options)
        assert solution.status is Status.CERTIFIED
        assert isinstance(solution.network, VectorNetwork)
        assert solution.objective == pytest.approx(alone.objective, rel=5e-6, abs=1e-9)
        assert solution.problem.beta == beta
        claimed = solution.network.objective(X, Y, beta, loss=loss, bias=bias or None, output_norm=output_norm)
        assert solution.objective == pytest.approx(claimed, rel=1e-9, abs=1e-12)


@given(data(), st.lists(st.integers(-3, 3), min_size=1, max_size=3), BIASES)
def test_where_all_outputs_are_multiples_of_one(sample, g, bias):
    X, y = sample
    alone = beta_max(X, y, bias=bias)
    near = {"rel": 1e-8, "abs": 1e-9 * (1 + np.abs(X).max()) * (1 + np.abs(y).max())}
    Y = np.outer(y, g)
    assert beta_max(X, Y, bias=bias) == pytest.approx(np.linalg.norm(g) * alone, **near)
    assert beta_max(X, Y, bias=bias, output_norm=1) == pytest.approx(np.abs(g).max() * alone, **near)


@pytest.mark.parametrize("bias", [False, "free"])
def test_a_path_of_convolutional_networks(bias):
    rng = np.random.default_rng(3)
    X, y = rng.integers(-2, 3, (8, 6)).astype(float), rng.standard_normal(8)
    solutions = path(X, y, 4, least=0.05, kernel_size=3, stride=1, bias=bias)
    most = beta_max(X, y, kernel_size=3, bias=bias)
    assert solutions[0].n_neurons <= (bias == "free")
    for k, solution in enumerate(solutions):
        beta = most * 0.05 ** (k / 3)
        alone = train_cnn(X, y, beta, kernel_size=3, bias=bias)
        assert isinstance(solution.network, ConvolutionalNetwork)
        assert solution.network.kernel_size == 3
        assert solution.objective == pytest.approx(alone.objective, rel=5e-6)
        assert solution.objective == pytest.approx(solution.network.objective(X, y, beta, bias=bias or None), rel=1e-9)
    patches = np.stack([X[:, k : k + 3] for k in range(4)], axis=1)
    assert beta_max(patches, y, bias=bias) == pytest.approx(most, rel=1e-8)


def test_bad_input_is_named():
    X, Y = np.eye(3), np.ones((3, 2))
    with pytest.raises(InputError, match="output_norm"):
        path(X, Y, loss="l2", output_norm=1)
    with pytest.raises(InputError, match="norm"):
        path(X, Y, [1.0], norm=1)
    with pytest.raises(InputError, match="one row for each of the 3 rows"):
        beta_max(X, Y[:2])
    with pytest.raises(InputError, match="one axis"):
        beta_max(X, Y, kernel_size=2)
    with pytest.raises(InputError, match="samples of X"):
        beta_max(X, Y[:2, 0], kernel_size=2)


@pytest.mark.parametrize("scale", [1e-150, 1e-12, 1e12, 1e50, 1e150])
@pytest.mark.parametrize("bias", [False, "free"])
def test_beta_max_of_hubers_loss_is_that_of_what_it_is_far_from_its_threshold(scale, bias):
    """With a free bias the best constant was a conic program's: 0 came back for targets of 1e50 and 1e-150."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9, 2)), rng.standard_normal(9)
    found = beta_max(X, scale * y, loss="huber", bias=bias)
    other = "squared" if scale < 1.0 else "absolute"
    assert found == pytest.approx(beta_max(X, scale * y, loss=other, bias=bias), rel=1e-6)
