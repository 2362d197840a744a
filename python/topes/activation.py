"""The piecewise linear activation of eq. (2): phi(x) = x for x >= 0, kappa * x for x < 0."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from ._support.validation import FloatArray
from .errors import InputError

__all__ = ["activation_name", "kappa_of", "phi"]

_NAMED = {"relu": 0.0, "abs": -1.0}


def kappa_of(activation: str | float) -> float:
    """Slope of the activation on the negative side.

    Parameters
    ----------
    activation : {"relu", "abs"} or float
        A name, or the number kappa itself: finite and below 1. ``"relu"`` is 0, ``"abs"`` is -1, a leaky ReLU lies
        between 0 and 1. At kappa = 1 the network is linear and has no cells; above 1, x -> -phi(-x) / kappa is the same
        model with slope 1 / kappa.

    Returns
    -------
    float
        kappa, dimensionless.

    Raises
    ------
    InputError
        Another name, not a number, not finite, or not below 1.

    Examples
    --------
    >>> kappa_of("abs"), kappa_of(0.1)
    (-1.0, 0.1)
    """
    if isinstance(activation, str):
        if activation not in _NAMED:
            raise InputError(f"activation must be 'relu', 'abs' or a number kappa < 1, got {activation!r}")
        return _NAMED[activation]
    if isinstance(activation, (bool, np.bool_)) or not isinstance(activation, numbers.Real):
        raise InputError(f"activation must be 'relu', 'abs' or a number kappa < 1, got {activation!r}")
    kappa = float(activation)
    if not math.isfinite(kappa) or kappa >= 1.0:
        raise InputError(f"activation must be 'relu', 'abs' or a finite number kappa < 1, got {activation}")
    return kappa


def activation_name(kappa: float) -> str | float:
    """Name of the activation where it has one (``"relu"``, ``"abs"``), otherwise kappa itself."""
    return next((name for name, slope in _NAMED.items() if slope == kappa), kappa)


def phi(x: Any, kappa: float) -> FloatArray:
    """Apply the activation elementwise, eq. (2).

    Parameters
    ----------
    x : array_like, any shape, float64
        Pre-activations.
    kappa : float
        Slope for x < 0.

    Returns
    -------
    ndarray, shape of x, float64

    Examples
    --------
    >>> phi([-2.0, 0.0, 3.0], 0.5)
    array([-1.,  0.,  3.])
    """
    x = np.asarray(x, dtype=np.float64)
    return np.asarray(np.where(x >= 0.0, x, kappa * x))
