"""Example II.1 of the paper: three points in the plane, two of them parallel."""

from __future__ import annotations

import numpy as np

from checks import as_set
from topes import Arrangement, reference

X = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]])

# The first two rows have one hyperplane, so their bits agree; it and the third are independent, so all four
# combinations occur. The paper prints the first three and leaves out the zero one, which adds no neuron.
PATTERNS = {(1, 1, 1), (1, 1, 0), (0, 0, 1), (0, 0, 0)}


def test_the_patterns_of_the_paper():
    assert as_set(Arrangement(X).patterns()) == PATTERNS


def test_four_cells_from_two_distinct_hyperplanes_in_the_plane():
    A = Arrangement(X)
    assert (A.count(), A.bound(), A.n_hyperplanes, A.rank) == (4, 4, 2, 2)


def test_the_twin_agrees():
    found = reference.sign_vectors(X)
    assert {tuple(int(x >= 0) for x in s) for s in found} == PATTERNS


def test_the_second_row_alone_changes_no_count_but_one_off_the_line_does():
    assert Arrangement(X[[0, 2]]).count() == 4
    assert Arrangement([[2, 2], [3, 4], [1, 0]]).count() == 6


def test_each_pattern_has_the_cone_one_reads_off():
    """{w : x_i.w >= 0 where the bit is 1, <= 0 elsewhere}: points of each of the four wedges, by hand."""
    A = Arrangement(X)
    for w, pattern in (((1, 1), (1, 1, 1)), ((-1, 2), (1, 1, 0)), ((1, -2), (0, 0, 1)), ((-1, -1), (0, 0, 0))):
        assert (A.locate(w) >= 0).astype(int).tolist() == [list(pattern)]
