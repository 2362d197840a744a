"""The objective (3), (13), (27) or (30) of the network in a certificate, bounded from above."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ._file import CONDITIONS, Certificate
from ._losses import loss_value, residual_up
from ._numbers import FloatArray, Interval, round_up

__all__ = ["objective_up"]

_ENTRIES = 1 << 20  # rows times neurons at a time


def objective_up(k: Certificate) -> tuple[float, float]:
    """No smaller than L(F, Y) + beta / 2 * sum of ||w1_j||_p^2 + ||w2_j||_q^2, and than the residual of a condition."""
    F = outputs(k)
    f, y = Interval(F.low.ravel(), F.high.ravel()), k.Y.ravel()
    objective = round_up(Fraction(loss_value(k.loss, f, y)[1]) + Fraction(k.beta) / 2 * _penalty(k))
    return objective, residual_up(k.loss, f, y) if k.loss in CONDITIONS else 0.0


def outputs(k: Certificate) -> Interval:
    """f(x_i) for each sample, shape (n, C)."""
    (n, C), neurons = k.Y.shape, len(k.W2)
    low, high = np.zeros((n, C)), np.zeros((n, C))
    step = max(1, _ENTRIES // max(1, neurons * k.patches))
    for first in range(0, n, step):
        samples = slice(first, min(first + step, n))
        rows = k.X[samples.start * k.patches : samples.stop * k.patches]
        h = Interval.of(np.zeros((len(rows), neurons)))
        for j in range(k.X.shape[1]):
            h = h + Interval.of(rows[:, j, None]) * Interval.of(k.W1[None, j])
        if k.bias is not None:
            h = h + Interval.of(k.b1[None])
        features = _means(_phi(h, k.kappa), k.patches)
        f = Interval.of(np.zeros((len(features.low), C)))
        for j in range(neurons):
            f = f + Interval(features.low[:, [j]], features.high[:, [j]]) * Interval.of(k.W2[None, j])
        low[samples], high[samples] = f.low, f.high
    return Interval(low, high)


def _means(h: Interval, patches: int) -> Interval:
    """Over the patches of each sample, which follow one another."""
    if patches == 1:
        return h
    total = Interval(h.low[::patches], h.high[::patches])
    for p in range(1, patches):
        total = total + Interval(h.low[p::patches], h.high[p::patches])
    return Interval(np.nextafter(total.low / patches, -np.inf), np.nextafter(total.high / patches, np.inf))


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
    for column, out in zip(U.T.tolist(), k.W2.tolist(), strict=True):
        sizes = [abs(Fraction(x)) for x in column]
        if k.norm == 2.0:
            total += sum((s * s for s in sizes), Fraction(0))
        else:
            size = sum(sizes, Fraction(0)) if k.norm == 1.0 else max(sizes, default=Fraction(0))
            total += size * size
        outs = [abs(Fraction(x)) for x in out]
        total += sum(outs, Fraction(0)) ** 2 if k.output_norm == 1 else sum((x * x for x in outs), Fraction(0))
    return total
