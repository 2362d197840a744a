"""Inputs that once broke something, as JSON beside this file; every route must agree with the twin on each."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import topes
from checks import as_set, build, cell_set
from strategies import Instance
from topes import reference, solve_full
from topes.pricing.oracle import Pricer

FILES = sorted(Path(__file__).parent.glob("*.json"))


def load(file: Path) -> Instance:
    document = json.loads(file.read_text())
    rows = tuple(tuple(Fraction(x) for x in row) for row in document["rows"])
    offsets = None if document["offsets"] is None else tuple(Fraction(b) for b in document["offsets"])
    dimension = len(rows[0]) if rows else document["dimension"]
    return Instance(rows, dimension, offsets, document["values"])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_route_agrees_with_the_twin(file):
    instance = load(file)
    expected = reference.sign_vectors(**instance.twin)
    A = build(instance)
    assert A.count() == len(expected)
    assert cell_set(instance) == expected
    streamed = [s for batch in A.cells(batch_size=2) for s in batch.sign_vectors.tolist()]
    assert as_set(streamed) == expected
    assert len(A.neighbors().indptr) == len(expected) + 1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_insertion_row_by_row_equals_building(file):
    instance = load(file)
    grown = build(instance.take([]))
    for i in range(instance.n):
        grown.sign_vectors()  # from here on the cells are held
        grown = grown.insert(instance.X[i], 0 if instance.b is None else instance.b[i])
    assert as_set(grown.sign_vectors()) == reference.sign_vectors(**instance.twin)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_solid_angles_sum_to_one(file):
    instance = load(file)
    A = build(instance)
    if instance.offsets is not None or A.rank == 0:
        pytest.skip("cells of an affine arrangement, or of rank 0, have no solid angles")
    summary = topes.solid_angle_summary(A)
    assert summary.n_cells == A.count()
    assert abs(summary.sum - 1) <= summary.error <= (1e-9 if A.rank <= 5 else 1e-8)


def test_the_reduction_of_a_network_does_not_walk_along_rounding():
    """A free bias makes neurons that cost nothing; a dependence with an entry of 1e-17 blew the others up."""
    X, y = np.array([[0.0], [0.1]]), np.array([-1.0, 1.0])
    solution = solve_full(X, y, 0.05, loss="hinge", bias="free", norm=1)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 2
    assert solution.network.predict(X) == pytest.approx(y, abs=1e-6)


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_a_target_of_zeros_is_met_by_no_network_at_all(bias):
    """See nothing_to_fit.json."""
    for X in ([[0.0]], [[1.0], [2.0]]):
        solution = solve_full(X, np.zeros(len(X)), 1e-3, bias=bias)
        assert (solution.status, solution.objective, solution.n_neurons) == (topes.Status.CERTIFIED, 0.0, 0)


@pytest.mark.parametrize("kappa", [0.0, -0.3])
def test_an_l2_loss_that_is_fitted_exactly_is_certified(kappa):
    """The conic solver left a residual of 1e-9, which is 1e-6 of an optimum of 1e-3."""
    solution = solve_full([[0.0, 1.0], [1.0, 1.0]], [0.0, 1.0], 1e-3, loss="l2", activation=kappa)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 2


def test_the_reduction_knows_a_constant_from_a_slope_of_1e_12():
    """A free bias with constants of both signs: their slopes, left by the solver, made a dependence that led nowhere."""
    X, y = np.array([[0.0], [0.0], [1.0], [2.0], [0.0]]), np.array([-1.0, -1.0, -1.0, 1.0, 1.0])
    solution = solve_full(X, y, 1.0, loss="squared_hinge", bias="free")
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 2
    assert solution.objective == pytest.approx(4.1875, rel=1e-9)


@pytest.mark.parametrize("solve", [solve_full, topes.train])
def test_an_infimum_that_no_constant_reaches(solve):
    """Logistic loss, one class, free bias: the loss falls to 0 as the bias grows, and a conic solver stops on the way."""
    solution = solve([[0.0, 0.0, 0.0]], [-1.0], 1e-3, loss="logistic", activation=-2.5, bias="free", norm=np.inf)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.objective < 1e-9


def test_prices_of_tiny_and_huge_data_are_bounded():
    """The search squares its weights: with rows near 1e-200 the squares were 0, and the bound fell below the price."""
    X, v = np.array([[1.0, 2.0], [-1.0, 1.0], [0.5, -3.0]]), np.array([1.0, -2.0, 0.5])
    plain = Pricer(X).price(v)
    for exponent in (-700, -540, 0, 400):
        scale = 2.0**exponent
        pricing = Pricer(scale * X).price(v)
        assert pricing.best == pytest.approx(scale * plain.best, rel=1e-12)
        assert scale * plain.best <= pricing.upper_bound <= scale * plain.upper_bound * (1 + 1e-9)


FREE_BIAS = [
    ([[0, 0], [0, 0.2], [-1, -2], [3, -1]], [-1, 1, 1, -1], 0.05, {"loss": "logistic", "activation": 0.5}),
    ([[0, 0.3, -3], [0, 0, 1], [0.1, 0, 2]], [2, 0, 0], 1e-3, {}),
    ([[0, 3, -3], [0, 0, 0], [0, 0, 1.75]], [2, 0, 0], 1e-3, {}),
    ([[0, 2], [0, 1], [0, 0]], [0, 1, 0], 1e-3, {}),
    ([[-2, 1, 0.1], [0, 0, 0], [1, -1, 0], [0, 2, 0]], [0.2, 3, 0, 0], 1.0, {"loss": "absolute", "activation": -2.5}),
]


@pytest.mark.parametrize(("X", "y", "beta", "options"), FREE_BIAS, ids=range(len(FREE_BIAS)))
def test_a_free_bias_reaches_its_gap_with_few_neurons(X, y, beta, options):
    """Constants and neurons trade without a cost: Newton's method ran off, and two constants were left side by side."""
    solution = topes.train(np.array(X, dtype=float), y, beta, bias="free", **options)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= len(y)


