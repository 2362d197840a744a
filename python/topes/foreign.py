"""Networks from elsewhere: arrays, a PyTorch state_dict, a fitted scikit-learn MLP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import InputError
from .network import TwoLayerNetwork
from .vector_network import VectorNetwork

__all__ = ["as_network"]


def as_network(network: Any, activation: str | float = "relu") -> TwoLayerNetwork:
    """The `TwoLayerNetwork` (several outputs: `VectorNetwork`) of what other libraries hold.

    Parameters
    ----------
    network : TwoLayerNetwork, (W1, w2), (W1, b1, w2), mapping, or a fitted scikit-learn MLP
        Arrays of shapes (d, m), (m,) or None, and (m,) or (m, C). A mapping is a PyTorch ``state_dict``: two matrices of
        shapes (m, d) and (C, m) in this order, C = 1 for one output, and vectors for the biases. Of scikit-learn
        ``coefs_`` and ``intercepts_`` are read, and ``activation``, which must be "relu".
    activation : {"relu", "abs"} or float
        Of networks that do not carry one.

    Raises
    ------
    InputError
        None of these, not two layers, or with an output bias that is not zero: the model has none.

    Examples
    --------
    >>> as_network({"0.weight": [[1.0, 2.0]], "0.bias": [0.5], "2.weight": [[3.0]]}).predict([[1.0, 1.0]])
    array([10.5])
    """
    if isinstance(network, TwoLayerNetwork):
        return network
    if isinstance(network, Mapping):
        return _built(*_of_state_dict(network), activation)
    if hasattr(network, "coefs_") and hasattr(network, "intercepts_"):
        if getattr(network, "activation", "relu") != "relu":
            raise InputError(f"network must have activation 'relu' for scikit-learn, got {network.activation!r}")
        return _built(*_of_layers([np.asarray(W) for W in network.coefs_], list(network.intercepts_)), "relu")
    if not isinstance(network, (tuple, list)) or len(network) not in (2, 3):
        raise InputError(
            "network must be a TwoLayerNetwork or (W1, b1, w2), (W1, w2), a state_dict or a fitted MLP, "
            f"got {type(network).__name__}"
        )
    W1, b1, w2 = network if len(network) == 3 else (network[0], None, network[1])
    return _built(W1, b1, w2, activation)


def _built(W1: Any, b1: Any, w2: Any, activation: str | float) -> TwoLayerNetwork:
    try:
        several = np.ndim(w2) == 2
    except ValueError:  # ragged; the constructor says so
        several = False
    return (VectorNetwork if several else TwoLayerNetwork)(W1, b1, w2, activation)


def _of_state_dict(state: Mapping[Any, Any]) -> tuple[Any, Any, Any]:
    matrices: list[Any] = []
    vectors: list[Any] = []
    for tensor in state.values():
        array = np.asarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor)
        (matrices if array.ndim == 2 else vectors).append(array)
    if len(matrices) != 2 or len(vectors) > 2 or any(b.ndim != 1 for b in vectors):
        shapes = [np.shape(a) for a in (*matrices, *vectors)]
        raise InputError(f"network must have two matrices and at most two vectors of biases, got shapes {shapes}")
    first, second = (W.T for W in matrices)
    m, outputs = first.shape[1], second.shape[1]
    if len(vectors) == 1:  # which of the layers has it shows in its length, unless one neuron has one output
        vectors = [np.zeros(m), vectors[0]] if len(vectors[0]) != m and len(vectors[0]) == outputs else [vectors[0]]
    return _of_layers([first, second], vectors)


def _of_layers(matrices: list[Any], biases: list[Any]) -> tuple[Any, Any, Any]:
    """W1, b1, w2 from matrices of shapes (d, m) and (m, C) and the biases of the layers that have one."""
    if len(matrices) != 2:
        raise InputError(f"network must have two layers, got {len(matrices)}")
    if len(biases) == 2 and np.any(np.asarray(biases[1])):
        raise InputError(
            f"network must have no output bias, got {np.asarray(biases[1]).tolist()}: the model has none; for a loss of "
            "f - y subtract it from y"
        )
    first, second = matrices
    b1 = np.asarray(biases[0]) if biases else None
    return first, b1, second[:, 0] if second.shape[1] == 1 else second
