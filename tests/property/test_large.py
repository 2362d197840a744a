"""The large-scale form (32): mini-batches against loops, the exact optimum with a large penalty, resumed runs, bounds."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import topes.large
from gated import check_objective, with_torch
from problems import ENTRY
from topes import Arrangement, FileFormatError, InputError, MemoryLimitError, SolverError, TopesError, reference
from topes.large.bound import bound
from topes.large.losses import CrossEntropyLoss, as_outputs
from topes.large.reading import as_network, network_objective, network_outputs, worth_keeping
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
    options |= {"learning_rate": 0.01, "seed": 5, "momentum": 0.5 if optimizer == "sgd" else 0.0}
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


def blobs(seed=1, n=40, d=6):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.maximum(X[:, 0], 0.0) - np.abs(X[:, 1]) + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("kappa", [0.0, -1.0])
def test_auto_returns_the_best_round_and_exact_the_one_in_its_cones(kappa):
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 15, "epochs": 30, "batch_size": 10, "activation": kappa, "bias": "penalized"}
    auto = topes.large.train(X, y, 0.3, **options)
    exact = topes.large.train(X, y, 0.3, rho="exact", **options)
    first, *others = auto.rounds
    assert first.rho == 0.3 / 32
    for before, after in zip(auto.rounds, others, strict=False):
        assert after.rho == 4.0 * before.rho
    assert auto.objective == min(r.objective for r in auto.rounds) < first.objective
    assert auto.rho == min(auto.rounds, key=lambda r: r.objective).rho
    assert len(auto.rounds) >= 3
    assert auto.objective == pytest.approx(auto.network.objective(X, y, 0.3, bias="penalized"), rel=1e-9)
    # The rounds of "exact" begin with those of "auto".
    assert exact.rounds[: len(auto.rounds)] == auto.rounds
    assert exact.rounds[-1].is_feasible
    assert exact.objective <= 1.001 * exact.convex_objective
    assert auto.objective < 0.9 * exact.objective
    assert exact.rho == exact.rounds[-1].rho
    assert exact.violation == exact.rounds[-1].violation < auto.rounds[0].violation
    assert [e.number for e in auto.history] == list(range(1, 30 * len(auto.rounds) + 1))


def test_rounds_that_were_broken_off_go_on_where_they_were(tmp_path):
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 12, "epochs": 5, "batch_size": 10}
    unbroken = topes.large.train(X, y, 0.3, **options)
    assert len(unbroken.rounds) >= 3
    for at in (3, 10, 5 * len(unbroken.rounds)):  # within a round, at its end, at the end of all
        file = tmp_path / f"{at}.pt"

        def stop(epoch, at=at):
            if epoch.number == at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            topes.large.train(X, y, 0.3, checkpoint=file, callback=stop, **options)
        resumed = topes.large.train(X, y, 0.3, checkpoint=file, **options)
        assert resumed.weights.tobytes() == unbroken.weights.tobytes()
        assert resumed.rounds == unbroken.rounds


def test_a_later_round_that_diverges_loses_nothing(monkeypatch):
    with_torch()
    X, y = blobs()
    whole = topes.large.train(X, y, 0.3, n_patterns=12, epochs=5, batch_size=10)
    before = topes.large.run.Run._one_epoch

    def broken(self, rate):
        if len(self.tried) == 2:
            raise self._diverged()
        before(self, rate)

    monkeypatch.setattr(topes.large.run.Run, "_one_epoch", broken)
    rest = topes.large.train(X, y, 0.3, n_patterns=12, epochs=5, batch_size=10)
    assert rest.rounds == whole.rounds[:2]
    assert rest.objective == min(r.objective for r in rest.rounds)
    exact = topes.large.train(X, y, 0.3, n_patterns=12, epochs=5, batch_size=10, rho="exact")
    assert exact.rounds == whole.rounds[:2]
    assert exact.objective == pytest.approx(exact.rounds[-1].objective, rel=1e-12)


def test_what_a_callback_raises_is_not_swallowed():
    with_torch()
    X, y = blobs()

    def stop(epoch):
        if epoch.number == 7:
            raise SolverError("of the caller")

    with pytest.raises(SolverError, match="of the caller"):
        topes.large.train(X, y, 0.3, n_patterns=12, epochs=5, batch_size=10, callback=stop)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
@pytest.mark.parametrize("scale", [1e-15, 1e-6, 1e6])
def test_units_of_the_targets_do_not_matter(optimizer, scale):
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 8, "epochs": 10, "batch_size": 10, "optimizer": optimizer}
    plain = topes.large.train(X, y, 0.1, **options)
    other = topes.large.train(X, scale * y, scale * 0.1, **options)
    assert plain.objective < 0.5 * 0.5 * np.sum(y**2)
    assert other.objective / scale**2 == pytest.approx(plain.objective, rel=0.05)


@pytest.mark.parametrize("beta", [1e-6, 1e-2])
def test_a_small_beta_finds_its_rho(beta):
    """The ladder of rho begins at the size of the multipliers, not of beta."""
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 20, "epochs": 30, "batch_size": 10, "bias": "penalized"}
    exact = topes.large.train(X, y, beta, rho="exact", **options)
    assert exact.rounds[-1].is_feasible
    auto = topes.large.train(X, y, beta, **options)
    assert auto.objective <= exact.objective < 0.5 * np.sum(y**2)


def test_steps_that_only_go_up():
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 8, "epochs": 3, "batch_size": 10, "optimizer": "sgd"}
    huge = topes.large.train(X, y, 1e5, **options)  # zero weights are best
    assert huge.objective == pytest.approx(0.5 * np.sum(y**2), rel=1e-12)
    assert huge.convex_objective <= 2.0 * huge.objective
    with pytest.raises(SolverError, match="diverged"):
        topes.large.train(X, y, 0.1, learning_rate=1e200, rho=1.0, dtype="float64", **options)


def test_the_stated_memory_holds_the_check_of_the_network():
    """Outputs of all neurons are not held at once; patterns and what is in doubles is stated."""
    with_torch()
    X, y = blobs(n=300, d=8)
    tracemalloc.start()
    solution = topes.large.train(X, y, 0.1, n_patterns=5000, epochs=1, batch_size=16, learning_rate=1e-3, rho=0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= solution.memory  # what torch takes is not seen


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_the_automatic_rate_is_the_same_problem_in_other_units(optimizer, loss):
    """X by a power of two and beta, rho by it as well: the same steps, but for the weights' unit. So for targets."""
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 9, "epochs": 20, "batch_size": 10, "optimizer": optimizer, "loss": loss, "dtype": "float64"}
    target = y if loss == "squared" else (y > 0.0).astype(int)
    plain = topes.large.train(X, target, 0.3, rho=0.6, **options)
    assert plain.objective < 0.9 * topes.large.train(X, target, 0.3, rho=0.6, learning_rate=1e-9, **options).objective
    # Adam's constant against division by zero has a unit: not to the last bit.
    large = topes.large.train(64.0 * X, target, 64.0 * 0.3, rho=0.6, **options)
    np.testing.assert_allclose(64.0 * large.weights, plain.weights, rtol=1e-3, atol=1e-6)
    if loss == "squared":
        more = topes.large.train(X, 1024.0 * target, 1024.0 * 0.3, rho=1024.0 * 0.6, **options)
        np.testing.assert_allclose(more.weights / 1024.0, plain.weights, rtol=1e-3, atol=1e-6)


