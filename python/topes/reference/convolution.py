"""Patches by loops, and problem (14) as the paper writes it: the cells of all patches, a block for each of them."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np

from .._support.later import cvxpy as cp
from ..losses import get_loss
from .cells import sign_vectors
from .exact import to_exact

__all__ = ["convolutional_value", "patches"]


def patches(X: Any, kernel_size: tuple[int, ...], stride: tuple[int, ...]) -> list[list[list[Any]]]:
    """The patches of series (n, T, channels) or images (n, H, W, channels), entry by entry; slow.

    Parameters
    ----------
    X : array_like, shape (n, ..., channels)
    kernel_size, stride : tuple of ints
        One for each axis between the first and the last.

    Returns
    -------
    list, shape (n, K, d)

    Examples
    --------
    >>> from topes.reference import patches
    >>> patches([[[1], [2], [3]]], (2,), (1,))
    [[[1, 2], [2, 3]]]
    """
    X = np.asarray(X, dtype=object)
    found = []
    for x in X:
        places = [range(0, x.shape[k] - size + 1, stride[k]) for k, size in enumerate(kernel_size)]
        each = []
        for corner in product(*places):
            inside = product(*(range(a, a + size) for a, size in zip(corner, kernel_size, strict=True)))
            each.append([entry for place in inside for entry in x[place]])
        found.append(each)
    return found


def convolutional_value(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str = "squared",
    kappa: float = 0.0,
    bias: Any = False,
    norm: float = 2,
) -> float:
    """The optimal value of (14) for patches X; slow.

    Parameters
    ----------
    X : array_like, shape (n, K, d)
        K patches for each sample.
    y, beta, loss, bias, norm
        As for `topes.programs.convolutional`.
    kappa : float
        Slope of the activation below zero, < 1.

    Returns
    -------
    float
        In units of the loss.

    Examples
    --------
    One patch a sample is (7).

    >>> from topes.reference import convolutional_value, scalar_output_value
    >>> x, y = [[2, 2], [3, 3], [1, 0]], [1, -1, 1]
    >>> abs(convolutional_value([[row] for row in x], y, 0.1) - scalar_output_value(x, y, 0.1)) < 1e-8
    True
    """
    data = np.asarray(X, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if bias:
        data = np.concatenate([data, np.ones((*data.shape[:2], 1))], axis=2)
    n, K, d = data.shape
    outputs: Any = np.zeros(n)
    penalty: Any = 0.0
    constraints: list[Any] = []
    for s in sorted(sign_vectors(to_exact(data.reshape(n * K, d)))):
        signs = np.array(s, dtype=np.float64).reshape(n, K)
        for sign in (1.0, -1.0):
            w = cp.Variable(d)
            for k in range(K):
                D = np.diag(np.where(signs[:, k] >= 0, 1.0, kappa))
                constraints.append(np.diag(signs[:, k]) @ data[:, k] @ w >= 0)
                outputs = outputs + sign / K * (D @ data[:, k] @ w)
            penalty = penalty + cp.norm(w[:-1] if bias == "free" else w, norm)
    problem = cp.Problem(cp.Minimize(get_loss(loss).expression(outputs, y) + beta * penalty), constraints)
    accuracy = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits asked for may not be reached
        return float(problem.solve(solver="CLARABEL", **accuracy))
