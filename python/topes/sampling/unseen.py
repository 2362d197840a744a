"""The probability of all cells not seen yet: Good and Turing's estimate, and intervals that hold for any probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .intervals import at_most

__all__ = ["UnseenMass", "unseen_mass"]


@dataclass(frozen=True)
class UnseenMass:
    """Total probability of the cells that no sample has seen; dimensionless.

    Attributes
    ----------
    estimate : float
        Samples whose cell was seen once, over all samples [Good53]_.
    low, high : float
        They hold the true value with at least `confidence`, whatever the probabilities of the cells.
    confidence : float
    n_once, n_samples : int
    n_new : int
        Samples of the second half that lie in cells the first half had not seen.

    Notes
    -----
    Let M be the unseen mass after N samples, G = n_once / N. Two upper bounds are taken, each failing with half of the
    probability that the upper end may; the smaller is given.

    1. M <= G + (1 + sqrt 2) sqrt(log(2 / delta) / N), a bound of the kind of [McAllester00]_. E[M] <= E[G]; G changes by at
       most 2 / N with one sample, so it lies t below its mean with probability exp(-N t^2 / 2) at most [McDiarmid89]_; M
       lies t above its mean with probability exp(-N t^2) at most: it is a sum of negatively associated terms
       [McAllester03]_, of variance proxy at most 1 / (2N) in all [Kearns98]_ (docs/sampling.md has the few lines).
    2. The second half of the samples are independent tests of what the first half left unseen, which is at least M: the
       upper end of Clopper and Pearson for `n_new` of N - N // 2. It falls like 1 / N where nothing new is found.

    The lower end is that of 1., with 1 / N for the difference of the means.

    References
    ----------
    .. [Good53] I. J. Good. The population frequencies of species and the estimation of population parameters. Biometrika 40.
    .. [McDiarmid89] C. McDiarmid. On the method of bounded differences. Surveys in Combinatorics (1989).
    .. [McAllester00] D. McAllester, R. E. Schapire. On the convergence rate of Good-Turing estimators. COLT 2000.
    .. [McAllester03] D. McAllester, L. Ortiz. Concentration inequalities for the missing mass and for histogram rule error.
       JMLR 4 (2003).
    .. [Kearns98] M. Kearns, L. Saul. Large deviation methods for approximate probabilistic inference. UAI 1998.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    n_once: int
    n_new: int
    n_samples: int

    def __str__(self) -> str:
        return f"unseen mass {self.estimate:.3g}, in [{self.low:.3g}, {self.high:.3g}] with confidence {self.confidence:g}"


def unseen_mass(n_once: int, n_new: int, n_samples: int, confidence: float) -> UnseenMass:
    """See `UnseenMass`."""
    side = (1.0 - confidence) / 2.0
    share = n_once / n_samples
    # Each bound of Good and Turing's kind rests on two events.
    spread = (1.0 + math.sqrt(2.0)) * math.sqrt(math.log(4.0 / side) / n_samples)
    high = min(share + spread, at_most(n_new, n_samples - n_samples // 2, side / 2.0), 1.0)
    spread = (1.0 + math.sqrt(2.0)) * math.sqrt(math.log(2.0 / side) / n_samples)
    low = max(0.0, share - 1.0 / n_samples - spread)
    return UnseenMass(share, low, high, confidence, n_once, n_new, n_samples)
