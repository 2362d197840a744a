"""Arithmetic that errs on the safe side: exact sums of doubles, roundings upwards and downwards, intervals, logarithms.

Doubles are IEEE 754 binary64, rounded to nearest: +, -, *, / and sqrt have a relative error of at most U = 2^-53, or an
absolute one of at most 2^-1075 where the result is subnormal; so the neighbour of a rounded result bounds the exact one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "TINY",
    "FloatArray",
    "Interval",
    "Refused",
    "U",
    "entropy_up",
    "exact_dot",
    "gamma",
    "is_below",
    "norms_up",
    "round_down",
    "round_up",
    "softplus",
    "sqrt_up",
    "sum_down",
    "sum_up",
]

FloatArray = npt.NDArray[np.float64]

U = 2.0**-53
TINY = 2.0**-1074


class Refused(Exception):
    """The file is not a certificate, or does not prove what it claims; the message says why."""


def gamma(k: int) -> float:
    """At least k U / (1 - k U): the relative error of k roundings, for k below 2^30."""
    if k >= 2**30:
        raise Refused("the problem is larger than this checker's error bounds allow")
    return k * U * (1.0 + 2.0**-20)


def round_up(x: Fraction) -> float:
    """A double that is no smaller; at most two units in the last place larger; 0 for 0."""
    if x == 0:
        return 0.0
    try:
        return math.nextafter(float(x), math.inf)  # float() rounds to nearest
    except OverflowError:
        raise Refused("a number exceeds the range of doubles") from None


def round_down(x: Fraction) -> float:
    """A double that is no larger."""
    return -round_up(-x)


def is_below(x: float, y: float) -> bool:
    """x <= y, and neither is nan or infinite."""
    return math.isfinite(x) and math.isfinite(y) and x <= y


def sum_up(x: Iterable[float]) -> float:
    """No smaller than the sum: fsum is the exact sum, rounded once."""
    return math.nextafter(_fsum(x), math.inf)


def sum_down(x: Iterable[float]) -> float:
    """No larger than the sum."""
    return math.nextafter(_fsum(x), -math.inf)


def _fsum(x: Iterable[float]) -> float:
    try:
        return math.fsum(x)
    except (OverflowError, ValueError):  # ValueError: inf - inf
        raise Refused("a sum exceeds the range of doubles") from None


def sqrt_up(x: Fraction) -> float:
    """No smaller than the square root of x >= 0: the root of an integer, exactly, at 2^-k."""
    if x == 0:
        return 0.0
    shift = max(0, 140 - (x.numerator.bit_length() - x.denominator.bit_length())) // 2 * 2
    root = math.isqrt((x.numerator << shift) // x.denominator) + 1
    return round_up(Fraction(root, 1 << (shift // 2)))


def exact_dot(x: FloatArray, y: FloatArray) -> Fraction:
    """The exact sum of x_i y_i: integers times a common power of two."""
    used = (x != 0.0) & (y != 0.0)
    a, p = np.frexp(x[used])
    b, q = np.frexp(y[used])
    if not len(a):
        return Fraction(0)
    left, right = (a * 2.0**53).astype(np.int64).tolist(), (b * 2.0**53).astype(np.int64).tolist()
    exponents = (p.astype(np.int64) + q).tolist()
    least = min(exponents)
    total = sum((m * k) << (e - least) for m, k, e in zip(left, right, exponents, strict=True))
    power = least - 106
    return Fraction(total << power) if power >= 0 else Fraction(total, 1 << -power)


def norms_up(x: FloatArray, q: float) -> FloatArray:
    """No smaller than the q-norm (1, 2 or inf) of each row of x >= 0, shape (n,)."""
    if x.shape[1] == 0:
        return np.zeros(len(x))
    k = x.shape[1]
    most = x.max(axis=1)
    if q == math.inf:
        return np.asarray(most)
    if q == 1:
        return np.asarray(np.nextafter(x.sum(axis=1) * (1.0 + gamma(k + 2)), np.inf))
    # Shares of the largest: no square of one that matters underflows. A quotient, a square, k sums, a root, a product.
    shares = x / np.where(most > 0.0, most, 1.0)[:, None]
    root = np.sqrt((shares * shares).sum(axis=1) + 2.0 * k * TINY) * (1.0 + gamma(k + 6))
    return np.where(most > 0.0, np.nextafter(most * root, np.inf), 0.0)


@dataclass(frozen=True)
class Interval:
    """Numbers known to lie between `low` and `high`, entry by entry."""

    low: FloatArray
    high: FloatArray

    @staticmethod
    def of(x: Any) -> Interval:
        x = np.asarray(x, dtype=np.float64)
        return Interval(x, x)

    def __add__(self, other: Interval) -> Interval:
        return Interval(np.nextafter(self.low + other.low, -np.inf), np.nextafter(self.high + other.high, np.inf))

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + (-other)

    def __mul__(self, other: Interval) -> Interval:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
        return Interval(np.nextafter(low, -np.inf), np.nextafter(high, np.inf))

    def magnitude(self) -> Interval:
        """The absolute values."""
        a, b = np.abs(self.low), np.abs(self.high)
        spans = (self.low <= 0.0) & (self.high >= 0.0)
        return Interval(np.where(spans, 0.0, np.minimum(a, b)), np.maximum(a, b))


# Python's decimal module rounds every operation, ln and exp among them, correctly to the digits of its context (the General
# Decimal Arithmetic standard, which its documentation states). Sixty digits leave a relative error of 5e-60 an operation.
# Each function below does fewer than ten operations on numbers below 10^6 in size, so 10^-50 covers all of them. The
# operators of Decimal would round to the digits of the thread's own context: hence the methods of this one, and Fractions.
_CONTEXT = Context(prec=60, Emax=10**6, Emin=-(10**6))
_MARGIN = Fraction(1, 10**50)
_WIDTH = Decimal("1e-58")
_FAR = Decimal(400)


def softplus(x: float) -> tuple[Fraction, Fraction]:
    """Lower and upper bound on log(1 + exp(x)) = max(0, x) + log(1 + exp(-|x|))."""
    exact, tail = Fraction(max(x, 0.0)), Decimal(-abs(x))
    rest = Decimal(0)
    if tail > -_FAR:  # else the second term lies between 0 and exp(-400) < 10^-50
        rest = _CONTEXT.ln(_CONTEXT.add(Decimal(1), _CONTEXT.exp(tail)))
    return exact + max(Fraction(0), Fraction(rest) - _MARGIN), exact + Fraction(rest) + _MARGIN


def entropy_up(p: Fraction) -> Fraction:
    """No smaller than p log p + (1 - p) log(1 - p), for 0 <= p <= 1; 0 log 0 is 0."""
    return _x_log_x_up(p) + _x_log_x_up(1 - p)


def _x_log_x_up(x: Fraction) -> Fraction:
    """No smaller than x log x: convex, so largest at an end of an interval that holds x."""
    if x in (0, 1):
        return Fraction(0)
    near = _CONTEXT.divide(Decimal(x.numerator), Decimal(x.denominator))
    width = _CONTEXT.multiply(near, _WIDTH)
    ends = (min(_CONTEXT.add(near, width), Decimal(1)), _CONTEXT.subtract(near, width))
    return max(Fraction(_CONTEXT.multiply(e, _CONTEXT.ln(e))) for e in ends) + _MARGIN
