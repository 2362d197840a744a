"""Cells by deletion and restriction, each with an exact point in it.

Let h be a hyperplane not in A. A cell of A + h is a cell of A that h misses, or one of the two halves of a
cell of A that h cuts; the cells that h cuts are those that the cells of the restriction A^h = {g ∩ h : g in
A} lie in. So the cells of A + h follow from those of A and those of A^h, which is an arrangement in one
dimension less. The core walks a tree of cones instead, and shares nothing with this but the definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .exact import Matrix, Vector, dot, primitive, read, read_vector, sign

__all__ = ["Hyperplane", "SignVector", "cells", "hyperplane_classes", "locate", "read_arrangement", "sign_vectors"]

SignVector = tuple[int, ...]
Hyperplane = tuple[Vector, Fraction]
"""A normal a and an offset b: the points with a . w = b."""


def cells(X: Any, offsets: Any = None, *, values: str = "binary") -> list[tuple[SignVector, Vector]]:
    """Every cell of an arrangement with an exact point inside it; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Row i is the normal of hyperplane i; read as `to_exact` reads it.
    offsets : array_like, shape (n,), optional
        Hyperplane i is {w : x_i . w = offsets[i]}; without offsets all pass through the origin.
    values : {"binary", "decimal"}
        What a float in X or `offsets` means.

    Returns
    -------
    list of (sign vector, witness)
        The sign vector is a tuple of n ints: sign(x_i . w - offsets[i]) at each w of the cell. It is 0 only
        where x_i is 0 and its offset is 0. The witness is a tuple of d Fractions. No hyperplane: one cell,
        witness 0.

    Raises
    ------
    InputError
        As for `to_exact`, or `offsets` has another length than n.

    Notes
    -----
    Every zero row has one sign everywhere and every parallel row repeats another one, up to sign; both are
    put in after the recursion. Rational operations: O(n d P) and those of all restrictions.

    Examples
    --------
    >>> from topes.reference import cells
    >>> for s, w in cells([[1, 0], [0, 1], [0, 0]]):
    ...     print(s, [str(x) for x in w])
    (1, 1, 0) ['1', '1']
    (1, -1, 0) ['1', '-1']
    (-1, 1, 0) ['-1', '1']
    (-1, -1, 0) ['-1', '-1']
    >>> [s for s, _ in cells([[1], [1]], [0, 2])]
    [(1, 1), (1, -1), (-1, -1)]
    """
    rows, d = read_arrangement(X, offsets, values)
    distinct = [rows[members[0]] for members in hyperplane_classes(rows)]
    witnesses = _witnesses(distinct, d)
    return [(_signs(rows, w), w) for w in sorted(witnesses, key=lambda w: _signs(rows, w), reverse=True)]


def sign_vectors(X: Any, offsets: Any = None, *, values: str = "binary") -> set[SignVector]:
    """The sign vectors of all cells of an arrangement; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    set of tuples of n ints
        One sign vector for each cell, entries -1, 0, +1.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    >>> from topes.reference import sign_vectors
    >>> sorted(sign_vectors([[2, 2], [3, 3], [1, 0]]))
    [(-1, -1, -1), (-1, -1, 1), (1, 1, -1), (1, 1, 1)]
    """
    return {s for s, _ in cells(X, offsets, values=values)}


def locate(X: Any, w: Any, offsets: Any = None, *, values: str = "binary") -> set[SignVector]:
    """Sign vectors of all cells whose closure holds the point w; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`; floats in `w` are read as those of X are.
    w : array_like, shape (d,)
        The point.

    Returns
    -------
    set of tuples of n ints
        One sign vector when w lies on no hyperplane. Otherwise those of all cells around it: near w the
        arrangement looks like the central one of the hyperplanes through w.

    Raises
    ------
    InputError
        As for `cells`, or `w` does not have d entries.

    Examples
    --------
    >>> from topes.reference import locate
    >>> sorted(locate([[1, 0], [0, 1], [1, 1]], [0, 5]))
    [(-1, 1, 1), (1, 1, 1)]
    """
    rows, d = read_arrangement(X, offsets, values)
    here = _signs(rows, read_vector(w, values, "w", d))
    through = [i for i, (a, _) in enumerate(rows) if here[i] == 0 and any(a)]
    if not through:
        return {here}
    found = set()
    for local, _ in cells([rows[i][0] for i in through]):
        around = list(here)
        for i, s in zip(through, local, strict=True):
            around[i] = s
        found.add(tuple(around))
    return found


def read_arrangement(X: Any, offsets: Any, values: str) -> tuple[list[Hyperplane], int]:
    """Return the rows as (normal, offset), zero rows among them, and the dimension d."""
    normals, d = read(X, values)
    if offsets is None:
        return [(a, Fraction(0)) for a in normals], d
    return list(zip(normals, read_vector(offsets, values, "offsets", len(normals)), strict=True)), d


def hyperplane_classes(rows: list[Hyperplane]) -> list[list[int]]:
    """Row numbers of each distinct hyperplane, in order of first appearance; zero rows are on none."""
    classes: dict[Vector, list[int]] = {}
    for i, (a, b) in enumerate(rows):
        lead = next((x for x in a if x), None)
        if lead is not None:
            classes.setdefault((*(x / lead for x in a), b / lead), []).append(i)
    return list(classes.values())


def _signs(rows: list[Hyperplane], w: Vector) -> SignVector:
    return tuple(sign(dot(a, w) - b) for a, b in rows)


def _witnesses(distinct: list[Hyperplane], d: int) -> Matrix:
    """One point in every cell of distinct hyperplanes of R^d, by restriction to each in turn."""
    points: dict[SignVector, Vector] = {(): (Fraction(0),) * d}
    for k, h in enumerate(distinct):
        before = distinct[:k]
        split: dict[SignVector, Vector] = {}
        for q in _points_on(h, before, d):
            cut = _signs(before, q)
            points.pop(cut)
            for side in (1, -1):
                half = (*cut, side)
                split[half] = _step_off(q, h, side, before)
        for missed, p in points.items():
            whole = (*missed, sign(dot(h[0], p) - h[1]))
            split[whole] = p
        points = split
    return list(points.values())


def _points_on(h: Hyperplane, others: list[Hyperplane], d: int) -> Iterator[Vector]:
    """Yield one point of h in every cell of the restriction of `others` to h.

    On h one coordinate is a function of the others, w_j = (b - sum a_k w_k) / a_j: substitute it.
    """
    a, b = h
    j = next(k for k, x in enumerate(a) if x)
    restricted: list[Hyperplane] = []
    for c, e in others:
        factor = c[j] / a[j]
        normal = tuple(c[k] - factor * a[k] for k in range(d) if k != j)
        # A hyperplane parallel to h leaves no trace on it: its normal becomes 0.
        if any(normal):
            *whole, offset = primitive((*normal, e - factor * b))
            restricted.append((tuple(whole), offset))
    distinct = [restricted[members[0]] for members in hyperplane_classes(restricted)]
    for u in _witnesses(distinct, d - 1):
        rest = a[:j] + a[j + 1 :]
        yield (*u[:j], (b - dot(rest, u)) / a[j], *u[j:])


def _step_off(q: Vector, h: Hyperplane, side: int, others: list[Hyperplane]) -> Vector:
    """Move q off h to the given side, by less than the way to any other hyperplane."""
    a, _ = h
    direction = tuple(side * x for x in primitive(a))
    length = Fraction(1)
    for c, e in others:
        speed = abs(dot(c, direction))
        gap = abs(dot(c, q) - e)  # not 0: q lies in a cell of `others`
        if speed * length >= gap:
            # Powers of two keep the witnesses short: the largest one that is surely below gap / speed.
            ratio = gap / speed
            length = Fraction(1, 2 ** (ratio.denominator.bit_length() - ratio.numerator.bit_length() + 1))
    return tuple(x + length * y for x, y in zip(q, direction, strict=True))
