"""Judges any two-layer network: its objective against a proved lower bound over all networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ._support.exact_input import Values
from .errors import InputError, RankLimitError
from .foreign import as_network
from .jobs.pricing import Workers
from .jobs.supply import ExecutorLike
from .losses import Loss, get_loss
from .low_rank import LowRankSolution, train_low_rank
from .models import train
from .models.convolutional import ConvolutionalNetwork, train_cnn
from .network import TwoLayerNetwork
from .result import Round, Solution, relative_gap
from .vector_network import VectorNetwork

__all__ = ["Assessment", "certify"]


@dataclass(frozen=True, repr=False)
class Assessment:
    """How far a network is from the global optimum.

    Attributes
    ----------
    objective : float
        The non-convex objective (3) of the network, in units of the loss.
    lower_bound : float
        No network of any width has a smaller objective; proved by pricing over all cells.
    gap : float
        objective - lower_bound, relative as in `Solution.gap`: an upper bound on what better training could gain.
    optimum : Solution or LowRankSolution
        The best network known, and the dual point behind the bound.
    """

    objective: float
    lower_bound: float
    gap: float
    optimum: Solution | LowRankSolution

    def __repr__(self) -> str:
        return (
            f"Assessment(objective {self.objective:.10g}, at most {100 * self.gap:.3g} % above the global optimum, "
            f"which lies between {self.lower_bound:.10g} and {min(self.objective, self.optimum.objective):.10g})"
        )


def certify(
    X: Any,
    y: Any,
    network: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = None,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    n_threads: int | None = None,
    executor: ExecutorLike | Workers | None = None,
    output_norm: float = 2,
    callback: Callable[[Round], Any] | None = None,
) -> Assessment:
    """Compare the objective (3) of a network, from any source, with a proved lower bound on that of all networks.

    The bound is that of `train`, over all cells; where the rank of X is too high for that, of `train_low_rank`, which holds
    at any rank and is weaker: one output, norm = 2, and a minute unless `max_time` says otherwise.

    Parameters
    ----------
    X : array_like, shape (n, d)
        For a `ConvolutionalNetwork` what it takes: series, images or patches.
    y : array_like, shape (n,), or (n, C) for a `VectorNetwork`
    network : TwoLayerNetwork, VectorNetwork, ConvolutionalNetwork, or (W1, b1, w2)
        Arrays of shapes (d, m), (m,) or None, and (m,), or (m, C) where y has columns; also a PyTorch ``state_dict`` or a
        fitted scikit-learn MLP (`topes.foreign.as_network`). The model has no output bias.
    beta : float
        Weight of the regulariser in (3), > 0.
    loss, activation, norm, values
        As for `train`; the activation is that of a `TwoLayerNetwork` where one is given.
    bias : {False, "penalized", "free"}, optional
        Default "penalized" where the network has biases, else False.
    tol : float
        Accuracy asked of the lower bound.
    max_time : float, optional
        Seconds; the bound proved by then holds.
    n_threads, executor
        As for `train`; an executor prices over all cells, and is not asked where the rank is too high for that.
    output_norm : {2, 1}
        For several outputs, as for `train`.
    callback : callable, optional
        As for `train`; never called where the rank is too high for it.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        An argument does not meet its requirement.

    Examples
    --------
    >>> import numpy as np
    >>> from topes import certify
    >>> X, y = [[2, 2], [3, 3], [1, 0]], [1, -1, 1]
    >>> nothing = (np.zeros((2, 1)), None, np.zeros(1))
    >>> a = certify(X, y, nothing, beta=0.1)
    >>> round(a.objective, 5), round(a.lower_bound, 5)
    (1.5, 1.10027)
    """
    network = as_network(network, activation)
    several = isinstance(network, VectorNetwork)
    if several != (np.ndim(y) == 2):
        raise InputError(f"y must have {'two axes' if several else 'one axis'} for {network!r}, got {np.ndim(y)}")
    if bias is None:
        bias = False if network.b1 is None else "penalized"
    if bias is False and network.b1 is not None and np.any(network.b1):
        raise InputError("bias must be 'penalized' or 'free' for a network with biases, got False")
    the_loss = get_loss(loss)
    run: Any = partial(train, output_norm=output_norm) if several else train
    if isinstance(network, ConvolutionalNetwork):
        run = partial(train_cnn, kernel_size=network.kernel_size, stride=network.stride)
    shared: dict[str, Any] = {"loss": the_loss, "activation": network.activation, "bias": bias, "norm": norm, "tol": tol}
    optimum: Solution | LowRankSolution
    try:
        options: dict[str, Any] = {"n_threads": n_threads, "executor": executor, "callback": callback, **shared}
        optimum = run(X, y, beta, values=values, max_time=max_time, **options)
    except RankLimitError:
        if norm != 2 or type(network) is not TwoLayerNetwork:
            raise
        limit = 60.0 if max_time is None else max_time
        optimum = train_low_rank(X, y, beta, max_time=limit, warm_start=network, n_threads=n_threads, **shared)
    more = {"output_norm": output_norm} if several else {}
    objective = network.objective(X, y, beta, loss=the_loss, bias=bias or None, norm=norm, **more)
    targets = np.asarray(y, dtype=np.float64).ravel()
    gap = relative_gap(objective, optimum.lower_bound, the_loss.value(np.zeros_like(targets), targets))
    return Assessment(objective, optimum.lower_bound, gap, optimum)
