"""A batch of cells as `Arrangement.cells` yields it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import TopesError

__all__ = ["CellBatch", "Neighbors", "exact_witness"]


@dataclass(frozen=True, repr=False)
class CellBatch:
    """Consecutive cells of an arrangement. All arrays are read-only.

    Cells of a central arrangement come in antipodal pairs. Lists of different lengths are in compressed sparse row
    form: those of cell k are ``values[indptr[k]:indptr[k + 1]]``.

    Attributes
    ----------
    packed : ndarray, shape (k, ceil(n / 8)), uint8
        Patterns, bit i of a row in bit ``i % 8`` of byte ``i // 8`` (``np.unpackbits(..., bitorder="little")``).
    witnesses : ndarray, shape (k, d), float64
        A point of each cell, rounded: exact signs are those of `exact_witnesses`.
    facet_indptr, facet_indices : ndarray, shape (k + 1,) and (n_facets,), int64
        The facets of each cell: the first row of X on the facet's hyperplane, ascending.
    ray_indptr, rays : ndarray, shape (k + 1,) and (m, d), float64
        The extreme rays of each cell's closure, rounded, largest entry about 1. In an affine arrangement shape
        (m, d + 1): vertices end in 1, directions in 0. In both, up to the linear space that all hyperplanes contain.
    bounded : ndarray, shape (k,), bool
        Whether the cell is bounded; never in a central arrangement of positive dimension.
    """

    packed: npt.NDArray[np.uint8]
    _witnesses: npt.NDArray[np.float64]
    facet_indptr: npt.NDArray[np.int64]
    facet_indices: npt.NDArray[np.int64]
    ray_indptr: npt.NDArray[np.int64]
    _rays: npt.NDArray[np.float64]
    _bounded: npt.NDArray[np.uint8]
    _arrangement: _core.Arrangement
    _affine: bool
    _dimension: int
    _geometry: bool

    def __len__(self) -> int:
        return len(self.packed)

    def __repr__(self) -> str:
        return f"CellBatch({len(self)} cells, n={self._arrangement.n_rows})"

    @property
    def patterns(self) -> npt.NDArray[np.uint8]:
        """Shape (k, n), uint8: 1 where x_i.w >= 0 on the cell, and for zero rows."""
        n = self._arrangement.n_rows
        return np.unpackbits(self.packed, axis=1, count=n, bitorder="little") if n else np.zeros((len(self), 0), np.uint8)

    @property
    def sign_vectors(self) -> npt.NDArray[np.int8]:
        """Shape (k, n), int8 in {-1, 0, 1}; 0 only for zero rows."""
        signs = 2 * self.patterns.astype(np.int8) - 1
        signs[:, self._arrangement.orientations == 0] = 0
        return signs

    @property
    def witnesses(self) -> npt.NDArray[np.float64]:
        self._need_geometry("witnesses")
        return self._witnesses.reshape(len(self), self._dimension)

    @property
    def rays(self) -> npt.NDArray[np.float64]:
        self._need_geometry("rays")
        return (
            self._rays.reshape(-1, self._dimension + 1)
            if self._affine
            else self._rays.reshape(int(self.ray_indptr[-1]), self._dimension)
        )

    @property
    def bounded(self) -> npt.NDArray[np.bool_]:
        self._need_geometry("bounded")
        return self._bounded.view(np.bool_)

    def exact_witnesses(self) -> npt.NDArray[np.object_]:
        """A point of each cell, exactly.

        Returns
        -------
        ndarray, shape (k, d), object
            Entries are `fractions.Fraction`. Cost: one descent of the cell tree for each cell.
        """
        out = np.empty((len(self), self._dimension), dtype=object)
        for k in range(len(self)):
            witness = exact_witness(self._arrangement, self.packed[k], self._affine, self._dimension)
            assert witness is not None  # the batch holds cells only
            out[k] = witness
        return out

    def _need_geometry(self, name: str) -> None:
        if not self._geometry:
            raise TopesError(f"{name} were not asked for: call cells(geometry=True)")


def exact_witness(
    arrangement: _core.Arrangement, packed: npt.NDArray[np.uint8], affine: bool, dimension: int
) -> list[Fraction] | None:
    """The sum of the cell's extreme rays (affine: scaled to height 1), or None where no cell has the pattern."""
    cone = _core.find_cell(arrangement, np.ascontiguousarray(packed))
    if cone is None:
        return None
    rays = cone[0]
    total = [sum(column) for column in zip(*rays, strict=True)] or [0] * (dimension + affine)
    height = total.pop() if affine and rays else 1
    return [Fraction(x, height) for x in total[:dimension]]


@dataclass(frozen=True)
class Neighbors:
    """The dual graph of an arrangement: which facet of a cell leads to which cell.

    The facets of cell k are ``facets[indptr[k]:indptr[k + 1]]``; crossing one leads to the cell at its place in ``cells``.

    Attributes
    ----------
    indptr : ndarray, shape (P + 1,), int64
    facets : ndarray, shape (m,), int64
        The first row of X on the hyperplane of the facet.
    cells : ndarray, shape (m,), int64
        Rows of `Arrangement.patterns`.
    """

    indptr: npt.NDArray[np.int64]
    facets: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int64]