def test_the_curvature_is_that_of_the_matrix_of_all_features():
    torch = with_torch()
    from topes.large.model import GatedModel

    rng = np.random.default_rng(2)
    X, patterns = rng.standard_normal((7, 3)), rng.integers(0, 2, (5, 7)).astype(np.uint8)
    model = GatedModel(X, X[:, :1], patterns, 1.0, 0.25, "squared", torch.device("cpu"), torch.float64)
    slopes = np.where(patterns == 1, 1.0, 0.25)
    features = np.hstack([slopes[i][:, None] * X for i in range(5)] + [-slopes[i][:, None] * X for i in range(5)])
    expected = np.linalg.norm(features, 2) ** 2 / 7
    assert model.largest_curvature() == pytest.approx(expected, rel=1e-12)
    lengths = np.linalg.norm(slopes[:, :, None] * X, axis=2)
    assert model.reach() == pytest.approx(np.sqrt(3 * np.mean(lengths**2, axis=1)).sum(), rel=1e-12)


@pytest.mark.parametrize("bias", [False, "penalized"])
@pytest.mark.parametrize("classes", [None, 3])
def test_gates_say_on_the_data_what_the_program_says_and_are_loops_elsewhere(bias, classes):
    with_torch()
    X, y = blobs(n=30, d=3)
    loss, target = ("squared", y) if classes is None else ("cross_entropy", np.arange(30) % classes)
    s = topes.large.train(X, target, 0.2, n_patterns=20, epochs=3, loss=loss, bias=bias, rho=0.01, activation=0.3)
    rows = X if bias is False else np.hstack([X, np.ones((30, 1))])
    new = np.random.default_rng(7).standard_normal((5, 3))
    for points in (X, new, new[:0]):
        A = points if bias is False else np.hstack([points, np.ones((len(points), 1))])
        expected = np.zeros((len(points), s.weights.shape[2]))
        for j, x in enumerate(A):
            for i, g in enumerate(s.gated.directions):
                slope = 1.0 if x @ g >= 0.0 else 0.3
                expected[j] += slope * (s.weights[0, i] - s.weights[1, i]) @ x
        np.testing.assert_allclose(s.gated.predict(points).reshape(expected.shape), expected, atol=1e-12)
    patterns = topes.sample_patterns(X, 20, bias=bias)
    assert np.array_equal((rows @ s.gated.directions.T >= 0.0).T, patterns == 1)
    said = s.predict(X, gated=True)
    assert said.shape == (30,)
    if classes is not None:
        assert np.array_equal(said, np.argmax(s.gated.predict(X), axis=1))
    assert f"{len(patterns)} gates" in repr(s.gated)
    with pytest.raises(InputError, match="X must have 3 columns"):
        s.gated.predict([[1.0]])
    given_patterns = topes.large.train(X, target, 0.2, patterns=patterns, epochs=1, loss=loss, bias=bias, rho=0.01)
    assert given_patterns.gated is None
    with pytest.raises(InputError, match="gated must be False"):
        given_patterns.predict(X, gated=True)


