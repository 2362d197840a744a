"""Theorem III.2: how many samples see all cells, as an exact integer."""

from __future__ import annotations

import math
import numbers
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from .._support.limits import check_count
from .._support.validation import choice
from ..errors import InputError
from .angles import exact_share

__all__ = ["sufficient_samples"]

# Computed angles may be a little off: n_cells * theta_min above 1 by less than this is taken as 1.
_SLACK = Fraction(1, 10**9)


def sufficient_samples(
    n_cells: int, theta_min: Any, eps: Any, *, form: Literal["theorem", "sharper"] = "theorem"
) -> int:
    """How many samples see every cell with probability at least 1 - eps, from the number of cells and the least angle.

    Parameters
    ----------
    n_cells : int
        P, of any size.
    theta_min : float or Fraction
        Least probability of a cell (solid angle over that of the whole sphere), in (0, 1 / P]; not radians: see Notes.
    eps : float or Fraction
        Strictly between 0 and 1.
    form : {"theorem", "sharper"}
        ceil(log(P / eps) / theta_min), Theorem III.2; or the least N with P (1 - theta_min)^N <= eps, which is
        ceil(log(P / eps) / log(1 / (1 - theta_min))) and never more.

    Returns
    -------
    int
        Of any size; exact: the arguments are taken as the rational numbers they are, and digits are added until the integer
        is beyond doubt.

    Raises
    ------
    InputError
        An argument is out of range.

    Notes
    -----
    Both follow from the union bound P(a cell is missed) <= sum (1 - theta_i)^N; `union_samples` solves that for all angles,
    `coverage_samples` what the bound approximates. The paper's theta-bar is P theta_min; Remark III.2 has angles in radians
    there, with which N comes out 2 pi times too small (see docs/sampling.md).

    Examples
    --------
    >>> from topes.sampling import sufficient_samples
    >>> sufficient_samples(16, 1 / 16, 0.05), sufficient_samples(4, 1 / 8, 0.05)  # a 16-gon, Example II.1
    (93, 36)
    >>> sufficient_samples(16, 1 / 16, 0.05, form="sharper")
    90
    >>> sufficient_samples(9902, 1e-25, 0.05)
    121962243094753588305971606
    """
    check_count(n_cells, "n_cells", 1)
    choice(form, "form", ("theorem", "sharper"))
    P = int(n_cells)
    share = exact_share(eps, "eps")
    theta = _exact_angle(theta_min)
    if not 0 < theta <= 1 or theta * P > 1 + _SLACK:
        raise InputError(f"theta_min must lie in (0, 1 / n_cells], as the angles of {P} cells sum to 1, got {theta_min!r}")
    if form == "theorem":
        return _theorem(P / share, theta)
    return 1 if theta == 1 else _sharper(P / share, theta)


def _exact_angle(value: Any) -> Fraction:
    if isinstance(value, numbers.Rational) and not isinstance(value, bool):
        return Fraction(value)
    number = float(value) if isinstance(value, (float, np.floating)) else math.nan
    if not math.isfinite(number):
        raise InputError(f"theta_min must be a number in (0, 1 / n_cells], got {value!r}")
    return Fraction(number)


def _theorem(ratio: Fraction, theta: Fraction) -> int:
    digits = 30
    while True:  # the logarithm of a rational number other than 1 is irrational: no tie
        low, high = (math.ceil(x / theta) for x in log_interval(ratio, digits))
        if low == high:
            return max(1, low)
        digits *= 2


def _sharper(ratio: Fraction, theta: Fraction) -> int:
    digits = 30
    while True:
        above, below = log_interval(ratio, digits), log_interval(1 / (1 - theta), digits)
        if below[0] > 0:
            low, high = math.ceil(above[0] / below[1]), math.ceil(above[1] / below[0])
            if low == high or _is_tie(ratio, theta, low):
                return max(1, low)
        digits *= 2


def _is_tie(ratio: Fraction, theta: Fraction, n: int) -> bool:
    """Whether ratio (1 - theta)^n is 1 exactly: powers of numerator and denominator, so n is small if it is."""
    kept = 1 - theta
    if n * (kept.denominator.bit_length() - 1) > ratio.numerator.bit_length():
        return False
    return bool(ratio * kept**n == 1)


def log_interval(x: Fraction, digits: int) -> tuple[Fraction, Fraction]:
    """Rational numbers around the natural logarithm of x, about `digits` digits apart."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = digits, MAX_EMAX, MIN_EMIN
        value = (Decimal(x.numerator) / Decimal(x.denominator)).ln()
    # The quotient and the logarithm are rounded once each, to half a unit of the last digit.
    middle = Fraction(value)
    error = (1 + abs(middle)) / 10 ** (digits - 1)
    return middle - error, middle + error
