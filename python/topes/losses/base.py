"""What every loss has: values, slopes, conjugate, dual domain, cvxpy expression."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray, as_labels
from ..errors import InputError

BoolArray = npt.NDArray[np.bool_]

__all__ = ["BoolArray", "Loss", "degree", "is_own", "ours"]

_LossT = TypeVar("_LossT", bound="Loss")


class Loss(ABC):
    """One loss: values, slopes and conjugate. Those of this package carry no state; take them from `get_loss`.

    A loss of one's own derives from this class: convex, finite and at least 0 for all outputs. It trains wherever one
    is asked for by name (`train`, `path`, `train_cnn`, `train_low_rank`, `certify`, the estimators, ...), but not in
    `topes.large`, `stationarity`, on the command line, or into certificates, whose checker knows the losses here only.
    It gives a `name` of its own and the methods below that are abstract, and where it differs from what is here:
    `_box`, the bounds of v_i in the domain of L*, or `in_domain` and `project_dual` for a domain that is no box;
    `conjugate_size` for a conjugate of other terms than v_i^2 and v_i y_i; `needs_labels`, `separable`, `homogeneity`.
    Training takes its cvxpy expression, and the bound its conjugate: a wrong one makes a wrong bound.

    Examples
    --------
    The pinball loss, whose least value is at a quantile:

    >>> import cvxpy as cp, numpy as np, topes
    >>> class Pinball(topes.losses.Loss):
    ...     name = "pinball"
    ...     homogeneity = 1
    ...
    ...     def __init__(self, tau):
    ...         self.tau = tau
    ...
    ...     def value(self, f, y):
    ...         return float(np.sum(np.maximum(self.tau * (y - f), (self.tau - 1) * (y - f))))
    ...
    ...     def gradient(self, f, y):
    ...         return np.where(y > f, -self.tau, np.where(y < f, 1 - self.tau, 0.0))
    ...
    ...     def expression(self, f, y):
    ...         return cp.sum(cp.maximum(self.tau * (y - f), (self.tau - 1) * (y - f)))
    ...
    ...     def _conjugate_inside(self, v, y):
    ...         return float(v @ y)
    ...
    ...     def _box(self, y):
    ...         return np.full(y.shape, -self.tau), np.full(y.shape, 1 - self.tau)
    ...
    ...     def lipschitz(self, n):
    ...         return max(self.tau, 1 - self.tau) * n**0.5
    >>> X = [[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    >>> solution = topes.train(X, [1.0, 0.0, 1.0, 4.0], beta=0.1, loss=Pinball(0.75))
    >>> solution.status.value, solution.gap <= 1e-6
    ('certified', True)
    """

    name: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    #: the integer q of L(t f, t y) = t^q L(f, y) for all t > 0, where there is one; a derived class says it again
    homogeneity: ClassVar[int | None] = None
    separable: ClassVar[bool] = True  #: a sum of losses of single outputs
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
        if is_own(self) and not math.isfinite(self.value(np.zeros(y.size), y.ravel())):
            raise InputError(f"loss must be finite for all outputs, got one that is not at 0: {self!r}")
        return as_labels(y, self.name) if self.needs_labels else y

    def curvature(self, f: FloatArray, y: FloatArray, A: FloatArray) -> FloatArray | None:
        """A' H A for the Hessian H of L at f, (m, m) for A of shape (n, m); None for a loss that is not smooth there."""
        weights = self._second_derivative(f, y)
        return None if weights is None else np.asarray(A.T @ (weights[:, None] * A))

    def _second_derivative(self, f: FloatArray, y: FloatArray) -> FloatArray | None:
        """Of the loss of each sample in its output."""
        return None

    def simplest(self, y: FloatArray) -> Loss:
        """A loss that is the same at all outputs no worse than 0, with more to go by: here this one."""
        return self

    def kinks(self, y: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The output at which the loss of each sample has a kink, and whether it has one."""
        return y, np.zeros(y.shape, dtype=bool)

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.name!r}" if is_own(self) else f"get_loss({self.name!r})"


_OURS: set[type[Loss]] = set()


def ours(cls: type[_LossT]) -> type[_LossT]:
    """Decorates the losses of this package."""
    _OURS.add(cls)
    return cls


def is_own(loss: Loss) -> bool:
    """Whether this is a loss of one's own: only its class knows it, neither the core nor the checker of certificates.

    Examples
    --------
    >>> from topes.losses import get_loss, is_own
    >>> is_own(get_loss("huber"))
    False
    """
    return type(loss) not in _OURS


def degree(loss: Loss) -> int | None:
    """`homogeneity`; of a loss of one's own only if its class says so itself, for it may be derived from one of another."""
    q = vars(type(loss)).get("homogeneity") if is_own(loss) else loss.homogeneity
    return q if isinstance(q, int) else None


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
