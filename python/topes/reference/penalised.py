"""The objective (32) by loops over samples, patterns and outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["penalised_parts"]


def penalised_parts(X: Any, patterns: Any, weights: Any, kappa: float) -> tuple[Any, float, float]:
    """Outputs, sum of norms, and all that is on the wrong side of its pattern; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
    patterns : array_like, shape (P, n), of 0 and 1
    weights : array_like, shape (2, P, C, d)
        w_i and w_i' of each output.
    kappa : float

    Returns
    -------
    outputs : ndarray, shape (n, C)
    norms, wrong : float

    Examples
    --------
    >>> from topes.reference import penalised_parts
    >>> outputs, norms, wrong = penalised_parts([[3.0], [-1.0]], [[1, 0]], [[[[2.0]]], [[[-1.0]]]], kappa=0.0)
    >>> outputs.tolist(), norms, wrong
    ([[9.0], [0.0]], 3.0, 4.0)
    """
    _, P, C, _ = np.shape(weights)
    outputs, norms, wrong = np.zeros((len(X), C)), [], []
    for sign in (0, 1):
        for i in range(P):
            for c in range(C):
                w = [float(a) for a in weights[sign][i][c]]
                norms.append(math.sqrt(math.fsum(a * a for a in w)))
                for k, x in enumerate(X):
                    h = math.fsum(float(a) * b for a, b in zip(x, w, strict=True))
                    on = patterns[i][k] == 1
                    outputs[k][c] += (1.0 if sign == 0 else -1.0) * (h if on else kappa * h)
                    wrong.append(max(0.0, -h if on else h))
    return outputs, math.fsum(norms), math.fsum(wrong)
