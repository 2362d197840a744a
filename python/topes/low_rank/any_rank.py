"""Lower bounds on p* at any rank: dual points priced over the cells of a few coordinates, the rest bounded.

With the bound m(v) <= M(v) = sqrt(m_k(v)^2 + c(v)^2) of `topes.low_rank_split`, any v with M(v) <= beta proves
that -L*(v) <= p*. M is convex, so the best such v is a convex problem of its own; `AnyRankBound.improve` solves it by
cutting planes.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from .._support.validation import FloatArray
from ..activation import phi
from ..dual import lower_bound, zero_sum
from ..errors import SolverError
from ..losses import Loss
from ..network import Bias
from ..pricing.oracle import Pricer
from ..training.faces import Face
from ..training.master import Master
from .split import LowRankSplit

__all__ = ["AnyRankBound", "DualBound"]

# Prices below this share of what the rest may add change the bound by less than 5 %.
_FLOOR = 0.3
# While cutting planes are sought prices need no more digits; the plane program is solved to this accuracy.
_CUT_TOL, _ACCURACY = 1e-2, 1e-8
_CUTS = 80
# Cutting planes end where the bound is this close to what they allow, relative.
_CLOSE = 2e-3


@dataclass(frozen=True, repr=False)
class DualBound:
    """A dual point and what it proves.

    Attributes
    ----------
    value : float
        No network has a smaller objective (3).
    dual : ndarray, shape (n,), float64
        The point scaled until it is feasible: -L*(dual) is `value` up to rounding.
    raw : ndarray, shape (n,), float64
        The point before.
    price : float
        An upper bound on m(raw).
    rank_k_price, tail : float
        Its parts: upper bound on m_k(raw), and c(raw).
    complete : bool
        The search for prices was not cut short.
    cut : ndarray, shape (n,), float64
        g with g'w <= M(w) for all w, and g'raw = M(raw) up to 5 %: the accuracy of pricing, and prices below its floor.
    """

    value: float
    dual: FloatArray
    raw: FloatArray
    price: float
    rank_k_price: float
    tail: float
    complete: bool
    cut: FloatArray


class AnyRankBound:
    """Judges dual points of one problem through one `LowRankSplit`.

    Parameters
    ----------
    split : LowRankSplit
        Of the data with its column of ones where the bias is penalised; without where it is free.
    y, beta, loss, kappa, bias
        The problem.
    n_threads : int, optional
        Of pricing.
    """

    def __init__(
        self,
        split: LowRankSplit,
        y: FloatArray,
        beta: float,
        loss: Loss,
        kappa: float,
        bias: Bias,
        n_threads: int | None = None,
    ) -> None:
        self.split, self.y, self.beta, self.loss, self.kappa = split, y, beta, loss, kappa
        self.free, self.n_threads = bias == "free", n_threads
        self.pricer = Pricer(split.coordinates, activation=kappa, bias="free" if self.free else False)

    def feasible(self, v: FloatArray) -> FloatArray:
        """The point of the domain of L* next to v; with a free bias its entries sum to zero exactly."""
        v = self.loss.project_dual(v, self.y, zero_sum=self.free)
        return zero_sum(v) if self.free else v

    def assess(self, v: FloatArray, *, tol: float = 1e-4, deadline: float = math.inf) -> DualBound:
        """Price v and scale it; a search that `deadline` cuts short (`time.perf_counter`) leaves a valid, weaker bound."""
        v = self.feasible(v)
        tail, slack, lengths = self.split.tail(v, self.kappa)
        pricing = self.pricer.price(
            v,
            floor=_FLOOR * min(tail, self.beta),
            keep=1.0,
            tol=tol,
            n_directions=1,
            max_seconds=None if math.isinf(deadline) else max(0.01, deadline - time.perf_counter()),
            n_threads=self.n_threads,
        )
        price = self.split.combined(pricing.upper_bound, tail, slack)
        value, dual = lower_bound(self.loss, v, self.y, self.beta, price)
        cut, reached = tail * lengths, 0.0
        if len(pricing.values):  # none where all prices are below the floor
            direction = phi(self.pricer.data @ pricing.directions[:, 0], self.kappa)
            reached = float(pricing.values[0])
            cut = cut + reached * float(pricing.signs[0]) * direction
        cut = cut / max(math.hypot(reached, tail), 1e-300)
        return DualBound(value, dual, v, price, pricing.upper_bound, tail, pricing.complete, cut)

    def improve(self, start: DualBound, atoms: FloatArray, *, deadline: float) -> DualBound:
        """The dual point with the best bound, by cutting planes: at least as good as the one given.

        Its own dual is a program like (7) whose neurons are the cuts: min L(-sum lam_j g_j) + beta sum lam_j, lam >= 0.

        Parameters
        ----------
        start : DualBound
        atoms : ndarray, shape (n, m), float64
            First cuts: sign * phi(Xu) of unit u, as m(v) <= M(v).
        deadline : float
            Of `time.perf_counter`, seconds.

        References
        ----------
        J. E. Kelley. The cutting-plane method for solving convex programs. J. SIAM 8 (1960).
        """
        best = start
        cuts = [start.cut, *atoms.T]
        scale = max(abs(self.loss.value(np.zeros_like(self.y), self.y)), 1e-300)
        master = Master(self.y, self.beta, self.loss, 2.0, self.free)
        for step in range(_CUTS):
            if time.perf_counter() > deadline:
                break
            try:
                solution = master.solve([_as_face(cut) for cut in cuts], _ACCURACY)
            except SolverError:
                break
            v = self.feasible(solution.multiplier)
            if -self.loss.conjugate(v, self.y) <= best.value + _CLOSE * max(best.value, 1e-3 * scale):
                break
            used = [float(abs(q[0])) for q in solution.coordinates[: len(cuts)]]
            # Every other step in the middle between the best point and that of the cuts, which alone swing far.
            found = self.assess(0.5 * (v + best.dual) if step % 2 else v, tol=_CUT_TOL, deadline=deadline)
            if found.value > best.value:
                best = found
            if not found.complete:
                break
            least = 1e-9 * max(used, default=0.0)
            cuts = [cut for cut, size in zip(cuts, used, strict=True) if size > least] if len(cuts) > _CUTS else cuts
            cuts.append(found.cut)
        return best


def _as_face(cut: FloatArray) -> Face:
    """A ray of cost 1, for `Master`; the second row of its basis is the bias that a free one leaves out."""
    n = len(cut)
    return Face(1, np.array([[1.0], [0.0]]), np.zeros((0, 1)), -cut[:, None], np.ones(n, dtype=bool), np.ones(1), (1, 0))
