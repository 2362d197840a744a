"""Bad input: one clear error of a documented type, naming argument, requirement and value; and edges that are fine."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from topes import (
    Arrangement,
    CellLimitError,
    InputError,
    MemoryLimitError,
    TwoLayerNetwork,
    Zonotope,
    beta_max,
    path,
    solve_full,
    train,
)

GOOD = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
BAD_TABLES = {
    "nan": ([[1.0, np.nan]], r"X\[0, 1\] is nan"),
    "inf": ([[1.0, 2.0], [-np.inf, 0.0]], r"X\[1, 0\] is -inf"),
    "vector": ([1.0, 2.0], r"X must .*dimension.*shape \(2,\)"),
    "cube": (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
    "number": (3.0, r"X must .*dimension.*shape \(\)"),
    "ragged": ([[1.0, 2.0], [3.0]], "X must be"),
    "text": ([["a", "b"]], "X "),
    "string": ("data", "X must"),
    "complex": ([[1j, 0]], "X .*complex|X has dtype complex"),
    "objects": ([[object(), 1]], "X"),
    "none": (None, "X must"),
    "masked": (np.ma.masked_array(np.ones((2, 2)), [[0, 1], [0, 0]]), "X has masked entries; X must be complete"),
    "dates": (np.zeros((2, 2), "M8[s]"), "X has dtype"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
@pytest.mark.parametrize("make", [Arrangement, Zonotope, lambda X: solve_full(X, [1.0] * 2, 0.1)], ids=["A", "Z", "solve"])
def test_bad_tables(make, bad, message):
    with pytest.raises(InputError, match=message):
        make(bad)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"offsets": [1.0]}, "offsets must have one entry for each of the 3 rows of X, got 1"),
        ({"offsets": [1.0, 2.0, np.nan]}, "offsets"),
        ({"offsets": [[1.0], [2.0], [3.0]]}, "offsets"),
        ({"values": "octal"}, "values must be 'binary' or 'decimal', got 'octal'"),
    ],
)
def test_bad_arguments_of_an_arrangement(arguments, message):
    with pytest.raises(InputError, match=message):
        Arrangement(GOOD, **arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda A: A.count(n_threads=0), "n_threads must be an integer of at least 1, got 0"),
        (lambda A: A.count(n_threads=1.5), "n_threads"),
        (lambda A: A.neighbors(A.sign_vectors()[0]), r"n_threads must be an integer of at least 1, got array\("),
        (lambda A: A.count(max_cells=-1), "max_cells"),
        (lambda A: A.count(progress=3), "progress must be a bool or callable, got 3"),
        (lambda A: A.cells(batch_size=0), "batch_size must be an integer of at least 1, got 0"),
        (lambda A: A.estimate_count(n_dives=1), "n_dives must be an integer of at least 2, got 1"),
        (lambda A: A.locate([1.0]), "w must have 2 entries, got 1"),
        (lambda A: A.locate([1.0, np.inf]), r"w\[1\] is inf"),
        (lambda A: A.insert([1.0, 2.0, 3.0]), "x must have 2 entries, got 3"),
        (lambda A: A.insert([1.0, 2.0], 5), "offset must be 0 in a central arrangement, got 5"),
        (lambda A: A.save_patterns("/no/such/folder/p.npy"), "cannot be written: No such file or directory"),
    ],
)
def test_bad_arguments_of_methods(call, message):
    with pytest.raises(InputError, match=message):
        call(Arrangement(GOOD))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0, 2.0]}, "y must have one entry for each of the 3 rows of"),
        ({"y": [[1.0], [2.0], [3.0]]}, "y must be one-dimensional"),
        ({"y": None}, "y must be one-dimensional, got None"),
        ({"y": [1.0, np.nan, 2.0]}, r"y\[1\] is nan"),
        ({"y": ["a", "b", "c"]}, "y has dtype"),
        ({"beta": 0.0}, "beta must be a positive finite number, got 0.0"),
        ({"beta": -1}, "beta must be a positive finite number, got -1"),
        ({"beta": np.inf}, "beta must be a positive finite number"),
        ({"beta": True}, "beta"),
        ({"beta": 10**400}, "beta must be a positive finite number, got one beyond the range of doubles"),
        ({"beta": "big"}, "beta"),
        ({"loss": "cubed"}, "loss must be one of 'squared'.* class derived from topes.losses.Loss; got 'cubed'"),
        ({"loss": np.abs}, "loss must be one of 'squared'.* class derived from topes.losses.Loss; got <ufunc"),
        ({"loss": "hinge", "y": [1.0, 2.0, 1.0]}, r"y\[1\] is 2; the hinge loss takes labels -1 and \+1"),
        ({"activation": "tanh"}, "activation must be 'relu', 'abs' or a number kappa < 1, got 'tanh'"),
        ({"activation": 1.0}, "activation"),
        ({"bias": True}, "bias must be one of False, 'penalized', 'free'"),
        ({"norm": 3}, "norm must be one of 1, 2, numpy.inf; got 3"),
        ({"norm": "inf"}, "norm must be one of 1, 2, numpy.inf; got 'inf'"),
        ({"patterns": [[0, 2, 1]]}, "patterns must be 0/1"),
        ({"patterns": [[0, 1]]}, r"patterns must be 0/1 of shape \(P, 3\)"),
        ({"tol": 0}, "tol must be a positive finite number"),
        ({"rows": "some"}, "rows must be one of"),
    ],
)
def test_bad_arguments_of_training(arguments, message):
    with pytest.raises(InputError, match=message):
        solve_full(**{"X": GOOD, "y": [1.0, -1.0, 2.0], "beta": 0.1, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"warm_start": "a"}, "warm_start must be a Solution, a TwoLayerNetwork or None, got 'a'"),
        ({"tol": 2}, "tol must be below 1, got 2"),
        ({"y": None}, r"y must have shape \(n,\), or \(n, C\) for several outputs, got None"),
        ({"y": np.ones((3, 1, 1))}, r"y must have shape \(n,\), or .*, got an array of shape \(3, 1, 1\)"),
        ({"y": [[1.0], [1.0, 2.0], [3.0]]}, "y must be a rectangular array"),
        (
            {"y": np.full(3, 1e160)},
            "y must be so small that its squared loss .* range of doubles.* up to 1e[+]160",
        ),
        ({"y": np.full(3, 1e308), "loss": "absolute"}, "y must be so small that its absolute loss"),
        ({"X": np.multiply(GOOD, 1e300), "y": np.full(3, 1e100)}, "X and y must be so small that the beta at which"),
        ({"X": np.multiply(GOOD, 1e200), "bias": "penalized"}, "X must have entries whose squares lie within the range"),
        ({"X": [[10**400, 1], [1, 2], [0, 1]]}, r"X\[0, 0\] is beyond the range of doubles"),
        ({"X": [[Fraction(10**400, 3), 1], [1, 2], [0, 1]]}, r"X\[0, 0\] is beyond the range of doubles"),
        ({"beta": 1e-20}, "empty network is optimal, 1e-12 [*] 3.16228 = 3.16228e-12, got 1e-20: below it"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # of getting such data ready
def test_what_training_over_all_cells_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        train(**{"X": GOOD, "y": [1.0, -1.0, 2.0], "beta": 0.1, **arguments})


@pytest.mark.parametrize("loss", ["l2", "absolute", "huber"])
def test_large_targets_that_have_a_loss_are_taken(loss):
    y = np.array([1e160, -1e160, 2e160])
    assert train(GOOD, y, 1e170, loss=loss).objective == pytest.approx(1e160 * (6**0.5 if loss == "l2" else 4.0))


@pytest.mark.parametrize("bias", [False, "free"])
def test_a_path_cannot_begin_at_a_beta_of_zero(bias):
    with pytest.raises(InputError, match=r"betas must be values of beta where beta_max is 0.*; got 3"):
        path(GOOD, [0.5 if bias else 0.0] * 3, betas=3, bias=bias)


@pytest.mark.parametrize("loss", ["absolute", "huber", "l2"])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # of getting such data ready
def test_beta_max_of_data_whose_squares_are_beyond_doubles(loss):
    y = [1e10, -1e10, 2e10]
    assert beta_max(np.multiply(GOOD, 1e200), y, loss=loss) == pytest.approx(1e200 * beta_max(GOOD, y, loss=loss), rel=1e-8)


def test_a_masked_array_with_nothing_masked_is_taken():
    X = np.ma.masked_array(GOOD)
    assert Arrangement(X).count() == 6
    assert train(X, np.ma.masked_array([1.0, -1.0, 2.0]), 0.1).gap <= 1e-6


def test_an_unknown_solver_and_too_many_cells():
    from topes import SolverError

    with pytest.raises(SolverError, match="NOSUCH"):
        solve_full(GOOD, [1.0, -1.0, 2.0], 0.1, solver="NOSUCH")
    X = np.random.default_rng(0).standard_normal((200, 4))
    with pytest.raises(CellLimitError, match="max_cells"):
        solve_full(X, np.ones(200), 0.1)


def test_what_cannot_fit_is_refused_before_the_work_with_what_to_do_instead():
    A = Arrangement(np.random.default_rng(0).standard_normal((3000, 8)))
    with pytest.raises(MemoryLimitError, match=r"cells, which need .* bytes.*save_patterns.*count\(\)") as caught:
        A.patterns()
    assert caught.value.needed > caught.value.available
    assert caught.value.expected_cells > 10**15
    with pytest.raises(MemoryLimitError, match="100 may be used"):
        Arrangement(GOOD * 10).patterns(max_bytes=100)


def test_more_columns_than_rank_can_carry_are_counted_by_their_rank():
    X = np.zeros((3, 5000))
    X[0, 17], X[1, 4000], X[2, 17] = 1.0, 2.0, -1.0
    A = Arrangement(X)
    assert (A.rank, A.n_hyperplanes, A.count()) == (2, 2, 4)


def test_no_rows_and_zero_rows_have_one_cell():
    for X, n in ((np.zeros((0, 3)), 0), (np.zeros((4, 3)), 4), (np.zeros((2, 0)), 2)):
        A = Arrangement(X)
        assert (A.rank, A.n_hyperplanes, A.bound(), A.count()) == (0, 0, 1, 1)
        assert A.patterns().tolist() == [[1] * n]
        assert A.sign_vectors().tolist() == [[0] * n]


def test_one_row_one_dimension_and_repeated_data():
    assert sorted(Arrangement([[5.0, -1.0]]).patterns().tolist()) == [[0], [1]]
    assert sorted(Arrangement([[2], [-3], [0]]).sign_vectors().tolist()) == [[-1, 1, 0], [1, -1, 0]]
    assert Arrangement([[1.5]] * 100).count() == 2
    assert Arrangement([[1], [1], [1]], [0, 1, 2]).count() == 4


@pytest.mark.parametrize(
    "X",
    [np.array([[1, 0], [0, 1]], np.uint8), np.array([[True, False], [False, True]]), [[Fraction(1, 3), 0], [0, 2**90]]],
    ids=["uint8", "bool", "exact"],
)
def test_every_kind_of_number_is_taken(X):
    assert Arrangement(X).count() == 4


def test_the_data_are_copied_and_results_cannot_be_written_to():
    X = np.array(GOOD)
    A = Arrangement(X)
    X[:] = 0
    assert A.count() == 6
    with pytest.raises(ValueError, match="read-only"):
        A.patterns()[0, 0] = 7


def test_training_on_nothing_and_on_zeros():
    empty = solve_full(np.zeros((0, 2)), [], 0.1)
    assert (empty.objective, empty.lower_bound, empty.n_neurons, empty.status.value) == (0, 0, 0, "certified")
    zeros = solve_full(np.zeros((3, 2)), [1.0, 2.0, 2.0], 0.1)
    assert zeros.objective == pytest.approx(4.5)
    assert zeros.n_neurons == 0


def test_networks_refuse_shapes_that_do_not_fit():
    with pytest.raises(InputError, match="w2 must have one entry for each of the 2 columns of W1, got 1"):
        TwoLayerNetwork([[1.0, 2.0]], None, [1.0])
    with pytest.raises(InputError, match="X must have 1 columns, got 2"):
        TwoLayerNetwork([[1.0]], None, [1.0]).predict([[1.0, 2.0]])
