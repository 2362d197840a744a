"""Sample weights as a change of the data, so that certificates hold for the weighted problem itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["weighted"]

_Floats = npt.NDArray[np.float64]
_POWERS = {"squared": 0.5, "l2": 0.5, "absolute": 1.0}
_MOST_ROWS = 10_000_000


def weighted(X: _Floats, y: _Floats, weights: _Floats, loss: str, bias: Any) -> tuple[_Floats, _Floats, bool]:
    """Data whose plain objective is the weighted one, and whether the bias has become their last column.

    A network without bias is homogeneous: s f(x) = f(s x) for s > 0. So for the squared loss rows and targets are
    multiplied by the square root of the weight, for the absolute loss by the weight, and a column of ones with them.
    Other losses take weights that are whole numbers: rows are repeated.
    """
    kept = weights > 0
    X, y, weights = X[kept], y[kept], weights[kept]
    if np.all(weights == 1):
        return X, y, False
    if isinstance(loss, str) and loss in _POWERS and bias != "free":
        scale = weights ** _POWERS[loss]
        columns = [X, np.ones((len(X), 1))] if bias else [X]
        return np.hstack(columns) * scale[:, None], y * scale, bool(bias)
    if np.all(weights == np.floor(weights)) and weights.sum() <= _MOST_ROWS:
        times = weights.astype(np.int64)
        return np.repeat(X, times, axis=0), np.repeat(y, times), False
    raise InputError(
        f"sample_weight must be whole numbers, {_MOST_ROWS:,} together at most, for loss={loss!r} and bias {bias!r}: "
        f"got {_odd(weights)}; the squared, l2 and absolute losses take any, unless the bias is free"
    )


def _odd(weights: _Floats) -> str:
    """What is not as it must be: an entry, or all together."""
    fractions = weights[weights != np.floor(weights)]
    return f"{fractions[0]:g}" if len(fractions) else f"a sum of {weights.sum():g}"
