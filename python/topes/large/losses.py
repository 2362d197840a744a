"""The losses of (32), for torch and for the lower bound: squared, logistic, and the cross entropy of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax, xlogy

from .._support.later import cvxpy as cp
from .._support.validation import FloatArray, as_vector
from ..errors import InputError
from ..losses import Loss, get_loss
from ..losses.base import ours

__all__ = ["LARGE_LOSSES", "CrossEntropyLoss", "as_outputs", "torch_loss"]

LARGE_LOSSES = ("squared", "logistic", "cross_entropy")


@ours
class CrossEntropyLoss(Loss):
    """sum over samples of log sum_c exp(f_c) - f_y, of the n C outputs as one vector; targets are unit vectors.

    Its conjugate is sum p log p for p = v + y, where p is a distribution over the classes for each sample.
    """

    name = "cross_entropy"

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def _rows(self, v: FloatArray) -> FloatArray:
        return v.reshape(-1, self.n_classes)

    def value(self, f: FloatArray, y: FloatArray) -> float:
        return -float(np.sum(self._rows(y) * log_softmax(self._rows(f), axis=1)))

    def gradient(self, f: FloatArray, y: FloatArray) -> FloatArray:
        return np.asarray(softmax(self._rows(f), axis=1).ravel() - y)

    def expression(self, f: Any, y: FloatArray) -> Any:
        F = cp.reshape(f, (len(y) // self.n_classes, self.n_classes), order="C")
        return cp.sum(cp.log_sum_exp(F, axis=1)) - f @ y

    def in_domain(self, v: FloatArray, y: FloatArray) -> bool:
        # Distributions up to rounding, such as `gradient` makes.
        p = self._rows(v + y)
        return bool(np.all(p >= 0.0) and np.all(np.abs(p.sum(axis=1) - 1.0) <= 4.0 * self.n_classes * 2.0**-52))

    def project_dual(self, v: FloatArray, y: FloatArray, *, zero_sum: bool = False) -> FloatArray:
        """The distributions made of the positive parts; with `zero_sum` refused, as no model here has a free bias."""
        if zero_sum:
            raise InputError("bias must not be 'free' for the cross entropy")
        p = np.maximum(self._rows(v + y), 0.0)
        return np.asarray((p / p.sum(axis=1, keepdims=True)).ravel() - y)

    def _conjugate_inside(self, v: FloatArray, y: FloatArray) -> float:
        p = v + y
        return float(np.sum(xlogy(p, p)))

    def conjugate_size(self, v: FloatArray, y: FloatArray) -> float:
        return float(np.count_nonzero(v + y))

    def lipschitz(self, n: int) -> float | None:
        return float(np.sqrt(2.0 * n))


def as_outputs(y: Any, loss: str) -> tuple[FloatArray, Loss, Any]:
    """Targets of shape (n, C) in float64, their loss, and for classes the labels in the order of the outputs."""
    if loss == "cross_entropy":
        labels = np.asarray(y)
        if labels.ndim != 1 or labels.dtype.kind not in "iubUS":
            what = f"{labels.dtype} of shape {labels.shape}"
            raise InputError(f"y must hold a class for each sample, integers or text, got {what}")
        classes, index = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise InputError(f"y must hold at least two classes, got {len(classes)}")
        return np.eye(len(classes))[index], CrossEntropyLoss(len(classes)), classes
    the_loss = get_loss(loss)
    values = np.asarray(y)
    if values.ndim == 2:
        values = values.ravel()
    targets = the_loss.check_targets(as_vector(values, "y"))
    return targets.reshape(len(np.asarray(y)), -1) if np.ndim(y) == 2 else targets[:, None], the_loss, None


def torch_loss(loss: str, f: Any, y: Any) -> Any:
    """The loss of the outputs f, shape (b, C), summed over samples, as a torch scalar."""
    from torch.nn import functional

    if loss == "squared":
        return 0.5 * ((f - y) ** 2).sum()
    if loss == "logistic":
        return functional.softplus(-y * f).sum()
    return (f.logsumexp(dim=1) - (f * y).sum(dim=1)).sum()
