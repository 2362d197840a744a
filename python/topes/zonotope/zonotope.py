"""The zonotope of a data matrix: one vertex for each cell of its arrangement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.exact_input import Values, as_exact_array
from .._support.integers import as_integers
from .._support.limits import thread_count
from .._support.progress import ProgressCallback, progress_callback
from .._support.validation import FloatArray, as_matrix, read_only
from ..arrangement import Arrangement
from ..errors import InputError
from .boundary import Facets, facets, polygon
from .generators import Generators
from .membership import Membership, membership
from .skeleton import Edges, edges, f_vector
from .support import Face, approx_support, exact_support, face
from .volume import Volume, approx_volume, volume

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

    Everything is exact unless its name says `approx` or its docstring says to how many digits: the numbers of X are taken
    as the rationals they are.

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

    __slots__ = ("_arrangement", "_merged")

    def __init__(self, X: Any, values: Values = "binary") -> None:
        self._arrangement = Arrangement(X, values=values)
        self._merged: Generators | None = None

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

    @property
    def _generators(self) -> Generators:
        if self._merged is None:
            self._merged = Generators.of(self._arrangement)
        return self._merged

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

    def support(self, c: Any) -> FloatArray:
        """The support function h(c) = max of c.p over the zonotope = sum_i max(x_i.c, 0), in doubles.

        Parameters
        ----------
        c : array_like, shape (k, d)
            k directions, read as doubles.

        Returns
        -------
        ndarray, shape (k,), float64
            Products and sums in twice the working precision of X rounded to doubles. `exact_support` rounds nothing.

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[1, 0], [0, 1], [1, 1]]).support([[1, 0], [-1, -1], [2, -1]])
        array([2., 0., 3.])
        """
        C = as_matrix(c, "c", min_rows=0, min_columns=0)
        self._check_length(C.shape[1], "c")
        return approx_support(self._arrangement.normals, C)

    def exact_support(self, c: Any) -> npt.NDArray[np.object_]:
        """The support function at k directions, shape (k, d), as `fractions.Fraction`; read with the `values` of X.

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[0.1, 0.2]], values="decimal").exact_support([[1, 1]])
        array([Fraction(3, 10)], dtype=object)
        """
        C, scale = as_integers(as_exact_array(c, "c", 2, self._arrangement.values))
        self._check_length(C.shape[1], "c")
        X, x_scale = as_integers(self._arrangement._rows)
        return exact_support(X, C, scale * x_scale)

    def face(self, c: Any) -> Face:
        """The face on which c is largest, exactly.

        Parameters
        ----------
        c : array_like, shape (d,)
            Read with the `values` of X.

        Examples
        --------
        >>> from topes import Zonotope
        >>> edge = Zonotope([[1, 0], [0, 1], [1, 1]]).face([1, 0])
        >>> edge.dimension, edge.pattern.tolist(), edge.vertex.tolist(), edge.value
        (1, [1, -1, 1], [Fraction(2, 1), Fraction(1, 1)], Fraction(2, 1))
        """
        point, scale = self._read(c, "c")
        return face(*as_integers(self._arrangement._rows), point, scale)

    def volume(self, progress: bool | ProgressCallback = False) -> Volume:
        """The volume, exactly; below rank d, the r-dimensional volume in the affine hull (of a point: 1).

        The sum of abs(det X_S) over all sets S of r rows, in O(n^(r-1) log n) operations on integers as long as the numbers
        need: sorted by angle at rank 2, and one projection along each row for each rank more.

        Returns
        -------
        Volume
            ``float(volume)`` is the nearest double at full rank.

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[1, 0], [0, 1], [1, 1]]).volume()
        Volume(coefficient=Fraction(3, 1), radicand=Fraction(1, 1))
        >>> float(Zonotope([[3, 4]]).volume())
        5.0
        """
        with progress_callback(progress, "volume") as callback:
            return volume(self._generators, _step(callback))

    def approx_volume(self) -> tuple[float, float]:
        """The volume in doubles and a proved bound on its error: many times faster than `volume` at rank 3 and more.

        Returns
        -------
        value, error : float
            The volume is between value - error and value + error. The bound is about n 2^-50 of the square of the sum of
            all lengths (of its rth power): useless for generators that nearly lie in less than r dimensions.
        """
        return approx_volume(self._generators)

    def edges(self, n_threads: int | None = None, progress: bool | ProgressCallback = False) -> Edges:
        """All edges: the pairs of adjacent vertices. Holds the cells, as `vertices` does.

        Examples
        --------
        >>> from topes import Zonotope
        >>> square = Zonotope([[1, 0], [0, 1]])
        >>> square.vertices().tolist()
        [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> found = square.edges()
        >>> list(zip(found.vertices.tolist(), found.generators.tolist()))
        [([1, 2], 0), ([1, 3], 1), ([2, 0], 1), ([3, 0], 0)]
        """
        with progress_callback(progress, "edges") as callback:
            return edges(self._arrangement, n_threads, callback)

    def f_vector(self, progress: bool | ProgressCallback = False) -> tuple[int, ...]:
        """The numbers of faces of dimension 0 to r, exactly: one small arrangement is counted for each flat.

        There are up to C(n, k) flats of each rank k < r; the work is O(n^(r-1)).

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]).f_vector()  # the rhombic dodecahedron
        (14, 24, 12, 1)
        """
        with progress_callback(progress, "faces") as callback:
            return f_vector(self._generators.coordinates, _step(callback))

    def membership(self, p: Any) -> Membership:
        """Whether a point is inside, on the boundary or outside, exactly, with a proof. At any rank.

        Parameters
        ----------
        p : array_like, shape (d,)
            Read with the `values` of X.

        Examples
        --------
        >>> from topes import Zonotope
        >>> hexagon = Zonotope([[1, 0], [0, 1], [1, 1]])
        >>> hexagon.membership([1, 1])
        Membership(inside, gauge 0)
        >>> hexagon.membership([0, 2]).direction.tolist()  # -x + y is at most 1 on it
        [-1, 1]
        """
        point, scale = self._read(p, "p")
        return membership(self._generators, point, scale)

    def __contains__(self, p: Any) -> bool:
        """Whether p is inside or on the boundary, exactly."""
        return bool(self.membership(p))

    def polygon(self) -> FloatArray:
        """The vertices of a zonotope of rank 2 in order, counterclockwise; each coordinate rounded once.

        Returns
        -------
        ndarray, shape (2 m, d), float64, read-only
            m the number of distinct hyperplanes. At d > 2 the order is that in the first two independent columns of X.

        Raises
        ------
        InputError
            The rank is not 2.

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[1, 0], [0, 1], [1, 1]]).polygon().tolist()
        [[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [0.0, 1.0]]
        """
        self._need_rank(2, "polygon", "facets() takes rank 3, project(columns) lowers the rank")
        return read_only(polygon(self._generators))

    def facets(self, progress: bool | ProgressCallback = False) -> Facets:
        """The facets of a zonotope of rank 3 as polygons, with their inequalities: O(n^2 log n).

        Raises
        ------
        InputError
            The rank is not 3.

        Examples
        --------
        >>> from topes import Zonotope
        >>> cube = Zonotope([[1, 0, 0], [0, 1, 0], [0, 0, 1]]).facets()
        >>> len(cube), sorted(map(tuple, cube.normals.tolist()))[-1], cube.polygon(0).shape
        (6, (1, 0, 0), (4, 3))
        """
        self._need_rank(3, "facets", "polygon() takes rank 2, project(columns) lowers the rank")
        with progress_callback(progress, "facets") as callback:
            return facets(self._generators, _step(callback))

    def project(self, columns: Any) -> Zonotope:
        """The projection onto some coordinates: the zonotope of the projected generators.

        Parameters
        ----------
        columns : sequence of int
            Columns of X, in the order wanted.

        Examples
        --------
        >>> from topes import Zonotope
        >>> Zonotope([[1, 0, 0], [0, 1, 0], [0, 0, 1]]).project([0, 2]).n_vertices
        4
        """
        d = self._arrangement.dimension
        chosen = np.asarray(columns)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise InputError(f"columns must be a list of column numbers, got {columns!r}")
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < d):
            raise InputError(f"columns must be between 0 and {d - 1}, got {columns!r}")
        return Zonotope(self._arrangement._rows[:, chosen.astype(np.int64)], values=self._arrangement.values)

    def _read(self, value: Any, name: str) -> tuple[npt.NDArray[np.object_], int]:
        vector = as_exact_array(value, name, 1, self._arrangement.values)
        self._check_length(len(vector), name)
        return as_integers(vector)

    def _check_length(self, length: int, name: str) -> None:
        if length != self._arrangement.dimension:
            raise InputError(f"{name} must have {self._arrangement.dimension} coordinates, got {length}")

    def _need_rank(self, rank: int, what: str, instead: str) -> None:
        found = self._arrangement.rank
        if found != rank:
            raise InputError(f"{what} needs a zonotope of rank {rank}, this one has rank {found}; {instead}")


def _step(callback: ProgressCallback | None) -> Callable[[float], None] | None:
    """Progress of work that counts no cells."""
    return None if callback is None else lambda fraction: callback(fraction, 0)
