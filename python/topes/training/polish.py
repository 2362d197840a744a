"""Takes a network from a conic solver's accuracy onto the kinks of its loss, where an optimum of a loss with kinks lies."""

from __future__ import annotations

import numpy as np

from .._support.validation import FloatArray
from ..activation import kappa_of, phi
from ..losses import Loss
from ..network import TwoLayerNetwork, pooled

__all__ = ["on_the_kinks"]

# A residual this close to a kink of the loss, as a share of the targets, is on it up to the solver's accuracy.
_NEAR = 1e-5


def on_the_kinks(network: TwoLayerNetwork, X: FloatArray, y: FloatArray, loss: Loss, pool: int = 1) -> TwoLayerNetwork:
    """Scale the neurons, least in total, so that outputs next to a kink of the loss lie on it.

    Parameters
    ----------
    network : TwoLayerNetwork
    X : ndarray, shape (n, d), float64
    y : ndarray, shape (n,), float64
    loss : Loss
    pool : int
        The outputs are means over so many consecutive rows of X.

    Returns
    -------
    TwoLayerNetwork
        The same neurons, each scaled by a number not below zero; the network itself where nothing is near a kink.
    """
    if network.n_neurons == 0 or len(y) == 0:
        return network
    h = X @ network.W1 if network.b1 is None else X @ network.W1 + network.b1
    A = pooled(phi(h, kappa_of(network.activation)), pool) * network.w2
    target, has_kink = loss.kinks(y)
    distance = target - A.sum(axis=1)
    near = has_kink & (np.abs(distance) <= _NEAR * max(1.0, float(np.abs(y).max())))
    if loss.kink_is_joint and not near.all():
        return network
    if not near.any():
        return network
    change = np.linalg.lstsq(A[near], distance[near], rcond=None)[0]
    root = np.sqrt(np.maximum(1.0 + change, 0.0))
    b1 = None if network.b1 is None else network.b1 * root
    return TwoLayerNetwork(network.W1 * root, b1, network.w2 * root, network.activation)