def test_a_step_away_from_a_wall_to_the_wrong_side_is_put_right():
    """Blocks on a hyperplane up to rounding had the side that rounding gave them: the gap stayed at 2e-8."""
    solution = topes.train([[-2.0], [-1.0], [0.0], [1.0], [2.0]], [1, -1, 1, 1, -1], 1e-3, bias="penalized", tol=1e-8)
    assert (solution.status, solution.n_neurons) == (topes.Status.CERTIFIED, 4)


def test_an_l2_loss_near_its_kink_is_left_to_the_conic_program():
    """Next to an exact fit the gradient is the direction of a residual of 1e-9, which is no dual point."""
    for X, y in (([[-2, 2], [0, -2], [1, 0]], [-1, 0.2, 0]), ([[0.0]], [1.0])):
        solution = topes.train(np.array(X, dtype=float), y, 1e-3, loss="l2", bias="penalized")
        assert solution.status is topes.Status.CERTIFIED


@pytest.mark.parametrize(
    "X", [[[0, 0, 0], [3, -3, -1], [0, 2, 2.1]], [[-3, -2.5, -1.7], [3, -3, -1], [0, -2, -2.1]]], ids=["gap", "width"]
)
def test_the_full_program_tries_again_with_finer_tolerances(X):
    """At 1e-10 the conic solver left a gap of 1.5e-5, and 16 neurons for 3 samples."""
    solution = solve_full(np.array(X, dtype=float), [3.0, 0.0, 2.5], 1e-3, loss="l2", activation=-1.0, norm=np.inf)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 3


