"""The support function of a zonotope, and the face where a linear function is largest."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.integers import Integers, independent_rows
from .._support.validation import FloatArray

__all__ = ["Face", "approx_support", "exact_support", "face"]

_SPLIT = 134217729.0  # 2^27 + 1 [Dekker71]
_NOTHING = -(2**20)  # an exponent below all others
_CHUNK_BYTES = 1 << 22  # few enough to stay in cache


@dataclass(frozen=True)
class Face:
    """The face of a zonotope on which a linear function is largest: {X'u : u_i = pattern_i, any where that is -1}.

    Attributes
    ----------
    pattern : ndarray, shape (n,), int8
        1 where x_i.c > 0, 0 where x_i.c < 0, -1 where x_i.c = 0. A zero row has 1.
    dimension : int
        0 for a vertex.
    vertex : ndarray, shape (d,), object
        The sum of the rows of pattern 1, `fractions.Fraction`: the vertex, or a point of the face.
    value : Fraction
        What the function is on it: h(c).
    """

    pattern: npt.NDArray[np.int8]
    dimension: int
    vertex: npt.NDArray[np.object_]
    value: Fraction


def exact_support(X: Integers, C: Integers, scale: int) -> npt.NDArray[np.object_]:
    """h of the rows of C, with X and C times one number each that multiply to `scale`."""
    out = np.empty(len(C), dtype=object)
    for k, c in enumerate(C):
        heights = X @ c if X.shape[1] else []
        out[k] = Fraction(sum(x for x in heights if x > 0), scale)
    return out


def face(X: Integers, x_scale: int, c: Integers, c_scale: int) -> Face:
    """The face that c is largest on."""
    n, d = X.shape
    heights = X @ c if d else np.zeros(n, dtype=object)
    zero = ~(X != 0).any(axis=1)
    pattern = np.where(heights > 0, 1, np.where(heights < 0, 0, -1)).astype(np.int8)
    dimension = len(independent_rows(X[pattern < 0])[0])
    pattern[zero] = 1
    pattern.setflags(write=False)
    total = X[pattern > 0].sum(axis=0) if (pattern > 0).any() else np.zeros(d, dtype=object)
    vertex = np.array([Fraction(x, x_scale) for x in total] + [None], dtype=object)[:-1]
    value = Fraction(sum(h for h in heights if h > 0), x_scale * c_scale)
    return Face(pattern, dimension, vertex, value)


def approx_support(X: FloatArray, C: FloatArray) -> FloatArray:
    """h of the rows of C in twice the working precision, rounded to doubles.

    Sums are unevaluated pairs of doubles and products exact, so the error is that of the last rounding, plus about
    2^-104 (n + d) sum_i sum_j |x_ij c_j| where much cancels within a row. Powers of two keep all in range.
    """
    n, d = X.shape
    out = np.zeros(len(C))
    if not n or not d or not len(C):
        return out
    largest = np.abs(X).max(axis=0)
    columns = np.frexp(largest)[1]
    A = np.ldexp(X, -columns)
    matters = (C != 0.0) & (largest != 0.0)
    exponents = np.where(matters, np.frexp(C)[1] + columns, _NOTHING).max(axis=1)
    per = max(1, _CHUNK_BYTES // (64 * n))
    for at in range(0, len(C), per):
        B = np.where(matters[at : at + per], C[at : at + per], 0.0)
        B = np.ldexp(B, columns - exponents[at : at + per, None])
        high = np.zeros((n, len(B)))
        low = np.zeros_like(high)
        for j in range(d):
            p, e = _product(A[:, j, None], B[None, :, j])
            high, low = _add(high, low, p, e)
        keep = (high > 0.0) | ((high == 0.0) & (low > 0.0))
        out[at : at + per] = _sum_rows(np.where(keep, high, 0.0), np.where(keep, low, 0.0))
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(out, np.where(exponents > _NOTHING, exponents, 0)))


def _product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """a b = p + e exactly."""
    p = a * b
    a1 = _SPLIT * a
    a1 = a1 - (a1 - a)
    b1 = _SPLIT * b
    b1 = b1 - (b1 - b)
    a2, b2 = a - a1, b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def _add(high: FloatArray, low: FloatArray, x: FloatArray, e: Any) -> tuple[FloatArray, FloatArray]:
    s = high + x
    b = s - high
    low = low + ((high - (s - b)) + (x - b)) + e
    total = s + low
    return total, low - (total - s)


def _sum_rows(high: FloatArray, low: FloatArray) -> FloatArray:
    """Column sums, by halves."""
    while len(high) > 1:
        half = len(high) // 2
        rest = (high[2 * half :], low[2 * half :])
        high, low = _add(high[:half], low[:half], high[half : 2 * half], low[half : 2 * half])
        if len(rest[0]):
            high, low = np.concatenate([high, rest[0]]), np.concatenate([low, rest[1]])
    return np.asarray(high[0] + low[0])
