"""Checks of what the theorem takes: probabilities of cells, the share of failures that is accepted."""

from __future__ import annotations

import math
import numbers
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray, as_vector
from ..errors import InputError

__all__ = ["MOST_DRAWN", "Angles", "as_angles", "as_share", "check_samples", "exact_share"]

#: How far the angles may be from a sum of 1: those of rank 4 and 5 are good to 1e-10 each, estimates less so.
SUM_TOLERANCE = 1e-6

#: Samples are numbered, and drawn by numpy, below this.
MOST_DRAWN = 2**63 - 1

Angles = tuple[FloatArray, npt.NDArray[np.int64]]


def as_share(value: Any, name: str) -> float:
    """Check that a number lies strictly between 0 and 1."""
    number = math.nan if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real) else float(value)
    if not 0.0 < number < 1.0:
        raise InputError(f"{name} must lie strictly between 0 and 1, got {value!r}")
    return number


def exact_share(value: Any, name: str) -> Fraction:
    """The same as the rational number it is."""
    as_share(value, name)
    return Fraction(value) if isinstance(value, numbers.Rational) else Fraction(float(value))


def check_samples(value: Any, name: str = "n_samples", most: int | None = None) -> int:
    """Check a number of samples: a Python integer of any size, at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value.__index__()) < 1:
        raise InputError(f"{name} must be an integer of at least 1, got {value!r}")
    count = int(value)
    if most is not None and count > most:
        raise InputError(
            f"{name} must be at most 2**63 - 1 to be drawn, got {count}; coverage_probability and union_bound take any"
        )
    return count


def as_angles(theta: Any, multiplicity: Any = None) -> Angles:
    """Check the probabilities of all cells, and sort them.

    Parameters
    ----------
    theta : array_like, shape (m,)
        In (0, 1].
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each; default 1.

    Returns
    -------
    theta : ndarray, shape (m,), float64
        Ascending, divided by their sum.
    multiplicity : ndarray, shape (m,), int64

    Raises
    ------
    InputError
        An angle is not in (0, 1], or they do not sum to 1 within 1e-6.
    """
    angles = as_vector(theta, "theta")
    bad = ~((angles > 0.0) & (angles <= 1.0))
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(f"theta[{k}] is {angles[k]}; theta must lie in (0, 1]: the probability of a cell")
    if multiplicity is None:
        times = np.ones(len(angles), dtype=np.int64)
    else:
        times = np.asarray(multiplicity)
        if times.shape != angles.shape or times.dtype.kind not in "iu" or (times < 1).any():
            raise InputError(f"multiplicity must hold an integer of at least 1 for each of the {len(angles)} angles")
        times = times.astype(np.int64)
    total = float(angles @ times)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise InputError(f"theta must sum to 1 over all cells, got a sum of {total}")
    order = np.argsort(angles, kind="stable")
    return angles[order] / total, times[order]
