"""Where sampled directions come from: a law, a seed, and the number of the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.exact_input import Values, as_exact_array, as_rows, exact_objects
from .._support.limits import check_count
from .._support.validation import FloatArray
from ..errors import InputError
from ..network import check_bias
from .convolutional import ConvolutionalSampling

__all__ = ["Method", "PreparedRows", "key_of", "sample_directions", "support_of"]

Method = str | ConvolutionalSampling


def key_of(seed: Any) -> tuple[int, int]:
    """The 128 bits of a seed that the generator takes: those of numpy's `SeedSequence`."""
    check_count(seed, "seed", 0)
    low, high = np.random.SeedSequence(int(seed)).generate_state(2, np.uint64)
    return int(low), int(high)


def support_of(method: Any, n_columns: int, with_bias: bool) -> _core.SampleSupport:
    """Columns of X, and the one of ones behind them, where directions are not zero."""
    if isinstance(method, ConvolutionalSampling):
        if method.n_columns != n_columns:
            raise InputError(f"X must have {method.n_columns} columns for inputs of shape {method.shape}, got {n_columns}")
        offsets, places = method.columns()
    elif isinstance(method, str) and method == "gaussian":
        offsets, places = list(range(n_columns)), [0]
    else:
        raise InputError(f"method must be 'gaussian' or a ConvolutionalSampling, got {method!r}")
    always = [n_columns] if with_bias else []
    words = (np.array(columns, dtype=np.uint32) for columns in (offsets, places, always))
    return _core.SampleSupport(n_columns + with_bias, *words)


@dataclass(frozen=True)
class PreparedRows:
    """Data and law of directions as the core takes them."""

    core: _core.SampleRows
    support: _core.SampleSupport
    n: int
    n_columns: int
    nonzero: npt.NDArray[np.bool_]
    is_gaussian: bool

    @classmethod
    def of(cls, X: Any, method: Any, bias: Any, values: Values) -> PreparedRows:
        data = as_exact_array(X, "X", 2, values)
        n, d = data.shape
        with_bias = check_bias(bias) is not False
        support = support_of(method, d, with_bias)
        if with_bias:
            ones = np.ones((n, 1), dtype=data.dtype if data.dtype.kind != "O" else np.int64)
            data = np.hstack([data, exact_objects(ones) if data.dtype.kind == "O" else ones])
        rows = as_rows(data)
        kind = _core.SampleRows
        build = kind.from_bytes if rows.ndim == 3 else kind.from_doubles if rows.dtype.kind == "f" else kind.from_int64
        nonzero = np.asarray((data != 0).any(axis=1), dtype=np.bool_)
        return cls(build(rows), support, n, d + with_bias, nonzero, not isinstance(method, ConvolutionalSampling))


def sample_directions(
    n_columns: int, n_samples: int, *, method: Method = "gaussian", bias: Any = False, seed: int = 0, first: int = 0
) -> FloatArray:
    """The directions whose patterns `sample_cells` takes.

    Parameters
    ----------
    n_columns : int
        Of X.
    n_samples : int
    method : "gaussian" or ConvolutionalSampling
    bias : {False, "penalized", "free"}
        With one, a last entry for a column of ones.
    seed : int
    first : int
        Number of the first sample; sample s is the same in whatever call.

    Returns
    -------
    ndarray, shape (n_samples, n_columns), float64, read-only
        One column more with a bias. Entries come from Philox4x64-10 [Salmon11]_ by the method of Box and Muller.

    Notes
    -----
    A direction that lies exactly on a hyperplane is drawn again by `sample_cells`; here it is shown as first drawn. That
    happens with a probability of the order of 2^-50 for each row.

    References
    ----------
    .. [Salmon11] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw. Parallel random numbers: as easy as 1, 2, 3. SC 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.sampling import sample_directions
    >>> W = sample_directions(3, 5)
    >>> W.shape, np.array_equal(W[2:4], sample_directions(3, 2, first=2))
    ((5, 3), True)
    """
    check_count(n_columns, "n_columns", 0)
    check_count(n_samples, "n_samples", 0)
    check_count(first, "first", 0)
    support = support_of(method, int(n_columns), check_bias(bias) is not False)
    return support.directions(key_of(seed), int(first), int(n_samples))
