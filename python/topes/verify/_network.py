"""The objective (3) of the network in a certificate, bounded from above."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ._file import Certificate
from ._losses import loss_value
from ._numbers import FloatArray, Interval, round_up

__all__ = ["objective_up"]

_ENTRIES = 1 << 20  # rows times neurons at a time


def objective_up(k: Certificate) -> float:
    """No smaller than L(f, y) + beta / 2 * sum of ||w1_j||_p^2 + w2_j^2."""
    _, loss = loss_value(k.loss, outputs(k), k.y)
    return round_up(Fraction(loss) + Fraction(k.beta) / 2 * _penalty(k))


def outputs(k: Certificate) -> Interval:
    """f(x_i) for each row, shape (n,)."""
    n, neurons = len(k.X), len(k.w2)
    low, high = np.zeros(n), np.zeros(n)
    step = max(1, _ENTRIES // max(1, neurons))
    for first in range(0, n, step):
        rows = slice(first, first + step)
        h = Interval.of(np.zeros((len(k.X[rows]), neurons)))
        for j in range(k.X.shape[1]):
            h = h + Interval.of(k.X[rows, j, None]) * Interval.of(k.W1[None, j])
        if k.bias is not None:
            h = h + Interval.of(k.b1[None])
        terms = _phi(h, k.kappa) * Interval.of(k.w2[None])
        f = Interval.of(np.zeros(len(h.low)))
        for j in range(neurons):
            f = f + Interval(terms.low[:, j], terms.high[:, j])
        low[rows], high[rows] = f.low, f.high
    return Interval(low, high)


def _phi(h: Interval, kappa: float) -> Interval:
    """The activation is convex, so largest at an end; it is least at an end, or 0 in between."""
    ends = [_phi_at(x, kappa) for x in (h.low, h.high)]
    least = np.minimum(ends[0].low, ends[1].low)
    least = np.where((h.low < 0.0) & (h.high > 0.0), np.minimum(least, 0.0), least)
    return Interval(least, np.maximum(ends[0].high, ends[1].high))


def _phi_at(x: FloatArray, kappa: float) -> Interval:
    below = Interval.of(x) * Interval.of(kappa)
    return Interval(np.where(x >= 0.0, x, below.low), np.where(x >= 0.0, x, below.high))


def _penalty(k: Certificate) -> Fraction:
    """The sum of squares, exactly."""
    U = k.W1 if k.bias != "penalized" else np.vstack([k.W1, k.b1[None]])
    total = Fraction(0)
    for column, out in zip(U.T.tolist(), k.w2.tolist(), strict=True):
        sizes = [abs(Fraction(x)) for x in column]
        if k.norm == 2.0:
            total += sum((s * s for s in sizes), Fraction(0))
        else:
            size = sum(sizes, Fraction(0)) if k.norm == 1.0 else max(sizes, default=Fraction(0))
            total += size * size
        total += Fraction(out) ** 2
    return total
