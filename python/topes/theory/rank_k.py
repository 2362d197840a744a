"""Theorem III.1 on a user's data: what the network of the rank-k program (10) costs, and what is proved of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_matrix, as_positive, as_tolerance, as_vector
from ..activation import kappa_of
from ..errors import InputError
from ..losses import Loss, get_loss
from ..low_rank.cells_program import cells_of_rank_k, solve_over_cells
from ..low_rank.solution import LowRankSolution
from ..low_rank.split import LowRankSplit
from ..models import train
from ..network import TwoLayerNetwork
from ..result import Solution

__all__ = ["RankKRatio", "decaying_data", "rank_k_ratio"]


@dataclass(frozen=True, repr=False)
class RankKRatio:
    """Both sides of Theorem III.1, measured.

    Attributes
    ----------
    rank : int
        k.
    sigma : float
        sigma_(k+1) of X, rounded up; units of X.
    n_cells : int
        Cells of the rank-k data.
    objective : float
        p_cvx-k: the non-convex objective (3) on X of the network read off the minimiser of (10).
    program_value, program_lower_bound : float
        The optimal value of (10) lies between them. It may lie below p*.
    data_objective : float
        The same network objective for the program of the rank-k data alone, cells and features of X_k: (53). The proof's
        step objective <= data_objective is false.
    optimum_upper, optimum_lower : float
        p* lies between them, proved by pricing over all cells of X.
    ratio, ratio_lower : float
        p_cvx-k / p* lies between `ratio_lower` and `ratio`.
    rho : float
        L (1 - kappa) sigma_(k+1) / beta, L the Lipschitz constant of the loss.
    bound : float
        (1 + rho)^2, which is proved: docs/theorems.md.
    paper_bound : float
        (1 + L max(1, abs(kappa)) sigma_(k+1) / beta)^2, as Theorem III.1 states it. For the absolute value it is the
        smaller one, and not proved.
    held, paper_held : bool
        p_cvx-k is no more than the bound times p*, but for what the solver of (10) left.
    network : TwoLayerNetwork
        That of (10).
    optimum : Solution or LowRankSolution
    seconds : dict
        "cells", "program", "data", "optimum".
    """

    rank: int
    sigma: float
    n_cells: int
    objective: float
    program_value: float
    program_lower_bound: float
    data_objective: float
    optimum_upper: float
    optimum_lower: float
    ratio: float
    ratio_lower: float
    rho: float
    bound: float
    paper_bound: float
    held: bool
    paper_held: bool
    network: TwoLayerNetwork
    optimum: Solution | LowRankSolution
    seconds: dict[str, float]

    def __repr__(self) -> str:
        words = "held" if self.held else "did not hold"
        return (
            f"RankKRatio(k {self.rank}, {self.n_cells} cells, sigma {self.sigma:.4g}: p_cvx-k {self.objective:.8g}, "
            f"p* {self.optimum_upper:.8g}, ratio {self.ratio:.8g}, bound {self.bound:.6g} {words}, "
            f"paper's {self.paper_bound:.6g})"
        )


def rank_k_ratio(
    X: Any,
    y: Any,
    beta: float,
    k: int,
    *,
    loss: str | Loss = "l2",
    activation: str | float = "relu",
    tol: float = 1e-6,
    max_cells: int = 20_000,
    max_time: float | None = None,
    optimum: Solution | LowRankSolution | None = None,
    n_threads: int | None = None,
) -> RankKRatio:
    """Solve (10) at rank k and the whole problem, and hold their ratio against Theorem III.1 (Figure 5).

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    k : int
        1 to min(n, d).
    loss : str or Loss
        A loss with a Lipschitz constant in the 2-norm: "l2" (1), "absolute", "huber", "logistic", "hinge" (sqrt(n)).
    activation : {"relu", "abs"} or float
    tol : float
        Relative gap of both.
    max_cells : int
        Of the rank-k data.
    max_time : float, optional
        Seconds, for each of the three problems.
    optimum : Solution or LowRankSolution, optional
        Of the whole problem, without a bias, if it is known; default `train`.
    n_threads : int, optional

    Returns
    -------
    RankKRatio

    Raises
    ------
    InputError
        An argument does not meet its requirement; the loss has no Lipschitz constant.
    CellLimitError
        The rank-k data have more than `max_cells` cells.

    Examples
    --------
    >>> from topes.theory import decaying_data, rank_k_ratio
    >>> X, y = decaying_data(12, 4, 0.3)
    >>> found = rank_k_ratio(X, y, 0.5, 2)
    >>> found.held, 1.0 <= found.ratio <= found.bound
    (True, True)
    """
    beta, the_loss, kappa, tol = as_beta(beta), get_loss(loss), kappa_of(activation), as_tolerance(tol)
    data = as_matrix(X, "X")
    y = the_loss.check_targets(as_vector(y, "y", length=len(data)))
    check_count(k, "k", 1)
    if k > min(data.shape):
        raise InputError(f"k must be at most {min(data.shape)} for X of shape {data.shape}, got {k}")
    constant = the_loss.lipschitz(len(y))
    if constant is None:
        raise InputError(f"loss must have a Lipschitz constant for Theorem III.1; the {the_loss.name} loss has none")
    limit = math.inf if max_time is None else as_positive(max_time, "max_time")
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def lap(name: str) -> None:
        seconds[name] = time.perf_counter() - start - sum(seconds.values())

    # Powers of two change nothing but units: rounding bounds of the split want entries about 1.
    most = float(np.abs(data).max(initial=0.0))
    exponent = math.frexp(most)[1] if most > 0.0 else 0
    scaled, scaled_beta = np.ldexp(data, -exponent), math.ldexp(beta, -exponent)
    split = LowRankSplit.of(scaled, k)
    cones = cells_of_rank_k(split, max_cells=max_cells)
    lap("cells")
    deadline = time.perf_counter() + limit
    solution = solve_over_cells(scaled, cones, split.basis, y, scaled_beta, the_loss, kappa, tol=tol, deadline=deadline)
    parts = [np.ldexp(solution.U[:, solution.signs == s], -exponent) for s in (1.0, -1.0)]
    network = TwoLayerNetwork.from_convex(*parts, activation=kappa)
    lap("program")
    options: dict[str, Any] = {"loss": the_loss, "activation": kappa, "tol": tol}
    options |= {"max_time": max_time, "n_threads": n_threads}
    inside = train(split.coordinates, y, scaled_beta, **options).network
    rank_k = TwoLayerNetwork(np.ldexp(split.basis @ inside.W1, -exponent), None, inside.w2, kappa)
    lap("data")
    if optimum is None:
        optimum = train(data, y, beta, **options)
    lap("optimum")
    objective = network.objective(data, y, beta, loss=the_loss)
    upper, lower = optimum.objective, optimum.lower_bound
    sigma = split.residual_norm * 2.0**exponent
    rho = constant * (1.0 - kappa) * sigma / beta
    paper = (1.0 + constant * max(1.0, abs(kappa)) * sigma / beta) ** 2
    bound = (1.0 + rho) ** 2
    left = max(0.0, solution.value - solution.lower_bound)  # (10) is solved to this: (1 + rho) times as much for its network
    rounding = 1e-12 * the_loss.value(np.zeros_like(y), y)
    held, paper_held = (objective <= b * upper + math.sqrt(b) * left + rounding for b in (bound, paper))
    return RankKRatio(
        int(k), sigma, len(cones), objective, solution.value, solution.lower_bound,
        _penalised_value(rank_k, data, y, beta, the_loss), upper, lower,
        _ratio(objective, lower), _ratio(objective, upper), rho, bound, paper,
        held, paper_held, network, optimum, seconds,
    )  # fmt: skip


def _penalised_value(network: TwoLayerNetwork, X: FloatArray, y: FloatArray, beta: float, loss: Loss) -> float:
    """(3) with each neuron in its cheapest scaling: units of X changed only the input weights."""
    size = np.linalg.norm(network.W1, axis=0) * np.abs(network.w2)
    return loss.value(network.predict(X), y) + beta * float(size.sum())


def _ratio(value: float, other: float) -> float:
    """value / other; 1 where both are zero."""
    if other > 0.0:
        return value / other
    return 1.0 if value <= 0.0 else math.inf


def decaying_data(
    n: int, d: int, decay: float, *, neurons: int = 3, noise: float = 0.1, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Data whose singular values are sqrt(n) decay^i, and targets of a random network with noise: what Figure 5 asks for.

    Parameters
    ----------
    n, d : int
        Samples, features.
    decay : float
        sigma_(i+1) / sigma_i.
    neurons : int
        Of the planted ReLU network, Gaussian weights.
    noise : float
        Standard deviation, in units of that of its outputs.
    seed : int

    Returns
    -------
    X : ndarray, shape (n, d), float64
    y : ndarray, shape (n,), float64

    Examples
    --------
    >>> import numpy as np
    >>> from topes.theory import decaying_data
    >>> X, y = decaying_data(9, 3, 0.1)
    >>> np.linalg.svd(X, compute_uv=False).round(6).tolist(), y.shape
    ([3.0, 0.3, 0.03], (9,))
    """
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((n, min(n, d))))[0]
    V = np.linalg.qr(rng.standard_normal((d, min(n, d))))[0]
    X = math.sqrt(n) * (U * decay ** np.arange(min(n, d))) @ V.T
    f = np.maximum(X @ rng.standard_normal((d, neurons)), 0.0) @ rng.choice([-1.0, 1.0], neurons)
    return X, f + noise * float(np.std(f)) * rng.standard_normal(n)
