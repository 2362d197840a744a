"""Solid angles by other roads than the core's, in as many decimal digits as asked for; slow.

A cone is given by halfspaces, and everything is read from exact inner products:

- rank 2: the angle between the two rays;
- odd rank: the faces of a pointed cone satisfy 2 theta(0) = sum over faces F > 0 of (-1)^(dim F - 1) theta(F), where
  theta(F) is the solid angle of the halfspaces that are tight on F; at rank 3 this is Girard's spherical excess. It reduces
  odd ranks to even ones;
- rank 4: the cone is cut into simplicial ones around an interior ray, if it is none. With rays u_1, ..., u_4 and p moving
  from u_1 to u_2, the slices {u_3, u_4, p} turn about the plane of u_3 and u_4 by phi, and the measure is 1/2 * integral of
  l - h_3 cos(beta_3) - h_4 cos(beta_4) dphi, where l is the angle between u_3 and u_4, h_k that between u_k and p, and
  beta_k the slice's angle at u_k.

The core integrates over the whole simplex instead, and shares neither formulas nor triangulation nor number type with this.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from typing import Any

from ..errors import InputError
from .cells import cells
from .exact import Matrix, Vector, dot, echelon, read

__all__ = ["solid_angle", "solid_angles"]

Point = tuple[Decimal, Decimal]
_NODES = 40
_SETTLED = Decimal("1e-14")  # what halving a part of an edge may change, relative to the angle; the error is far less
_DEEPEST = 60
_FLATTEST = 60  # digits that flatness may cost: beyond, a cone takes minutes
_GUARD = 15  # digits beyond those asked for


def solid_angles(X: Any, *, values: str = "binary", digits: int = 40) -> dict[tuple[int, ...], Decimal]:
    """The solid angle of every cell of a central arrangement of rank at most 5; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `cells`.
    values : {"binary", "decimal"}
        As for `cells`.
    digits : int
        Of the arithmetic. Angles of rank 4 and 5 also carry the error of a Gauss rule, 1e-12 relative at most.

    Returns
    -------
    dict
        From sign vectors to Decimals, which sum to 1.

    Raises
    ------
    InputError
        The rank is above 5, or as for `cells`.

    Examples
    --------
    >>> from topes.reference import solid_angles
    >>> {s: float(a) for s, a in solid_angles([[2, 2], [3, 3], [1, 0]]).items() if s[0] > 0}
    {(1, 1, 1): 0.375, (1, 1, -1): 0.125}
    """
    rows, _ = read(X, values)
    found: dict[tuple[int, ...], Decimal] = {}
    for s, _ in cells(X, values=values):
        opposite = tuple(-x for x in s)
        cone = [tuple(sign * x for x in row) for sign, row in zip(s, rows, strict=True)]
        found[s] = found[opposite] if opposite in found else solid_angle(cone, digits=digits)
    return found


def solid_angle(H: Any, *, values: str = "binary", digits: int = 40) -> Decimal:
    """The solid angle of {w : H w >= 0} in the row space of H, of rank at most 5; slow.

    Parameters
    ----------
    H : array_like, shape (m, d)
        Halfspaces; the cone must have interior points. Zero rows say nothing.
    values : {"binary", "decimal"}
        As for `to_exact`.
    digits : int
        As for `solid_angles`.

    Raises
    ------
    InputError
        The rank is above 5, or a cone of rank 4 or 5 is so flat that the rule along its edges would take minutes.

    Examples
    --------
    >>> from topes.reference.solid_angle import solid_angle
    >>> float(solid_angle([[1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    0.125
    """
    rows, _ = read(H, values)
    with localcontext() as context:
        context.prec = digits + _GUARD
        value = _settled_angle([row for row in rows if any(row)])
        context.prec = digits
        return +value


class _FewDigits(ArithmeticError):
    """Roundings are more than what an edge has to settle to."""


def _settled_angle(rows: Matrix) -> Decimal:
    """Absolute errors of rank 4 until they are nothing beside the angle, which at rank 5 is what the others leave over."""
    settled = _SETTLED
    while True:
        try:
            value = _angle(rows, settled)
        except _FewDigits:
            getcontext().prec *= 2
            continue
        if len(echelon(rows)[0]) < 4 or settled <= 100 * _SETTLED * abs(value):
            return value
        settled *= max(abs(value), Decimal("1e-20"))
        getcontext().prec = max(getcontext().prec, -settled.adjusted() + _GUARD)


def _angle(rows: Matrix, settled: Decimal) -> Decimal:
    rank = len(echelon(rows)[0])
    if rank > 5:
        raise InputError(f"the twin measures cones of rank at most 5, got rank {rank}")
    if rank == 0:
        return Decimal(1)
    if rank == 1:
        return Decimal(1) / 2
    cone = _Cone(rows, rank)
    if rank == 2:
        u, v = cone.rays
        uu, uv, vv = cone.inner(u, u), cone.inner(u, v), cone.inner(v, v)
        angle = _arctangent(_root(uu * vv - uv * uv) / abs(_decimal(uv))) if uv else _pi() / 2
        return (angle if uv >= 0 else _pi() - angle) / (2 * _pi())
    return cone.by_faces(settled) if rank % 2 else cone.by_slices(settled) / (2 * _pi() ** 2)


class _Cone:
    """A pointed cone of some rank by its halfspaces, with rays in the basis of the rows that elimination leaves."""

    def __init__(self, rows: Matrix, rank: int) -> None:
        self.rows, self.rank = rows, rank
        basis, _ = echelon(rows)
        self.gram = [tuple(dot(a, b) for b in basis) for a in basis]
        # A point of the row space is a combination of the basis; its heights over the rows are linear in the coefficients.
        self.heights = [tuple(dot(row, b) for b in basis) for row in rows]
        self.rays: list[Vector] = []
        self.tight: list[frozenset[int]] = []
        for chosen in combinations(range(len(rows)), rank - 1):
            line = _kernel_line([self.heights[i] for i in chosen], rank)
            for ray in () if line is None else (line, tuple(-x for x in line)):
                over = [dot(h, ray) for h in self.heights]
                tight = frozenset(i for i, x in enumerate(over) if x == 0)
                if min(over) >= 0 and tight not in self.tight:
                    self.rays.append(ray)
                    self.tight.append(tight)

    def inner(self, a: Vector, b: Vector) -> Fraction:
        return sum((x * dot(g, b) for x, g in zip(a, self.gram, strict=True)), Fraction(0))

    def faces(self) -> Iterator[tuple[int, frozenset[int]]]:
        """Dimension and tight rows of every face but the apex: sets of rays and what all of them are tight on."""
        closed: set[frozenset[int]] = {frozenset()}
        found = set(self.tight)
        while found:
            closed |= found
            found = {a & b for a in found for b in self.tight} - closed
        for tight in closed:
            yield self.rank - len(echelon([self.rows[i] for i in tight])[0]), tight

    def by_faces(self, settled: Decimal) -> Decimal:
        total = Decimal(0)
        for dimension, tight in self.faces():
            angle = _angle([self.rows[i] for i in sorted(tight)], settled)
            total += angle if dimension % 2 else -angle
        return total / 2

    def by_slices(self, settled: Decimal) -> Decimal:
        if len(self.rays) == self.rank:
            return _slices([[self.inner(u, v) for v in self.rays] for u in self.rays], settled)
        inside = tuple(sum(column, Fraction(0)) for column in zip(*self.rays, strict=True))
        total = Decimal(0)
        facets = {frozenset(k for k, t in enumerate(self.tight) if i in t) for i in range(len(self.rows))}
        for facet in facets:
            if len(echelon([self.rays[k] for k in facet])[0]) < self.rank - 1:
                continue
            first, *others = sorted(facet)
            for a, b in combinations(others, 2):
                shared = self.tight[a] & self.tight[b]
                if len(echelon([self.rows[i] for i in shared])[0]) == self.rank - 2:  # an edge of the polygon
                    corners = (inside, self.rays[first], self.rays[a], self.rays[b])
                    total += _slices([[self.inner(u, v) for v in corners] for u in corners], settled)
        return total


def _kernel_line(rows: Matrix, width: int) -> Vector | None:
    basis, pivots = echelon(rows)
    if len(basis) != width - 1:
        return None
    free = next(j for j in range(width) if j not in pivots)
    line = [Fraction(0)] * width
    line[free] = Fraction(1)
    for row, j in zip(basis, pivots, strict=True):
        line[j] = -row[free]
    return tuple(line)


def _slices(g: list[list[Fraction]], settled: Decimal) -> Decimal:
    """Measure of a simplicial cone of rank 4 from the inner products of its rays."""
    base = g[2][2] * g[3][3] - g[2][3] ** 2

    def off_base(i: int, j: int) -> Fraction:
        """Inner product of rays i and j without their parts in the plane of rays 2 and 3."""
        along = g[i][2] * (g[3][3] * g[j][2] - g[2][3] * g[j][3]) + g[i][3] * (g[2][2] * g[j][3] - g[2][3] * g[j][2])
        return g[i][j] - along / base

    e00, e01, e11 = off_base(0, 0), off_base(0, 1), off_base(1, 1)
    # Exact up to here. Along the edge digits are lost to small angles, no more than the cone is flat.
    volume = base * (e00 * e11 - e01**2) / (g[0][0] * g[1][1] * g[2][2] * g[3][3])  # in (0, 1]: the square of its sine
    lost = (volume.denominator // volume.numerator).bit_length() * 3 // 10 + 1
    if lost > _FLATTEST:
        most = f"1e-{_FLATTEST // 2}"
        raise InputError(f"H must hold no cone of rank 4 flatter than {most} for the twin, and has one of 1e-{lost // 2}")
    with localcontext() as context:
        context.prec += lost
        return _along_edge(g, base, (e00, e01, e11), settled)


def _along_edge(g: list[list[Fraction]], base: Fraction, e: tuple[Fraction, ...], settled: Decimal) -> Decimal:
    """The integral over the angle by which the slices turn, from ray 0 to ray 1."""
    e00, e01, e11 = e
    turn = _root(e00 * e11 - e01**2)
    g00, g01, g02, g03 = map(_decimal, g[0])
    _, g11, g12, g13 = map(_decimal, g[1])
    g22, g23, g33 = _decimal(g[2][2]), _decimal(g[2][3]), _decimal(g[3][3])
    f00, f01, f11, flat = _decimal(e00), _decimal(e01), _decimal(e11), _decimal(base)
    length = _between(g22, g23, g33)

    def along(a: Point, b: Point) -> Decimal:
        """The integral over the part of the edge from a to b: weights of rays 0 and 1, of unit points."""
        total = Decimal(0)
        for node, weight in _gauss():
            s, t = (1 - node) * a[0] + node * b[0], (1 - node) * a[1] + node * b[1]
            pp = s * s * g00 + 2 * s * t * g01 + t * t * g11
            p2, p3 = s * g02 + t * g12, s * g03 + t * g13
            height = s * s * f00 + 2 * s * t * f01 + t * t * f11
            at2 = _between(g22, p2, pp) * _cosine(g22, g23, p2, flat, pp, p3)
            at3 = _between(g33, p3, pp) * _cosine(g33, g23, p3, flat, pp, p2)
            total += weight * (length - at2 - at3) / height
        return total * (a[0] * b[1] - a[1] * b[0])

    def of_length_one(s: Decimal, t: Decimal) -> Point:
        size = (s * s * g00 + 2 * s * t * g01 + t * t * g11).sqrt()
        return s / size, t / size

    def middle(a: Point, b: Point) -> Point:  # of the angle between them, as long as both have length one
        return of_length_one(a[0] + b[0], a[1] + b[1])

    # Gauss's rule on parts of the edge, halved until halving changes nothing. Halving alone would not find what happens in
    # 1e-50 of it: the parts shrink towards the roots of the forms that are divided by.
    forms = (
        (g00, g01, g11),
        (f00, f01, f11),
        (g22 * g00 - g02 * g02, g22 * g01 - g02 * g12, g22 * g11 - g12 * g12),
        (g33 * g00 - g03 * g03, g33 * g01 - g03 * g13, g33 * g11 - g13 * g13),
    )
    unit = 1 / g00.sqrt(), 1 / g11.sqrt()
    marks = sorted(
        {Decimal(0), Decimal(1)}.union(
            *(_towards_root(a * unit[0] ** 2, b * unit[0] * unit[1], c * unit[1] ** 2) for a, b, c in forms)
        )
    )
    ends = [of_length_one((1 - z) * unit[0], z * unit[1]) for z in marks]
    parts = [(a, b, along(a, b), 0) for a, b in pairwise(ends)]
    total = Decimal(0)
    while parts:
        a, b, whole, depth = parts.pop()
        m = middle(a, b)
        left, right = along(a, m), along(m, b)
        if abs(left + right - whole) * turn <= settled:
            total += left + right
        else:
            if depth == _DEEPEST:
                raise _FewDigits
            parts += [(a, m, left, depth + 1), (m, b, right, depth + 1)]
    return total * turn / 2


def _towards_root(a: Decimal, b: Decimal, c: Decimal) -> set[Decimal]:
    """Points of (0, 1) whose distances from the complex root of a (1 - z)^2 + 2 b z (1 - z) + c z^2 grow tenfold."""
    slope = a - 2 * b + c
    if slope <= 0:
        return set()
    middle, height = (a - b) / slope, max(a * c - b * b, Decimal(0)).sqrt() / slope
    nearest = min(max(middle, Decimal(0)), Decimal(1))
    distance = max(height, abs(middle - nearest))
    if distance <= 0:
        raise _FewDigits
    found = {nearest}
    while distance < 1:
        found |= {nearest - distance, nearest + distance}
        distance *= 10
    return {z for z in found if 0 < z < 1}


def _cosine(uu: Decimal, uv: Decimal, up: Decimal, base: Decimal, pp: Decimal, vp: Decimal) -> Decimal:
    """Cosine of the angle at u between the planes (u, v) and (u, p)."""
    return (uu * vp - uv * up) / (base * (uu * pp - up * up)).sqrt()


def _between(uu: Decimal, uv: Decimal, vv: Decimal) -> Decimal:
    """Angle between two vectors from their inner products."""
    sine = (uu * vv - uv * uv).sqrt()
    if uv == 0:
        return _pi() / 2
    angle = _arctangent(sine / abs(uv))
    return angle if uv > 0 else _pi() - angle


def _decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


def _root(x: Fraction) -> Decimal:
    return _decimal(x).sqrt()


def _arctangent(x: Decimal) -> Decimal:
    doublings = 0
    while x > Decimal("0.05"):
        x = x / (1 + (1 + x * x).sqrt())
        doublings += 1
    total = power = x
    k = 1
    while abs(power) > abs(total) * Decimal(10) ** -(getcontext().prec + 2):
        power *= -x * x
        k += 2
        total += power / k
    return total * Decimal(2**doublings)


def _pi() -> Decimal:
    return _pi_to(getcontext().prec)


@cache
def _pi_to(precision: int) -> Decimal:
    return 4 * (4 * _arctangent(Decimal(1) / 5) - _arctangent(Decimal(1) / 239))  # Machin


def _gauss() -> list[tuple[Decimal, Decimal]]:
    return _gauss_to(getcontext().prec)


@cache
def _gauss_to(precision: int) -> list[tuple[Decimal, Decimal]]:
    """Nodes and weights of the Gauss rule on [0, 1]: Newton's method on the Legendre polynomial."""
    from math import cos, pi

    rule = []
    for i in range(_NODES):
        x = Decimal(cos(pi * (i + 0.75) / (_NODES + 0.5)))
        for _ in range(8):  # digits double with each step
            before, now = Decimal(1), x
            for k in range(2, _NODES + 1):
                before, now = now, ((2 * k - 1) * x * now - (k - 1) * before) / k
            slope = _NODES * (x * now - before) / (x * x - 1)
            x -= now / slope
        rule.append(((1 + x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return rule
