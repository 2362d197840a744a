"""How many cells there are, from how often those seen were seen [Chao84]."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

__all__ = ["CellCountEstimate", "chao1"]


@dataclass(frozen=True)
class CellCountEstimate:
    """The number of cells as samples show it.

    Attributes
    ----------
    n_seen : int
        Distinct cells seen.
    n_known : int
        With the antipodes of those seen, which are cells as well: a proved lower bound. The same for sampling on patches,
        where patterns need not have antipodes.
    estimate : float
        Chao's first estimator without its bias [Chao84]_, at least `n_known`. In the mean it is a lower bound: cells so
        small that hardly one is seen leave no trace.
    low, high : float
        Its log-normal interval [Chao87]_, asymptotic: of the estimate's own mean, not proved for the number of cells.
    confidence : float
        Of the interval.
    bound : int or None
        Eq. (6) for the nonzero rows and their largest possible rank: a proved upper bound. None for sampling on patches,
        whose patterns may belong to boundaries.

    References
    ----------
    .. [Chao84] A. Chao. Nonparametric estimation of the number of classes in a population. Scand. J. Statist. 11 (1984).
    .. [Chao87] A. Chao. Estimating the population size for capture-recapture data with unequal catchability. Biometrics 43.
    """

    n_seen: int
    n_known: int
    estimate: float
    low: float
    high: float
    confidence: float
    bound: int | None

    def __str__(self) -> str:
        bound = "" if self.bound is None else f", at most {self.bound:,} by (6)"
        return (
            f"{self.n_seen:,} cells seen, {self.n_known:,} known, about {self.estimate:,.0f} in all "
            f"([{self.low:,.0f}, {self.high:,.0f}] with confidence {self.confidence:g}){bound}"
        )


def chao1(
    n_seen: int, n_once: int, n_twice: int, n_samples: int, *, n_known: int, bound: int | None, confidence: float
) -> CellCountEstimate:
    """See `CellCountEstimate`."""
    once, more = float(n_once), n_twice + 1.0
    unseen = (n_samples - 1) / n_samples * once * (once - 1.0) / (2.0 * more)
    variance = (
        once * (once - 1.0) / (2.0 * more)
        + once * (2.0 * once - 1.0) ** 2 / (4.0 * more**2)
        + once**2 * n_twice * (once - 1.0) ** 2 / (4.0 * more**4)
    )
    low = high = estimate = n_seen + unseen
    if unseen > 0.0:
        factor = math.exp(float(ndtri(0.5 + confidence / 2.0)) * math.sqrt(math.log1p(variance / unseen**2)))
        low, high = n_seen + unseen / factor, n_seen + unseen * factor
    low, estimate, high = (max(x, float(n_known)) for x in (low, estimate, high))
    if bound is not None:
        low, estimate, high = (min(x, bound) for x in (low, estimate, high))
    return CellCountEstimate(n_seen, n_known, float(estimate), float(low), float(high), confidence, bound)
