"""The exact probability that N samples see every cell, for any angles, by one integral.

Let C_m be the probability for m samples. Then sum C_m z^m / m! = prod (e^(theta_i z) - 1), and C_N is N! times its
coefficient N: an integral over the circle of radius N, where the trapezoidal rule with 12 sqrt(N) + 128 points is off by
coefficients whose Poisson weight, relative to that of N, is below 1e-30. The integrand is concentrated around the positive
axis, so about a hundred points are looked at whatever N is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ..errors import InputError
from .angles import Angles, as_angles, as_share, check_samples
from .union_bound import log_missed, union_samples

__all__ = ["coverage_probability", "coverage_samples"]

# e^-45 < 3e-20: what is left out of the integral, and what is taken as 0.
_NEGLIGIBLE = 45.0
# Ties, as of two equal cells at N = 2 and eps = 1/2, count as reached.
_ACCURACY = 1e-12
_MOST_BITS = 1000  # of N, so that it is a float
_CHUNK = 1 << 16  # cells times points in memory at a time, in units of 64


def coverage_probability(theta: Any, n_samples: int, *, multiplicity: Any = None) -> float:
    """Probability that N independent samples see every cell at least once.

    Parameters
    ----------
    theta : array_like, shape (m,)
        Probabilities of the cells.
    n_samples : int
        N, at least 1 and below 2**1000.
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each: a histogram.

    Returns
    -------
    float
        To an absolute error of about 1e-12; 0.0 if N is less than the number of cells.

    Raises
    ------
    InputError
        An argument is out of range.

    Notes
    -----
    Time: a hundred powers for each angle; up to 6 sqrt(N) of them where N is small. The generating function is that of the
    coupon collector's problem [Flajolet92]_.

    References
    ----------
    .. [Flajolet92] P. Flajolet, D. Gardy, L. Thimonier. Birthday paradox, coupon collectors, caching algorithms and
       self-organizing search. Discrete Applied Math. 39 (1992).

    Examples
    --------
    >>> from topes.sampling import coverage_probability
    >>> round(coverage_probability([1 / 16], 93, multiplicity=[16]), 6)  # a 16-gon at the theorem's N for eps = 0.05
    0.960905
    >>> round(coverage_probability([0.5, 0.5], 3), 12)
    0.75
    """
    return _probability(as_angles(theta, multiplicity), _checked(n_samples))


def coverage_samples(theta: Any, eps: float, *, multiplicity: Any = None) -> int:
    """The least N whose `coverage_probability` is at least 1 - eps: what the forms of Theorem III.2 approximate from above.

    Parameters
    ----------
    theta, multiplicity
        As for `coverage_probability`.
    eps : float
        Strictly between 0 and 1; below 1e-10 the accuracy of the probability is not enough.

    Returns
    -------
    int
        Off by one or more only where the probability is within 1e-12 of 1 - eps: by a share of about 1e-12 / eps.

    Examples
    --------
    >>> from topes.sampling import coverage_samples
    >>> coverage_samples([1 / 16], 0.05, multiplicity=[16]), coverage_samples([3 / 8, 1 / 8, 1 / 8, 3 / 8], 0.05)
    (90, 28)
    """
    share = as_share(eps, "eps")
    if share < 1e-10:
        raise InputError(f"eps must be at least 1e-10 here, got {eps!r}; union_samples takes any")
    angles = as_angles(theta, multiplicity)
    low, high = int(angles[1].sum()) - 1, union_samples(theta, eps, multiplicity=multiplicity)
    _checked(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _probability(angles, middle) > 1.0 - share - _ACCURACY else (middle, high)
    return high


def _checked(n_samples: Any) -> int:
    n = check_samples(n_samples)
    if n.bit_length() > _MOST_BITS:
        raise InputError(f"n_samples must be below 2**{_MOST_BITS}, got a number of {n.bit_length()} bits")
    return n


def _probability(angles: Angles, n: int) -> float:
    theta, times = angles
    P = int(times.sum())
    if n < P:
        return 0.0
    if P == 1:
        return 1.0
    with np.errstate(under="ignore"):
        missed = float(times @ np.exp(log_missed(theta, n)))
    # Seeing one cell makes it no likelier to see another [Dubhashi98]: C_N <= prod (1 - (1 - theta_i)^N) <= e^-missed.
    if missed > _NEGLIGIBLE:
        return 0.0
    # A cell that is missed with probability q adds q at most to 1 - C_N: leave out what sums to less than 1e-17.
    with np.errstate(under="ignore"):
        rest = np.cumsum((times * np.exp(log_missed(theta, n)))[::-1])[::-1]
    keep = rest > 1e-17
    if not keep.any():
        return 1.0
    theta, times = theta[keep], times[keep]
    radius = float(n)
    n_points = math.ceil(12.0 * math.sqrt(radius)) + 128
    step = 2.0 * math.pi / n_points
    last = n_points // 2
    window = _window(theta, times, P, radius)
    if window is not None:
        last = min(last, math.ceil(2.0 * math.asin(math.sqrt(window / 2.0)) / step))
    total = 0.0
    at_once = max(1, 64 * _CHUNK // len(theta))
    for begin in range(0, last + 1, at_once):
        phi = step * np.arange(begin, min(begin + at_once, last + 1), dtype=np.float64)
        values = _integrand(theta, times, radius, np.asarray(phi, dtype=np.float64))
        on_axis = (phi == 0.0) | (2 * np.arange(begin, begin + len(phi)) == n_points)
        weights = np.where(on_axis, 1.0, 2.0)  # the others stand for both half circles
        total += float(weights @ values)
    return min(1.0, max(0.0, total / n_points / _poisson_mode(n)))


def _integrand(theta: FloatArray, times: Any, radius: float, phi: FloatArray) -> FloatArray:
    """Real part of e^(N (e^(i phi) - 1 - i phi)) prod (1 - e^(-theta_i z))."""
    small = phi < 0.1
    # sin phi - phi without cancellation: the terms left out are below 1e-17 of the first.
    series = -(phi**3) / 6.0 * (1.0 - phi**2 / 20.0 * (1.0 - phi**2 / 42.0 * (1.0 - phi**2 / 72.0 * (1.0 - phi**2 / 110.0))))
    turn = radius * np.where(small, series, np.sin(phi) - phi)
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        decay = -2.0 * radius * np.sin(phi / 2.0) ** 2
        z = radius * (np.cos(phi) + 1j * np.sin(phi))
        # The product and the decay together stay below 1; apart they may leave the range of floats: add logarithms.
        factors = np.log(-np.expm1(-theta[:, None] * z[None, :]))
        logs = times.astype(np.float64) @ factors.real + 1j * (times.astype(np.float64) @ factors.imag)
        return np.asarray(np.exp(decay + logs.real) * np.cos(turn + logs.imag))


def _window(theta: FloatArray, times: Any, n_cells: int, radius: float) -> float | None:
    """A bound on 1 - cos phi beyond which the integrand is below e^-45; None if there is none.

    There |e^z prod (1 - e^(-theta z))| <= e^(N cos phi) prod (1 + e^(-theta N cos phi)), whose logarithm is convex in
    cos phi: it is small everywhere beyond if it is small at the ends.
    """

    def log_bound(x: float) -> float:
        return -radius * x + float(times @ np.logaddexp(0.0, -theta * radius * (1.0 - x)))

    if log_bound(2.0) > -_NEGLIGIBLE:
        return None
    window = 2.0 * _NEGLIGIBLE / radius
    while window < 2.0:
        if log_bound(window) <= -_NEGLIGIBLE:
            return window
        window *= 1.5
    return None


def _poisson_mode(n: int) -> float:
    """e^-n n^n / n!, to a few roundings: Stirling's series where its first term left out, 1 / (1188 n^9), is below 1e-15."""
    x = float(n)
    if n < 22:
        return float(n**n / math.factorial(n) * math.exp(-x))
    y = 1.0 / (x * x)
    series = (1.0 - y / 30.0 * (1.0 - y * 2.0 / 7.0 * (1.0 - y * 0.75))) / (12.0 * x)
    return math.exp(-series) / math.sqrt(2.0 * math.pi) / math.sqrt(x)
