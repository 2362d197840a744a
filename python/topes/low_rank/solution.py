"""What `train_low_rank` returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..network import TwoLayerNetwork
from ..result import Status
from .guarantee import Guarantee

__all__ = ["LowRankSolution"]


@dataclass(frozen=True, repr=False)
class LowRankSolution:
    """A network for data of high rank, and what is known of how good it is.

    Attributes
    ----------
    status : Status
        CERTIFIED: the gap is met by a bound that holds for all networks. RANK_LIMIT: all was done, and the part of X outside
        the k directions leaves a larger gap. TIME_LIMIT: likewise, with steps cut short. Bounds hold in each case.
    network : TwoLayerNetwork
    objective : float
        The non-convex objective (3) of `network` on X as it is, in units of the loss.
    lower_bound : float
        No network of any width has a smaller objective.
    gap : float
        As `Solution.gap`, dimensionless.
    rank : int
        k: of the data whose cells are priced, a column of ones counted where the bias is penalised.
        The bound may come from one rank more or less.
    residual_norm : float
        sigma_(k+1) of X, rounded up; units of X.
    method : {"data", "cells", "samples"}
    n_cells : int or None
        N, the patterns of the program; None for "data", which prices all cells and writes none down.
    program_objective : float
        (3) on X as it is of the network read off the program, before it was trained further.
    program_value : float
        The optimal value of the program as far as it was solved. Of "cells" it can lie below p* (not a bound).
    guarantee : Guarantee
        What the theorem says of `program_objective`.
    dual : ndarray, shape (n,), float64
        A feasible point of (9) for X as it is: -L*(dual) is the lower bound.
    price, rank_k_price, tail : float
        For the dual point before scaling: the bound on m(v), and its parts m_k(v) and c(v) (`topes.low_rank_split`).
    seconds : dict
        "local", "rank", "program", "certificate".
    """

    status: Status
    network: TwoLayerNetwork
    objective: float
    lower_bound: float
    gap: float
    rank: int
    residual_norm: float
    method: str
    n_cells: int | None
    program_objective: float
    program_value: float
    guarantee: Guarantee
    dual: npt.NDArray[np.float64]
    price: float
    rank_k_price: float
    tail: float
    seconds: dict[str, float]

    @property
    def n_neurons(self) -> int:
        return self.network.n_neurons

    def __repr__(self) -> str:
        cells = "" if self.n_cells is None else f", {self.n_cells} cells"
        return (
            f"LowRankSolution({self.status.value}: objective {self.objective:.10g}, lower bound {self.lower_bound:.10g}, "
            f"gap {self.gap:.2g}, {self.n_neurons} neurons, rank {self.rank} ({self.method}{cells}), "
            f"{sum(self.seconds.values()):.2f} s)"
        )