@pytest.mark.parametrize("scale", [1e-8, 1e-12, 1e-60])
def test_small_targets_are_certified_like_any_others(scale):
    """The bound on the rounding of a conjugate had an absolute 1 a sample in it, which only the entropy needs."""
    X, y = [[1.0], [-2.0]], np.array([1.0, 3.0])
    solution = topes.train(X, scale * y, scale * 0.1)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.objective == pytest.approx(scale**2 * topes.train(X, y, 0.1).objective, rel=1e-6)
    assert topes.train([[0.0]], [scale], 1.0).status is topes.Status.CERTIFIED


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_solid_angles_are_those_of_the_twin(file):
    instance = load(file)
    A = build(instance)
    if not A.is_central or A.rank > 3:
        return
    expected = reference.solid_angles(instance.X, values=instance.values, digits=400)
    for s, angle in zip(A.sign_vectors().tolist(), topes.solid_angles(A).angles.tolist(), strict=True):
        assert angle == pytest.approx(float(expected[tuple(s)]), rel=1e-9, abs=1e-300)


def test_neurons_are_told_apart_in_the_units_of_the_data():
    """Columns of 2e5 to 2e-4, a free bias: neurons a wall apart were taken for one, and 39 were left of 21 rows."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((21, 3)) * [2e5, 2e-2, 2e-4], rng.standard_normal(21)
    options = {"loss": "huber", "activation": "abs", "bias": "free"}
    beta = 1e-4 * topes.beta_max(X, y, **options)
    solution = topes.train(X, y, beta, **options)
    assert solution.status is topes.Status.CERTIFIED
    assert solution.n_neurons <= 21


def test_units_far_apart_stop_the_conic_solver_but_not_training():
    """Inputs of 1e-4, targets of 100, p = 1: rounds came to a stop at a gap of 1e-3, as the program was not solved."""
    rng = np.random.default_rng(6)
    X, y = 1e-4 * rng.standard_normal((23, 2)), 100.0 * rng.standard_normal(23)
    options = {"loss": "l2", "activation": 0.5, "bias": "penalized", "norm": 1}
    beta = 1e-3 * topes.beta_max(X, y, tol=1e-3, **options)
    assert topes.train(X, y, beta, **options).status is topes.Status.CERTIFIED


def test_a_small_weight_on_large_data_is_not_taken_for_none():
    """Inputs of 3e6, a free bias: weights of 1e-9 of the bias were dropped, which cost nine tenths of a proved optimum."""
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((18, 2)) * [0.1, 3e6], rng.integers(-2, 3, 18).astype(float)
    options = {"loss": "absolute", "activation": "abs", "bias": "free"}
    beta = 1e-3 * topes.beta_max(X, y, tol=1e-3, **options)
    assert topes.train(X, y, beta, **options).status is topes.Status.CERTIFIED


def test_faces_without_neurons_are_kept_while_nothing_moves(monkeypatch):
    """The dual point is not unique: faces that held it were dropped as idle, and the same five rounds came again."""
    X, y = [[-1.512, -2.0], [-1.0, 2.3], [-2.0, 4.6]], [1.0, 0.548, 0.0]
    assert topes.train(X, y, 1.0, loss="absolute", bias="penalized").objective == pytest.approx(0.81352504, rel=1e-6)
    monkeypatch.setattr("topes.training.loop.is_smoothed", lambda judge: False)  # the conic program alone
    solution = topes.train(X, y, 1.0, loss="absolute", bias="penalized")
    assert solution.status is topes.Status.CERTIFIED
    assert solution.objective == pytest.approx(0.81352504, rel=1e-7)


def test_a_price_that_is_level_along_a_bend_is_bounded_in_few_cones():
    """p = 1, a free bias: the largest price is taken on a whole edge of the ball that a concave kink bends."""
    X = np.array([[0, -1, 1], [1, 0, -2], [-1, -1, 2], [2, -2, 0], [1, 2, -2], [2, 0, -1]], dtype=float)
    pricer = Pricer(X, bias="free", norm=1)
    pricing = pricer.price(np.array([0.0, -1.5, 0.0, 0.0, 0.5, 1.0]), tol=1e-9, max_nodes=20_000)
    assert pricing.upper_bound <= pricing.best * (1.0 + 1e-8)


def test_small_betas_are_met_by_the_conic_program():
    """p = inf: dual constraints were met to 1e-9, a thousandth of beta, and the gap stayed at 5e-4."""
    X = [[-0.98054123], [-1.4127543], [0.61392321], [0.49702027], [-0.04701115], [0.02558912], [0.96914562], [-1.16849266]]
    y = [-1.2, -0.1, -1.56, -1.11, 1.23, 0.14, -0.28, 1.12]
    assert topes.train(X, y, 1.17e-6, loss="absolute", norm=np.inf).status is topes.Status.CERTIFIED


def test_thin_cones_on_grid_data_are_finished_where_they_are():
    """Rank 5, few values a column: best slopes in thin cones were not found; halving went on to the last bit of doubles."""
    rng = np.random.default_rng(7)
    X = rng.integers(1, 6, (40, 4)).astype(float)
    A, y = np.c_[(X - X.mean(axis=0)) / X.std(axis=0), np.ones(40)], rng.standard_normal(40)
    solution = topes.train(A, y, 3e-3 * topes.beta_max(A, y), tol=1e-3, n_threads=2)
    assert solution.status is topes.Status.CERTIFIED
    assert sum(each.n_priced for each in solution.history) < 400_000


def test_rows_that_doubles_cannot_tell_from_parallel_are_priced():
    """3 * 1.812 rounds: the exact rank is 3 where a singular value is 0. The bound was 4e119, and nothing was searched."""
    X, v = np.array([[0.0, 1.0, 1.0], [1.0, 1.812, 0.0]]), np.array([0.1257302210933933, -0.1321048632913019])
    pricer = Pricer(np.vstack([X, 3 * X]))
    assert pricer.arrangement.rank == 3
    pricing = pricer.price(np.concatenate([v / 2, v / 6]))
    assert pricing.best == pytest.approx(Pricer(X).price(v).best, rel=1e-9)
    assert pricing.upper_bound <= pricing.best * (1.0 + 1e-9)


def test_a_price_that_is_level_beyond_the_last_breakpoint_takes_few_cones():
    """No point there was as good as its bound, since points beyond were priced for less: 6 million cones, down to 2^-40."""
    X = [[2.0, -2.165], [0.0, 0.0], [0.0, -2.7], [0.0, -1.0]]
    V = np.array([[0.02179513, 0.20805245], [-0.12522042, -0.51850788], [0.12540286, -0.39582055], [0.0, 0.0]])
    V = np.round(V * 2.0**20) / 2.0**20
    V[-1] = -V.sum(axis=0)
    pricer = Pricer(X, activation=0.9, bias="free")
    cover = pricer.cover(V, floor=1e-3, tol=1e-3)
    assert len(cover.split) < 1_000
    pricing = pricer.price(V, floor=1e-3, tol=1e-3)
    assert pricing.n_nodes < 1_000
    assert pricing.upper_bound <= pricing.best * (1 + 1.1e-3)
    assert pricer.at(V, pricing.directions) == pytest.approx(pricing.values, rel=1e-12)


@pytest.mark.large  # ten seconds of decimals
def test_the_twin_measures_a_wide_cone_between_halfspaces_that_are_almost_one():
    """Two rays are opposite up to 1e-17, and halves of the way between them were none: the twin never came to an end."""
    a = [[-0.49999999999999994, 1.4, -2.7999999999999994, -1.7], [2.3999999999999995, 1.9, 0.4, -2.7]]
    b = [[0.4, -5e-324, -0.9, 0.2], [0.8000000000000002, 0.0, -1.8000000000000003, 0.40000000000000013]]
    angle = reference.solid_angle(a + b, digits=20)
    found = topes.solid_angle(halfspaces=a + b)
    assert abs(float(angle) - found.value) <= found.error
