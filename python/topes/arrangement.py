"""The arrangement of hyperplanes cut out by the rows of a matrix: every cell, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _core, jobs
from ._support.exact_input import (
    Values,
    appended,
    as_exact_array,
    as_floats,
    as_rows,
    exact_objects,
    exact_sides,
    homogenised,
)
from ._support.held import hold, stream, unpacked
from ._support.limits import cell_limit, check_count, restated, thread_count
from ._support.progress import ProgressCallback, progress_callback
from .bounds import cell_bound
from .cells import CellBatch, Neighbors
from .errors import InputError
from .jobs.supply import ExecutorLike

__all__ = ["Arrangement"]


class Arrangement:
    """The hyperplanes {w : x_i.w = b_i} and the cells they cut space into, exactly. Immutable.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Row i is the normal x_i of hyperplane i: float64, integers of any size, `fractions.Fraction`, booleans. Zero,
        parallel and repeated rows are welcome, and n = 0 too.
    offsets : array_like, shape (n,), optional
        The b_i of an affine arrangement. Without it the arrangement is central: all hyperplanes hold the origin.
    values : {"binary", "decimal"}, default "binary"
        "binary" takes each float as the dyadic rational it is, "decimal" as its shortest decimal: 0.1 as 1/10.

    Attributes
    ----------
    n, dimension : int
        Shape of X.
    rank : int
        Exact rank of X.
    n_hyperplanes : int
        Distinct hyperplanes; zero rows have none.
    is_central : bool
        No offsets were given.

    Raises
    ------
    InputError
        X or offsets is not an array of finite real numbers of the right shape.

    Notes
    -----
    The cells are found by one depth-first walk [EOS86]_ in expected O(n^(r-1)) time and O(depth) memory; every sign
    is proved, by a floating-point bound or by exact integers. The order of the cells depends on X alone, not on the
    number of threads. Memory grows with the rank: the method is made for low rank, up to about 10.

    The arrangement of no hyperplanes has one cell. An affine row with x_i = 0 has the sign of -b_i everywhere.

    References
    ----------
    .. [EOS86] H. Edelsbrunner, J. O'Rourke, R. Seidel. Constructing arrangements of lines and hyperplanes with
       applications. SIAM J. Comput. 15 (1986).

    Examples
    --------
    >>> from topes import Arrangement
    >>> A = Arrangement([[2, 2], [3, 3], [1, 0]])  # Example II.1
    >>> A.rank, A.n_hyperplanes, A.bound(), A.count()
    (2, 2, 4, 4)
    >>> sorted(map(tuple, A.patterns().tolist()))
    [(0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)]
    """

    __slots__ = ("_core", "_held", "_offsets", "_root_rows", "_rows", "_values")

    def __init__(self, X: Any, offsets: Any = None, values: Values = "binary") -> None:
        rows = as_exact_array(X, "X", 2, values)
        shifts = None if offsets is None else as_exact_array(offsets, "offsets", 1, values)
        if shifts is not None and len(shifts) != len(rows):
            raise InputError(f"offsets must have one entry for each of the {len(rows)} rows of X, got {len(shifts)}")
        self._set(rows, shifts, values, 0)

    def _set(self, rows: npt.NDArray[Any], offsets: npt.NDArray[Any] | None, values: Values, root_rows: int) -> None:
        self._rows, self._offsets, self._values = rows.copy(), offsets, values
        self._rows.setflags(write=False)
        self._root_rows = root_rows
        self._held: _core.HeldCells | None = None
        data = as_rows(rows if offsets is None else homogenised(rows, offsets))
        kind = "bytes" if data.ndim == 3 else "doubles" if data.dtype.kind == "f" else "int64"
        self._core: _core.Arrangement = getattr(_core.Arrangement, f"from_{kind}")(data, offsets is not None, root_rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its rows: the core is built again, cells that are held are not taken along."""
        return _rebuilt, (self._rows, self._offsets, self._values, self._root_rows)

    def __repr__(self) -> str:
        kind = "central" if self.is_central else "affine"
        return f"Arrangement(n={self.n}, dimension={self.dimension}, rank={self.rank}, {kind})"

    @property
    def n(self) -> int:
        return int(self._rows.shape[0])

    @property
    def dimension(self) -> int:
        return int(self._rows.shape[1])

    @property
    def rank(self) -> int:
        return self._core.rank - (not self.is_central)

    @property
    def n_hyperplanes(self) -> int:
        return self._core.size - (not self.is_central)

    @property
    def is_central(self) -> bool:
        return self._offsets is None

    @property
    def values(self) -> Values:
        return self._values

    @property
    def normals(self) -> npt.NDArray[np.float64]:
        """X as doubles, shape (n, d): the nearest ones where the rows are not doubles."""
        return as_floats(self._rows)

    def bound(self) -> int:
        """Most cells that so many hyperplanes of this rank can have, reached in general position; eq. (6), [Cover65].

        2 * sum of C(m - 1, k) over k < r for m distinct central hyperplanes, sum of C(m, k) over k <= r for affine ones.
        """
        m, r = self.n_hyperplanes, self.rank
        if not self.is_central:
            return sum(comb(m, k) for k in range(r + 1))
        return cell_bound(m, r)

    def count(
        self,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        *,
        executor: ExecutorLike | None = None,
        checkpoint: Any = None,
    ) -> int:
        """Count the cells, exactly, in memory that does not grow with their number.

        Parameters
        ----------
        n_threads : int, optional
            Default: all processors.
        progress : bool or callable
            True shows a line on standard error; a callable gets (fraction done, cells so far) a few times a second.
        max_cells : int, optional
            Stop beyond this number.
        executor : concurrent.futures.Executor, or a callable that makes one, optional
            Who does the work instead of threads: processes, or a cluster. A callable is asked again where workers died.
        checkpoint : path-like, optional
            File to which what is done is added, and from which a stopped count goes on; see `docs/jobs.md`.

        Raises
        ------
        CellLimitError
            There are more than `max_cells` cells.
        JobError
            The executor keeps failing.
        InputError
            The checkpoint belongs to another arrangement.

        Examples
        --------
        >>> from topes import Arrangement
        >>> Arrangement([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]).count()
        14

        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor(2) as threads:
        ...     Arrangement([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]).count(executor=threads)
        14
        """
        return self.count_with_counters(n_threads, progress, max_cells, executor=executor, checkpoint=checkpoint)[0]

    def count_with_counters(
        self,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        *,
        executor: ExecutorLike | None = None,
        checkpoint: Any = None,
    ) -> tuple[int, dict[str, int]]:
        """`count`, and how the predicates decided.

        Returns
        -------
        n_cells : int
        counters : dict
            "signs" of a hyperplane at a ray, "exact_signs" of these by exact arithmetic, "exact_rays" computed.
        """
        if executor is not None or checkpoint is not None:
            return jobs.count_in_shares(
                self,
                executor=executor,
                checkpoint=checkpoint,
                n_threads=n_threads,
                progress=progress,
                max_cells=cell_limit(max_cells),
            )
        with restated(self), progress_callback(progress, "counting") as callback:
            return self._core.count(cell_limit(max_cells), thread_count(n_threads), callback)

    def estimate_count(self, n_dives: int = 1000, rng: Any = None) -> tuple[float, float]:
        """Estimate the number of cells from random descents of the cell tree [Knuth75]_.

        Parameters
        ----------
        n_dives : int
            At least 2; the standard error falls with its square root.
        rng : None, int or numpy.random.Generator
            As for `numpy.random.default_rng`.

        Returns
        -------
        estimate, standard_error : float
            The estimate has no bias.

        References
        ----------
        .. [Knuth75] D. E. Knuth. Estimating the efficiency of backtrack programs. Math. Comp. 29 (1975).

        Examples
        --------
        >>> from topes import Arrangement
        >>> estimate, error = Arrangement([[1, 0], [0, 1], [1, 1]]).estimate_count(100, rng=0)
        >>> abs(estimate - 6) <= 4 * error
        True
        """
        check_count(n_dives, "n_dives", 2)
        seed = int(np.random.default_rng(rng).integers(2**63))
        return self._core.estimate_count(n_dives, seed, None)

    def patterns(
        self,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        max_bytes: int | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Every cell as a pattern: the diagonals of the D_i of eq. (5) for ReLU.

        Parameters
        ----------
        n_threads, progress, max_cells
            As in `count`.
        max_bytes : int, optional
            Memory the result may take; default four fifths of what is free.

        Returns
        -------
        ndarray, shape (P, n), uint8, read-only
            1 where x_i.w >= b_i on the cell, and for zero rows. Rows 2k and 2k + 1 of a central arrangement are antipodes.

        Raises
        ------
        CellLimitError
            There are more than `max_cells` cells.
        MemoryLimitError
            The result is expected to need more than `max_bytes`; found out before the work starts.
        """
        return unpacked(self, (1, 0, 1), n_threads, progress, max_cells, max_bytes)

    def sign_vectors(
        self,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        max_bytes: int | None = None,
    ) -> npt.NDArray[np.int8]:
        """Every cell as a sign vector, shape (P, n), int8 in {-1, 0, 1}, read-only; 0 only for zero rows. See `patterns`."""
        return unpacked(self, (1, 255, 0), n_threads, progress, max_cells, max_bytes).view(np.int8)

    def cells(
        self,
        batch_size: int = 65536,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        geometry: bool = True,
    ) -> Iterator[CellBatch]:
        """Stream the cells in batches, in bounded memory, in the order of `patterns`.

        Parameters
        ----------
        batch_size : int
            Cells in a batch; the last may have fewer.
        n_threads, progress, max_cells
            As in `count`.
        geometry : bool
            False leaves out witnesses, facets and rays, which is faster.

        Examples
        --------
        >>> from topes import Arrangement
        >>> for batch in Arrangement([[1, 0], [0, 1]]).cells(batch_size=3):
        ...     print(len(batch), batch.witnesses.tolist())
        3 [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
        1 [[-1.0, 1.0]]
        """
        check_count(batch_size, "batch_size", 1)
        return stream(self, batch_size, bool(geometry), thread_count(n_threads), cell_limit(max_cells), progress)

    def neighbors(self, n_threads: int | None = None, progress: bool | ProgressCallback = False) -> Neighbors:
        """Which facet of each cell leads to which cell; cells are rows of `patterns`.

        Examples
        --------
        >>> from topes import Arrangement
        >>> A = Arrangement([[1, 0], [0, 1]])
        >>> A.patterns().tolist()
        [[1, 1], [0, 0], [1, 0], [0, 1]]
        >>> graph = A.neighbors()
        >>> graph.facets[:2].tolist(), graph.cells[:2].tolist()  # of cell 0: row 0 to cell 3, row 1 to cell 2
        ([0, 1], [3, 2])
        """
        held = self._hold(n_threads, progress, None, None, bytes_per_cell=16 * (self.rank + 2))
        with progress_callback(progress, "neighbors") as callback:
            return Neighbors(*_core.neighbors(self._core, held, thread_count(n_threads), callback))

    def locate(self, w: Any) -> npt.NDArray[np.int8]:
        """The cell that holds w, or on a boundary all cells around it, exactly.

        Parameters
        ----------
        w : array_like, shape (d,)
            A point, read with the same `values` as X.

        Returns
        -------
        ndarray, shape (k, n), int8
            Sign vectors; k = 1 off the hyperplanes.

        Examples
        --------
        >>> from topes import Arrangement
        >>> A = Arrangement([[1, 0], [0, 1]])
        >>> A.locate([3, -2]).tolist()
        [[1, -1]]
        >>> A.locate([3, 0]).tolist()
        [[1, 1], [1, -1]]
        """
        point = exact_objects(as_exact_array(w, "w", 1, self._values))
        if len(point) != self.dimension:
            raise InputError(f"w must have {self.dimension} entries, got {len(point)}")
        here = exact_sides(self._rows, self._offsets, point)
        on = np.flatnonzero((here == 0) & (self._core.orientations != 0))
        if len(on) == 0:
            return here[None, :]
        around = Arrangement(self._rows[on], values=self._values).sign_vectors()
        out = np.repeat(here[None, :], len(around), axis=0)
        out[:, on] = around
        return out

    def insert(self, x: Any, offset: Any = 0) -> Arrangement:
        """The arrangement with one more hyperplane behind the others.

        Where the cells of this one are held (after `patterns` or `sign_vectors`), those of the new one are made from
        them at a cost in proportion to the cells the hyperplane cuts plus the copying, and are held in turn.

        Parameters
        ----------
        x : array_like, shape (d,)
            Normal of the new hyperplane.
        offset : number
            Its b; must be 0 in a central arrangement.

        Examples
        --------
        >>> from topes import Arrangement
        >>> A = Arrangement([[1, 0], [0, 1]])
        >>> A.insert([1, 1]).count()
        6
        """
        row = as_exact_array(x, "x", 1, self._values)
        if len(row) != self.dimension:
            raise InputError(f"x must have {self.dimension} entries, got {len(row)}")
        shift = as_exact_array([offset], "offset", 1, self._values)
        if self.is_central and shift[0] != 0:
            raise InputError(f"offset must be 0 in a central arrangement, got {offset!r}")
        offsets = None if self._offsets is None else appended(self._offsets, shift)
        new = _rebuilt(appended(self._rows, row[None, :]), offsets, self._values, self._root_rows or self.n)
        if self._held is not None and new._core.rank == self._core.rank and self.rank > 0:
            new._held = _core.insert(self._core, self._held, new._core, cell_limit(None), None)
        return new

    def save_patterns(
        self,
        path: Any,
        *,
        packed: bool = False,
        n_threads: int | None = None,
        progress: bool | ProgressCallback = False,
        max_cells: int | None = None,
        executor: ExecutorLike | None = None,
        resume: bool = False,
    ) -> int:
        """Write `patterns` to an .npy file in bounded memory; returns the number of cells. `open_patterns` reads it back.

        Parameters
        ----------
        path : path-like
            Replaced only once everything is written, unless `resume` is True.
        packed : bool
            True writes bits, shape (P, ceil(n / 8)), as in `CellBatch.packed`.
        n_threads, progress, max_cells, executor
            As in `count`.
        resume : bool
            True lets the file grow in its place, where it can be read at every moment, and goes on with what a stopped call
            left there. A small checkpoint lies beside it.

        Raises
        ------
        MemoryLimitError
            The disk has less room than the file needs; found out before writing.
        InputError
            `resume` is True, and the file is not an unfinished or finished one of this arrangement.
        JobError
            The executor keeps failing.
        OSError
            The disk is full after all. With `resume` the file holds the cells up to there.
        """
        return jobs.save_in_shares(
            self,
            path,
            packed=packed,
            executor=executor,
            resume=resume,
            n_threads=n_threads,
            progress=progress,
            max_cells=cell_limit(max_cells),
        )

    @property
    def _cells_per_found(self) -> Literal[1, 2]:
        return 2 if self.is_central and self.rank > 0 else 1

    _hold = hold


def _rebuilt(rows: npt.NDArray[Any], offsets: npt.NDArray[Any] | None, values: Values, root_rows: int) -> Arrangement:
    A = Arrangement.__new__(Arrangement)
    A._set(rows, offsets, values, root_rows)
    return A
