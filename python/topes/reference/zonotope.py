"""Support, volume, faces and membership of a zonotope, straight from their definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from .cells import SignVector
from .exact import Matrix, Vector, dot, echelon, primitive, read, read_vector
from .faces import zonotope_vertices

__all__ = ["determinant", "zonotope_faces", "zonotope_normals", "zonotope_position", "zonotope_support", "zonotope_volume"]


def zonotope_support(X: Any, c: Any, *, values: str = "binary") -> Fraction:
    """The largest value of c.p over all sums p of rows of X: over all 2^n of them; slow.

    Examples
    --------
    >>> from topes.reference import zonotope_support
    >>> zonotope_support([[1, 0], [0, 1], [1, 1]], [2, -1])
    Fraction(3, 1)
    """
    rows, d = read(X, values)
    direction = read_vector(c, values, "c", d)
    sums = [Fraction(0)]
    for row in rows:
        sums += [x + dot(row, direction) for x in sums]
    return max(sums)


def zonotope_volume(X: Any, *, values: str = "binary") -> tuple[Fraction, Fraction]:
    """The r-dimensional volume as (a, b), meaning a * sqrt(b): the sum of the volumes of all parallelotopes on r rows; slow.

    In r columns in which r rows are independent all of them are smaller by one factor, sqrt(b): that between a
    determinant and the root of a Gram determinant.

    Examples
    --------
    >>> from topes.reference import zonotope_volume
    >>> zonotope_volume([[3, 4], [6, 8]])
    (Fraction(9, 1), Fraction(25, 9))
    """
    rows, _ = read(X, values)
    _, columns = echelon(rows)
    total, radicand = Fraction(0), Fraction(1)
    for chosen in combinations(rows, len(columns)):
        minor = determinant([tuple(row[j] for j in columns) for row in chosen])
        if minor:
            gram = determinant([tuple(dot(a, b) for b in chosen) for a in chosen])
            total, radicand = total + abs(minor), gram / minor**2
    return total, radicand


def determinant(A: Matrix) -> Fraction:
    """By expansion along the first row.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> from topes.reference import determinant
    >>> determinant([(F(1), F(2)), (F(3), F(4))])
    Fraction(-2, 1)
    """
    if not A:
        return Fraction(1)
    total = Fraction(0)
    for j, x in enumerate(A[0]):
        if x:
            total += (-1) ** j * x * determinant([row[:j] + row[j + 1 :] for row in A[1:]])
    return total


def zonotope_normals(X: Any, *, values: str = "binary") -> set[Vector]:
    """Outward normals of all facets: both directions on every line that r - 1 independent rows leave in r columns; slow.

    They are 0 outside the pivot columns of X.

    Examples
    --------
    >>> from topes.reference import zonotope_normals
    >>> sorted((int(x), int(y)) for x, y in zonotope_normals([[1, 0], [0, 1]]))
    [(-1, 0), (0, -1), (0, 1), (1, 0)]
    """
    rows, d = read(X, values)
    _, columns = echelon(rows)
    r = len(columns)
    found: set[Vector] = set()
    for chosen in combinations([tuple(row[j] for j in columns) for row in rows], max(r - 1, 0)):
        w = [(-1) ** j * determinant([row[:j] + row[j + 1 :] for row in chosen]) for j in range(r)]
        if any(w):
            full = [Fraction(0)] * d
            for j, x in zip(columns, w, strict=True):
                full[j] = x
            normal = primitive(tuple(full))
            found |= {normal, tuple(-x for x in normal)}
    return found


def zonotope_faces(X: Any, *, values: str = "binary") -> dict[int, set[frozenset[SignVector]]]:
    """All faces by dimension, each as the set of the cells of its vertices: what facets have in common; slow.

    Examples
    --------
    >>> from topes.reference import zonotope_faces
    >>> {k: len(faces) for k, faces in sorted(zonotope_faces([[1, 0], [0, 1], [1, 1]]).items())}
    {0: 6, 1: 6, 2: 1}
    """
    vertices = zonotope_vertices(X, values=values)
    faces: set[frozenset[SignVector]] = {frozenset(vertices)}
    for c in zonotope_normals(X, values=values):
        height = {s: dot(c, v) for s, v in vertices.items()}
        top = max(height.values())
        facet = frozenset(s for s, h in height.items() if h == top)
        faces |= {facet & face for face in faces} - {frozenset()}
    by_dimension: dict[int, set[frozenset[SignVector]]] = {}
    for face in faces:
        first, *others = (vertices[s] for s in face)
        differences = [tuple(x - y for x, y in zip(v, first, strict=True)) for v in others]
        by_dimension.setdefault(len(echelon(differences)[0]), set()).add(face)
    return by_dimension


def zonotope_position(X: Any, p: Any, *, values: str = "binary") -> str:
    """Whether a point is "inside", on the "boundary" or "outside": by the inequality of every facet; slow.

    Inside is the relative interior.

    Examples
    --------
    >>> from topes.reference import zonotope_position
    >>> [zonotope_position([[1, 0], [0, 1]], [1, y]) for y in (1, 2)], zonotope_position([[1, 1]], [0.5, 0.5])
    (['boundary', 'outside'], 'inside')
    """
    rows, d = read(X, values)
    point = read_vector(p, values, "p", d)
    basis = echelon(rows)[0]
    if len(echelon([*rows, point])[0]) > len(basis):
        return "outside"
    where = "inside"
    for c in zonotope_normals(X, values=values):
        top = sum((max(dot(row, c), Fraction(0)) for row in rows), Fraction(0))
        if dot(c, point) > top:
            return "outside"
        if dot(c, point) == top:
            where = "boundary"
    return where
