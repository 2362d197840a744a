"""Solid angles in shares: those of one process, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import topes
from shares import Inline, gaussian
from topes import Arrangement, CellLimitError, InputError
from topes.jobs.shares import DEFAULT_SIZE, cut

# Python 3.12 and 3.13 warn where a process forks that has another thread, as test runners have.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def same_summary(a, b):
    for name in ("n_cells", "sum", "error", "rank", "method", "exact_cones"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("histogram", "edges"):
        assert np.array_equal(getattr(a, name), getattr(b, name))
    for name in ("least", "greatest"):
        x, y = getattr(a, name), getattr(b, name)
        assert (x.angle, x.error, x.witness) == (y.angle, y.error, y.witness)
        assert np.array_equal(x.pattern, y.pattern)


@pytest.mark.parametrize(("n", "r"), [(200, 2), (60, 3), (30, 4), (14, 5), (10, 6), (9, 1)])
def test_angles_are_the_same_to_the_last_bit(n, r, processes, tmp_path):
    A = Arrangement(gaussian(n, r))
    whole = topes.solid_angle_summary(A)
    same_summary(topes.solid_angle_summary(A, executor=processes), whole)
    path = tmp_path / "angles"
    same_summary(topes.solid_angle_summary(A, checkpoint=path), whole)
    if r > 1:
        text = path.read_bytes()
        path.write_bytes(text[: 2 * len(text) // 3])
        same_summary(topes.solid_angle_summary(A, checkpoint=path, executor=processes), whole)
        same_summary(topes.solid_angle_summary(A, checkpoint=path, executor=Inline(0)), whole)


def test_of_equal_angles_the_first_cell_is_named(processes):
    """Threshold functions of four inputs: each angle is shared by many cells, all over the tasks."""
    A = Arrangement([[1, *((k >> j & 1) * 2 - 1 for j in range(4))] for k in range(16)])
    whole = topes.solid_angle_summary(A)
    with cut(A, "k", DEFAULT_SIZE) as shares:
        assert len(shares) > 10
    same_summary(topes.solid_angle_summary(A, executor=processes), whole)


def test_tiny_angles_keep_their_bits(processes, tmp_path):
    A = Arrangement([[1.0, 0.0, 0.0], [1.0, 1e-200, 0.0], [1.0, 0.0, 1e-300], [0.0, 1.0, 1.0], [0.0, 1.0, -1e-9]])
    same_summary(topes.solid_angle_summary(A, checkpoint=tmp_path / "c"), topes.solid_angle_summary(A))


def test_angles_with_other_points_are_another_problem(tmp_path):
    A = Arrangement(gaussian(9, 6))
    path = tmp_path / "angles"
    topes.solid_angle_summary(A, checkpoint=path, n_points=64)
    with pytest.raises(InputError, match="another problem: other settings"):
        topes.solid_angle_summary(A, checkpoint=path, n_points=128)
    with pytest.raises(CellLimitError):
        topes.solid_angle_summary(A, checkpoint=path, n_points=64, max_cells=5)
