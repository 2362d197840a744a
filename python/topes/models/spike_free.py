"""Training on spike-free data: two neurons at most, proved optimal at any rank."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from .._support.exact_input import Values
from .._support.validation import FloatArray, as_beta, as_matrix, as_positive, as_vector, read_only
from ..dual import lower_bound
from ..errors import InputError
from ..full_program import solve_full
from ..losses import Loss, get_loss
from ..network import TwoLayerNetwork
from ..result import KKTResiduals, Solution, Status, relative_gap

__all__ = ["train_spike_free", "train_whitened"]


def train_spike_free(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    values: Values = "binary",
    tol: float = 1e-6,
    check_tol: float = 1e-9,
) -> Solution:
    """Train a ReLU network on spike-free data to its global optimum by problem (26), at any rank.

    Parameters
    ----------
    X, y, beta, loss, values
        As for `topes.programs.spike_free`.
    tol : float
        The `Solution.gap` at which the result is called certified.
    check_tol : float
        X passes where `SpikeFree.within(check_tol)` holds; the lower bound is divided by the ratio that was proved.

    Returns
    -------
    Solution
        One pattern, all ones; at most two neurons. No network of any width has an objective below `lower_bound`.

    Raises
    ------
    NotSpikeFree
        X is not; the error holds a witness. It is an `InputError`.
    InputError, SolverError
        As for `topes.solve_full`.

    Examples
    --------
    >>> from topes import train_spike_free
    >>> s = train_spike_free([[1, 0], [0, 1]], [2, -1], beta=0.5)
    >>> s.status.value, round(s.objective, 6), s.n_neurons
    ('certified', 1.25, 2)
    """
    from ..theory.spike_free import NotSpikeFree, spike_free  # theory stands on models, so not at the top

    result = spike_free(X, values=values)
    if not result.within(as_positive(check_tol, "check_tol")):
        raise NotSpikeFree(result)
    data = as_matrix(X)
    tol, the_loss = as_positive(tol, "tol"), get_loss(loss)
    one = np.ones((1, len(data)), dtype=np.uint8)
    s = solve_full(X, y, beta, loss=the_loss, patterns=one, rows="all", values=values, tol=tol)
    # (26) is at most ratio times (7), losses being non-negative.
    bound = s.lower_bound / max(result.ratio[1], 1.0) if s.lower_bound > 0.0 else s.lower_bound
    if result.ratio[1] > 1.0:
        bound = math.nextafter(bound, -math.inf)
    targets = as_vector(y)
    gap = relative_gap(s.objective, bound, the_loss.value(np.zeros_like(targets), targets))
    status = Status.CERTIFIED if gap <= tol else Status.NUMERICAL_FAILURE
    return replace(s, status=status, lower_bound=bound, gap=gap)


def train_whitened(X: Any, y: Any, beta: float, *, tol: float = 1e-9) -> Solution:
    """The global optimum on whitened data, XX' = c I, for the squared loss, in closed form.

    With z = Xw the program (26) is min 0.5 * ||p - q - y||^2 + b (||p|| + ||q||) over p, q >= 0, b = beta / sqrt(c): the
    positive and the negative part of y are each shortened by b, or to nothing,

        ``p = max(0, 1 - b / ||y_+||) y_+,   q = max(0, 1 - b / ||y_-||) y_-``,

    and the neurons are X'p / c and X'q / c. O(n d) operations.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Rows orthogonal and of one length, to `tol`.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    tol : float
        How far entries of XX' may be from c I, relative to c; also the `Solution.gap` called certified.

    Returns
    -------
    Solution
        Its lower bound asks nothing of X: ``abs(v'(Xu)_+) <= max(||v_+||, ||v_-||) ||X||`` for all unit u.

    Raises
    ------
    InputError
        An argument does not meet its requirement; X is not whitened.

    Examples
    --------
    >>> from topes import train_whitened
    >>> s = train_whitened([[1, 0], [0, 1]], [2, -1], beta=0.5)
    >>> s.objective, s.network.w2.tolist()
    (1.25, [1.224744871391589, -0.7071067811865476])
    """
    start = time.perf_counter()
    data, beta, tol = as_matrix(X), as_beta(beta), as_positive(tol, "tol")
    targets, n = as_vector(y, length=len(data)), len(data)
    gram = data @ data.T
    c = float(np.trace(gram)) / n
    off = float(np.abs(gram - c * np.eye(n)).max())
    if not (c > 0.0 and off <= tol * c):
        raise InputError(f"X must be whitened, XX' = c I to a share of {tol:g}; an entry is off by {off / (c or 1.0):g} c")
    b = beta / math.sqrt(c)
    parts = [np.maximum(targets, 0.0), np.maximum(-targets, 0.0)]
    lengths = [float(np.linalg.norm(part)) for part in parts]
    kept = [max(0.0, 1.0 - b / size) if size else 0.0 for size in lengths]
    columns = [data.T @ (part * (share / c)) for part, share in zip(parts, kept, strict=True)]
    network = TwoLayerNetwork.from_convex(columns[0][:, None], columns[1][:, None], activation=0.0, bias=False, norm=2)
    loss = get_loss("squared")
    f = network.predict(data)
    objective = network.objective(data, targets, beta, loss=loss, norm=2)
    bound, dual, excess = _lower_bound(data, gram, loss, f - targets, targets, beta)
    empty = loss.value(np.zeros(n), targets)
    gap = relative_gap(objective, bound, empty)
    at_f = loss.value(f, targets)
    penalty = float(sum(np.linalg.norm(w) for w in columns))
    residuals = KKTResiduals(
        stationarity=max(0.0, at_f + loss.conjugate(dual, targets) - float(dual @ f)) / (1.0 + at_f),
        primal_feasibility=max(0.0, *(float(-(data @ w).min()) / (float(np.linalg.norm(w)) or 1.0) for w in columns)),
        dual_feasibility=excess,
        complementarity=abs(beta * penalty + float(dual @ f)) / (1.0 + at_f),
    )
    return Solution(
        Status.CERTIFIED if gap <= tol else Status.NUMERICAL_FAILURE,
        network,
        objective,
        bound,
        gap,
        read_only(np.ones((1, n), dtype=np.uint8)),
        read_only(dual),
        at_f + beta * penalty,
        residuals,
        1,
        "closed form",
        {"solve": time.perf_counter() - start, "price": 0.0},
    )


def _lower_bound(
    X: FloatArray, gram: FloatArray, loss: Loss, v: FloatArray, y: FloatArray, beta: float
) -> tuple[float, FloatArray, float]:
    """A lower bound over all networks, the dual point behind it, and by how much v itself broke its constraint."""
    n, d = X.shape
    eps = float(np.finfo(np.float64).eps)
    # ||X||^2 is at most the largest absolute row sum of XX', roundings of its entries and sums included.
    rounding = (d + n + 2) * eps * float((np.abs(X) @ np.abs(X).T).sum(axis=1).max())
    length = math.sqrt(float(np.abs(gram).sum(axis=1).max()) + rounding)
    largest = max(float(np.linalg.norm(np.maximum(v, 0.0))), float(np.linalg.norm(np.maximum(-v, 0.0))))
    price = largest * length * (1.0 + (n + 8) * eps)
    bound, dual = lower_bound(loss, v, y, beta, price)
    return bound, dual, max(0.0, price / beta - 1.0)