def test_momentum_goes_further_with_the_same_rate():
    with_torch()
    X, y = blobs()
    options = {"n_patterns": 9, "epochs": 3, "optimizer": "sgd", "rho": 0.6, "learning_rate": 1e-3, "schedule": "constant"}
    heavy = topes.large.train(X, y, 0.3, momentum=0.9, **options)
    assert heavy.objective < topes.large.train(X, y, 0.3, **options).objective


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

    def read(weights):
        return worth_keeping(weights, lambda W1, W2: network_objective(X, Y, W1, W2, 0.3, the_loss, 0.0))

    for size in (0.0, 0.1, 1.0):
        kept = read(size * weights)
        F = network_outputs(X, kept.W1, kept.W2, 0.0)
        lower = bound(X, Y, F, 0.3, the_loss, 0.0, rank=min(rank, X.shape[1]), max_time=5.0)
        for other in (0.0, 0.05, 1.0):
            assert lower <= read(other * weights).objective * (1 + 1e-12) + 1e-14
        assert lower <= kept.objective * (1 + 1e-12) + 1e-14
        if C == 1 and loss == "squared":
            network = as_network(kept, 0.0, bias=False)
            assert kept.objective == pytest.approx(network.objective(X, Y[:, 0], 0.3), rel=1e-9)


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
        ({"learning_rate": "fast"}, InputError, "learning_rate must be one of"),
        ({"learning_rate": 0.0}, InputError, "learning_rate must be a positive finite number"),
        ({"momentum": 0.5}, InputError, "momentum must be less than 1, and 0 but for optimizer='sgd'"),
        ({"momentum": 1.0, "optimizer": "sgd"}, InputError, "momentum must be less than 1"),
        ({"momentum": -1.0, "optimizer": "sgd"}, InputError, "momentum must be a positive finite number"),
        ({"momentum": np.array([0.1, 0.2]), "optimizer": "sgd"}, InputError, "momentum must be a positive finite number"),
        ({"seed": 2**70}, InputError, "seed must be less than"),
        ({"max_bytes": "all"}, InputError, "max_bytes must be an integer"),
        ({"checkpoint": 5}, InputError, "checkpoint must be a path"),
        ({"patterns": [[1], [0, 1]]}, InputError, "rows of different lengths"),
        ({"X": [[1e39], [1.0]]}, InputError, r"X must be at most 3.4e\+38 in float32, got 1e\+39"),
        ({"y": [1e30, 1.0]}, InputError, "the loss of X and y must be within float32"),
        ({"beta": 1e300}, InputError, r"beta must be at most 3.4e\+38 in float32"),
        ({"batch_size": 0}, InputError, "batch_size must be an integer of at least 1"),
        ({"patterns": [[1, 0, 1]]}, InputError, r"patterns must be 0/1 of shape \(P, 2\)"),
        ({"max_bytes": 100}, MemoryLimitError, "bytes"),
        ({"loss": "cross_entropy"}, InputError, "y must hold a class for each sample"),
        ({"bias": "free"}, InputError, "bias must be one of"),
        ({"bound_rank": 9, "epochs": 1}, InputError, "bound_rank must be at most 8"),
        ({"checkpoint": "/no/such/folder/run.pt"}, InputError, "/no/such/folder/run.pt"),
        ({"optimizer": "sgd", "learning_rate": 1e6, "rho": 1.0}, SolverError, "diverged"),
    ],
)
def test_bad_input(options, error, words):
    with_torch()
    with pytest.raises(error, match=words):
        topes.large.train(**{"X": [[1.0], [2.0]], "y": [1.0, 3.0], "beta": 0.1, "n_patterns": 4, **options})
