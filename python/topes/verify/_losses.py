"""What a certificate needs of the losses: bounds on L(f, y), and lower bounds on the dual objective -L*(t v)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ._file import CONDITIONS
from ._numbers import (
    FloatArray,
    Interval,
    Refused,
    entropy_up,
    exact_dot,
    round_down,
    round_up,
    softplus,
    sqrt_up,
    sum_down,
    sum_up,
)

__all__ = ["dual_value_down", "largest_scale", "loss_value", "residual_up"]


def loss_value(loss: str, f: Interval, y: FloatArray) -> tuple[float, float]:
    """Lower and upper bound on L(f, y) for outputs in the interval, each shape (n,); 0 for a condition."""
    if loss in CONDITIONS:
        return 0.0, 0.0
    if loss in ("squared", "l2", "absolute", "huber"):
        size = (f - Interval.of(y)).magnitude()
        low, high = np.maximum(size.low, 0.0), size.high
        if loss == "absolute":
            return sum_down(low), sum_up(high)
        square = _squared(low, high)
        if loss == "squared":
            return math.nextafter(0.5 * sum_down(square.low), -math.inf), math.nextafter(0.5 * sum_up(square.high), math.inf)
        if loss == "l2":
            total = max(0.0, sum_down(square.low))
            return math.nextafter(math.sqrt(total), -math.inf), sqrt_up(Fraction(sum_up(square.high)))
        beyond = Interval(low, high) - Interval.of(0.5)
        below = np.where(low <= 1.0, 0.5 * square.low, beyond.low)
        above = np.where(high <= 1.0, np.nextafter(0.5 * square.high, np.inf), beyond.high)
        return sum_down(below), sum_up(above)
    margin = Interval(np.where(y > 0.0, f.low, -f.high), np.where(y > 0.0, f.high, -f.low))
    if loss == "logistic":
        low_sum = sum((softplus(-m)[0] for m in margin.high.tolist()), Fraction(0))
        high_sum = sum((softplus(-m)[1] for m in margin.low.tolist()), Fraction(0))
        return round_down(low_sum), round_up(high_sum)
    short = Interval.of(1.0) - margin
    low, high = np.maximum(short.low, 0.0), np.maximum(short.high, 0.0)
    if loss == "hinge":
        return sum_down(low), sum_up(high)
    square = _squared(low, high)
    return sum_down(square.low), sum_up(square.high)


def _squared(low: FloatArray, high: FloatArray) -> Interval:
    return Interval(np.maximum(np.nextafter(low * low, -np.inf), 0.0), np.nextafter(high * high, np.inf))


def largest_scale(loss: str, v: FloatArray, y: FloatArray) -> float:
    """A t > 0 so that all of [0, t] v lies in the domain of L*; `Refused` if v itself does not, but for the l2 loss."""
    if loss in ("absolute", "huber"):
        _require_box(bool((np.abs(v) <= 1.0).all()), loss)
    elif loss in ("logistic", "hinge"):
        p = -y * v  # exact: y is -1 or +1
        _require_box(bool(((p >= 0.0) & (p <= 1.0)).all()), loss)
    elif loss in ("squared_hinge", "margin"):
        _require_box(bool((-y * v >= 0.0).all()), loss)
    elif loss == "l2":
        square = exact_dot(v, v)
        if square > 1:
            return round_down(1 / Fraction(sqrt_up(square)))
    return math.inf if loss in CONDITIONS else 1.0


def residual_up(loss: str, f: Interval, y: FloatArray) -> float:
    """No smaller than the largest |f_i - y_i|, or the largest 1 - y_i f_i that is positive."""
    if loss == "margin":
        worst = (Interval.of(1.0) - Interval.of(y) * f).high
    else:
        worst = (f - Interval.of(y)).magnitude().high
    return float(np.maximum(worst, 0.0).max(initial=0.0))


def _require_box(inside: bool, loss: str) -> None:
    if not inside:
        raise Refused(f"the dual point v lies outside the domain of the conjugate of the {loss} loss")


def dual_value_down(loss: str, v: FloatArray, y: FloatArray, t: float) -> float:
    """No larger than -L*(t v): exact but for the last rounding; logarithms by their upper bounds."""
    scale = Fraction(t)
    along = scale * exact_dot(v, y)  # for labels this is minus the sum of p
    if loss in ("squared", "huber"):
        value = -scale * scale * exact_dot(v, v) / 2 - along
    elif loss == "squared_hinge":
        value = -scale * scale * exact_dot(v, v) / 4 - along
    elif loss == "logistic":
        value = -sum((entropy_up(scale * Fraction(abs(p))) for p in v.tolist()), Fraction(0))
    else:  # l2, absolute, hinge, conditions
        value = -along
    return round_down(value)
