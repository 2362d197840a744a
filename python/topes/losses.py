"""The losses L(f, y), each with what a certificate needs: conjugate, gradient, dual domain, cvxpy expression.

All are sums over the n samples, not means. The conjugate is in f with y fixed,

    L*(v) = max_z  z'v - L(z, y),

so at an optimum v is the gradient of L at f, and the dual of the training problem is max -L*(v) over the feasible v,
eq. (9). Every loss here is convex and non-negative, so 0 lies in the domain of L* and L*(0) <= 0: scaling a dual
point towards 0 keeps it in the domain.

========== ============================================== ============================== ============================
name       L(f, y)                                        L*(v)                          domain of L*
========== ============================================== ============================== ============================
squared    0.5 * ||f - y||_2^2                            0.5 * ||v||^2 + v'y            everything
l2         ||f - y||_2                                    v'y                            ||v||_2 <= 1
absolute   ||f - y||_1                                    v'y                            \\|v_i\\| <= 1
huber      sum h(f_i - y_i), h(t) = t^2/2 for             0.5 * ||v||^2 + v'y            \\|v_i\\| <= 1
           \\|t\\| <= 1, \\|t\\| - 1/2 beyond
logistic   sum log(1 + exp(-y_i f_i))                     sum p log p + (1-p) log(1-p)   0 <= p_i = -y_i v_i <= 1
hinge      sum max(0, 1 - y_i f_i)                        -sum p_i                       0 <= p_i = -y_i v_i <= 1
squared_   sum max(0, 1 - y_i f_i)^2                      sum p_i^2 / 4 - p_i            0 <= p_i = -y_i v_i
hinge
========== ============================================== ============================== ============================

The last three take labels -1 and +1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import cvxpy as cp
import numpy as np
import numpy.typing as npt
from scipy.special import expit, xlogy

from ._support.validation import FloatArray, as_labels, choice

BoolArray = npt.NDArray[np.bool_]

__all__ = ["LOSSES", "Loss", "get_loss", "loss_names"]


class Loss(ABC):
    """One loss: values, slopes and conjugate. Instances carry no state; take them from `get_loss`."""

    name: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    kink_is_joint: ClassVar[bool] = False  #: the loss has a kink only where all outputs are on theirs

    @abstractmethod
    def value(self, f: FloatArray, y: FloatArray) -> float:
        """L(f, y) for outputs f and targets y, both shape (n,), float64."""

    @abstractmethod
    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        """Gradient of L in f, shape (n,); at a kink, a subgradient of least norm."""

    @abstractmethod
    def expression(self, f: Any, y: FloatArray) -> Any:
        """L(f, y) as a convex cvxpy expression of the cvxpy expression f, shape (n,)."""

    @abstractmethod
    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        """L*(v) for v inside the domain."""

    @abstractmethod
    def lipschitz(self, n: int) -> float | None:
        """Lipschitz constant of L(., y) in the 2-norm for n samples; None when there is none."""

    def in_domain(self, v: FloatArray, y: FloatArray) -> bool:
        """Whether L*(v) is finite."""
        low, high = self._box(y)
        return bool(np.all(v >= low) and np.all(v <= high))

    def conjugate(self, v: FloatArray, y: FloatArray) -> float:
        """L*(v) = max_z z'v - L(z, y); ``inf`` outside the domain."""
        return self._conjugate_inside(v, y) if self.in_domain(v, y) else math.inf

    def conjugate_size(self, v: FloatArray, y: FloatArray) -> float:
        """A bound on the sum of the absolute values of what `conjugate` adds up: roundings are relative to it."""
        return float(np.sum(v * v + np.abs(v * y)))

    def project_dual(self, v: FloatArray, y: FloatArray, *, zero_sum: bool = False) -> FloatArray:
        """Point of the domain of L* nearest to v; with `zero_sum`, nearest among those whose entries sum to 0.

        A free bias makes the constant vector a feature that costs nothing, and so adds sum(v) = 0 to the dual
        constraints. The sum is then zero up to rounding: at most n ulps of the largest entry.
        """
        low, high = self._box(y)
        return _clip_to_zero_sum(v, low, high) if zero_sum else np.clip(v, low, high)

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of the domain of L*, entry by entry; each contains 0."""
        return np.full(y.shape, -np.inf), np.full(y.shape, np.inf)

    def check_targets(self, y: FloatArray) -> FloatArray:
        """Return y, or raise `InputError` when the loss cannot take it."""
        return as_labels(y, self.name) if self.needs_labels else y

    def curvature(self, f: FloatArray, y: FloatArray, A: FloatArray) -> FloatArray | None:
        """A' H A for the Hessian H of L at f, (m, m) for A of shape (n, m); None for a loss that is not smooth there."""
        weights = self._second_derivative(f, y)
        return None if weights is None else np.asarray(A.T @ (weights[:, None] * A))

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        """Of the loss of each sample in its output."""
        return None

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The output at which the loss of each sample has a kink, and whether it has one."""
        return y, np.zeros(y.shape, dtype=bool)

    def __repr__(self) -> str:
        return f"get_loss({self.name!r})"


def _clip_to_zero_sum(v: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Project v onto {low <= z <= high, sum z = 0}: z = clip(v - t) for the t at which the sum vanishes."""
    if not np.isfinite(low).any() and not np.isfinite(high).any():
        return np.asarray(v - v.mean())

    def total(t: float) -> float:
        return math.fsum(np.clip(v - t, low, high))

    # total is non-increasing and piecewise linear in t, and it is >= 0 at the first knot, <= 0 at the last one, because
    # every interval holds 0. Between two neighbouring knots it is linear, so t is found exactly.
    knots = np.concatenate([v - low, v - high, v])
    knots = np.unique(knots[np.isfinite(knots)])
    left, right = 0, len(knots) - 1
    if total(knots[left]) <= 0.0:  # also all v = 0, one knot
        lower = knots[left] - 1.0
        while total(lower) < 0.0:  # one-sided boxes: left of every knot the sum still grows
            lower = knots[left] - 2.0 * (knots[left] - lower)
        return np.clip(v - _linear_root(total, lower, knots[left]), low, high)
    if total(knots[right]) >= 0.0:
        upper = knots[right] + 1.0
        while total(upper) > 0.0:
            upper = knots[right] + 2.0 * (upper - knots[right])
        return np.clip(v - _linear_root(total, knots[right], upper), low, high)
    while right - left > 1:
        middle = (left + right) // 2
        if total(knots[middle]) > 0.0:
            left = middle
        else:
            right = middle
    return np.clip(v - _linear_root(total, knots[left], knots[right]), low, high)


