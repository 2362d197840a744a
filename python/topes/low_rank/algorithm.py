"""Training where the rank is too high to price over all cells: Algorithm 1, and a certificate that holds at any rank.

1. Local training of (3) on the data as they are: an upper bound, and a dual point.
2. A program that is convex and small enough: that of the rank-k data (`method="data"`), (10) over the cells of the
   rank-k data with the features of X (`"cells"`), or (7) over sampled patterns (`"samples"`).
3. Its network, trained further on the data as they are.
4. Dual points of 1 and 2, and combinations, priced through `topes.low_rank_split`: a lower bound on p*.
"""

from __future__ import annotations

from typing import Any

from .._support.limits import check_count
from .._support.validation import choice
from ..errors import InputError
from ..losses import Loss
from ..network import TwoLayerNetwork
from .run import Method, Run
from .solution import LowRankSolution

__all__ = ["train_low_rank"]

_DEFAULT_SAMPLES = 1000


def train_low_rank(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    rank: int | None = None,
    method: Method | None = None,
    n_samples: int | None = None,
    sampling: Any = "gaussian",
    max_cells: int = 20_000,
    seed: int = 0,
    tol: float = 1e-3,
    max_time: float = 60.0,
    warm_start: TwoLayerNetwork | None = None,
    n_threads: int | None = None,
) -> LowRankSolution:
    """Train a two-layer network on data of any rank, and bound from below what any network could reach (Algorithm 1).

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser in (3), > 0.
    loss, activation, bias
        As for `train`.
    norm : {2}
        The bound rests on orthogonal directions: other norms of the weights are not taken.
    rank : int, optional
        k. Default: the one with the best bound, found by pricing the same dual point at growing k while time allows. At most
        `_core.MAX_PRICING_DIMENSION`, a free bias counted.
    method : {"data", "cells", "samples"}, optional
        The program to solve: that of the rank-k data over all their cells; (10) over the enumerated cells of the rank-k data
        with the features of X; (7) over patterns sampled from X. Default "samples" where `n_samples` is given, else "data".
        "cells" and "samples" take no free bias.
    n_samples : int, optional
        Random directions of "samples"; default 1000.
    sampling : "gaussian" or ConvolutionalSampling
        As for `sample_patterns`.
    max_cells : int
        "cells" refuses beyond this number.
    seed : int
        Of all that is random.
    tol : float
        The gap at which the result is called certified.
    max_time : float
        Seconds, about: a step that has begun is finished.
    warm_start : TwoLayerNetwork, optional
        Where local training starts; the network returned is no worse.
    n_threads : int, optional
        Of pricing.

    Returns
    -------
    LowRankSolution

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    CellLimitError
        "cells": the rank-k data have more than `max_cells` cells.

    Examples
    --------
    >>> import numpy as np
    >>> from topes import train_low_rank
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((30, 2)) @ rng.standard_normal((2, 12)) + 1e-4 * rng.standard_normal((30, 12))
    >>> s = train_low_rank(X, np.maximum(X[:, 0], 0.0), beta=0.1, rank=2, max_time=20.0)
    >>> s.status.value, s.gap < 1e-3, s.lower_bound <= s.objective
    ('certified', True, True)
    """
    run = Run(X, y, beta, loss, activation, bias, tol, max_time, n_threads, seed)
    choice(norm, "norm", (2,))
    if method is None:
        method = "data" if n_samples is None else "samples"
    choice(method, "method", ("data", "cells", "samples"))
    if n_samples is not None:
        check_count(n_samples, "n_samples", 1)
        if method != "samples":
            raise InputError(f"n_samples goes with method 'samples', got method {method!r}")
    if method != "data" and run.bias == "free":
        raise InputError(f"method must be 'data' where the bias is free, got {method!r}")
    if warm_start is not None:
        run.start_at(warm_start)
    return run.solve(rank, method, _DEFAULT_SAMPLES if n_samples is None else int(n_samples), sampling, max_cells)
