"""A lower bound for any network, from the outputs of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ..dual import lower_bound
from ..losses import Loss
from ..low_rank.split import LowRankSplit
from ..pricing.oracle import Pricer

__all__ = ["bound"]


def bound(
    X: FloatArray, Y: FloatArray, F: FloatArray, beta: float, loss: Loss, kappa: float, *, rank: int, max_time: float
) -> float:
    """No network has an objective (30) below this: the gradient at the outputs F as a dual point, priced output by output.

    Parameters
    ----------
    X : ndarray, shape (n, d), float64
    Y, F : ndarray, shape (n, C), float64
    rank : int
        Directions of X to price over all cells; what the others can add is bounded (`topes.low_rank.split`).
    max_time : float
        Seconds for pricing, about.
    """
    y = Y.ravel()
    v = loss.project_dual(loss.gradient(F.ravel(), y), y)
    columns = v.reshape(Y.shape).T
    d = X.shape[1]
    if not len(X) or not d:
        return max(0.0, lower_bound(loss, v, y, beta, 0.0)[0])
    k = min(rank, d)
    price = 0.0
    for column in columns:
        split = LowRankSplit.adapted(X, k, column, kappa) if k < d else LowRankSplit.of(X, k)
        tail, slack, _ = split.tail(column, kappa)
        pricer = Pricer(split.coordinates, activation=kappa)
        floor = 0.3 * min(max(tail, price), beta)
        found = pricer.price(column, floor=floor, tol=1e-4, n_directions=1, max_seconds=max(0.01, max_time / len(columns)))
        price = max(price, split.combined(found.upper_bound, tail, slack))
    # A distribution is one up to its last bits; a point that is exactly one is this close.
    price += 8.0 * Y.shape[1] * float(np.finfo(np.float64).eps) * float(np.sum(np.linalg.norm(X, axis=1))) * _most(loss)
    return max(0.0, lower_bound(loss, v, y, beta, price)[0])


def _most(loss: Any) -> float:
    return 1.0 if loss.name == "cross_entropy" else 0.0
