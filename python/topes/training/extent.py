"""Sizes of data and targets that doubles do not hold, refused before a run in words of what was given."""

from __future__ import annotations

import math

import numpy as np

from .._support.validation import FloatArray
from ..errors import InputError
from ..losses import Loss
from ..pricing.oracle import Pricer
from .units import Units

__all__ = ["check_extent"]


def check_extent(asked: Pricer, pricer: Pricer, y: FloatArray, loss: Loss, units: Units) -> None:
    """Require squares of the data in these units, and in those given a bound on the least beta of the empty network.

    Parameters
    ----------
    asked, pricer : Pricer
        The data as they were given, and in units.
    y : ndarray, shape (n,), float64
        In units. Their loss is a double, which `Loss.check_targets` sees to.
    loss : Loss
    units : Units
    """
    with np.errstate(over="ignore"):
        squares = float(np.sum(pricer.data**2))
        slopes = float(np.abs(loss.gradient(np.zeros_like(y), y)).sum())
        bound = units.price(slopes * float(np.abs(pricer.data).max(initial=0.0)) * pricer.data.shape[1])
    largest = float(np.abs(asked.data).max(initial=0.0))
    if not math.isfinite(bound):
        raise InputError(
            "X and y must be so small that the beta at which the empty network is optimal lies within the range of doubles, "
            f"1.8e308; got entries of X up to {largest:.3g} and, for the {loss.name} loss, targets up to "
            f"{units.target(float(np.abs(y).max(initial=0.0))):.3g}"
        )
    if not math.isfinite(squares):
        raise InputError(
            f"X must have entries whose squares lie within the range of doubles, 1.8e308; got entries up to {largest:.3g}"
        )
