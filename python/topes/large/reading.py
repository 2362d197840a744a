"""The weights of (32) read as a network of (3) or (30): a neuron for each that is worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..network import TwoLayerNetwork
from ..vector_network import VectorNetwork

__all__ = ["OUTPUT_BYTES", "Kept", "as_network", "network_objective", "network_outputs", "penalty", "worth_keeping"]

OUTPUT_BYTES = 2**25  # of the outputs of neurons, of which no more are held
# Weights below these shares of the largest, or all, are left out where the objective does not rise by more than it says.
_SHARES, _WORTH = (np.inf, 1e-2, 1e-3, 1e-9), 1e-6


def network_outputs(X: FloatArray, W1: FloatArray, W2: FloatArray, kappa: float) -> FloatArray:
    """phi(X W1) W2, shape (n, C)."""
    step = max(1, OUTPUT_BYTES // (8 * max(1, W1.shape[1])))
    return np.concatenate([phi(rows @ W1, kappa) @ W2 for rows in np.split(X, range(step, len(X), step))])


def penalty(W1: FloatArray, W2: FloatArray) -> float:
    """The sum in (30) without its beta, halved."""
    return 0.5 * float(np.sum(W1**2) + np.sum(np.abs(W2).sum(axis=1) ** 2))


def network_objective(
    X: FloatArray, Y: FloatArray, W1: FloatArray, W2: FloatArray, beta: float, loss: Loss, kappa: float
) -> float:
    """(30), L(F, Y) + beta/2 * sum of ||w1_j||^2 + ||w2_j||_1^2; for one output (3)."""
    return loss.value(network_outputs(X, W1, W2, kappa).ravel(), Y.ravel()) + beta * penalty(W1, W2)


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


def as_network(kept: Kept, kappa: float, bias: bool) -> TwoLayerNetwork:
    """The network of Proposition II.1, with several outputs of Theorem VIII.2; with a bias the last row of W1 is b1."""
    W1, b1 = (kept.W1[:-1], kept.W1[-1]) if bias else (kept.W1, None)
    if kept.W2.shape[1] == 1:
        return TwoLayerNetwork(W1, b1, kept.W2[:, 0], kappa)
    return VectorNetwork(W1, b1, kept.W2, kappa)
