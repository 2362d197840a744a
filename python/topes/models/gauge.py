"""The neural gauge (36): the least norm of a network with given outputs, as a number with proved bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values
from .._support.validation import FloatArray
from ..errors import NotInterpolable
from ..result import Status
from .interpolation import Interpolation, interpolate

__all__ = ["Gauge", "gauge"]


@dataclass(frozen=True, repr=False)
class Gauge:
    """The least t with y in t conv(+-phi(Xu), ||u|| <= 1).

    Attributes
    ----------
    value : float
        From above: the norm of `interpolation.network`. Infinite where no network has the outputs y, or none was found.
    lower_bound : float
        Proved for the exact y. Infinite where no network has the outputs y.
    gap : float
        (value - lower_bound) / value, dimensionless; 0 where both are infinite.
    status : Status
        `CERTIFIED` where the gap asked for is met, or where it is proved that the gauge is infinite.
    dual : ndarray, shape (n,), float64
        A supporting functional: dual'y = lower_bound up to rounding, and abs(dual'phi(Xu)) <= 1 on the ball. NaN where the
        gauge is infinite.
    certificate : ndarray, shape (n,), of Fraction, or None
        Where the gauge is infinite, the z of `NotInterpolable`.
    interpolation : Interpolation or None
        The network behind the value.
    """

    value: float
    lower_bound: float
    gap: float
    status: Status
    dual: FloatArray
    certificate: npt.NDArray[Any] | None
    interpolation: Interpolation | None

    def __repr__(self) -> str:
        if self.certificate is not None:
            return "Gauge(inf: no network has these outputs)"
        return f"Gauge({self.status.value}: from {self.lower_bound:.10g} to {self.value:.10g}, gap {self.gap:.2g})"


def gauge(
    X: Any,
    y: Any,
    *,
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    n_threads: int | None = None,
) -> Gauge:
    """Compute the gauge (36) of y: how much norm a network needs to have exactly these outputs on X.

    It is a norm on the outputs that networks can have (with a free bias, a seminorm), and infinite elsewhere.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    activation, bias, norm, values, tol, max_time, n_threads
        As for `topes.interpolate`.

    Returns
    -------
    Gauge

    Raises
    ------
    InputError
        An argument does not meet its requirement, or the rank of X is too high to price over all cells.

    Examples
    --------
    >>> from topes import gauge
    >>> round(gauge([[3.0, 4.0]], [10.0]).value, 6), gauge([[1], [2]], [1, 3])
    (2.0, Gauge(inf: no network has these outputs))
    """
    try:
        found = interpolate(
            X, y, activation=activation, bias=bias, norm=norm, values=values, tol=tol, max_time=max_time, n_threads=n_threads
        )
    except NotInterpolable as error:
        nothing = np.full(len(error.certificate), np.nan)
        return Gauge(math.inf, math.inf, 0.0, Status.CERTIFIED, nothing, error.certificate, None)
    return Gauge(found.objective, found.lower_bound, found.gap, found.status, found.dual, None, found)
