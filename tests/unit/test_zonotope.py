"""Zonotopes by hand: points, segments, bad input, and floats that nearly coincide."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from topes import InputError, Zonotope


@pytest.mark.parametrize("X", [np.zeros((0, 2)), np.zeros((3, 2)), np.zeros((2, 0)), [[0, 0]]])
def test_a_zonotope_of_rank_0_is_a_point(X):
    Z = Zonotope(X)
    d = np.shape(X)[1]
    assert Z.f_vector() == (1,)
    assert float(Z.volume()) == 1.0
    assert Z.approx_volume()[0] == 1.0
    assert len(Z.edges()) == 0
    found = Z.membership([0] * d)
    assert (found.position, found.gauge, found.direction) == ("inside", 0, None)
    assert found.coefficients.tolist() == [0] * len(X)
    assert Z.support(np.ones((2, d))).tolist() == [0.0, 0.0]
    assert Z.exact_support(np.ones((2, d))).tolist() == [0, 0]
    assert Z.face(np.zeros(d)).dimension == 0
    for name in ("polygon", "facets"):
        with pytest.raises(InputError, match="has rank 0"):
            getattr(Z, name)()
    if d:
        outside = Z.membership([1] + [0] * (d - 1))
        assert (outside.position, outside.gauge) == ("outside", None)
        assert outside.direction @ np.array([1] + [0] * (d - 1)) > 0


@pytest.mark.parametrize(
    ("method", "argument", "message"),
    [
        ("membership", [1, 2, 3], "p must have 2 coordinates, got 3"),
        ("membership", [[1, 2]], "p must have 1 dimension"),
        ("membership", [math.nan, 0.0], r"p\[0\] is nan"),
        ("membership", "ab", "p must"),
        ("support", [1, 2], "c must be two-dimensional"),
        ("support", [[1, 2, 3]], "c must have 2 coordinates, got 3"),
        ("support", [[1, math.inf]], r"c\[0, 1\] is inf"),
        ("exact_support", [[1]], "c must have 2 coordinates, got 1"),
        ("face", [1], "c must have 2 coordinates, got 1"),
        ("project", [0, 2], "columns must be between 0 and 1"),
        ("project", [-1], "columns must be between 0 and 1"),
        ("project", [0.5], "columns must be a list of column numbers"),
        ("project", 1, "columns must be a list of column numbers"),
        ("normal_cone", [1], "pattern must have shape"),
    ],
)
def test_bad_arguments_are_named(method, argument, message):
    with pytest.raises(InputError, match=message):
        getattr(Zonotope([[1, 0], [0, 1], [1, 1]]), method)(argument)


def test_polygon_and_facets_need_their_rank():
    with pytest.raises(InputError, match=r"polygon needs a zonotope of rank 2, this one has rank 1; facets"):
        Zonotope([[1, 1]]).polygon()
    with pytest.raises(InputError, match=r"facets needs a zonotope of rank 3, this one has rank 2; polygon"):
        Zonotope([[1, 0], [0, 1]]).facets()


def test_membership_sees_a_point_one_ulp_off_the_boundary():
    Z = Zonotope([[0.1, 0.0], [0.0, 0.1], [0.3, 0.3]])
    top = Fraction(0.1) + Fraction(0.3)
    assert Z.membership([top, top]).position == "boundary"  # the vertex of all generators
    assert float(top) == 0.4
    assert top < Fraction(0.4)  # by half a unit in the last place
    assert [0.4, 0.4] not in Z
    assert [math.nextafter(0.4, 0.0)] * 2 in Z
    decimal = Zonotope([[0.1, 0.0], [0.0, 0.1], [0.3, 0.3]], values="decimal")
    assert decimal.membership([0.4, 0.4]).position == "boundary"


def test_a_point_off_the_affine_hull_has_a_separating_direction():
    Z = Zonotope([[1, 1, 0], [2, 2, 0]])
    found = Z.membership([1, 1, Fraction(1, 10**40)])
    assert found.position == "outside"
    assert found.gauge is None
    assert Z.exact_support(found.direction[None])[0] == 0
    assert found.direction[2] > 0
    assert repr(found) == "Membership(outside, off its affine hull)"
    assert Z.membership([Fraction(3, 2), Fraction(3, 2), 0]).gauge == 0
    assert Z.membership([3, 3, 0]).position == "boundary"


def test_opposite_rows_move_the_zonotope_not_its_shape():
    Z = Zonotope([[1, 0], [-2, 0], [0, 1]])
    assert sorted(map(tuple, Z.polygon().tolist())) == [(-2.0, 0.0), (-2.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    assert Z.volume().coefficient == 3
    found = Z.membership([-2, 0])
    assert found.position == "boundary"
    assert found.coefficients.tolist() == [0, 1, 0]


def test_nearly_parallel_rows_are_sorted_exactly():
    """Angles that doubles cannot tell apart: 2^-60 between neighbours, given in the wrong order."""
    rows = [[2**70, 2**10 - k] for k in range(40)]
    Z = Zonotope(rows)
    brute = sum(abs(a[0] * b[1] - a[1] * b[0]) for i, a in enumerate(rows) for b in rows[:i])
    assert Z.volume().coefficient == brute
    corners = Z.polygon()
    assert len(corners) == 80
    assert (np.diff(corners[:, 0])[:40] > 0).all()
    value, error = Z.approx_volume()
    assert abs(Fraction(value) - brute) <= Fraction(error)


def test_volume_beyond_doubles():
    Z = Zonotope([[2**600, 0], [0, 2**600]])
    assert Z.volume().coefficient == 2**1200
    assert float(Z.volume()) == math.inf
    assert float(Zonotope([[2**600, 2**600]]).volume()) == pytest.approx(math.sqrt(2) * 2.0**600, rel=1e-15)


def test_rows_far_below_the_others_are_errors_to_doubles():
    # Found by the property test: a quotient of subnormal entries.
    Z = Zonotope([[0.0, 0.0, 1e-323], [5e-324, 0.0, 0.0], [0.0, 1.0, 1.0]])
    value, error = Z.approx_volume()
    assert abs(Fraction(value) - Z.volume().coefficient) <= Fraction(error) <= Fraction(1, 10**250)


def test_support_keeps_what_cancels():
    # x.c = 1 exactly, while its terms are 2^60 apart from it.
    Z = Zonotope([[2.0**60, 1.0, -(2.0**60)]])
    assert Z.support([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]).tolist() == [1.0, 0.0]
    assert Zonotope([[1e-300, 0.0]]).support([[1e300, 1e300]]).tolist() == [pytest.approx(1.0, rel=1e-15)]
    tiny, one = Zonotope([[1e300, 1e-300]]).support([[0.0, 1e-300], [0.0, 1e300]])
    assert tiny == 0.0
    assert one == pytest.approx(1.0, rel=1e-15)


def test_corners_beyond_doubles_are_infinite():
    # Found by the property test: a corner whose coordinate rounds past the largest double.
    corners = Zonotope([[8.988465674311579e307, 0.0], [8.98846567431158e307, 1.0]]).polygon()
    assert corners[:, 0].max() == math.inf
    assert corners[:, 1].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_progress_is_reported_and_can_stop():
    rng = np.random.default_rng(0)
    Z = Zonotope(rng.integers(-9, 10, size=(12, 3)))
    for method in (Z.volume, Z.facets, Z.f_vector, Z.edges):
        seen = []
        method(progress=lambda fraction, _, seen=seen: seen.append(fraction))
        assert seen == sorted(seen)
        assert 0.0 < seen[-1] <= 1.0

    def stop(fraction, n_cells):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Z.volume(progress=stop)


def test_results_cannot_be_changed():
    Z = Zonotope([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    F, E = Z.facets(), Z.edges()
    for array in (F.points, F.indptr, F.indices, F.normals, F.offsets, E.vertices, E.generators, Z.face([1, 0, 0]).pattern):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
