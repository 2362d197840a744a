"""A zonotope by one generator for each hyperplane, in integers: parallel rows merged, opposite ones turned around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.integers import Integers, as_integers, independent_rows, solve
from ..arrangement import Arrangement

__all__ = ["Generators"]


@dataclass(frozen=True)
class Generators:
    """{X'u : u in [0, 1]^n} = (base + {G'v : v in [0, 1]^m}) / scale, exactly.

    Attributes
    ----------
    scale : int
    base : ndarray, shape (d,), object
        The sum of the rows that point against the first row on their hyperplane.
    G : ndarray, shape (m, d), object
        For each hyperplane the sum of its rows, turned to the side of the first one: pairwise independent, not 0.
    columns : tuple of r ints
        Columns that are a basis of the columns of X. ``G[:, columns]`` has the same relations as G.
    first : ndarray, shape (m,), int64
        The first row on each hyperplane, ascending.
    group : ndarray, shape (n,), int64
        The generator each row is part of; -1 for a zero row.
    side : ndarray, shape (n,), int64
        1 or -1: the row's direction against the generator's; 0 for a zero row.
    """

    scale: int
    base: Integers
    G: Integers
    columns: tuple[int, ...]
    first: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]

    @classmethod
    def of(cls, arrangement: Arrangement) -> Generators:
        X, scale = as_integers(arrangement._rows)
        n, d = X.shape
        plane = arrangement._core.hyperplanes
        orientation = arrangement._core.orientations.astype(np.int64)
        on = np.flatnonzero(plane >= 0)
        _, first_on, group_on = np.unique(plane[on], return_index=True, return_inverse=True)
        order = np.argsort(first_on)  # the core numbers hyperplanes in the order of its walk
        first = on[first_on[order]]
        group = np.full(n, -1, dtype=np.int64)
        group[on] = np.argsort(order)[group_on]
        side = np.zeros(n, dtype=np.int64)
        side[on] = orientation[on] * orientation[first[group[on]]]
        base = np.zeros(d, dtype=object)
        if (side < 0).any():
            base = X[side < 0].sum(axis=0)
        if len(first) == len(on):
            G = X[first]
        else:
            G = np.zeros((len(first), d), dtype=object)
            np.add.at(G, group[on], X[on] * side[on, None].astype(object))
        return cls(scale, base, G, _basis_columns(G, arrangement.rank), first, group, side)

    @property
    def m(self) -> int:
        return len(self.G)

    @property
    def rank(self) -> int:
        return len(self.columns)

    @property
    def coordinates(self) -> Integers:
        """G in the basis columns, shape (m, r)."""
        return self.G[:, list(self.columns)]

    @property
    def lift(self) -> tuple[Integers, int]:
        """T, shape (r, d), and D with D x = x[columns] T for every x in the row space."""
        rows, _ = independent_rows(self.coordinates, self.rank)
        solved = solve(self.coordinates[rows], self.G[rows])
        assert solved is not None  # rows and columns are independent
        return solved

    def coefficients(self, v: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        """u in [0, 1]^n from v in [0, 1]^m with X'u = (base + G'v) / scale; 0 for zero rows."""
        u = np.zeros(len(self.group), dtype=object)
        for i, (h, s) in enumerate(zip(self.group.tolist(), self.side.tolist(), strict=True)):
            if s:
                u[i] = v[h] if s > 0 else 1 - v[h]
        return u

    def functional(self, w: Any) -> npt.NDArray[np.object_]:
        """The functional on R^d that is w on the basis columns and blind to the others."""
        c = np.zeros(self.G.shape[1], dtype=object)
        c[list(self.columns)] = w
        return c


def _basis_columns(G: Integers, rank: int) -> tuple[int, ...]:
    """Columns that are independent on the rows; looks at few rows as a rule."""
    some = max(16, 4 * rank)
    while True:
        _, columns = independent_rows(G[:some], rank)
        if len(columns) == rank:
            return tuple(sorted(columns))
        some *= 4
