"""Linear algebra on integers of any size, without fractions: numpy arrays of Python integers, dtype object."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .exact_input import exact_objects

__all__ = ["Integers", "as_integers", "independent_rows", "kernel_line", "narrowed", "primitive_rows", "solve"]

Integers = npt.NDArray[np.object_]


def as_integers(array: npt.NDArray[Any]) -> tuple[Integers, int]:
    """Integers A and a scale s > 0 with array = A / s, for what `as_exact_array` returns."""
    exact = exact_objects(array)
    scale = 1
    for x in exact.reshape(-1):
        if scale % x.denominator:
            scale = math.lcm(scale, x.denominator)
    out = np.empty(exact.shape, dtype=object)
    flat = out.reshape(-1)
    for k, x in enumerate(exact.reshape(-1)):
        flat[k] = int(x.numerator) * (scale // x.denominator)
    return out, scale


def narrowed(A: Integers, limit: int) -> npt.NDArray[Any]:
    """A as int64 where all entries are at most `limit` in size, else A."""
    if limit < 1 or (A.size and max(int(A.max()), -int(A.min())) > limit):
        return A
    return A.astype(np.int64)


def primitive_rows(A: Integers) -> Integers:
    """Each row divided by the greatest common divisor of its entries."""
    out: Integers = A.copy()
    for i, row in enumerate(A):
        divisor = math.gcd(*row)
        if divisor > 1:
            out[i] = row // divisor
    return out


def independent_rows(A: Integers, enough: int | None = None) -> tuple[list[int], list[int]]:
    """Rows that do not depend on rows before them, and as many columns in which they are independent.

    Bareiss elimination, O(n d r) products of numbers no longer than a minor of A. Stops at `enough` rows.
    """
    M = primitive_rows(A)
    rows: list[int] = []
    columns: list[int] = []
    previous = 1
    for i in range(len(M)):
        if len(rows) in (M.shape[1], enough):
            break
        nonzero = np.flatnonzero(M[i])
        if not len(nonzero):
            continue
        c = int(nonzero[0])
        pivot = M[i, c]
        rows.append(i)
        columns.append(c)
        M[i + 1 :] = (pivot * M[i + 1 :] - M[i + 1 :, c, None] * M[i]) // previous
        previous = pivot
    return rows, columns


def solve(A: Integers, B: Integers) -> tuple[Integers, int] | None:
    """N and D > 0 with A N = D B for a square A, or None where A is singular.

    Fraction-free Gauss-Jordan elimination: D is the determinant up to sign, and every division is exact.
    """
    k = len(A)
    M = np.concatenate([A, B], axis=1)
    previous = 1
    for c in range(k):
        nonzero = np.flatnonzero(M[c:, c])
        if not len(nonzero):
            return None
        p = c + int(nonzero[0])
        if p != c:
            M[[c, p]] = M[[p, c]]
        pivot = M[c, c]
        kept = M[c].copy()
        M = (pivot * M - M[:, c, None] * kept) // previous
        M[c] = kept
        previous = pivot
    N: Integers = M[:, k:]
    return (N, int(previous)) if previous > 0 else (-N, -int(previous))


def kernel_line(A: Integers) -> Integers | None:
    """The primitive integer vector, up to sign, that r - 1 rows of r entries are orthogonal to; None where they depend."""
    r = A.shape[1]
    rows, columns = independent_rows(A)
    if len(rows) != r - 1:
        return None
    free = next(j for j in range(r) if j not in columns)
    line = np.zeros(r, dtype=object)
    if columns:
        solved = solve(A[:, columns], -A[:, [free]])
        assert solved is not None  # the columns are independent
        line[columns], line[free] = solved[0][:, 0], solved[1]
    else:
        line[free] = 1
    return line // math.gcd(*line)
