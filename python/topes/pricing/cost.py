"""What pricing over all cells will cost, found out by pricing parts of the data before the whole is tried."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._support.exact_input import Values, as_exact_array
from .._support.limits import check_count
from .._support.validation import as_positive, as_vector
from ..dual import zero_sum
from ..network import check_bias
from .oracle import Pricer

__all__ = ["PricingCost", "PricingCostWarning", "pricing_cost", "warn_if_costly"]

# The first probe has this many rows for each dimension, each further one this many times more; each size is probed with
# several dual points, none longer than a share of the time left. Fewer sizes say nothing of the growth.
_FIRST_ROWS, _RATIO, _REPEATS, _SHARE, _FEWEST = 3, 2.0, 3, 0.25, 3


# `warn_if_costly`: seconds for a cone that a thousand hyperplanes may cut, and for a dual point that is worth a warning.
_COSTLY_DIMENSION, _SECONDS_PER_CONE, _MANY_SECONDS = 5, 6e-6, 60.0


class PricingCostWarning(UserWarning):
    """Pricing over all cells is expected to take long."""


@dataclass(frozen=True, repr=False)
class PricingCost:
    """A prediction, with what it rests on.

    Attributes
    ----------
    seconds : float
        For one dual point without structure: Gaussian noise, or the one given. An extrapolation in the number of rows where
        `extrapolated`, good to a factor of ten or so: dual points of one size differ by as much. Training prices 5 to 50.
    n_nodes : float
        Cones.
    exponent : float
        n_nodes grows like this power of the number of rows: half what was measured, half what other data showed.
    extrapolated : bool
        The whole was not priced, or not each time, within the time there was.
    dimension : int
        Of the search: the rank, a free bias counted; for norms 1 and inf the number of columns.
    measured : tuple of (int, float, float)
        Rows, cones (geometric mean of the repeats), seconds, of each probe.
    """

    seconds: float
    n_nodes: float
    exponent: float
    extrapolated: bool
    dimension: int
    measured: tuple[tuple[int, float, float], ...]

    def __repr__(self) -> str:
        how = "extrapolated" if self.extrapolated else "measured"
        return (
            f"PricingCost({_words(self.seconds)} a dual point in {self.dimension} dimensions, {how}; "
            f"{self.n_nodes:.3g} cones, growing like n^{self.exponent:.2g})"
        )


def pricing_cost(
    X: Any,
    *,
    v: Any = None,
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-3,
    max_time: float = 5.0,
    n_threads: int | None = None,
    seed: int = 0,
) -> PricingCost:
    """Predict the time `topes.pricing.Pricer` takes for one dual point, from probes on growing parts of the rows.

    Parameters
    ----------
    X, activation, bias, norm, values
        As for `train`.
    v : array_like, shape (n,), optional
        The dual point; default Gaussian noise. Near an optimum it can take far longer, from rank 5 on.
    tol : float
        Relative accuracy of the price.
    max_time : float
        Seconds for all probes.
    n_threads : int, optional
    seed : int
        Of the noise and of the rows chosen.

    Returns
    -------
    PricingCost

    Raises
    ------
    InputError
        An argument does not meet its requirement, or the dimension is above what pricing takes at all.

    Notes
    -----
    The number of cones is fitted by a power of the number of rows, the time a cone takes by its last measurement. Subsets
    are drawn at random. `docs/high_rank.md` has predictions beside what was then measured.

    Examples
    --------
    >>> import numpy as np
    >>> from topes import pricing_cost
    >>> cost = pricing_cost(np.random.default_rng(0).standard_normal((40, 3)))
    >>> cost.extrapolated, cost.dimension, cost.seconds < 5.0
    (False, 3, True)
    """
    exact = as_exact_array(X, "X", 2, values)
    free = check_bias(bias) == "free"
    tol, max_time = as_positive(tol, "tol"), as_positive(max_time, "max_time")
    check_count(seed, "seed", 0)
    n = len(exact)
    rng = np.random.default_rng(seed)
    given = None if v is None else as_vector(v, "v", length=n)
    deadline = time.perf_counter() + max_time
    measured: list[tuple[int, float, float]] = []
    rows, dimension, done = min(n, _FIRST_ROWS * min(exact.shape[1] + 1, _core.MAX_PRICING_DIMENSION)), 0, False
    while True:
        nodes, seconds, n_cut = [], [], 0
        for _ in range(_REPEATS):
            chosen = np.sort(rng.choice(n, rows, replace=False))
            pricer = Pricer(exact[chosen], activation=activation, bias=bias, norm=norm, values=values)
            dimension = max(dimension, pricer.dimension)
            part = rng.standard_normal(rows) if given is None else given[chosen]
            begin = time.perf_counter()
            pricing = pricer.price(
                zero_sum(part - part.mean()) if free and rows else part,
                tol=tol,
                n_directions=1,
                max_seconds=max(0.01, _SHARE * (deadline - begin)),
                n_threads=n_threads,
            )
            n_cut += not pricing.complete
            nodes.append(max(1, pricing.n_nodes))
            seconds.append(time.perf_counter() - begin)
        if 2 * n_cut < _REPEATS or not measured:
            # A search that was cut short counts with what it took by then: at most one of three.
            measured.append((rows, float(np.exp(np.mean(np.log(nodes)))), float(np.exp(np.mean(np.log(seconds))))))
        done = rows == n and n_cut == 0
        if rows == n or 2 * n_cut >= _REPEATS or time.perf_counter() > deadline:
            break
        rows = min(n, math.ceil(rows * _RATIO))
    return _fitted(measured, n, done, dimension)


def _fitted(measured: list[tuple[int, float, float]], n: int, done: bool, dimension: int) -> PricingCost:
    rows, nodes, seconds = (np.array([m[k] for m in measured], dtype=np.float64) for k in range(3))
    exponent = _usual_exponent(dimension)
    if len(measured) >= _FEWEST:
        last = slice(-_FEWEST - 1, None)
        fit = float(np.polyfit(np.log(rows[last]), np.log(nodes[last]), 1)[0])
        exponent = 0.5 * (exponent + min(max(fit, 0.0), dimension - 1.0))  # few probes, each of them far off at times
    if done:
        return PricingCost(float(seconds[-1]), float(nodes[-1]), exponent, False, dimension, tuple(measured))
    total = float(nodes[-1]) * (n / rows[-1]) ** exponent
    # A cone's own time grows with the hyperplanes that cut it: by less than their number.
    rate = float(seconds[-1] / nodes[-1]) * math.sqrt(n / rows[-1])
    return PricingCost(total * rate, total, exponent, True, dimension, tuple(measured))


def _usual_exponent(dimension: int) -> float:
    """Gaussian data of rank 5 to 7 and 100 to 1000 rows showed 1.4, 2.1, 2.4; see docs/high_rank.md."""
    return max(1.0, 0.5 * dimension - 1.0)


def warn_if_costly(pricer: Pricer, max_time: float | None) -> None:
    """Warn where no time limit is set and one dual point is expected to take minutes.

    The expectation is 3 n^(r/2 - 1) cones: Gaussian data of rank 5 to 7 took that many within a factor of 4.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from topes.pricing import Pricer, warn_if_costly
    >>> pricer = Pricer(np.random.default_rng(0).standard_normal((3000, 7)))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_if_costly(pricer, None)
    >>> caught[0].category.__name__
    'PricingCostWarning'
    """
    m, r = pricer.arrangement.n_hyperplanes, pricer.dimension
    if max_time is not None or r < _COSTLY_DIMENSION:
        return
    seconds = 3.0 * m ** _usual_exponent(r) * _SECONDS_PER_CONE * math.sqrt(m / 1000.0)
    if seconds > _MANY_SECONDS:
        warnings.warn(
            f"pricing one dual point over the cells of {m} hyperplanes in {r} dimensions takes about {_words(seconds)}, and "
            "training asks for 5 to 50: give max_time, use train_low_rank, or see pricing_cost for a closer prediction",
            PricingCostWarning,
            stacklevel=3,
        )


def _words(seconds: float) -> str:
    for unit, size in (("years", 3.15e7), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
