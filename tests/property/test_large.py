"""The large-scale form (32): mini-batches against loops, the exact optimum with a large penalty, resumed runs, bounds."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import topes.large
from gated import check_objective, with_torch
from problems import ENTRY
from topes import Arrangement, FileFormatError, InputError, MemoryLimitError, SolverError, TopesError, reference
from topes.large.bound import as_network, bound
from topes.large.losses import CrossEntropyLoss, as_outputs
from topes.losses import get_loss
from topes.programs import penalised, scalar_output

FEW = settings(max_examples=max(10, settings().max_examples // 3))
FIGURE_7 = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]), np.array([1.0, -1.0, 1.0, 1.0, -1.0])


@st.composite
def problems(draw):
    n, d, P, C = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 3))
    X = np.array(draw(st.lists(st.lists(ENTRY, min_size=d, max_size=d), min_size=n, max_size=n)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    weights = rng.integers(-4, 5, (2, P, C, d)) / 2.0
    return X, rng.standard_normal((n, C)), rng.integers(0, 2, (P, n)).astype(np.uint8), weights


@FEW
@given(problems(), st.sampled_from([0.0, -1.0, 0.3]), st.sampled_from(["squared", "cross_entropy"]))
def test_batches_are_the_loops_and_add_up_to_the_whole(problem, kappa, loss):
    torch = with_torch()
    from topes.large.model import GatedModel

    X, Y, patterns, weights = problem
    # Where x.w is zero but for rounding, the side of the kink depends on the order of summation, and that on the batch.
    rounded = np.any(np.round(X * 8) != X * 8, axis=1)
    flat = weights.reshape(-1, X.shape[1]).T
    size = (np.abs(X) @ np.abs(flat))[rounded]
    assume(not np.any((np.abs(X @ flat)[rounded] <= 1e-12 * size) & (size > 0.0)))
    model = GatedModel(X, Y, patterns, 0.7, kappa, loss, torch.device("cpu"), torch.float64)
    with torch.no_grad():
        model.weights.copy_(torch.as_tensor(weights))
    outputs, norms, wrong = reference.penalised_parts(X, patterns, weights, kappa)
    check_objective(torch, model, loss, Y, outputs, norms, wrong)


def test_a_large_penalty_tends_to_the_optimum_of_the_program():
    with_torch()
    X, y = FIGURE_7
    ones = np.hstack([X, np.ones((5, 1))])
    patterns, beta = Arrangement(ones).patterns(), 0.1
    expected = float(scalar_output(ones, y, beta).problem.solve(solver="CLARABEL"))
    options = {"patterns": patterns, "bias": "penalized", "batch_size": 5, "dtype": "float64", "learning_rate": 0.1}
    short = topes.large.train(X, y, beta, epochs=50, **options)
    solution = topes.large.train(X, y, beta, epochs=1500, bound_rank=2, **options)
    error = solution.objective / expected - 1.0
    assert 0.0 <= error <= 5e-3  # Adam on a subgradient of the norms
    assert error < 0.1 * (short.objective / expected - 1.0)
    assert solution.convex_objective >= expected * (1 - 1e-3)
    assert solution.lower_bound <= expected <= solution.objective
    assert solution.gap <= 0.1
    assert solution.objective == pytest.approx(solution.network.objective(X, y, beta), rel=1e-12)


@pytest.mark.parametrize(("rho", "share"), [(0.001, 0.73), (0.0021, 0.9999), (0.0022, 1.0), (0.1, 1.0)])
def test_the_penalty_is_exact_from_a_threshold_on(rho, share):
    """Figure 7 at beta = 1e-3: the largest multiplier is 0.0021212."""
    X, y = FIGURE_7
    ones = np.hstack([X, np.ones((5, 1))])
    exact = float(scalar_output(ones, y, 1e-3).problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11))
    found = float(penalised(ones, y, 1e-3, rho).problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11))
    if share == 1.0:
        assert found == pytest.approx(exact, rel=1e-6)
    else:
        assert found <= exact * (share + 0.005)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_a_run_that_was_broken_off_ends_where_it_would_have(tmp_path, optimizer):
    with_torch()
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 4))
    y = rng.integers(0, 3, 30)
    options = {"n_patterns": 20, "loss": "cross_entropy", "epochs": 4, "batch_size": 7, "optimizer": optimizer}
    options |= {"learning_rate": 0.01, "seed": 5}
    unbroken = topes.large.train(X, y, 0.5, **options)

    def stop(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    file = tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        topes.large.train(X, y, 0.5, checkpoint=file, callback=stop, **options)
    resumed = topes.large.train(X, y, 0.5, checkpoint=file, **options)
    assert resumed.weights.tobytes() == unbroken.weights.tobytes()
    assert [(e.number, e.rho, e.penalised) for e in resumed.history] == [
        (e.number, e.rho, e.penalised) for e in unbroken.history
    ]
    again = topes.large.train(X, y, 0.5, checkpoint=file, **options)  # nothing left to do
    assert again.objective == unbroken.objective
    with pytest.raises(InputError, match="belongs to another problem"):
        topes.large.train(X, y, 0.6, checkpoint=file, **options)
    file.write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="is not a checkpoint"):
        topes.large.train(X, y, 0.5, checkpoint=file, **options)


@FEW
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_the_conjugate_of_the_cross_entropy(seed, classes):
    rng = np.random.default_rng(seed)
    loss = CrossEntropyLoss(classes)
    Y = np.eye(classes)[rng.integers(0, classes, 3)]
    f, g = rng.standard_normal((2, 3 * classes)) * 3.0
    y = Y.ravel()
    v = loss.project_dual(loss.gradient(f, y), y)
    assert loss.value(f, y) + loss.conjugate(v, y) == pytest.approx(float(v @ f), abs=1e-12)
    assert loss.value(g, y) + loss.conjugate(v, y) >= float(v @ g) - 1e-12
    for t in (0.0, 0.3, 0.99):
        assert loss.in_domain(t * v, y)
    assert loss.conjugate(v + 0.01, y) == np.inf


@FEW
@given(problems(), st.sampled_from(["squared", "cross_entropy"]), st.integers(1, 3))
def test_no_network_is_below_the_bound(problem, loss, rank):
    """The bound from any outputs, held against networks read off any weights."""
    X, Y, _, weights = problem
    n, C = Y.shape
    if loss == "cross_entropy":
        labels = np.arange(n) % max(2, C)
        if len(np.unique(labels)) < 2:
            return
        Y, the_loss, _ = as_outputs(labels, loss)
        weights = np.repeat(weights[:, :, :1], Y.shape[1], axis=2)
    else:
        the_loss = get_loss("squared")
    for size in (0.0, 0.1, 1.0):
        network, value, F = as_network(size * weights, X, Y, 0.3, the_loss, 0.0, bias=False)
        lower = bound(X, Y, F, 0.3, the_loss, 0.0, rank=min(rank, X.shape[1]), max_time=5.0)
        for other in (0.0, 0.05, 1.0):
            assert lower <= as_network(other * weights, X, Y, 0.3, the_loss, 0.0, bias=False)[1] * (1 + 1e-12) + 1e-14
        assert lower <= value * (1 + 1e-12) + 1e-14
        if C == 1 and loss == "squared":
            assert value == pytest.approx(network.objective(X, Y[:, 0], 0.3), rel=1e-9)


def test_classes_come_back_as_they_were_given():
    with_torch()
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    y = np.where(X[:, 0] > 0.0, "right", "left")
    solution = topes.large.train(X, y, 0.1, loss="cross_entropy", n_patterns=10, epochs=60, learning_rate=0.02)
    assert set(solution.predict(X)) == {"left", "right"}
    assert np.mean(solution.predict(X) == y) > 0.9
    assert solution.lower_bound is None
    assert "not certified" in repr(solution)


def test_without_torch_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TopesError, match=r"pip install 'topes\[torch\]'"):
        topes.large.train([[1.0]], [1.0], 0.1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"loss": "absolute"}, InputError, "loss must be one of"),
        ({"optimizer": "lbfgs"}, InputError, "optimizer must be one of"),
        ({"device": "abacus"}, InputError, "device must be one that torch has here"),
        ({"rho": "all"}, InputError, "rho must be one of"),
        ({"rho": -1.0}, InputError, "rho must be a positive finite number"),
        ({"batch_size": 0}, InputError, "batch_size must be an integer of at least 1"),
        ({"patterns": [[1, 0, 1]]}, InputError, r"patterns must be 0/1 of shape \(P, 2\)"),
        ({"max_bytes": 100}, MemoryLimitError, "bytes"),
        ({"loss": "cross_entropy"}, InputError, "y must hold a class for each sample"),
        ({"bias": "free"}, InputError, "bias must be one of"),
        ({"bound_rank": 9, "epochs": 1}, InputError, "bound_rank must be at most 8"),
        ({"checkpoint": "/no/such/folder/run.pt"}, InputError, "does not lie in an existing directory"),
        ({"optimizer": "sgd", "learning_rate": 1e6, "rho": 1.0}, SolverError, "diverged"),
    ],
)
def test_bad_input(options, error, words):
    with_torch()
    with pytest.raises(error, match=words):
        topes.large.train([[1.0], [2.0]], [1.0, 3.0], 0.1, **{"n_patterns": 4, **options})
