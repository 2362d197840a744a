"""The face of solid angles: what is refused, limits, progress, what results say."""

from __future__ import annotations

import numpy as np
import pytest

import topes
from topes import Arrangement, CellLimitError, InputError, MemoryLimitError, solid_angle, solid_angle_summary, solid_angles


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either rays or halfspaces, got neither"),
        ({"rays": [[1]], "halfspaces": [[1]]}, "got both"),
        ({"halfspaces": [[1, 0], [-1, 0]]}, "halfspaces must leave a cone with interior points"),
        ({"halfspaces": [[1, 0], [0, 1], [-1, -1]]}, "interior points"),
        ({"rays": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}, "rays must span the space of dimension 3, got rays of rank 2"),
        ({"rays": np.zeros((0, 2))}, "rays must span the space of dimension 2, got rays of rank 0"),
        ({"rays": [[1, 0], [-1, 0], [0, 1]]}, "strictly on one side of a hyperplane"),
        ({"rays": [[1], [-1]]}, "strictly on one side"),
        ({"rays": [[1, float("nan")]]}, r"rays\[0, 1\] is nan"),
        ({"halfspaces": [1, 2]}, "halfspaces must have 2 dimensions"),
        ({"halfspaces": [[1]], "n_points": 0}, "n_points must be an integer of at least 1, got 0"),
        ({"halfspaces": [[1]], "seed": -1}, "seed must be an integer of at least 0, got -1"),
        ({"halfspaces": [[1]], "values": "octal"}, "values must be 'binary' or 'decimal'"),
    ],
)
def test_bad_cones_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        solid_angle(**arguments)


@pytest.mark.parametrize("function", [solid_angles, solid_angle_summary])
def test_bad_arrangements_are_refused(function):
    with pytest.raises(InputError, match="A must be central"):
        function(Arrangement([[1, 0]], offsets=[1]))
    with pytest.raises(InputError, match=r"A must be a topes\.Arrangement, got ndarray"):
        function(np.eye(2))
    with pytest.raises(InputError, match="n_points"):
        function(Arrangement([[1]]), n_points=1.5)
    with pytest.raises(CellLimitError):
        function(Arrangement(np.random.default_rng(0).standard_normal((50, 3))), max_cells=100)


def test_memory_is_asked_for_before_the_work():
    A = Arrangement(np.random.default_rng(0).standard_normal((3000, 4)))
    with pytest.raises(MemoryLimitError):
        solid_angles(A, max_bytes=10**6)


@pytest.mark.parametrize("function", [solid_angles, solid_angle_summary])
def test_a_callback_hears_and_may_stop_the_walk(function):
    class Stop(Exception):
        pass

    def stop(fraction, n_cells):
        assert 0 <= fraction <= 1
        raise Stop

    with pytest.raises(Stop):
        function(Arrangement(np.random.default_rng(0).standard_normal((400, 4))), progress=stop)


@pytest.mark.parametrize("X", [np.zeros((0, 3)), np.zeros((2, 3)), np.zeros((0, 0)), np.zeros((3, 0))])
def test_no_hyperplane_means_one_cell_of_angle_one(X):
    found = solid_angles(Arrangement(X))
    assert found.angles.tolist() == [1.0]
    assert found.errors.tolist() == [0.0]
    summary = solid_angle_summary(Arrangement(X))
    assert (summary.n_cells, summary.sum, summary.least.angle) == (1, 1.0, 1.0)
    assert summary.least.witness == (0,) * X.shape[1]
    assert summary.least.pattern.tolist() == [1] * len(X)
    assert solid_angle(halfspaces=X).value == 1.0


def test_one_hyperplane_means_two_halves():
    A = Arrangement([[0, 0], [-2, 4], [1, -2]])
    assert solid_angles(A).angles.tolist() == [0.5, 0.5]
    summary = solid_angle_summary(A)
    assert summary.least.angle == summary.greatest.angle == 0.5
    assert np.array_equal(summary.least.pattern, A.patterns()[0])
    assert solid_angle(rays=[[3]]).value == solid_angle(halfspaces=[[-1, 2]]).value == 0.5


def test_redundant_rays_and_halfspaces_do_no_harm():
    square = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert solid_angle(rays=[*square, [1, 1, 1], [2, 0, 0], [0, 0, 0]]).value == pytest.approx(0.125, rel=1e-14)
    assert solid_angle(halfspaces=[*square, [1, 1, 1], [2, 0, 0], [0, 0, 0]]).value == pytest.approx(0.125, rel=1e-14)


def test_decimals_are_taken_as_such():
    rows = [[0.1, 0.3], [1, 3]]
    assert solid_angle(halfspaces=rows, values="decimal").rank == 1
    assert solid_angle(halfspaces=rows).rank == 2


def test_results_print_what_they_are():
    one = solid_angle(halfspaces=np.eye(4))
    assert str(one).startswith(f"{one.value:.12g} (error ")
    assert "an estimate; rank 4, nested cubature" in str(one)
    assert float(one) == one.value
    found = solid_angles(Arrangement(np.eye(3)))
    assert repr(found).startswith("SolidAngles(8 cells, least 0.125, greatest 0.125")
    assert np.asarray(found) is found.angles
    assert np.array_equal(np.array(found, dtype=np.float32), np.full(8, 0.125, np.float32))
    assert not found.angles.flags.writeable
    summary = solid_angle_summary(Arrangement(np.eye(3)))
    assert "8 cells of rank 3: least angle 0.125" in str(summary)
    assert not summary.histogram.flags.writeable
    assert not summary.least.pattern.flags.writeable


def test_seeds_move_the_points_of_high_rank_only():
    rows = np.random.default_rng(0).standard_normal((7, 6))
    a, b = (solid_angles(topes.Arrangement(rows), n_points=64, seed=seed) for seed in (0, 1))
    assert not np.array_equal(a.angles, b.angles)
    assert a.method == "quasi-Monte Carlo"
    assert np.array_equal(a.angles, solid_angles(topes.Arrangement(rows), n_points=64, seed=0).angles)
    assert abs(a.angles.sum() - 1) <= a.errors.sum()
    low = [solid_angles(topes.Arrangement(rows[:, :5]), seed=seed).angles for seed in (0, 1)]
    assert np.array_equal(*low)
