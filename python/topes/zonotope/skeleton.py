"""Edges of a zonotope, and the numbers of its faces of all dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.integers import Integers, primitive_rows
from .._support.limits import thread_count
from ..arrangement import Arrangement
from .volume import along

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Edges", "edges", "f_vector"]

_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class Edges:
    """The edges of a zonotope: pairs of vertices whose cells share a facet.

    Attributes
    ----------
    vertices : ndarray, shape (E, 2), int64, read-only
        Rows of `Zonotope.vertices`, from the negative to the positive side of row `generators` of X: their difference is
        that row plus all rows parallel to it, opposite ones subtracted.
    generators : ndarray, shape (E,), int64, read-only
        The first row of X on the hyperplane that parts the two cells.
    """

    vertices: npt.NDArray[np.int64]
    generators: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.generators)


def edges(arrangement: Arrangement, n_threads: int | None, callback: Callable[[float, int], None] | None) -> Edges:
    """The edges in the order of their negative ends; the cells are held."""
    graph = arrangement.neighbors(n_threads=n_threads)
    held, core, n = arrangement._held, arrangement._core, arrangement.n
    assert held is not None  # neighbors() holds them
    n_cells = len(graph.indptr) - 1
    pairs, generators = [], []
    per = max(1, _CHUNK_BYTES // max(n, 1))
    for first in range(0, n_cells, per):
        last = min(first + per, n_cells)
        bits = np.empty((last - first, n), dtype=np.uint8)
        _core.unpack(core, held, first, last, 1, 0, 1, bits, thread_count(n_threads), None)
        begin, end = int(graph.indptr[first]), int(graph.indptr[last])
        cell = np.repeat(np.arange(first, last), np.diff(graph.indptr[first : last + 1]))
        facets = graph.facets[begin:end]
        negative = bits[cell - first, facets] == 0
        pairs.append(np.stack([cell[negative], graph.cells[begin:end][negative]], axis=1))
        generators.append(facets[negative])
        if callback is not None:
            callback(last / n_cells, last)
    found = Edges(np.concatenate(pairs), np.concatenate(generators))
    found.vertices.setflags(write=False)
    found.generators.setflags(write=False)
    return found


def f_vector(G: Integers, step: Callable[[float], None] | None = None) -> tuple[int, ...]:
    """The numbers of faces of dimension 0 to r of the zonotope of pairwise independent generators, shape (m, r), of rank r.

    A k-face is a flat of k independent generators and a cell of the arrangement they leave on that flat. Each flat is
    visited once, from its first generator on: projections along it, then along the next one in the flat.
    """
    counts = [0] * (G.shape[1] + 1)
    _visit(primitive_rows(G), np.arange(len(G)), -1, 0, counts, step)
    counts[-1] = 1
    return tuple(counts)


def _visit(
    G: Integers, labels: npt.NDArray[np.int64], last: int, k: int, counts: list[int], step: Callable[[float], None] | None
) -> None:
    """Count the cells on this flat of rank k and on all flats above it whose new generators come after `last`.

    Rows are the hyperplanes that the flat does not lie in, one each, named by the first generator on it.
    """
    r = G.shape[1]
    counts[k] += (1, 2, 2 * len(G))[r] if r < 3 else Arrangement(G).count(n_threads=1)
    if r < 3:
        if r == 2:  # the flats above are lines, with two cells each
            counts[k + 1] += 2 * int(np.count_nonzero(labels > last))
        return
    for i in np.flatnonzero(labels > last).tolist():
        below, pivot = along(np.delete(G, i, axis=0), G[i])
        assert pivot
        rows, names = _distinct(below, np.delete(labels, i))
        # A hyperplane named by an earlier generator than i's is on a flat that was reached from that one.
        _visit(rows, names, int(labels[i]), k + 1, counts, step)
        if step is not None and k == 0:
            step((i + 1) / len(G))


def _distinct(G: Integers, labels: npt.NDArray[np.int64]) -> tuple[Integers, npt.NDArray[np.int64]]:
    """One row for each hyperplane among the rows, none of them zero, with the least label."""
    least: dict[tuple[int, ...], int] = {}
    for row, label in zip(G.tolist(), labels.tolist(), strict=True):
        divisor = math.gcd(*row) * (1 if next(x for x in row if x) > 0 else -1)
        key = tuple(x // divisor for x in row)
        least[key] = min(label, least.get(key, label))
    rows = np.array([list(key) for key in least], dtype=object).reshape(len(least), G.shape[1])
    return rows, np.array(list(least.values()), dtype=np.int64)
