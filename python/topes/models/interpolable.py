"""Which outputs a network can have on the training data, decided exactly.

The functions phi(x.u) of u that belong to rows on different hyperplanes h differ by their bends: the |h.u| of distinct
hyperplanes are linearly independent modulo linear functions, and

    phi(t h.u) = (1 + kappa)/2 * t h.u + (1 - kappa)/2 * |t| |h.u|.

So z'phi(Xu) = 0 for all u exactly where the sum of |t_i| z_i over the rows of each hyperplane is zero and, unless
kappa = -1, X'z = 0. The outputs a network can have are the f with z'f = 0 for all such z. Only rows that share a hyperplane
matter, and all is rational arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Groups", "convex_dependence", "dense", "no_interpolation", "no_margin"]

Vector = tuple[Fraction, ...]

#: A sparse vector z over the samples.
Sparse = dict[int, Fraction]


@dataclass
class Groups:
    """Rows by the hyperplane they lie on.

    Attributes
    ----------
    rows : list of n tuples of d Fractions
    zero : list of int
        Rows that are zero.
    same : list of (i, j, t), t > 0
        Row i is t times row j, which stands for its side.
    opposite : list of (i, j, t), t > 0
        Row i is -t times row j; both stand for their sides.
    """

    rows: list[Vector]
    zero: list[int] = field(default_factory=list)
    same: list[tuple[int, int, Fraction]] = field(default_factory=list)
    opposite: list[tuple[int, int, Fraction]] = field(default_factory=list)

    @classmethod
    def of(cls, exact: npt.NDArray[Any], hyperplanes: Sequence[int]) -> Groups:
        """The rows of an exact array, with the number of the hyperplane of each, -1 for none."""
        found = cls([tuple(Fraction(x) for x in row) for row in exact.tolist()])
        sides: dict[tuple[int, bool], int] = {}
        first: dict[int, int] = {}
        for i, k in enumerate(hyperplanes):
            if k < 0:
                found.zero.append(i)
                continue
            j = first.setdefault(k, i)
            t = _ratio(found.rows[i], found.rows[j])
            other = sides.setdefault((k, t > 0), i)
            if other != i:
                found.same.append((i, other, _ratio(found.rows[i], found.rows[other])))
            elif i != j:
                found.opposite.append((i, j, -t))
        return found


def _ratio(a: Vector, b: Vector) -> Fraction:
    """t for parallel a = t b."""
    return next(x / y for x, y in zip(a, b, strict=True) if y)


def no_interpolation(groups: Groups, y: Sequence[Fraction], kappa: float) -> Sparse | None:
    """A z with z'phi(Xu) = 0 for all u and z'y != 0, or None where a network with outputs y exists.

    O(n d^2) rational operations.
    """
    for i in groups.zero:
        if y[i]:
            return {i: Fraction(1)}
    for i, j, t in groups.same:
        if y[i] != t * y[j]:
            return {i: Fraction(1), j: -t}
    # phi(x_i.u) - t phi(x_j.u) = (1 + kappa) x_i.u for x_i = -t x_j: linear in u.
    basis: list[tuple[Vector, int, Fraction, Sparse]] = []  # row with a leading 1, its place, value, the z it comes from
    for i, j, t in groups.opposite:
        z: Sparse = {i: Fraction(1), j: -t}
        value = y[i] - t * y[j]
        row = groups.rows[i] if kappa != -1.0 else (Fraction(0),) * len(groups.rows[i])
        for b, pivot, at, origin in basis:
            if factor := row[pivot]:
                row = tuple(x - factor * e for x, e in zip(row, b, strict=True))
                value -= factor * at
                _subtract(z, factor, origin)
        column = next((k for k, x in enumerate(row) if x), None)
        if column is None:
            if value:
                return z
            continue
        lead = row[column]
        scaled = {k: x / lead for k, x in z.items()}
        basis.append((tuple(x / lead for x in row), column, value / lead, scaled))
    return None


def _subtract(z: Sparse, factor: Fraction, other: Sparse) -> None:
    for k, x in other.items():
        z[k] = z.get(k, Fraction(0)) - factor * x


def no_margin(groups: Groups, y: Sequence[Fraction], kappa: float) -> Sparse | None:
    """A z with z'phi(Xu) = 0 for all u, z_i y_i >= 0, z != 0, or None where a network with all y_i f_i >= 1 exists.

    Labels y are -1 and +1. One linear program in d + 1 equations, in rational arithmetic.
    """
    for i in groups.zero:
        return {i: y[i]}
    for i, j, t in groups.same:
        if y[i] != y[j]:
            return {i: y[i], j: y[j] * t}
    # Rows on both sides of a hyperplane with two labels: y_i (phi(x_i.u) - t phi(x_j.u)) = (1 + kappa) y_i x_i.u
    split = [(i, j, t) for i, j, t in groups.opposite if y[i] != y[j]]
    if not split:
        return None
    if kappa == -1.0:
        i, j, t = split[0]
        return {i: y[i], j: y[j] * t}
    coefficients = convex_dependence([tuple(y[i] * x for x in groups.rows[i]) for i, _, _ in split])
    if coefficients is None:
        return None
    z: Sparse = {}
    for (i, j, t), a in zip(split, coefficients, strict=True):
        if a:
            z[i], z[j] = a * y[i], a * t * y[j]
    return z


def convex_dependence(vectors: Sequence[Vector]) -> list[Fraction] | None:
    """Coefficients a >= 0, not all zero, with sum a_k g_k = 0; None where a w with g_k.w > 0 for all k exists (Gordan).

    Phase one of the simplex method with Bland's rule, in rational arithmetic.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> convex_dependence([(F(1),), (F(-2),)]) == [F(2, 3), F(1, 3)], convex_dependence([(F(1),), (F(2),)])
    (True, None)
    """
    g, d = len(vectors), len(vectors[0])
    scales = [_to_integers(v) for v in vectors]
    small = [tuple(s * x for x in v) for s, v in zip(scales, vectors, strict=True)]
    # Rows: the d equations sum a_k g_k = 0, then sum a_k = 1; an artificial variable of cost 1 in each; last the right side.
    table = [[small[k][j] for k in range(g)] + [Fraction(0)] for j in range(d)]
    table.append([Fraction(1)] * (g + 1))
    basis = [g + j for j in range(d + 1)]
    # Reduced costs of the sum of the artificial variables; these need no columns, since one that left never returns.
    cost = [-sum((row[k] for row in table), Fraction(0)) for k in range(g + 1)]
    while cost[g] != 0:
        entering = next((k for k in range(g) if cost[k] < 0), None)
        if entering is None:
            return None
        ratios = [(row[g] / row[entering], basis[i], i) for i, row in enumerate(table) if row[entering] > 0]
        i = min(ratios)[2]
        pivot = table[i][entering]
        table[i] = [x / pivot for x in table[i]]
        for other in [*(row for k, row in enumerate(table) if k != i), cost]:
            if factor := other[entering]:
                other[:] = [x - factor * e for x, e in zip(other, table[i], strict=True)]
        basis[i] = entering
    a = [Fraction(0)] * g
    for i, k in enumerate(basis):
        if k < g:
            a[k] = table[i][g]
    raw = [x * s for x, s in zip(a, scales, strict=True)]
    total = sum(raw, Fraction(0))
    return [x / total for x in raw]


def _to_integers(v: Vector) -> Fraction:
    """The scale that makes the entries of v integers without a common factor: small numbers for the pivots."""
    denominator = math.lcm(*(x.denominator for x in v))
    divisor = math.gcd(*(int(x * denominator) for x in v))
    return Fraction(denominator, divisor or 1)


def dense(z: Sparse, n: int) -> npt.NDArray[Any]:
    """The vector as an array of n Fractions."""
    out = np.empty(n, dtype=object)
    out[:] = [z.get(i, Fraction(0)) for i in range(n)]
    return out
