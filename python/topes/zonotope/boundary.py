"""The boundary of a zonotope for drawing and for its inequalities: a polygon at rank 2, polygons at rank 3."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.integers import Integers, primitive_rows
from .._support.validation import FloatArray
from .generators import Generators
from .volume import along, half_plane_order

__all__ = ["Facets", "facets", "polygon", "to_doubles"]


@dataclass(frozen=True)
class Facets:
    """The facets of a zonotope of rank 3: polygons, and the inequalities that hold on it. Arrays are read-only.

    Facets 2k and 2k + 1 are opposite. The vertices of facet k are ``points[indices[indptr[k]:indptr[k + 1]]]``,
    counterclockwise seen from outside (at d > 3, in the coordinates `columns`).

    Attributes
    ----------
    points : ndarray, shape (P, d), float64
        The vertices, each once; not in the order of `Zonotope.vertices`.
    indptr, indices : ndarray, shape (F + 1,) and (m,), int64
    normals : ndarray, shape (F, d), object
        Outward, primitive integers; 0 outside `columns`.
    offsets : ndarray, shape (F,), object
        Of `fractions.Fraction`: a point of the affine hull is in the zonotope exactly if ``normals @ p <= offsets``.
    columns : tuple of 3 ints
    """

    points: FloatArray
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    normals: npt.NDArray[np.object_]
    offsets: npt.NDArray[np.object_]
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def polygon(self, k: int) -> FloatArray:
        """The vertices of facet k in order, shape (its vertices, d)."""
        return self.points[self.indices[self.indptr[k] : self.indptr[k + 1]]]


def to_doubles(numerators: Any, denominator: int) -> FloatArray:
    """Quotients of integers, each rounded once."""
    flat = np.asarray(numerators, dtype=object)
    out = np.empty(flat.shape)
    to = out.reshape(-1)
    for k, x in enumerate(flat.reshape(-1)):
        try:
            to[k] = x / denominator
        except OverflowError:
            to[k] = math.inf if x > 0 else -math.inf
    return out


def polygon(generators: Generators) -> FloatArray:
    """All 2m vertices at rank 2, counterclockwise in the basis columns, from a lowest one: O(m log m)."""
    g = generators
    signs, order = half_plane_order(g.coordinates)
    turned = (g.G * signs.astype(object)[:, None])[order]
    lowest = g.base + g.G[signs < 0].sum(axis=0) if (signs < 0).any() else g.base
    steps = np.concatenate([lowest[None, :], turned, -turned[:-1]])
    return to_doubles(np.cumsum(steps, axis=0), g.scale)


class _Collector:
    """Polygons by the numbers of their corners, a number for each point."""

    def __init__(self, total: Integers, columns: list[int]) -> None:
        self._total, self._columns = total, columns
        self._numbers: dict[tuple[int, ...], int] = {}
        self.indices: list[int] = []
        self.lengths: list[int] = []
        self.normals: list[list[int]] = []
        self.heights: list[int] = []

    @property
    def points(self) -> Integers:
        return np.array(list(self._numbers), dtype=object)

    def take(self, corners: Integers, normals: Integers) -> None:
        """Facets of k corners each, shape (facets, k, d), and their opposites."""
        k = corners.shape[1]
        both = np.stack([corners, self._total - corners[:, ::-1]], axis=1).reshape(2 * len(corners), k, -1)
        signed = np.stack([normals, -normals], axis=1).reshape(2 * len(normals), 3)
        self.heights += (signed * both[:, 0, self._columns]).sum(axis=1).tolist()
        self.normals += signed.tolist()
        self.lengths += [k] * len(both)
        numbers = self._numbers
        for polygon in both.tolist():
            for point in polygon:
                self.indices.append(numbers.setdefault(tuple(point), len(numbers)))


def facets(generators: Generators, step: Callable[[float], None] | None = None) -> Facets:
    """All facets at rank 3, O(m^2 log m): those along generator i are the edges of the polygon that is seen along i.

    A facet that holds several generators is found from the first of them.
    """
    g = generators
    m, columns = g.m, list(g.columns)
    found = _Collector(2 * g.base + g.G.sum(axis=0), columns)
    for i in range(m - 1):
        others = np.delete(np.arange(m), i)
        seen, pivot = along(g.coordinates[others], g.coordinates[i])
        signs, order = half_plane_order(seen)
        sign = signs.astype(object)[:, None]
        turned, planar = (g.G[others] * sign)[order], (seen * sign)[order]
        start = g.base + g.G[others[signs < 0]].sum(axis=0) if (signs < 0).any() else g.base
        before = np.concatenate([start[None, :], turned]).cumsum(axis=0)
        cross = planar[:-1, 0] * planar[1:, 1] - planar[:-1, 1] * planar[1:, 0]
        begins = np.concatenate([[0], np.flatnonzero(cross != 0) + 1])
        ends = np.append(begins[1:], m - 1)
        mine = np.minimum.reduceat(others[order], begins) > i
        begins, ends = begins[mine], ends[mine]
        if not len(begins):
            continue
        normals = _normals(planar[begins], g.coordinates[i], pivot)
        # A normal is one multiple of the cross product of generator i and the edge, the same for all.
        first = g.G[i]
        if _turn(first, turned[begins[0]], normals[0], columns) < 0:
            before, first = before + first, -first
        two = ends - begins == 1
        if two.any():
            at, more = before[begins[two]], turned[begins[two]]
            found.take(np.stack([at, at + first, at + first + more, at + more], axis=1), normals[two])
        for a, b, normal in zip(begins[~two].tolist(), ends[~two].tolist(), normals[~two], strict=True):
            found.take(_corners(before[a], first, list(turned[a:b]), normal, columns)[None], normal[None])
        if step is not None:
            step((i + 1) / (m - 1))
    normals = np.zeros((len(found.normals), g.G.shape[1]), dtype=object)
    normals[:, columns] = np.array(found.normals, dtype=object)
    result = Facets(
        to_doubles(found.points, g.scale),
        np.cumsum([0, *found.lengths], dtype=np.int64),
        np.array(found.indices, dtype=np.int64),
        normals,
        np.array([Fraction(h, g.scale) for h in found.heights], dtype=object),
        g.columns,
    )
    for array in (result.points, result.indptr, result.indices, result.normals, result.offsets):
        array.setflags(write=False)
    return result


def _normals(edges: Integers, z: Integers, pivot: int) -> Integers:
    """Outward normals over edges of the polygon seen along z: right of the edge, pulled back by the projection."""
    p = next(j for j in range(3) if z[j] == pivot)
    a, b = (j for j in range(3) if j != p)
    w = np.empty((len(edges), 3), dtype=object)
    w[:, a], w[:, b] = pivot * edges[:, 1], -pivot * edges[:, 0]
    w[:, p] = z[b] * edges[:, 0] - z[a] * edges[:, 1]
    return primitive_rows(w)


def _turn(a: Integers, b: Integers, normal: Integers, columns: list[int]) -> int:
    """Positive where b is counterclockwise of a about the normal."""
    x, y = a[columns], b[columns]
    return int(
        normal[0] * (x[1] * y[2] - x[2] * y[1])
        + normal[1] * (x[2] * y[0] - x[0] * y[2])
        + normal[2] * (x[0] * y[1] - x[1] * y[0])
    )


def _corners(start: Integers, first: Integers, more: list[Integers], normal: Integers, columns: list[int]) -> Integers:
    """The polygon start + {sums of parts of the generators}, counterclockwise about the normal from `first` on."""

    def compare(a: Integers, b: Integers) -> int:
        return -_turn(a, b, normal, columns)

    steps = [first, *sorted(more, key=cmp_to_key(compare))]
    return np.cumsum(np.stack([start, *steps, *(-s for s in steps[:-1])]), axis=0)
