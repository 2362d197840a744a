"""What training a linear convolutional network returns."""

from __future__ import annotations

from dataclasses import dataclass

from .._support.validation import FloatArray
from ..result import Status
from .network import LinearConvolutionalNetwork

__all__ = ["LinearSolution"]


@dataclass(frozen=True, repr=False)
class LinearSolution:
    """A trained linear convolutional network and how good it is proved to be.

    Attributes
    ----------
    status : Status
    network : LinearConvolutionalNetwork
        With the fewest filters for its coefficients: the rank of Z, or one where filters go around.
    objective : float
        The non-convex objective (15) of `network`, in units of the loss.
    lower_bound : float
        No network of the kind, with any number of filters, has a smaller objective.
    gap : float
        objective - lower_bound, relative as in `Solution.gap`, dimensionless.
    dual : ndarray, shape (n,), float64
        The feasible dual point that gives the lower bound, (17).
    seconds : float
    """

    status: Status
    network: LinearConvolutionalNetwork
    objective: float
    lower_bound: float
    gap: float
    dual: FloatArray
    seconds: float

    @property
    def n_filters(self) -> int:
        return self.network.n_filters

    def __repr__(self) -> str:
        return (
            f"LinearSolution({self.status.value}: objective {self.objective:.10g}, lower bound {self.lower_bound:.10g}, "
            f"gap {self.gap:.2g}, {self.n_filters} filters, {self.seconds:.2f} s)"
        )
