"""What training returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .network import TwoLayerNetwork

if TYPE_CHECKING:
    from .certificate import Problem
    from .jobs.supply import ExecutorLike

__all__ = ["KKTResiduals", "Round", "Solution", "Status", "relative_gap"]

_LEAST_SCALE = 1e-3


class Status(str, Enum):
    """What is known about a solution."""

    CERTIFIED = "certified"  #: the gap is met, and the dual point was priced over all cells
    GAP_ON_WORKING_SET = "gap on working set"  #: the gap holds for the given patterns only
    TIME_LIMIT = "time limit"  #: the time given was over; network and bounds are the best found so far, and hold
    CONE_LIMIT = "cone limit"  #: likewise for the cones that pricing may look at
    RANK_LIMIT = "rank limit"  #: all was done; what lies outside the directions that can be priced leaves a larger gap
    CANCELLED = "cancelled"  #: the callback asked to stop; likewise
    NUMERICAL_FAILURE = "numerical failure"  #: all cells were priced, but the gap asked for was not reached


@dataclass(frozen=True)
class KKTResiduals:
    """How far a solution is from optimality, relative, dimensionless; zero for an exact optimum.

    Attributes
    ----------
    stationarity : float
        Fenchel gap of loss and dual point: (L(f) + L*(v) - v'f) / (1 + L(f)).
    primal_feasibility : float
        Largest violation of a cone by a column of unit length.
    dual_feasibility : float
        max(0, m(v) / beta - 1), before v is scaled back.
    complementarity : float
        abs(beta * sum ||w_i|| + v'f) / (1 + L(f)).
    """

    stationarity: float
    primal_feasibility: float
    dual_feasibility: float
    complementarity: float


@dataclass(frozen=True)
class Round:
    """One round of the working set: what `train` gives its callback.

    Attributes
    ----------
    objective, lower_bound, gap : float
        The best so far.
    n_faces : int
        Faces in the working set.
    n_priced : int
        Cones this round's pricing looked at.
    seconds : float
        Since the start.
    """

    objective: float
    lower_bound: float
    gap: float
    n_faces: int
    n_priced: int
    seconds: float


@dataclass(frozen=True, repr=False)
class Solution:
    """A trained network and the proof of how good it is.

    Attributes
    ----------
    status : Status
    network : TwoLayerNetwork
    objective : float
        The non-convex objective (3) of `network`, in units of the loss.
    lower_bound : float
        No network has a smaller objective (`GAP_ON_WORKING_SET`: none with the given patterns).
    gap : float
        objective - lower_bound, relative to the objective, or to a thousandth of the loss of the empty network where that
        is more: an optimum of zero, or one that no finite network reaches, has no relative accuracy. Dimensionless.
    patterns : ndarray, shape (P, n), uint8
        The cells of the program; of `train`, one for each face of the last working set.
    dual : ndarray, shape (n,), float64
        The feasible dual point v of (9) that gives the lower bound.
    convex_objective : float
        The solver's value of (7).
    residuals : KKTResiduals
    n_priced : int
        Cones that pricing looked at.
    solver_status : str
    seconds : dict
        Wall time of the parts, "solve" and "price" among them.
    history : tuple of Round
        The rounds of `train`; empty for the full program.
    problem : Problem or None
        What `train` was asked, for `save_certificate`.
    """

    status: Status
    network: TwoLayerNetwork
    objective: float
    lower_bound: float
    gap: float
    patterns: npt.NDArray[np.uint8]
    dual: npt.NDArray[np.float64]
    convex_objective: float
    residuals: KKTResiduals
    n_priced: int
    solver_status: str
    seconds: dict[str, float]
    history: tuple[Round, ...] = ()
    problem: Problem | None = field(default=None, compare=False)

    @property
    def n_neurons(self) -> int:
        return self.network.n_neurons

    def save_certificate(
        self,
        file: Any,
        *,
        network: TwoLayerNetwork | None = None,
        max_time: float | None = None,
        n_threads: int | None = None,
        executor: ExecutorLike | None = None,
    ) -> None:
        """Write a file from which `topes.verify`, or a program by somebody else, proves objective, lower bound and gap.

        The dual point is priced once more, this time with every cone of the search written down: docs/certificates.md.

        Parameters
        ----------
        file : path-like
            A .npz archive by its form; no pickles in it.
        network : TwoLayerNetwork, optional
            Another network to hold against the lower bound; default this solution's.
        max_time : float, optional
            Seconds for pricing; with too few of them the bound in the file is weaker, and holds.
        n_threads, executor : optional
            Who prices, as for `train`; the file does not depend on it.

        Raises
        ------
        InputError
            The solution is not one of `train` or `train_cnn`, or the network does not fit its problem.

        Examples
        --------
        >>> import tempfile, topes
        >>> solution = topes.train([[1.0], [-2.0]], [1.0, 3.0], beta=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     solution.save_certificate(folder + "/proof.npz")
        ...     topes.verify(folder + "/proof.npz").valid
        True
        """
        from .certificate import save

        if self.problem is None:
            raise InputError("the solution must come from train or train_cnn: other programs do not price over all cells")
        judged = self.network if network is None else network
        save(
            file,
            self.problem,
            judged,
            self.dual,
            self.gap,
            max_time=max_time,
            n_threads=n_threads,
            executor=executor,
        )

    def __repr__(self) -> str:
        return (
            f"Solution({self.status.value}: objective {self.objective:.10g}, lower bound {self.lower_bound:.10g}, "
            f"gap {self.gap:.2g}, {self.n_neurons} neurons, program of {len(self.patterns)} cells, "
            f"{sum(self.seconds.values()):.2f} s)"
        )


def relative_gap(objective: float, lower_bound: float, empty: float) -> float:
    """The `Solution.gap`; `empty` is the loss of the network without neurons."""
    return (objective - lower_bound) / max(abs(objective), _LEAST_SCALE * empty, 1e-300)
