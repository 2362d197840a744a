"""The union bound with every angle: sum (1 - theta_i)^N, and the least N that brings it to eps."""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from .angles import Angles, as_angles, check_samples, exact_share
from .sufficient import sufficient_samples

__all__ = ["log_missed", "union_bound", "union_samples"]

# Sums of at most so many powers are compared as rational numbers, which decides ties.
_MOST_EXACT = 20_000
# Digits after which a comparison that is still open counts as "above": one sample more, and the bound still holds.
_MOST_DIGITS = 640


def union_bound(theta: Any, n_samples: int, *, multiplicity: Any = None) -> float:
    """Bound on the probability that some cell is missed: the sum of (1 - theta_i)^N, which is the mean number missed.

    Parameters
    ----------
    theta : array_like, shape (m,)
        Probabilities of the cells.
    n_samples : int
        N, of any size.
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each: a histogram.

    Returns
    -------
    float
        Can exceed 1, and says nothing then.

    Examples
    --------
    >>> from topes.sampling import union_bound
    >>> round(union_bound([1 / 16], 93, multiplicity=[16]), 4)
    0.0396
    """
    angles, times = as_angles(theta, multiplicity)
    with np.errstate(under="ignore"):
        return float(times @ np.exp(log_missed(angles, check_samples(n_samples))))


def union_samples(theta: Any, eps: Any, *, multiplicity: Any = None) -> int:
    """The least N with sum (1 - theta_i)^N <= eps: the sharpest form of Theorem III.2's own argument.

    Parameters
    ----------
    theta : array_like, shape (m,)
        Probabilities of the cells; they are divided by their sum, then taken as the rational numbers they are.
    eps : float or Fraction
        Strictly between 0 and 1.
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each: a histogram.

    Returns
    -------
    int
        Of any size. Comparisons that floats cannot decide are made with more digits.

    Examples
    --------
    >>> from topes.sampling import sufficient_samples, union_samples
    >>> theta = [3 / 8, 1 / 8, 1 / 8, 3 / 8]  # Example II.1
    >>> union_samples(theta, 0.05), sufficient_samples(4, 1 / 8, 0.05, form="sharper"), sufficient_samples(4, 1 / 8, 0.05)
    (28, 33, 36)
    """
    angles = as_angles(theta, multiplicity)
    share = exact_share(eps, "eps")
    P = int(angles[1].sum())
    least = min(Fraction(float(angles[0][0])), Fraction(1, P))
    low, high = 0, sufficient_samples(P, least, share, form="sharper")
    while not _at_most(angles, high, share):  # only where the angles sum to 1 with a rounding
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _at_most(angles, middle, share) else (middle, high)
    return high


def log_missed(theta: FloatArray, n_samples: int) -> FloatArray:
    """N log(1 - theta), for an N of any size."""
    shift = max(0, n_samples.bit_length() - 1000)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return np.asarray(np.ldexp(np.log1p(-theta) * float(n_samples >> shift), shift))


def _at_most(angles: Angles, n: int, eps: Fraction) -> bool:
    theta, times = angles
    exponents = log_missed(theta, n)
    with np.errstate(under="ignore", invalid="ignore"):
        terms = times * np.exp(exponents)
        # Three roundings of the exponent, some of power and product, at most 64 of numpy's pairwise sum; twice that.
        error = float(np.nan_to_num(terms * (3.0 * np.abs(exponents) + 72.0)).sum()) * 2.0**-52
    total = float(terms.sum())
    margin = float(eps) * 2.0**-50
    if total + error < float(eps) - margin:
        return True
    if total - error > float(eps) + margin:
        return False
    if n * len(theta) <= _MOST_EXACT:
        return bool(sum(int(c) * (1 - Fraction(t)) ** n for t, c in zip(theta.tolist(), times.tolist(), strict=True)) <= eps)
    return _at_most_in_decimals(angles, n, eps)


def _at_most_in_decimals(angles: Angles, n: int, eps: Fraction) -> bool:
    theta, times = angles
    digits = 40
    while digits <= _MOST_DIGITS:
        total, size = Decimal(0), Decimal(0)
        with localcontext() as context:
            context.prec, context.Emax, context.Emin = digits, MAX_EMAX, MIN_EMIN
            for t, c in zip(theta.tolist(), times.tolist(), strict=True):
                if t == 1.0:
                    continue
                exponent = n * _log1m(t, digits)
                term = c * exponent.exp()
                total += term
                size += term * (8 + abs(exponent))
            error = Fraction(size) * (len(theta) + 4) / 10 ** (digits - 2)
        if Fraction(total) + error <= eps:
            return True
        if Fraction(total) - error > eps:
            return False
        digits *= 2
    return False


def _log1m(t: float, digits: int) -> Decimal:
    """log(1 - t) to a relative error of 10^(1 - digits): as many digits more as 1 - t loses."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = digits + 2 * max(0, -math.frexp(t)[1]) // 3 + 20, MAX_EMAX, MIN_EMIN
        return (1 - Decimal(t)).ln()
