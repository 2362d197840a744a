"""What interpolation returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .._support.validation import FloatArray
from ..certificate import Problem, save
from ..errors import InputError
from ..jobs.supply import ExecutorLike
from ..network import TwoLayerNetwork
from ..result import Round, Status

__all__ = ["Interpolation"]


@dataclass(frozen=True, repr=False)
class Interpolation:
    """A network through given values and the proof that no other has much less norm.

    Attributes
    ----------
    status : Status
        `CERTIFIED`: gap and residual are as small as asked.
    network : TwoLayerNetwork
    objective : float
        Half the sum of ||w1_j||_p^2 + w2_j^2 of `network`: the gauge of its outputs, from above. Infinite, and the network
        empty, where none was found before a limit.
    lower_bound : float
        No network whose outputs are exactly as asked has a smaller objective: dual'y, less what rounding may have added.
    gap : float
        objective - lower_bound, relative to the objective, or to a thousandth of max abs(y_i) / max ||x_i|| where more:
        with a free bias the objective can be zero. Dimensionless; it can be negative by what the residual is worth.
    residual : float
        Largest abs(f_i - y_i) of `network`, in units of y; for margins the largest 1 - y_i f_i, if positive. Doubles hold no
        network with a residual of zero in general; the lower bound is for zero.
    dual : ndarray, shape (n,), float64
        A point of (25): abs(dual'phi(Xu)) <= 1 for all ||u||_p <= 1, proved.
    n_priced : int
        Cones that pricing looked at.
    seconds : dict
        Wall time of the parts.
    history : tuple of Round
    problem : Problem or None
        What `interpolate` was asked, for `save_certificate`.
    """

    status: Status
    network: TwoLayerNetwork
    objective: float
    lower_bound: float
    gap: float
    residual: float
    dual: FloatArray
    n_priced: int
    seconds: dict[str, float]
    history: tuple[Round, ...]
    problem: Problem | None = field(default=None, compare=False)

    @property
    def n_neurons(self) -> int:
        return self.network.n_neurons

    def save_certificate(
        self,
        file: Any,
        *,
        max_time: float | None = None,
        n_threads: int | None = None,
        executor: ExecutorLike | None = None,
    ) -> None:
        """Write a file that proves objective, residual and lower bound, as `Solution.save_certificate` does.

        The file says: the network has at most this norm and misses the targets (falls short of the margins) by at most the
        residual; no network that meets them exactly has less than the lower bound.

        Raises
        ------
        InputError
            No network was found.

        Examples
        --------
        >>> import tempfile, topes
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     topes.interpolate([[3.0, 4.0], [1.0, 0.0]], [10.0, 1.0]).save_certificate(folder + "/proof.npz")
        ...     found = topes.verify(folder + "/proof.npz")
        >>> found.valid, found.gap < 1e-6, found.residual < 1e-12
        (True, True, True)
        """
        if self.problem is None or not math.isfinite(self.objective):
            raise InputError("the interpolation must have found a network")
        options: dict[str, Any] = {"max_time": max_time, "n_threads": n_threads, "executor": executor}
        save(file, self.problem, self.network, -self.dual, self.gap, **options)

    def __repr__(self) -> str:
        return (
            f"Interpolation({self.status.value}: objective {self.objective:.10g}, lower bound {self.lower_bound:.10g}, "
            f"gap {self.gap:.2g}, residual {self.residual:.2g}, {self.n_neurons} neurons, "
            f"{sum(self.seconds.values()):.2f} s)"
        )
