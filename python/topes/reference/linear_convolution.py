"""Linear convolutional networks by loops: outputs of (15) and (18), their objective, and what a dual point costs."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

__all__ = ["circular_outputs", "circular_price", "linear_outputs", "linear_price"]


def linear_outputs(patches: Any, filters: Any, weights: Any) -> list[Fraction]:
    """f(x) = sum_j sum_k w_jk (x_k'u_j), (15), in rational arithmetic; slow.

    Parameters
    ----------
    patches : array_like, shape (n, K, h)
    filters : array_like, shape (h, m)
    weights : array_like, shape (K, m)

    Examples
    --------
    >>> from topes.reference import linear_outputs
    >>> linear_outputs([[[0.0, 1.0], [1.0, 5.0]]], [[-1.0], [1.0]], [[1.0], [2.0]])
    [Fraction(9, 1)]
    """
    outputs = []
    for x in np.asarray(patches, dtype=np.float64).tolist():
        total = Fraction(0)
        for j in range(np.shape(filters)[1]):
            for k, patch in enumerate(x):
                inner = sum((Fraction(a) * Fraction(float(u[j])) for a, u in zip(patch, filters, strict=True)), Fraction(0))
                total += Fraction(float(weights[k][j])) * inner
        outputs.append(total)
    return outputs


def circular_outputs(X: Any, filters: Any, weights: Any) -> list[Fraction]:
    """The outputs of (18): patch k of a sample is the sample, shifted cyclically by the k-th of its places; slow.

    Parameters
    ----------
    X : array_like, shape (n, ...)
    filters, weights : array_like, shape (d, m)
        d the number of entries of a sample.

    Examples
    --------
    >>> from topes.reference import circular_outputs
    >>> circular_outputs([[1.0, 2.0, 4.0]], [[1.0], [0.0], [0.0]], [[0.0], [1.0], [0.0]])
    [Fraction(2, 1)]
    """
    X = np.asarray(X, dtype=np.float64)
    places = list(product(*(range(size) for size in X.shape[1:])))

    def shifted(x: Any, by: tuple[int, ...]) -> list[Any]:
        return [x[tuple((i + k) % s for i, k, s in zip(at, by, x.shape, strict=True))] for at in places]

    return linear_outputs([[shifted(x, by) for by in places] for x in X], filters, weights)


def linear_price(patches: Any, v: Sequence[float]) -> float:
    """max v'f over one filter and its weights of norm 1: the largest singular value of [X_1'v ... X_K'v], by power steps.

    Examples
    --------
    >>> from topes.reference import linear_price
    >>> round(linear_price([[[3.0, 4.0]]], [2.0]), 9)
    10.0
    """
    M = np.einsum("nkh,n->kh", np.asarray(patches, dtype=np.float64), np.asarray(v, dtype=np.float64))
    size = float(np.abs(M).max(initial=0.0))
    if size == 0.0:
        return 0.0
    G = (M / size) @ (M / size).T
    for _ in range(60):  # G^(2^60) over its size: the projection on the largest eigenvalue
        G = G @ G
        G /= np.linalg.norm(G)
    start = G[:, int(np.argmax(np.diag(G)))]
    return size * float(np.linalg.norm((M / size).T @ start) / np.linalg.norm(start))


def circular_price(X: Any, v: Sequence[float]) -> float:
    """The same where filters go around: the largest modulus of the discrete Fourier transform of X'v, term by term.

    Examples
    --------
    >>> from topes.reference import circular_price
    >>> round(circular_price([[1.0, 1.0, 1.0]], [2.0]), 9)
    6.0
    """
    X = np.asarray(X, dtype=np.float64)
    shape = X.shape[1:]
    places = list(product(*(range(size) for size in shape)))
    g = {at: math.fsum(float(x[at]) * float(c) for x, c in zip(X, v, strict=True)) for at in places}
    best = 0.0
    for frequency in places:
        turn = {at: sum(Fraction(i * q, s) for i, q, s in zip(at, frequency, shape, strict=True)) % 1 for at in places}
        best = max(best, abs(sum(g[at] * cmath.exp(-2j * math.pi * float(turn[at])) for at in places)))
    return best
