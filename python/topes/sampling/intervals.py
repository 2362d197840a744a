"""Confidence intervals for a probability from a number of successes [ClopperPearson34]."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from .._support.limits import check_count
from .._support.validation import FloatArray
from ..errors import InputError
from .angles import as_share

__all__ = ["at_most", "binomial_interval", "clopper_pearson"]


def clopper_pearson(successes: Any, trials: int, *, confidence: float = 0.95) -> FloatArray:
    """An interval that holds the probability of a success with at least the given confidence, whatever it is.

    Parameters
    ----------
    successes : array_like of int, shape (...)
        From 0 to `trials`.
    trials : int
        At least 1.
    confidence : float
        In (0, 1); each end fails with probability (1 - confidence) / 2 at most.

    Returns
    -------
    ndarray, shape (..., 2), float64
        Lower and upper ends [ClopperPearson34]_.

    Raises
    ------
    InputError
        More successes than trials, or a number out of range.

    References
    ----------
    .. [ClopperPearson34] C. J. Clopper, E. S. Pearson. The use of confidence or fiducial limits illustrated in the case of
       the binomial. Biometrika 26 (1934).

    Examples
    --------
    >>> from topes.sampling import clopper_pearson
    >>> clopper_pearson([0, 5], 10).round(4).tolist()
    [[0.0, 0.3085], [0.1871, 0.8129]]
    """
    check_count(trials, "trials", 1)
    share = as_share(confidence, "confidence")
    k = np.asarray(successes)
    if k.dtype.kind not in "iu" or (k < 0).any() or (k > trials).any():
        raise InputError(f"successes must be integers from 0 to trials = {trials}, got {successes!r}")
    return binomial_interval(k, int(trials), 1.0 - share)


def binomial_interval(successes: npt.NDArray[Any], trials: int, fails: float) -> FloatArray:
    """The same for a probability to fail, of whatever size."""
    k, n = successes.astype(np.float64), float(trials)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1.0), n - k + 1.0, fails / 2.0), 0.0)
    high = np.where(k < n, _upper(k + 1.0, np.maximum(n - k, 1.0), fails / 2.0), 1.0)
    return np.stack([low, high], axis=-1)


def at_most(successes: int, trials: int, fails: float) -> float:
    """An upper bound that fails with probability `fails` at most."""
    return 1.0 if successes >= trials else float(_upper(successes + 1.0, float(trials - successes), fails))


def _upper(a: Any, b: Any, fails: float) -> Any:
    """What a beta variable exceeds with probability `fails`."""
    if fails > 1e-8:
        return betaincinv(a, b, 1.0 - fails)
    # 1 - fails would lose it: from the other end, with the rounding of that on the safe side.
    return np.minimum(1.0, 1.0 - betaincinv(b, a, fails) + 2.0**-52)
