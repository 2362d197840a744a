"""The neurons of an earlier network as a run wants them."""

from __future__ import annotations

import numpy as np

from .._support.validation import FloatArray
from ..errors import InputError
from ..network import TwoLayerNetwork, penalised
from ..pricing.oracle import Pricer
from ..result import Solution

__all__ = ["neurons_of"]


def neurons_of(warm_start: Solution | TwoLayerNetwork | None, pricer: Pricer) -> tuple[FloatArray, FloatArray]:
    """Input weights of the neurons, shape (d, m), the bias last where the data have one, and their output weights."""
    network = warm_start.network if isinstance(warm_start, Solution) else warm_start
    if not (network is None or isinstance(network, TwoLayerNetwork)):
        raise InputError(f"warm_start must be a Solution, a TwoLayerNetwork or None, got {warm_start!r}")
    d = pricer.data.shape[1]
    if network is None:
        return np.zeros((d, 0)), np.zeros(0)
    b1 = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    U = network.W1 if pricer.bias is False else np.vstack([network.W1, b1])
    if len(U) != d:
        raise InputError(f"warm_start must take {d} inputs, its bias counted, got {len(U)}")
    used = np.any(penalised(U, pricer.bias) != 0.0, axis=0)
    return U[:, used], network.w2[used]
