"""The weights of (32) read by the gates they were trained with: not a two-layer network, but what the program predicts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._support.validation import FloatArray, as_matrix
from ..errors import InputError
from .reading import OUTPUT_BYTES

__all__ = ["GatedNetwork"]


@dataclass(frozen=True, repr=False)
class GatedNetwork:
    """f_c(x) = sum over gates i of s_i(x) x'(w_ic - w_ic'), where s_i(x) is 1 for x'g_i >= 0 and else kappa.

    A gated ReLU network [Fiat19]_ [Mishkin22]_: linear in its weights, with gates g_i that are sampled, not learnt. On its
    training data it says what the program says. It is the network of (3) or (30) with the same weights where these lie in
    the cones of their patterns, and only there.

    Attributes
    ----------
    directions : ndarray, shape (P, d), float64
        g_i; with a bias one entry more, as in `weights`.
    weights : ndarray, shape (P, C, d), float64
        w - w'.
    kappa : float
    bias : bool

    References
    ----------
    .. [Fiat19] J. Fiat, E. Malach, S. Shalev-Shwartz. Decoupling gating from linearity. arXiv:1906.05032 (2019).
    .. [Mishkin22] A. Mishkin, A. Sahiner, M. Pilanci. Fast convex optimization for two-layer ReLU networks. ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.large import GatedNetwork
    >>> gated = GatedNetwork(np.array([[1.0, 0.0]]), np.array([[[2.0, 1.0]]]), 0.0, False)
    >>> gated.predict([[1.0, -5.0], [-1.0, 3.0]])  # a network would say 0 twice
    array([-3.,  0.])
    """

    directions: FloatArray = field(compare=False)
    weights: FloatArray = field(compare=False)
    kappa: float
    bias: bool

    @property
    def n_patterns(self) -> int:
        return len(self.directions)

    def predict(self, X: object) -> FloatArray:
        """Outputs, shape (n,) or, of several, (n, C).

        Raises
        ------
        InputError
            X is no matrix of finite numbers with the columns of the training data.
        """
        data = as_matrix(X, "X", min_rows=0)
        P, C, d = self.weights.shape
        if data.shape[1] != d - self.bias:
            raise InputError(f"X must have {d - self.bias} columns, as in training, got {data.shape[1]}")
        flat = self.weights.reshape(P * C, d).T
        found = [np.zeros((0, C))]
        step = max(1, OUTPUT_BYTES // (8 * P * (C + 1)))
        for begin in range(0, len(data), step):
            rows = data[begin : begin + step]
            if self.bias:
                rows = np.hstack([rows, np.ones((len(rows), 1))])
            slopes = np.where(rows @ self.directions.T >= 0.0, 1.0, self.kappa)
            found.append(np.einsum("bp,bpc->bc", slopes, (rows @ flat).reshape(len(rows), P, C)))
        outputs = np.concatenate(found)
        return outputs[:, 0] if C == 1 else outputs

    def __repr__(self) -> str:
        P, C, d = self.weights.shape
        return f"GatedNetwork({d - self.bias} inputs, {P} gates, {C} outputs, {'bias' if self.bias else 'no bias'})"
