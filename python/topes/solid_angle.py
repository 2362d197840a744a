"""Solid angles: the probability that a Gaussian direction falls into a cone, and into each cell of an arrangement."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._support.exact_input import Values, as_exact_array
from ._support.limits import cell_limit, check_count, refuse_if_too_large, restated, thread_count
from ._support.progress import ProgressCallback, progress_callback
from ._support.validation import FloatArray, read_only
from .arrangement import Arrangement
from .cells import exact_witness
from .errors import InputError
from .jobs import summarise_in_shares
from .jobs.supply import ExecutorLike

__all__ = [
    "AngledCell",
    "SolidAngle",
    "SolidAngleSummary",
    "SolidAngles",
    "solid_angle",
    "solid_angle_summary",
    "solid_angles",
]

_N_POINTS = 2048


def _method(rank: int) -> str:
    return (
        ("exact", "exact", "arctangent", "spherical excess")[rank]
        if rank <= 3
        else "nested cubature"
        if rank <= 5
        else "quasi-Monte Carlo"
    )


def _error_is(rank: int) -> str:
    return "a bound" if rank <= 3 else "an estimate" if rank <= 5 else "three standard errors"


@dataclass(frozen=True)
class SolidAngle:
    """The solid angle of one cone.

    Attributes
    ----------
    value : float
        Gaussian probability of the cone, between 0 and 1, dimensionless.
    error : float
        Of `value`: a bound for rank up to 3, an estimate on the safe side for 4 and 5, three standard errors from 6 on.
    rank : int
        Dimension of the space in which the angle was taken: the span of the rays, or of the normals.
    method : str
        "exact", "arctangent", "spherical excess", "nested cubature" or "quasi-Monte Carlo".
    """

    value: float
    error: float
    rank: int
    method: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.12g} (error {self.error:.1g}, {_error_is(self.rank)}; rank {self.rank}, {self.method})"


@dataclass(frozen=True, repr=False)
class SolidAngles:
    """The solid angles of all cells of an arrangement, as an array that knows its errors.

    `np.asarray` of it is `angles`.

    Attributes
    ----------
    angles : ndarray, shape (P,), float64, read-only
        In the order of `Arrangement.patterns`; they sum to 1.
    errors : ndarray, shape (P,), float64, read-only
        As in `SolidAngle`, for each cell.
    rank : int
        Of the arrangement: the angles are taken in its row space.
    method : str
        As in `SolidAngle`.
    exact_cones : int
        Cones for which rounded rays did not give nine digits and exact ones were taken; one of each antipodal pair.
    """

    angles: FloatArray
    errors: FloatArray
    rank: int
    method: str
    exact_cones: int

    def __len__(self) -> int:
        return len(self.angles)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.angles, dtype=dtype) if copy else np.asarray(self.angles, dtype=dtype)

    def __repr__(self) -> str:
        return (
            f"SolidAngles({len(self)} cells, least {self.angles.min():.3g}, greatest {self.angles.max():.3g}, "
            f"sum of errors {self.errors.sum():.1g}, rank {self.rank}, {self.method})"
        )


@dataclass(frozen=True)
class AngledCell:
    """A cell and its solid angle.

    Attributes
    ----------
    angle, error : float
        As in `SolidAngle`.
    pattern : ndarray, shape (n,), uint8, read-only
    witness : tuple of d Fractions
        A point of the cell, exactly.
    """

    angle: float
    error: float
    pattern: npt.NDArray[np.uint8]
    witness: tuple[Fraction, ...]


@dataclass(frozen=True)
class SolidAngleSummary:
    """What the solid angles of an arrangement are like, gathered without holding them.

    Attributes
    ----------
    n_cells : int
    least, greatest : AngledCell
        The first cells, in the order of `Arrangement.patterns`, with the least and the greatest angle.
    sum : float
        Of all angles: 1 within `error`.
    error : float
        Sum of the errors of all cells; what they are is said at `SolidAngle`.
    histogram : ndarray, shape (k,), int64, read-only
        Cells by log10 of their angle, ten bins a decade. An angle below the range of doubles is 0 and lies in the first bin.
    edges : ndarray, shape (k + 1,), float64, read-only
        The bins' ends: bin i holds log10(angle) in [edges[i], edges[i + 1]).
    rank, method, exact_cones
        As in `SolidAngles`.
    """

    n_cells: int
    least: AngledCell
    greatest: AngledCell
    sum: float
    error: float
    histogram: npt.NDArray[np.int64]
    edges: FloatArray
    rank: int
    method: str
    exact_cones: int

    def __str__(self) -> str:
        return (
            f"{self.n_cells:,} cells of rank {self.rank}: least angle {self.least.angle:.6g}, "
            f"greatest {self.greatest.angle:.6g}, P * least {self.n_cells * self.least.angle:.3g}\n"
            f"sum {self.sum:.15g}, error {self.error:.1g} ({_error_is(self.rank)}; {self.method}, "
            f"{self.exact_cones:,} cones by exact rays)"
        )


def solid_angle(
    *, rays: Any = None, halfspaces: Any = None, values: Values = "binary", n_points: int = _N_POINTS, seed: int = 0
) -> SolidAngle:
    """The solid angle of one cone: the probability that a Gaussian direction lies in it.

    Parameters
    ----------
    rays : array_like, shape (k, d)
        Generators of the cone. They must span R^d and lie strictly on one side of a hyperplane; redundant ones do no harm.
    halfspaces : array_like, shape (m, d)
        The cone is {w : H w >= 0}. It may hold lines. Give either this or `rays`.
    values : {"binary", "decimal"}
        As for `Arrangement`.
    n_points, seed : int
        From rank 6 on: points of the randomised quasi-Monte Carlo rule, and the seed of its shifts.

    Raises
    ------
    InputError
        Neither or both are given; the cone has no interior; the rays do not span R^d, or generate a line.

    Notes
    -----
    Rank r is that of H, or d for rays: beyond the span of the normals the cone holds everything. The rays of the cone are
    found exactly; only their inner products are rounded. So the error is relative to the value, however small the angle.
    Formulas, what is proved and what was measured: `docs/solid_angles.md`.

    Examples
    --------
    >>> from topes.solid_angle import solid_angle
    >>> solid_angle(rays=[[1, 0], [1, 1]]).value  # an eighth of a turn
    0.125
    >>> round(solid_angle(halfspaces=[[1, 0, 0], [0, 1, 0]]).value, 15)  # an edge of a cube
    0.25
    >>> print(solid_angle(rays=[[1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    0.125 (error 9e-16, a bound; rank 3, spherical excess)
    """
    if (rays is None) == (halfspaces is None):
        raise InputError("solid_angle needs either rays or halfspaces, got " + ("neither" if rays is None else "both"))
    check_count(n_points, "n_points", 1)
    check_count(seed, "seed", 0)
    if halfspaces is None:
        A = _dual(rays, values)
    else:
        A = Arrangement(as_exact_array(halfspaces, "halfspaces", 2, values), values=values)
    found = _core.solid_angle_of_cell(A._core, _all_positive(A.n), int(n_points), int(seed) % 2**64, None)
    if found is None:
        raise InputError("halfspaces must leave a cone with interior points; {w : H w > 0} is empty")
    return SolidAngle(*found, rank=A.rank, method=_method(A.rank))


def _all_positive(n: int) -> npt.NDArray[np.uint8]:
    return np.packbits(np.ones(n, dtype=np.uint8), bitorder="little")


def _dual(rays: Any, values: Values) -> Arrangement:
    """The facet normals of the cone of the rays: the extreme rays of its dual cone."""
    V = Arrangement(as_exact_array(rays, "rays", 2, values), values=values)
    if V.rank < V.dimension:
        raise InputError(f"rays must span the space of dimension {V.dimension}, got rays of rank {V.rank}")
    dual = _core.find_cell(V._core, _all_positive(V.n))
    if dual is None:
        raise InputError("rays must lie strictly on one side of a hyperplane; give a cone that holds a line by halfspaces")
    normals = np.empty((len(dual[0]), V.dimension), dtype=object)
    for k, normal in enumerate(dual[0]):
        normals[k] = normal
    return Arrangement(normals)


def solid_angles(
    A: Arrangement,
    *,
    n_points: int = _N_POINTS,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
    max_cells: int | None = None,
    max_bytes: int | None = None,
) -> SolidAngles:
    """The solid angle theta_i of every cell: the probability that w ~ N(0, I) has the pattern D_i. They sum to 1.

    Parameters
    ----------
    A : Arrangement
        Central.
    n_points, seed : int
        From rank 6 on: points for each cell of the randomised quasi-Monte Carlo rule, and the seed of its shifts.
    n_threads, progress, max_cells, max_bytes
        As in `Arrangement.patterns`. The result is the same for any number of threads.

    Returns
    -------
    SolidAngles
        `angles`, shape (P,), in the order of `Arrangement.patterns`; antipodes side by side have the same angle.

    Raises
    ------
    InputError
        A is no arrangement, or an affine one.
    CellLimitError, MemoryLimitError
        As for `Arrangement.patterns`.

    Notes
    -----
    Accuracy, for each cell relative to its angle: 2e-9 or better for rank up to 5, also where the angle is tiny; from 6 on
    what `errors` say. An arrangement without hyperplanes has one cell, of angle 1.

    Examples
    --------
    >>> import topes
    >>> A = topes.Arrangement([[2, 2], [3, 3], [1, 0]])  # Example II.1
    >>> sorted(topes.solid_angles(A).angles.round(12).tolist())
    [0.125, 0.125, 0.375, 0.375]
    """
    limit = _check(A, n_points, seed, max_cells)
    bytes_per_cell = 32  # angle and error, and once more while they are put together
    limit = min(limit, refuse_if_too_large(A, bytes_per_cell, max_bytes, max_cells=limit))
    with restated(A), progress_callback(progress, "solid angles") as callback:
        angles, errors, exact_cones, _ = _core.solid_angles(
            A._core, int(n_points), int(seed) % 2**64, limit, thread_count(n_threads), callback
        )
    return SolidAngles(angles, errors, A.rank, _method(A.rank), exact_cones)


def solid_angle_summary(
    A: Arrangement,
    *,
    n_points: int = _N_POINTS,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
    max_cells: int | None = None,
    executor: ExecutorLike | None = None,
    checkpoint: Any = None,
) -> SolidAngleSummary:
    """Least and greatest solid angle with their cells, histogram and sum, in memory that does not grow with their number.

    Parameters
    ----------
    A, n_points, seed, n_threads, progress, max_cells
        As in `solid_angles`.
    executor, checkpoint
        As in `Arrangement.count`. The result is the same to the last bit, whoever works.

    Raises
    ------
    InputError, CellLimitError
        As for `solid_angles`; the checkpoint belongs to another arrangement, seed or number of points.
    JobError
        The executor keeps failing.

    Examples
    --------
    >>> import topes
    >>> s = topes.solid_angle_summary(topes.Arrangement([[2, 2], [3, 3], [1, 0]]))
    >>> s.n_cells, round(s.least.angle, 12), round(s.greatest.angle, 12), round(s.sum, 12)
    (4, 0.125, 0.375, 1.0)
    >>> s.least.pattern.tolist(), [str(x) for x in s.least.witness]
    ([1, 1, 0], ['-1', '2'])
    >>> s.histogram[[0, -1]].tolist(), s.edges[[0, -1]].round(12).tolist()
    ([2, 2], [-1.0, -0.4])
    """
    limit = _check(A, n_points, seed, max_cells)
    settings = int(n_points), int(seed) % 2**64
    if executor is not None or checkpoint is not None:
        found = summarise_in_shares(
            A,
            *settings,
            executor=executor,
            checkpoint=checkpoint,
            n_threads=n_threads,
            progress=progress,
            max_cells=limit,
        )
    else:
        with restated(A), progress_callback(progress, "solid angles") as callback:
            found = _core.solid_angle_summary(A._core, *settings, limit, thread_count(n_threads), callback)
    n_cells, total, error, least, greatest, first_bin, bins, per_decade, exact_cones, _ = found
    edges = read_only((first_bin + np.arange(len(bins) + 1)) / per_decade)
    return SolidAngleSummary(
        n_cells, _cell(A, *least), _cell(A, *greatest), total, error, bins, edges, A.rank, _method(A.rank), exact_cones
    )


def _cell(A: Arrangement, angle: float, error: float, packed: bytes) -> AngledCell:
    bits = np.frombuffer(packed, dtype=np.uint8)
    witness = exact_witness(A._core, bits, False, A.dimension)
    assert witness is not None  # it is the pattern of a cell
    pattern = np.unpackbits(bits, count=A.n, bitorder="little") if A.n else np.zeros(0, dtype=np.uint8)
    return AngledCell(angle, error, read_only(pattern), tuple(witness))


def _check(A: Any, n_points: Any, seed: Any, max_cells: int | None) -> int:
    if not isinstance(A, Arrangement):
        raise InputError(f"A must be a topes.Arrangement, got {type(A).__name__}")
    if not A.is_central:
        raise InputError(f"A must be central: cells of an affine arrangement have no solid angles; got {A!r}")
    check_count(n_points, "n_points", 1)
    check_count(seed, "seed", 0)
    return cell_limit(max_cells)
