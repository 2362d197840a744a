"""How loose Theorem III.2 is: its forms side by side, each with the probability it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .angles import as_angles, as_share
from .coverage_probability import coverage_probability, coverage_samples
from .sufficient import sufficient_samples
from .union_bound import union_samples

__all__ = ["SampleSizes", "sample_sizes"]


@dataclass(frozen=True)
class SampleSizes:
    """Numbers of samples for one arrangement and one eps.

    Attributes
    ----------
    n_cells : int
    theta_min : float
    eps : float
    theorem : int
        ceil(log(P / eps) / theta_min).
    sharper : int
        The least N with P (1 - theta_min)^N <= eps.
    union : int
        The least N with sum (1 - theta_i)^N <= eps.
    exact : int
        The least N that sees all cells with probability 1 - eps.
    radians : int
        ceil(N / (2 pi)) of the theorem's: what radians in place of probabilities give in the plane, Remark III.2.
    reached : dict
        The probability to see all cells at each of these numbers.
    """

    n_cells: int
    theta_min: float
    eps: float
    theorem: int
    sharper: int
    union: int
    exact: int
    radians: int
    reached: dict[str, float]

    @property
    def looseness(self) -> float:
        """theorem / exact."""
        return self.theorem / self.exact

    def __str__(self) -> str:
        lines = [f"{self.n_cells:,} cells, theta_min {self.theta_min:.4g}, eps {self.eps:g}"]
        lines += [
            f"{name:>8}  {getattr(self, name):>20,}  sees all with probability {self.reached[name]:.4f}"
            for name in ("theorem", "sharper", "union", "exact", "radians")
        ]
        return "\n".join(lines)


def sample_sizes(theta: Any, *, eps: float = 0.05, multiplicity: Any = None) -> SampleSizes:
    """All forms of Theorem III.2 for known angles, and what happens at each.

    Parameters
    ----------
    theta : array_like, shape (m,)
        Probabilities of the cells.
    eps : float
        From 1e-10 to 1, both excluded.
    multiplicity : array_like of int, shape (m,), optional
        How many cells have each: a histogram.

    Returns
    -------
    SampleSizes

    Examples
    --------
    >>> from topes.sampling import sample_sizes
    >>> print(sample_sizes([1 / 16], multiplicity=[16]))
    16 cells, theta_min 0.0625, eps 0.05
     theorem                    93  sees all with probability 0.9609
     sharper                    90  sees all with probability 0.9527
       union                    90  sees all with probability 0.9527
       exact                    90  sees all with probability 0.9527
     radians                    15  sees all with probability 0.0000
    """
    as_share(eps, "eps")
    angles = as_angles(theta, multiplicity)
    n_cells, least = int(angles[1].sum()), float(angles[0][0])
    theorem = sufficient_samples(n_cells, least, eps)
    numbers = {
        "theorem": theorem,
        "sharper": sufficient_samples(n_cells, least, eps, form="sharper"),
        "union": union_samples(theta, eps, multiplicity=multiplicity),
        "exact": coverage_samples(theta, eps, multiplicity=multiplicity),
        "radians": radian_samples(n_cells, least, eps),
    }
    reached = {name: coverage_probability(theta, n, multiplicity=multiplicity) for name, n in numbers.items()}
    return SampleSizes(n_cells, least, eps, **numbers, reached=reached)


def radian_samples(n_cells: int, theta_min: float, eps: float) -> int:
    """What the theorem's formula gives for angles in radians of the plane."""
    return max(1, math.ceil(math.log(n_cells / eps) / theta_min / (2.0 * math.pi)))
