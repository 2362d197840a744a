"""Interpolation, (24)-(25), and the neural gauge (36): the least norm of a network through given values, with a proof.

Whether any network has these outputs comes first, and is decided exactly; `interpolation_run` does the rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values, as_exact_array, as_floats, exact_objects
from .._support.validation import as_positive, as_vector
from ..errors import InputError, NotInterpolable
from ..jobs.pricing import Workers, workers
from ..jobs.supply import ExecutorLike
from ..pricing.oracle import Pricer
from ..result import Round
from .indicator import InterpolationLoss, MarginLoss
from .interpolable import Groups, dense, no_interpolation, no_margin
from .interpolation_result import Interpolation
from .interpolation_run import InterpolationRun

__all__ = ["Interpolation", "interpolate"]


def interpolate(
    X: Any,
    y: Any,
    *,
    margin: bool = False,
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    callback: Callable[[Round], Any] | None = None,
    n_threads: int | None = None,
    executor: ExecutorLike | Workers | None = None,
) -> Interpolation:
    """Find the network of least norm whose outputs are y, (24), certified: what training tends to as beta goes to 0.

    Minimises half the sum of ||w1_j||_p^2 + w2_j^2 subject to f(X) = y, which is the sum of the norms of the blocks of (7).

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
        Values to take; labels -1 and +1 where `margin` is true.
    margin : bool
        Ask for y_i f_i >= 1 instead: zero hinge loss, the maximal margin.
    activation, bias, norm, values, max_time, callback, n_threads, executor
        As for `topes.train`. `values` also says how y is read where consistency is decided.
    tol : float
        The `Interpolation.gap` to reach.

    Returns
    -------
    Interpolation

    Raises
    ------
    NotInterpolable
        No network of any width has these outputs; the error carries the exact proof.
    InputError
        An argument does not meet its requirement, or the rank of X is too high to price over all cells.

    Notes
    -----
    Rows on distinct hyperplanes can take any values. What rows that share one can take is decided in rational arithmetic, so
    that copies of a row with targets one ulp apart are told from copies with equal targets.

    Examples
    --------
    >>> from topes import interpolate
    >>> s = interpolate([[3.0, 4.0]], [10.0])
    >>> s.status.value, round(s.objective, 6), s.n_neurons
    ('certified', 2.0, 1)
    """
    start = time.perf_counter()
    tol = as_positive(tol, "tol")
    deadline = start + (math.inf if max_time is None else as_positive(max_time, "max_time"))
    if not isinstance(margin, (bool, np.bool_)):
        raise InputError(f"margin must be True or False, got {margin!r}")
    loss = MarginLoss() if margin else InterpolationLoss()
    pricer = Pricer(X, activation=activation, bias=bias, norm=norm, values=values)
    exact = as_exact_array(y, "y", 1, values)
    targets = loss.check_targets(as_vector(as_floats(exact), "y", length=len(pricer.data)))
    certificate = no_network(pricer, X, exact, values, margin=bool(margin))
    if certificate is not None:
        what = "y_i f_i >= 1" if margin else "f = y"
        rows = ", ".join(str(i) for i in np.flatnonzero(certificate)[:6])
        more = ", ..." if np.count_nonzero(certificate) > 6 else ""
        raise NotInterpolable(f"no network has {what}: see rows {rows}{more} of X and y", certificate=certificate)
    with workers(executor, n_threads) as at_work:
        return InterpolationRun(pricer, targets, loss, tol, deadline, callback, n_threads, start, at_work).run()


def no_network(
    pricer: Pricer, X: Any, y: npt.NDArray[Any], values: Values, *, margin: bool
) -> npt.NDArray[Any] | None:
    """The certificate of `NotInterpolable`, or None where a network exists."""
    rows = as_exact_array(X, "X", 2, values)
    if pricer.bias is not False:
        rows = np.hstack([rows, np.ones((len(rows), 1), dtype=rows.dtype)])
    groups = Groups.of(exact_objects(rows), pricer.hyperplane_of(slice(None)).tolist())
    targets = exact_objects(y).tolist()
    z = (no_margin if margin else no_interpolation)(groups, targets, pricer.kappa)
    return None if z is None else dense(z, len(rows))
