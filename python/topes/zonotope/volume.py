"""The volume of a zonotope: the sum of the volumes of all parallelotopes on r of its generators."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.integers import Integers, narrowed
from .generators import Generators

__all__ = ["Volume", "approx_sum_of_minors", "approx_volume", "sum_of_minors", "volume"]

Step = Callable[[float], None]


@dataclass(frozen=True)
class Volume:
    """An r-dimensional volume, exactly: ``coefficient * sqrt(radicand)``.

    Attributes
    ----------
    coefficient : Fraction
        The volume of the projection onto r coordinates in which the zonotope keeps its dimension.
    radicand : Fraction
        The square of what the projection takes off: 1 at full rank.
    """

    coefficient: Fraction
    radicand: Fraction

    def __float__(self) -> float:
        """The nearest double at full rank, else within one unit in the last place; inf beyond the range."""
        try:
            if self.radicand == 1:
                return float(self.coefficient)
            return _square_root(self.coefficient**2 * self.radicand)
        except OverflowError:
            return math.inf


def volume(generators: Generators, step: Step | None = None) -> Volume:
    """Exact volume in the affine hull of the zonotope."""
    g, r = generators, generators.rank
    return Volume(Fraction(sum_of_minors(g.coordinates, step), g.scale**r), _radicand(g))


def _radicand(g: Generators) -> Fraction:
    """det(T T') for the map T that lifts the basis columns to the row space."""
    if g.rank in (0, g.G.shape[1]):
        return Fraction(1)
    T, D = g.lift
    return Fraction(_determinant(T @ T.T), D ** (2 * g.rank))


def approx_volume(generators: Generators) -> tuple[float, float]:
    """Volume in doubles and a bound on its error."""
    g, r = generators, generators.rank
    C = g.coordinates
    # Columns scaled by powers of two; each entry rounded once. Rows below 2^-999 count as errors: no quotient overflows.
    scale = [1 << max((int(abs(x)).bit_length() for x in column), default=0) for column in C.T]
    A = np.array([[x / e for x, e in zip(row, scale, strict=True)] for row in C]).reshape(C.shape)
    value, error = approx_sum_of_minors(A, np.abs(A).max(axis=1, initial=0.0) * 2.0**-53 + 2.0**-1000)
    error += (1.0 + len(A)) ** r * 2.0**-900  # what underflows
    back, radicand = Fraction(math.prod(scale), g.scale**r), _radicand(g)
    found = float(Volume(Fraction(value) * back, radicand))
    off = float(Volume(Fraction(error) * back, radicand))
    return found, off * (1.0 + 2.0**-50) + found * 2.0**-50 + 2.0**-1073


def sum_of_minors(G: Integers, step: Step | None = None) -> int:
    """The sum of |det G_S| over all sets S of r rows, for integers of any size: O(m^(r-1) log m) operations.

    The sets whose first row is i are found in the projection along row i, one dimension lower. In the plane
    all rows are turned into one half-plane and sorted by angle: then no determinant is negative, and sums of rows do.
    """
    m, r = G.shape
    if m < r:
        return 0
    if r == 0:
        return 1
    if r == 1:
        return int(sum(abs(x) for x in G[:, 0]))
    if r == 2:
        return _in_the_plane(G)
    total = Fraction(0)
    for i in range(m - r + 1):
        projected, pivot = along(G[i + 1 :], G[i])
        if pivot:
            total += Fraction(sum_of_minors(projected), abs(pivot) ** (r - 2))
        if step is not None:
            step(1.0 - math.comb(m - i - 1, r - 1) / math.comb(m, r - 1))
    assert total.denominator == 1  # each sum is a multiple of the power
    return int(total)


def along(G: Integers, z: Integers) -> tuple[Integers, int]:
    """Rows of G projected along z in integers: det(projected) = +-pivot^(r-2) det(z, rows). pivot = 0 where z is 0."""
    nonzero = np.flatnonzero(z)
    if not len(nonzero):
        return G[:, 1:], 0
    p = min(nonzero.tolist(), key=lambda j: abs(z[j]))
    rest = [j for j in range(len(z)) if j != p]
    size = max(abs(x) for x in z)
    small = narrowed(G, (2**62 // (2 * size)) if size < 2**61 else 0)
    if small.dtype == np.int64:
        z64 = z.astype(np.int64)
        product: npt.NDArray[Any] = z64[p] * small[:, rest] - small[:, [p]] * z64[rest]
        return product.astype(object), int(z[p])
    return z[p] * G[:, rest] - G[:, [p]] * z[rest], int(z[p])


def half_plane_order(G: Integers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Signs that turn the rows of a planar G into the half-plane of angles [0, pi), and their exact order by angle.

    No row is zero. Floats sort; neighbours are then held against each other exactly.
    """
    x, y = G[:, 0], G[:, 1]
    signs = np.where((y < 0) | ((y == 0) & (x < 0)), -1, 1).astype(np.int64)
    a, b = x * signs, y * signs
    order = np.argsort(_angles(a, b), kind="stable")
    while True:
        a_s, b_s = a[order], b[order]
        wrong = np.flatnonzero((a_s[:-1] * b_s[1:] - b_s[:-1] * a_s[1:]) < 0)
        if not len(wrong):
            return signs, order
        # Doubles could not tell these apart: an insertion sort of what is almost in order.
        ordered = order.tolist()
        for k in range(max(int(wrong[0]), 0) + 1, len(ordered)):
            j, row = k, ordered[k]
            while j > 0 and a[ordered[j - 1]] * b[row] - b[ordered[j - 1]] * a[row] < 0:
                ordered[j] = ordered[j - 1]
                j -= 1
            ordered[j] = row
        order = np.array(ordered, dtype=np.int64)


def _angles(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Angles of integer vectors in doubles, whatever their size."""
    if a.dtype == np.int64:
        return np.arctan2(b.astype(np.float64), a.astype(np.float64))
    try:
        with np.errstate(over="raise"):
            return np.arctan2(b.astype(np.float64), a.astype(np.float64))
    except (OverflowError, FloatingPointError):
        out = np.empty(len(a))
        for k, (s, t) in enumerate(zip(a, b, strict=True)):
            shift = max(s.bit_length(), t.bit_length()) - 512
            out[k] = math.atan2(t >> shift, s >> shift) if shift > 0 else math.atan2(t, s)
        return out


def _in_the_plane(G: Integers) -> int:
    G = G[(G != 0).any(axis=1)]
    m = max(len(G), 1)
    # Partial sums stay below m * size, the sum of determinants below 2 m^2 size^2.
    small = narrowed(G, math.isqrt(2**62 // (2 * m * m)))
    signs, order = half_plane_order(small)
    turned = (small * (signs if small.dtype == np.int64 else signs.astype(object))[:, None])[order]
    before = np.cumsum(turned, axis=0)[:-1]
    after = turned[1:]
    return int((before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]).sum())


def approx_sum_of_minors(G: npt.NDArray[np.float64], error: npt.NDArray[np.float64]) -> tuple[float, float]:
    """`sum_of_minors` in doubles, and a bound on its error; row i of G is within error[i] of the true one, entrywise.

    The projection along row i divides by its largest entry, so that nothing grows but errors. In the plane a pair
    that rounding puts in the wrong order counts with the wrong sign; it is then as thin as the errors of its angles.
    """
    u = 2.0**-53
    m, r = G.shape
    if m < r:
        return 0.0, 0.0
    if r == 0:
        return 1.0, 0.0
    size = np.abs(G).max(axis=1)
    if r == 1:
        return float(size.sum()), float(error.sum() + m * u * size.sum())
    if r == 2:
        turned = np.where((G[:, 1] < 0) | ((G[:, 1] == 0) & (G[:, 0] < 0)), -1.0, 1.0)[:, None] * G
        turned = turned[np.argsort(np.arctan2(turned[:, 1], turned[:, 0]))]
        before, after = np.cumsum(turned, axis=0)[:-1], turned[1:]
        value = float(np.sum(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]))
        # |det| <= 2 size size. Wrong order: 2 |det| <= 8 size (error + 4 u size), for each of a pair; wrong entries: 4 size
        # error; products and sums: (2 m + 4) roundings of 2 size size.
        lengths, errors = float(size.sum()), float(error.sum())
        return value, 1.01 * (lengths + errors) * (20.0 * errors + (4.0 * m + 60.0) * u * lengths)
    total = bound = 0.0
    for i in range(m - r + 1):
        p = int(np.argmax(np.abs(G[i])))
        a, e = abs(G[i, p]), error[i]
        rest = [j for j in range(r) if j != p]
        if a <= 2.0 * e:  # a generator that may be zero: bounded by Hadamard's inequality on the largest entries
            others = float((size[i + 1 :] + error[i + 1 :]).sum())
            bound += r ** (r / 2) * (a + e) * others ** (r - 1)
            continue
        factor = G[i + 1 :, p] / G[i, p]
        projected = G[i + 1 :][:, rest] - factor[:, None] * G[i, rest]
        reach = size[i + 1 :] + error[i + 1 :]
        wrong = 2.02 * error[i + 1 :] + 4.0 * reach * e / (a - e) + 4.04 * u * reach
        value, off = approx_sum_of_minors(projected, wrong)
        total += a * value
        bound += (a + e) * off + e * abs(value) + 4.0 * u * a * abs(value)
    return total, bound + m * u * total


def _determinant(A: Integers) -> int:
    """Of a positive definite matrix, by Bareiss elimination."""
    M, previous = A.copy(), 1
    for c in range(len(M) - 1):
        M[c + 1 :, c:] = (M[c, c] * M[c + 1 :, c:] - M[c + 1 :, [c]] * M[c, c:]) // previous
        previous = M[c, c]
    return int(M[-1, -1])


def _square_root(x: Fraction) -> float:
    """The root of a rational, rounded once or twice: from an integer root of at least 64 bits."""
    shift = max(0, 140 - (x.numerator.bit_length() - x.denominator.bit_length()))
    shift += shift % 2
    root = math.isqrt((x.numerator << shift) // x.denominator)
    return float(Fraction(root, 1 << (shift // 2)))
