"""Inverses of exact Gram matrices between proved bounds, in integers of a few hundred bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._support.integers import Integers
from .._support.validation import FloatArray

__all__ = ["EnclosedInverse", "enclosed_inverse", "least_eigenvalue", "unit_scaled"]

_U = 2.0**-53
_STEPS = 12  # Newton's method doubles the digits in each


@dataclass(frozen=True)
class EnclosedInverse:
    """M with |M_ij 2^bits - R_ij| <= radius_j, for the inverse M of a Gram matrix scaled by 2^-exponents on both sides."""

    R: Integers
    radius: Integers
    bits: int
    exponents: list[int]

    def sign(self, i: int, j: int) -> int | None:
        """The sign of M_ij, None where the bounds do not tell."""
        x = self.R[i, j]
        return 1 if x > self.radius[j] else -1 if x < -self.radius[j] else None

    def doubles(self) -> tuple[FloatArray, float]:
        """M in doubles, and a bound on the error of each entry."""
        M = np.array([[x / (1 << self.bits) for x in row] for row in self.R])
        return M, max(self.radius) / (1 << self.bits) * (1.0 + 4.0 * _U) + 2.0**-52 * float(np.abs(M).max())


def unit_scaled(G: Integers, bits: int) -> tuple[Integers, list[int]]:
    """G_ij / 2^(e_i + e_j) in units of 2^-bits, rounded down, with diagonal entries between 1/4 and 1; and the e_i."""
    e = [(int(x).bit_length() + 1) // 2 for x in np.diagonal(G)]
    out = np.empty_like(G)
    for i, row in enumerate(G):
        for j, x in enumerate(row):
            shift = bits - e[i] - e[j]
            out[i, j] = x << shift if shift >= 0 else x >> -shift
    return out, e


def enclosed_inverse(G: Integers, bits: int) -> EnclosedInverse | None:
    """The inverse of `unit_scaled` G, or None where this precision does not get there.

    Newton's method R <- R + R (I - G R) from the inverse in doubles. Then with E = I - R G, |E| its largest row sum:
    M - R = (E + E^2 + ...) R, so entries of column j are within |E| / (1 - |E|) max_i |R_ij|. Nothing is left out: G is
    rounded by at most one unit, which counts in E as k max |R|.
    """
    k = len(G)
    A, exponents = unit_scaled(G, bits)
    one = 1 << bits
    try:
        with np.errstate(over="ignore"):
            start = 2.0**60 * np.linalg.inv(np.array([[x / one for x in row] for row in A]))
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(start).all():
        return None
    R = np.array([[int(x) << (bits - 60) for x in row] for row in start.tolist()], dtype=object).reshape(k, k)
    unit = np.eye(k, dtype=np.int64).astype(object) * one
    last = None
    for _ in range(_STEPS):
        E = unit - (A @ R >> bits)
        size = max(abs(x) for x in E.reshape(-1))
        if last is not None and size >= last:
            break
        last = size
        R = R + (R @ E >> bits)
    square = unit * one - R @ A  # in units of 2^(-2 bits)
    off = max(sum(abs(x) for x in row) for row in square) + k * max(abs(x) for x in R.reshape(-1))
    if 2 * off >= one * one:
        return None
    largest = [max(abs(x) for x in column) for column in R.T]
    radius = np.array([2 * off * x // (one * one) + 1 for x in largest], dtype=object)  # 1 / (1 - |E|) <= 2
    return EnclosedInverse(R, radius, bits, exponents)


def least_eigenvalue(A: FloatArray, error: float) -> float:
    """A lower bound on the least eigenvalue of symmetric matrices with entries within `error` of those of A.

    Where Cholesky's method comes to its end on A - s I, no eigenvalue is below s by more than its backward error.
    """
    k = len(A)
    size = max(float(np.abs(A).sum(axis=1).max()), float(np.finfo(np.float64).tiny))
    margin = 8.0 * k * (k + 4.0) * _U * size
    s = float(np.linalg.eigvalsh(A)[0]) - margin
    step = margin
    while True:
        try:
            np.linalg.cholesky(A - s * np.eye(k))
        except np.linalg.LinAlgError:
            step *= 2.0
            s -= step
            continue
        return s - margin - k * error
