"""The zonotope of a data matrix: one vertex for each cell of its arrangement."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._support.exact_input import Values
from ._support.limits import thread_count
from ._support.progress import ProgressCallback, progress_callback
from .arrangement import Arrangement
from .errors import InputError

__all__ = ["NormalCone", "Zonotope"]


@dataclass(frozen=True)
class NormalCone:
    """The closure of a cell: where the linear functions lie that the vertex maximises over the zonotope.

    Attributes
    ----------
    rays : ndarray, shape (m, d), object
        Extreme rays as primitive integer vectors, exactly; up to the linear space orthogonal to all rows.
    facets : ndarray, shape (k,), int64
        The first row of X on the hyperplane of each facet, ascending.
    witness : ndarray, shape (d,), object
        A point of the interior, `fractions.Fraction`.
    """

    rays: npt.NDArray[np.object_]
    facets: npt.NDArray[np.int64]
    witness: npt.NDArray[np.object_]


class Zonotope:
    """The zonotope {X'u : u in [0, 1]^n}. Immutable.

    Parameters
    ----------
    X : array_like, shape (n, d)
        The generators as rows; as for `Arrangement`.
    values : {"binary", "decimal"}
        As for `Arrangement`.

    Examples
    --------
    >>> from topes import Zonotope
    >>> Z = Zonotope([[1, 0], [0, 1], [1, 1]])  # a hexagon
    >>> Z.n_vertices
    6
    >>> sorted(map(tuple, Z.vertices().tolist()))
    [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 2.0), (2.0, 1.0), (2.0, 2.0)]
    """

    __slots__ = ("_arrangement",)

    def __init__(self, X: Any, values: Values = "binary") -> None:
        self._arrangement = Arrangement(X, values=values)

    def __repr__(self) -> str:
        a = self._arrangement
        return f"Zonotope(n={a.n}, dimension={a.dimension}, rank={a.rank})"

    @property
    def arrangement(self) -> Arrangement:
        """The arrangement whose cells are the interiors of the normal cones."""
        return self._arrangement

    @property
    def n_vertices(self) -> int:
        """The number of vertices: the number of cells."""
        held = self._arrangement._held
        return self._arrangement.count() if held is None else held.n_found * self._arrangement._cells_per_found

    def vertices(
        self,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        max_bytes: int | None = None,
    ) -> npt.NDArray[np.float64]:
        """All vertices X'D_i, in the order of `Arrangement.patterns`.

        Parameters
        ----------
        n_threads, progress, max_cells, max_bytes
            As for `Arrangement.patterns`.

        Returns
        -------
        ndarray, shape (P, d), float64, read-only
            Sums in twice the working precision of X rounded to doubles; exact for integers where every partial sum
            fits 53 bits.

        Raises
        ------
        CellLimitError, MemoryLimitError
            As for `Arrangement.patterns`.
        """
        a = self._arrangement
        held = a._hold(n_threads, progress, max_cells, max_bytes, bytes_per_cell=8 * a.dimension)
        with progress_callback(progress, "vertices") as callback:
            return _core.vertices(a._core, held, a.normals, thread_count(n_threads), callback)

    def normal_cone(self, pattern: Any) -> NormalCone:
        """The normal cone at the vertex X'D of a pattern, exactly.

        Parameters
        ----------
        pattern : array_like, shape (n,), of 0 and 1
            A row of `Arrangement.patterns`.

        Raises
        ------
        InputError
            No cell has this pattern.

        Examples
        --------
        >>> from topes import Zonotope
        >>> cone = Zonotope([[1, 0], [0, 1], [1, 1]]).normal_cone([1, 0, 1])
        >>> sorted(cone.rays.tolist()), cone.facets.tolist()
        ([[1, -1], [1, 0]], [1, 2])
        """
        a = self._arrangement
        bits = np.asarray(pattern)
        if bits.shape != (a.n,):
            raise InputError(f"pattern must have shape ({a.n},), got {bits.shape}")
        if not np.isin(bits, (0, 1)).all():
            raise InputError("pattern must hold 0 and 1 only")
        packed = np.packbits(bits.astype(np.uint8), bitorder="little")
        found = _core.find_cell(a._core, packed)
        if found is None:
            raise InputError("pattern is not the pattern of a cell; patterns() lists those")
        rays = np.empty((len(found[0]), a.dimension), dtype=object)
        for k, ray in enumerate(found[0]):
            rays[k] = ray
        witness = np.array([Fraction(sum(column)) for column in rays.T], dtype=object)
        return NormalCone(rays, np.array(found[1], dtype=np.int64), witness)
