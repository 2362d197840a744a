"""The bound by norms: ||V'phi(Xu)|| <= max(1, |kappa|) ||V|| ||X|| over unit u, for a certificate without cones."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ._file import Certificate
from ._numbers import TINY, FloatArray, Refused, gamma, round_up, sqrt_up, sum_up

__all__ = ["price_by_norms"]

_SQUARINGS = 30


def price_by_norms(k: Certificate) -> float:
    """No smaller than K times the price of all outputs together."""
    if k.by_output or k.norm != 2.0 or k.bias == "free":
        raise Refused("the trees of the cover are not complete")
    data = k.X if k.bias is None else np.hstack([k.X, np.ones((len(k.X), 1))])
    V = np.repeat(k.V, k.patches, axis=0)
    slope = max(Fraction(1), abs(Fraction(k.kappa)))
    return round_up(slope * Fraction(norm_up(data)) * Fraction(norm_up(V)))


def norm_up(A: FloatArray) -> float:
    """No smaller than the spectral norm.

    ||A||^2 = ||A'A||, so ||A|| <= ||B||_F^(2^-30) for B = A'A squared 29 times: of k columns no more than k^(2^-31) too
    large. Each product is off by at most gamma ||.||_F^2 in the Frobenius norm, which is added where it arises.

    Examples
    --------
    >>> norm_up(np.array([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])) - 4.0 < 1e-8
    True
    """
    if A.shape[0] < A.shape[1]:
        A = np.ascontiguousarray(A.T)
    scales, errors = [], []
    for _ in range(_SQUARINGS):
        most = float(np.abs(A).max(initial=0.0))
        if most == 0.0:
            break
        # A power of two: the entries are at most 1, and what underflows is below TINY.
        e = math.frexp(most)[1]
        A = np.ldexp(A, -e)
        n, c = A.shape
        frobenius = _square_up(A) + Fraction(n * c) * Fraction(2.0**-1000)
        scales.append(e)
        errors.append(frobenius * Fraction(gamma(n + 2)) + Fraction(2 * n * c * (n + 2)) * Fraction(TINY) * 4)
        A = A.T @ A
    bound = sqrt_up(_square_up(A)) if A.any() else 0.0
    for e, error in zip(reversed(scales), reversed(errors), strict=True):
        bound = round_up(Fraction(2) ** e * Fraction(sqrt_up(Fraction(bound) + error)))
    return bound


def _square_up(A: FloatArray) -> Fraction:
    """No smaller than the sum of squares."""
    squares = np.nextafter(A * A, np.inf)
    return Fraction(sum_up(squares.ravel().tolist()))