def _linear_root(total: Any, left: float, right: float) -> float:
    """Zero of a function that is linear on [left, right], not negative at left and not positive at right."""
    at_left, at_right = total(left), total(right)
    if at_left == at_right:
        return left
    return float(left + (right - left) * (at_left / (at_left - at_right)))


class SquaredLoss(Loss):
    """0.5 * ||f - y||_2^2 (Example II.1)."""

    name = "squared"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return 0.5 * float(np.sum((f - y) ** 2))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return f - y

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.ones_like(f)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum_squares(f - y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.5 * v + y))

    def lipschitz(self, n: int) -> float | None:
        return None


class L2Loss(Loss):
    """||f - y||_2, not squared: 1-Lipschitz, the loss of Theorem III.1's example and of Figure 5."""

    name = "l2"
    kink_is_joint = True

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.linalg.norm(f - y))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        residual = f - y
        norm = float(np.linalg.norm(residual))
        return residual / norm if norm > 0.0 else np.zeros_like(residual)

    def curvature(self, f: FloatArray, y: FloatArray, A: FloatArray) -> FloatArray | None:
        residual = f - y
        size = float(np.linalg.norm(residual))
        if size <= 1e-6 * float(np.linalg.norm(y)):
            return None
        along = A.T @ (residual / size)
        return np.asarray((A.T @ A - np.outer(along, along)) / size)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.norm(f - y, 2)

    def in_domain(self, v: FloatArray, y: FloatArray) -> bool:
        # A unit vector in floating point, such as `project_dual` and `gradient` make, has norm 1 up to rounding.
        return bool(np.linalg.norm(v) <= 1.0 + len(v) * float(np.finfo(np.float64).eps))

    def conjugate_size(self, v: FloatArray, y: FloatArray) -> float:
        """A bound on the sum of the absolute values of what `conjugate` adds up: roundings are relative to it."""
        return float(np.sum(v * v + np.abs(v * y)))

    def project_dual(self, v: FloatArray, y: FloatArray, *, zero_sum: bool = False) -> FloatArray:
        centred = v - v.mean() if zero_sum else v
        return centred / max(1.0, float(np.linalg.norm(centred)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def lipschitz(self, n: int) -> float | None:
        return 1.0


class AbsoluteLoss(Loss):
    """||f - y||_1."""

    name = "absolute"

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.abs(f - y)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.sign(f - y)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.norm1(f - y)

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return -np.ones_like(y), np.ones_like(y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ y)

    def lipschitz(self, n: int) -> float | None:
        return math.sqrt(n)


class HuberLoss(Loss):
    """Huber's loss with threshold 1: t^2 / 2 for |t| <= 1, |t| - 1/2 beyond, t = f - y."""

    name = "huber"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        t = np.abs(f - y)
        return float(np.sum(np.where(t <= 1.0, 0.5 * np.minimum(t, 1.0) ** 2, t - 0.5)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.clip(f - y, -1.0, 1.0)

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return (np.abs(f - y) <= 1.0).astype(np.float64)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum(cp.huber(f - y, 1))  # cvxpy's huber is t^2 near 0: twice ours

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return -np.ones_like(y), np.ones_like(y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.5 * v + y))

    def lipschitz(self, n: int) -> float | None:
        return math.sqrt(n)


class _MarginLoss(Loss):
    """A sum of functions of the margins y_i f_i, non-increasing with slope at least -1 (unbounded if `_unbounded`)."""

    needs_labels = True
    _unbounded: ClassVar[bool] = False

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        # p = -y v in [0, 1], or [0, inf): v lies between 0 and -y (times infinity).
        end = -y * (np.inf if self._unbounded else 1.0)
        return np.minimum(end, 0.0), np.maximum(end, 0.0)

    def lipschitz(self, n: int) -> float | None:
        return None if self._unbounded else math.sqrt(n)


class LogisticLoss(_MarginLoss):
    """sum log(1 + exp(-y_i f_i)), labels -1 and +1."""

    name = "logistic"

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.logaddexp(0.0, -y * f)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.asarray(-y * expit(-y * f))

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.asarray(expit(f) * expit(-f))

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum(cp.logistic(cp.multiply(-y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        p = -y * v
        # xlogy gives 0 log 0 = 0; log1p keeps the digits of (1 - p) log(1 - p) for tiny p, and q = 0 is its own case.
        q = 1.0 - p
        with np.errstate(divide="ignore", invalid="ignore"):
            complement = np.where(q > 0.0, q * np.log1p(-p), 0.0)
        return float(np.sum(xlogy(p, p) + complement))

    def conjugate_size(self, v: FloatArray, y: FloatArray) -> float:
        # The entropy of p is at most 1, and its second term rounds like p.
        return super().conjugate_size(v, y) + float(np.count_nonzero(v))


class HingeLoss(_MarginLoss):
    """sum max(0, 1 - y_i f_i), labels -1 and +1."""

    name = "hinge"

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        return y, np.ones(y.shape, dtype=bool)  # y f = 1 is f = y for a label

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.maximum(0.0, 1.0 - y * f)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.where(y * f < 1.0, -y, 0.0)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum(cp.pos(1.0 - cp.multiply(y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(y @ v)


class SquaredHingeLoss(_MarginLoss):
    """sum max(0, 1 - y_i f_i)^2, labels -1 and +1; no factor 1/2, as in LIBLINEAR and scikit-learn."""

    name = "squared_hinge"
    _unbounded = True

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return float(np.sum(np.maximum(0.0, 1.0 - y * f) ** 2))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return -2.0 * y * np.maximum(0.0, 1.0 - y * f)

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        return np.where(y * f < 1.0, 2.0, 0.0)

    def expression(self, f: Any, y: FloatArray) -> Any:
        return cp.sum_squares(cp.pos(1.0 - cp.multiply(y, f)))

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        return float(v @ (0.25 * v + y))

    def _box(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.where(y > 0.0, -np.inf, 0.0), np.where(y > 0.0, 0.0, np.inf)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        SquaredLoss(),
        L2Loss(),
        AbsoluteLoss(),
        HuberLoss(),
        LogisticLoss(),
        HingeLoss(),
        SquaredHingeLoss(),
    )
}
"""Every loss by its name."""


def loss_names() -> tuple[str, ...]:
    """Names of the losses, in the order of the table above."""
    return tuple(LOSSES)


def get_loss(name: str | Loss) -> Loss:
    """Look up a loss by its name; a `Loss` is returned as it is.

    Raises
    ------
    InputError
        No loss has this name; the message lists the accepted ones.

    Examples
    --------
    >>> import numpy as np
    >>> loss = get_loss("squared")
    >>> f, y = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    >>> v = loss.gradient(f, y)
    >>> loss.value(f, y) + loss.conjugate(v, y) == float(v @ f)  # Fenchel-Young, an equality at v = gradient
    True
    """
    if isinstance(name, Loss):
        return name
    return LOSSES[choice(name, "loss", loss_names())]
