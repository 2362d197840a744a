"""From the data to functions of few coordinates: v'phi(Xu) is near b.w + sum_k a_k max(0, h_k.w), w = P u, for each output.

A sample's entry of v is repeated for its patches here; the mean of (13) is taken by whoever asks for a price.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ._file import Certificate
from ._numbers import TINY, FloatArray, Refused, U, exact_dot, gamma, norms_up, round_up, sqrt_up, sum_up

__all__ = ["Terms", "make_terms"]


@dataclass(frozen=True)
class Terms:
    """The functions g_c(w) = b_c.w + sum_k a_kc max(0, h_k.w) of the outputs c, and how far from the price they may be.

    |v_c'phi(Xu)| <= inflation * (largest |g_c| over the ball) + rest_c, for each u of the unit ball; or the same with
    ||V'phi(Xu)||, ||g|| and one rest.

    Attributes
    ----------
    a : ndarray, shape (m, C)
    sizes : ndarray, shape (m,)
        No less than ||h_k||_1.
    b : ndarray, shape (C, r)
    errors : ndarray, shape (C,)
        No less than what the roundings of a and b change g by at a point whose entries are at most 1.
    inflation : float
    rest : list of float
        One for each price.
    """

    a: FloatArray
    sizes: FloatArray
    b: FloatArray
    errors: FloatArray
    inflation: float
    rest: list[float]


def make_terms(k: Certificate) -> Terms:
    """Compute a and b exactly and round them once; bound everything else."""
    data = k.X if k.bias is None else np.hstack([k.X, np.ones((len(k.X), 1))])
    planes, r = k.normals.shape
    dual = {1.0: math.inf, 2.0: 2.0, math.inf: 1.0}[k.norm]
    if k.bias == "free":
        _check_free_bias(k, dual)
    C = k.Y.shape[1]
    V = np.repeat(k.V, k.patches, axis=0)
    sizes = norms_up(np.abs(k.normals), 1)
    a, linear = np.zeros((planes, C)), np.zeros((planes, C))
    kappa = Fraction(k.kappa)
    order = np.argsort(k.group, kind="stable")
    ends = np.searchsorted(k.group[order], np.arange(planes + 1))
    for g in range(planes):
        rows = order[ends[g] : ends[g + 1]]
        up, down = np.maximum(k.factor[rows], 0.0), np.minimum(k.factor[rows], 0.0)
        for c in range(C):
            # phi(f h) = f phi(h) for f > 0; for f < 0 it is f h + (1 - kappa) |f| max(0, h)
            above, below = exact_dot(up, V[rows, c]), exact_dot(down, V[rows, c])
            exact = (1 - kappa) * (above - below), kappa * above + below
            a[g, c], linear[g, c] = (_nearest(x) for x in exact)
    b = np.array([[_nearest(exact_dot(linear[:, c], k.normals[:, j])) for j in range(r)] for c in range(C)]).reshape(C, r)
    errors = np.zeros(C)
    for c in range(C):
        each = sizes * ((np.abs(a[:, c]) + np.abs(linear[:, c])) * 2 * U + 4 * TINY)
        errors[c] = sum_up(np.nextafter([*each, *(np.abs(b[c]) * 2 * U + 4 * TINY)], np.inf).tolist())
    return Terms(a, sizes, b, errors, _inflation(k), _rest(k, data, V, dual))


def _nearest(x: Fraction) -> float:
    try:
        return float(x)
    except OverflowError:
        raise Refused("a weight exceeds the range of doubles") from None


def _check_free_bias(k: Certificate, dual: float) -> None:
    """The price must not grow with the bias, and no row may change its sign beyond a bias of `reach`."""
    if any(math.fsum(v) != 0.0 for v in k.V.T.tolist()):  # fsum rounds the exact sum: it is 0 for 0 only
        raise Refused("with a free bias the entries of v must sum to zero exactly")
    if not bool((norms_up(np.abs(k.X), dual) <= k.reach).all()):
        raise Refused("reach is less than some |x_i.u| of the unit ball")


def _inflation(k: Certificate) -> float:
    """No less than the norm of P u over the unit ball, the free bias at most `reach` in size."""
    P = k.coordinates
    r = len(P)
    if r == 0:
        return 1.0
    parts: list[float] = []
    width = P.shape[1]
    free = k.bias == "free"
    apart = free and k.norm != math.inf  # the last coordinate is bounded on its own
    if apart:
        if P[-1, :-1].any() or P[:-1, -1].any():
            raise Refused("with a free bias its coordinate must be apart from the others")
        parts.append(round_up(abs(Fraction(P[-1, -1])) * Fraction(k.reach)))
        P, width = P[:-1, :-1], width - 1
    if k.norm == 2.0:
        s = [Fraction(x) for x in k.scale.tolist()]
        rows = [
            sum((abs(exact_dot(P[i], P[j])) / (s[i] * s[j]) for j in range(len(P))), Fraction(0)) for i in range(len(P))
        ]
        # ||A||^2 = ||A A'|| is at most the largest row sum of |A A'|, A = P / scale
        parts.append(sqrt_up(max(rows, default=Fraction(0))))
    else:
        unit = np.ones(width)
        if free and not apart:
            unit[-1] = k.reach
        sums = [exact_dot(np.abs(row), unit) for row in P] if k.norm == math.inf else [
            exact_dot(np.abs(column), np.ones(len(P))) for column in P.T
        ]
        parts.append(round_up(max(sums, default=Fraction(0))))
    return max(parts)


def _rest(k: Certificate, data: FloatArray, V: FloatArray, dual: float) -> list[float]:
    """No less than sum_i |v_i| * max(1, |kappa|) * (largest |x_i.u - factor_i h.P u|): phi has slopes kappa and 1.

    One for each output, or one for all with ||v_i||.
    """
    r = len(k.coordinates)
    used = k.group >= 0
    factor = np.where(used, k.factor, 0.0)[:, None]
    near, size = np.zeros_like(data), np.zeros_like(data)
    if r and used.any():
        h = np.where(used[:, None], k.normals[k.group], 0.0)
        for j in range(r):
            near += h[:, [j]] * k.coordinates[j]
            size += np.abs(h[:, [j]]) * np.abs(k.coordinates[j])
    # r products and sums, one factor, one difference, as many again for `size`
    rest = np.abs(data - factor * near) + gamma(3 * r + 12) * (np.abs(data) + np.abs(factor) * size)
    rest += (2 * r + 4) * TINY * (1.0 + np.abs(factor))
    rest = np.nextafter(rest * (1.0 + gamma(4)), np.inf)
    if k.bias == "free":
        along = np.nextafter(rest[:, -1] * k.reach, np.inf)
        each = np.nextafter(norms_up(rest[:, :-1], dual) + along, np.inf)
    else:
        each = norms_up(rest, dual)
    most = max(1.0, abs(k.kappa))
    weights = np.abs(V) if k.by_output else norms_up(np.abs(V), 2)[:, None]
    totals = [sum_up(np.nextafter(weight * each, np.inf).tolist()) for weight in weights.T]
    return [math.nextafter(total * most, math.inf) for total in totals]
