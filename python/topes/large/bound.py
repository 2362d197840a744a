"""From the weights of (32) to a network, and a lower bound for any network from its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi
from ..dual import lower_bound
from ..losses import Loss
from ..low_rank.split import LowRankSplit
from ..network import TwoLayerNetwork
from ..pricing.oracle import Pricer
from ..vector_network import VectorNetwork
from .model import OUTPUT_BYTES

__all__ = ["Kept", "as_network", "bound", "network_objective", "penalty", "worth_keeping"]

# Weights below these shares of the largest, or all, are left out where the objective does not rise by more than it says.
_SHARES, _WORTH = (np.inf, 1e-2, 1e-3, 1e-9), 1e-6


def _outputs(X: FloatArray, W1: FloatArray, W2: FloatArray, kappa: float) -> FloatArray:
    step = max(1, OUTPUT_BYTES // (8 * max(1, W1.shape[1])))
    return np.concatenate([phi(rows @ W1, kappa) @ W2 for rows in np.split(X, range(step, len(X), step))])


def penalty(W1: FloatArray, W2: FloatArray) -> float:
    """The sum in (30) without its beta, halved."""
    return 0.5 * float(np.sum(W1**2) + np.sum(np.abs(W2).sum(axis=1) ** 2))


def network_objective(
    X: FloatArray, Y: FloatArray, W1: FloatArray, W2: FloatArray, beta: float, loss: Loss, kappa: float
) -> float:
    """(30), L(F, Y) + beta/2 * sum of ||w1_j||^2 + ||w2_j||_1^2; for one output (3)."""
    return loss.value(_outputs(X, W1, W2, kappa).ravel(), Y.ravel()) + beta * penalty(W1, W2)


class Kept(NamedTuple):
    """A network, its layers balanced, and its objective; also that of the network of all weights, before any was dropped."""

    objective: float
    W1: FloatArray
    W2: FloatArray
    of_all: float


def worth_keeping(weights: FloatArray, objective: Callable[[FloatArray, FloatArray], float]) -> Kept:
    """A neuron for each w that is not negligible to its network's objective.

    Parameters
    ----------
    weights : ndarray, shape (2, P, C, d), float64
    objective : callable
        Of W1, shape (d, m), and W2, shape (m, C).
    """
    C, d = weights.shape[2:]
    norms = np.linalg.norm(weights, axis=-1)
    found: Kept | None = None
    reference = np.inf
    before = -1
    for share in sorted(_SHARES):  # from all to few
        sign, pattern, output = np.nonzero(norms > share * max(float(norms.max(initial=0.0)), 1e-300))
        if len(sign) == before:
            continue
        before = len(sign)
        root = np.sqrt(norms[sign, pattern, output])
        W1 = (weights[sign, pattern, output] / root[:, None]).T if len(root) else np.zeros((d, 0))
        W2 = np.zeros((len(root), C))
        W2[np.arange(len(root)), output] = np.where(sign == 0, root, -root)
        value = objective(W1, W2)
        reference = min(reference, value)
        if found is None or value <= reference * (1.0 + _WORTH):
            found = Kept(value, np.ascontiguousarray(W1), W2, value if found is None else found.of_all)
    assert found is not None
    return found


def as_network(
    weights: FloatArray, X: FloatArray, Y: FloatArray, beta: float, loss: Loss, kappa: float, bias: bool
) -> tuple[TwoLayerNetwork, float, FloatArray]:
    """A neuron for each w that is worth it (Proposition II.1, Theorem VIII.2): the network, its objective, its outputs.

    Parameters
    ----------
    weights : ndarray, shape (2, P, C, d), float64
    X : ndarray, shape (n, d), float64
        With its column of ones, if there is one.
    """
    value, W1, W2, _ = worth_keeping(weights, lambda W1, W2: network_objective(X, Y, W1, W2, beta, loss, kappa))
    outputs = _outputs(X, W1, W2, kappa)
    b1 = None
    if bias:
        W1, b1 = W1[:-1], W1[-1]
    activation = kappa
    if weights.shape[2] == 1:
        return TwoLayerNetwork(W1, b1, W2[:, 0], activation), value, outputs
    return VectorNetwork(W1, b1, W2, activation), value, outputs


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
