"""Distinct patterns of sampled directions, how often each was seen, and what that says.

Every sign is that of the exact dot product, so a pattern of Gaussian directions is that of a full-dimensional cell. A
direction that lies on a hyperplane is drawn again. A row that vanishes on the patch of a convolutional direction is on the
positive side, as in (5): its pattern may then be that of a boundary, whose cone is a part of a closed cell with the same
features, so that the program over it is a restriction of (7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.exact_input import Values
from .._support.limits import check_count, thread_count
from .._support.memory import default_limit
from .._support.progress import ProgressCallback, progress_callback
from .._support.validation import FloatArray, read_only
from ..bounds import cell_bound
from ..errors import CellLimitError, MemoryLimitError
from .angles import MOST_DRAWN, as_share, check_samples
from .count_estimate import CellCountEstimate, chao1
from .directions import Method, PreparedRows, key_of
from .intervals import binomial_interval
from .unseen import UnseenMass, unseen_mass

__all__ = ["SampledCells", "draw", "sample_cells", "sample_patterns"]


@dataclass(frozen=True, repr=False)
class SampledCells:
    """What a number of sampled directions saw.

    Attributes
    ----------
    packed : ndarray, shape (N, ceil(n / 8)), uint8, read-only
        The distinct patterns in the order in which they were first seen; row i of the data is bit i % 8 of byte i // 8.
    counts : ndarray, shape (N,), int64, read-only
        How many samples saw each.
    first_seen : ndarray, shape (N,), int64, read-only
        Number of the sample that saw it first, from 0; ascending.
    n_samples : int
    n : int
        Rows of the data.
    counters : dict
        "signs" of nonzero rows at directions; of these "double_signs" not decided in single precision, of these
        "exact_signs" not in double precision; directions "redrawn" because they lay on a hyperplane.
    """

    packed: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    first_seen: npt.NDArray[np.int64]
    n_samples: int
    n: int
    counters: dict[str, int]
    _nonzero: npt.NDArray[np.bool_] = field(compare=False)
    _n_columns: int
    _is_gaussian: bool

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        once = int(np.count_nonzero(self.counts == 1))
        return f"SampledCells({len(self):,} patterns of {self.n} rows in {self.n_samples:,} samples, {once:,} seen once)"

    @property
    def patterns(self) -> npt.NDArray[np.uint8]:
        """The patterns, shape (N, n), uint8, read-only: 1 on the positive side, and for zero rows."""
        if self.n == 0:
            return read_only(np.zeros((len(self), 0), dtype=np.uint8))
        return read_only(np.unpackbits(self.packed, axis=1, count=self.n, bitorder="little"))

    @property
    def shares(self) -> FloatArray:
        """counts / n_samples, shape (N,): an estimate of the probability of each, without bias over all patterns."""
        return read_only(self.counts / self.n_samples)

    def intervals(self, *, confidence: float = 0.95, simultaneous: bool = False) -> FloatArray:
        """Clopper and Pearson's interval for the probability (for Gaussian directions: the solid angle) of each pattern.

        Parameters
        ----------
        confidence : float
        simultaneous : bool
            True makes all of them hold at once with `confidence`: of a family as large as (6) allows, since which patterns
            were seen is itself a matter of chance [Bonferroni36]_.

        Returns
        -------
        ndarray, shape (N, 2), float64

        Notes
        -----
        One interval holds for a pattern chosen without looking at the counts.

        References
        ----------
        .. [Bonferroni36] C. E. Bonferroni. Teoria statistica delle classi e calcolo delle probabilità (1936).

        Examples
        --------
        >>> from topes.sampling import sample_cells
        >>> bool((sample_cells([[1, 0], [0, 1]], 1000).intervals()[:, 0] < 0.25).all())
        True
        """
        miss = (1.0 - as_share(confidence, "confidence")) / (min(self._family, 2**1000) if simultaneous else 1)
        return read_only(binomial_interval(self.counts, self.n_samples, miss))

    def unseen_mass(self, *, confidence: float = 0.95) -> UnseenMass:
        """Total probability of the patterns not seen, with an interval that holds whatever the probabilities are.

        Examples
        --------
        >>> from topes.sampling import sample_cells
        >>> print(sample_cells([[1, 0], [0, 1]], 10**6).unseen_mass())
        unseen mass 0, in [0, 8.76e-06] with confidence 0.95
        """
        once = int(np.count_nonzero(self.counts == 1))
        new = int(self.counts[self.first_seen >= self.n_samples // 2].sum())
        return unseen_mass(once, new, self.n_samples, as_share(confidence, "confidence"))

    def estimate_n_cells(self, *, confidence: float = 0.95) -> CellCountEstimate:
        """The number of patterns: proved bounds from both sides, and an estimate.

        Examples
        --------
        >>> from topes.sampling import sample_cells
        >>> print(sample_cells([[1, 0], [0, 1], [1, 1]], 1000).estimate_n_cells())
        6 cells seen, 6 known, about 6 in all ([6, 6] with confidence 0.95), at most 6 by (6)
        """
        once, twice = (int(np.count_nonzero(self.counts == k)) for k in (1, 2))
        bound = self._bound if self._is_gaussian else None
        share = as_share(confidence, "confidence")
        return chao1(len(self), once, twice, self.n_samples, n_known=self.n_known, bound=bound, confidence=share)

    @property
    def n_known(self) -> int:
        """Patterns seen, and their antipodes, which are cells as well; patterns seen, for sampling on patches."""
        if not self._is_gaussian or not self._nonzero.any():
            return len(self)
        flips = np.packbits(self._nonzero, bitorder="little")
        both = np.ascontiguousarray(np.concatenate([self.packed, self.packed ^ flips]))
        return len(np.unique(both.view(np.dtype((np.void, both.shape[1])))))

    @property
    def _bound(self) -> int:
        m = int(np.count_nonzero(self._nonzero))
        return cell_bound(m, min(m, self._n_columns))

    @property
    def _family(self) -> int:
        return self._bound if self._is_gaussian else 2**self.n


def draw(
    rows: PreparedRows,
    n_samples: int,
    *,
    key: tuple[int, int],
    first: int = 0,
    max_patterns: int | None = None,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
) -> SampledCells:
    """Samples first, ..., first + n_samples - 1 of a stream; see `sample_cells`."""
    most = default_limit() // _core.sample_bytes_per_pattern(rows.n)
    given = most + 1
    if max_patterns is not None:
        check_count(max_patterns, "max_patterns", 1)
        given = int(max_patterns)
    try:
        with progress_callback(progress, "sampling") as callback:
            packed, counts, first_seen, counters = rows.core.sample(
                rows.support, key, first, n_samples, min(most, given), thread_count(n_threads), "fastest", callback
            )
    except CellLimitError as error:
        if given <= most:
            raise CellLimitError(
                f"{n_samples:,} samples see more than max_patterns = {given:,} distinct patterns", bound=error.bound
            ) from None
        each = _core.sample_bytes_per_pattern(rows.n)
        raise MemoryLimitError(
            f"{n_samples:,} samples see more than {most:,} distinct patterns, which fill the memory that may be used; take "
            "fewer samples, or set max_patterns",
            expected_cells=most + 1,
            needed=(most + 1) * each,
            available=most * each,
        ) from None
    first_seen = read_only(first_seen - first) if first else first_seen
    return SampledCells(
        packed, counts, first_seen, n_samples, rows.n, counters, read_only(rows.nonzero), rows.n_columns, rows.is_gaussian
    )


def sample_cells(
    X: Any,
    n_samples: int,
    *,
    method: Method = "gaussian",
    bias: Any = False,
    values: Values = "binary",
    seed: int = 0,
    max_patterns: int | None = None,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
) -> SampledCells:
    """Sample directions and count the patterns they see.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `Arrangement`: floats, integers of any size, fractions; rows of any scale, zero and parallel ones too.
    n_samples : int
        From 1 to 2**63 - 1. Only distinct patterns take memory.
    method : "gaussian" or ConvolutionalSampling
        g ~ N(0, I), so that a cell is seen with the probability of its solid angle; or Gaussian on patches of the inputs.
    bias : {False, "penalized", "free"}
        With one, g has one Gaussian entry more, for a column of ones.
    values : {"binary", "decimal"}
        What a float in X means.
    seed : int
        The result depends on it, on X and on `n_samples` alone: not on `n_threads`, not on the processor.
    max_patterns : int, optional
        Stop beyond so many distinct patterns; default what four fifths of the free memory hold.
    n_threads : int, optional
        Default: all processors.
    progress : bool or callable
        As for `Arrangement.count`; the callable gets (share of the samples drawn, distinct patterns so far).

    Returns
    -------
    SampledCells

    Raises
    ------
    CellLimitError
        More than `max_patterns` distinct patterns.
    MemoryLimitError
        More than fit into memory.
    InputError
        An argument does not meet its requirement.

    Notes
    -----
    A sign is read off a product in single precision where it exceeds a rigorous bound on its error, else off one in double
    precision, else off integers. A direction is a vector of doubles: its 52 random bits an entry are the only approximation.

    Examples
    --------
    >>> from topes.sampling import sample_cells
    >>> s = sample_cells([[2, 2], [3, 3], [1, 0]], 10000)  # Example II.1
    >>> s
    SampledCells(4 patterns of 3 rows in 10,000 samples, 0 seen once)
    >>> sorted(zip(s.patterns.tolist(), s.shares.round(2).tolist()))  # 3/8, 1/8, 1/8, 3/8
    [([0, 0, 0], 0.37), ([0, 0, 1], 0.13), ([1, 1, 0], 0.12), ([1, 1, 1], 0.38)]
    """
    rows = PreparedRows.of(X, method, bias, values)
    count = check_samples(n_samples, most=MOST_DRAWN)
    key = key_of(seed)
    return draw(rows, count, key=key, max_patterns=max_patterns, n_threads=n_threads, progress=progress)


def sample_patterns(
    X: Any,
    n_samples: int,
    *,
    method: Method = "gaussian",
    bias: Any = False,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """The distinct patterns 1[X g >= 0] of sampled directions g.

    Parameters
    ----------
    X : array_like, shape (n, d)
    n_samples : int
        Directions to draw.
    method, bias, seed
        As for `sample_cells`, which also tells how often each was seen.

    Returns
    -------
    ndarray, shape (N, n), uint8, read-only
        N <= n_samples, in the order in which they were first seen. Zero rows are 1.

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    MemoryLimitError
        More patterns than fit into memory.

    Notes
    -----
    Theorem III.2: log(P / eps) / theta_min draws see all P cells with probability 1 - eps, theta_min the least solid angle.
    It is not known beforehand and can be tiny (1e-7 for 100 Gaussian points in 3 dimensions): it tells no one when to stop.

    Examples
    --------
    >>> from topes import sample_patterns
    >>> sorted(map(tuple, sample_patterns([[1, 0], [0, 1]], 100).tolist()))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    return sample_cells(X, n_samples, method=method, bias=bias, seed=seed).patterns
