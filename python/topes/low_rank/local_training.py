"""Local training of (3) at any rank: by Newton's method where its unknowns are few enough, else L-BFGS from many neurons.

Heuristics for the primal side only: what they return is judged elsewhere, and nothing is claimed of it but its objective.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from .._support.validation import FloatArray
from ..activation import kappa_of, phi
from ..losses import Loss
from ..network import Bias, TwoLayerNetwork, merged, penalised
from ..training.blocks import Blocks
from ..training.great_circles import search
from ..training.local_descent import WIDTHS, LocalTask, Work, descend_locally
from .local_rows import LocalRows

__all__ = ["LocalProblem", "blocks_of", "by_many", "network_of", "train_locally"]

_MOST_ITERATIONS, _FEWEST_ITERATIONS, _SEARCHES = 400, 20, 3
# Seconds of an iteration on a machine like ours, and for each product of an entry of the data with a neuron.
_SECONDS_PER_ITERATION, _SECONDS_PER_PRODUCT, _WORK_FOR_SEARCHES = 2e-3, 1e-8, 1.0
# New neurons have this share of the mean size; those below a share of the largest, or this close in angle, are dropped.
_SMALL, _UNUSED, _SAME = 1e-2, 1e-6, 1e-3
_MOST_WIDTH, _CIRCLES = 100, 10
# Whitened coordinates stretch a direction no more than this: beyond it random neurons see nothing but small directions.
_MOST_STRETCH = 30.0


def blocks_of(network: TwoLayerNetwork, bias: Bias) -> Blocks:
    """The columns of (7) of a network; a neuron of a free bias alone becomes the constant."""
    b1 = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    W = network.W1 if bias is False else np.vstack([network.W1, b1])
    used = (network.w2 != 0.0) & np.any(W != 0.0, axis=0)
    U, signs = W[:, used] * np.abs(network.w2[used]), np.sign(network.w2[used])
    alone = ~np.any(penalised(U, bias) != 0.0, axis=0)
    constant = float(phi(U[-1, alone], kappa_of(network.activation)) @ signs[alone]) if alone.any() else 0.0
    return Blocks(U[:, ~alone], signs[~alone], constant)


def network_of(blocks: Blocks, kappa: float, bias: Bias, X: FloatArray | None = None) -> TwoLayerNetwork:
    """The balanced network of Proposition II.1, reduced where X is given."""
    return TwoLayerNetwork.from_convex(*blocks.by_sign(), activation=kappa, bias=bias, X=X)


class LocalProblem:
    """(3) with p = 2 over the neurons of one data matrix.

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
        With a last column of ones where there is a bias.
    """

    def __init__(self, data: FloatArray, y: FloatArray, beta: float, loss: Loss, kappa: float, bias: Bias) -> None:
        self.data, self.y, self.beta, self.loss, self.kappa, self.bias = data, y, beta, loss, kappa, bias
        _, s, basis = np.linalg.svd(data, full_matrices=False)
        kept = s > 1e-12 * s.max(initial=0.0)
        # u = into @ z: outputs depend on z evenly, but for directions that hardly count, which are not blown up further.
        most = max(float(s.max(initial=0.0)), 1e-300)
        stretch = most / np.maximum(s[kept], most / _MOST_STRETCH)
        self.into, self.out = basis[kept].T * stretch, basis[kept] / stretch[:, None]
        self.smooth = not bool(loss.kinks(y)[1].any())
        self.unit = max(float(np.abs(y).max(initial=0.0)), 1e-300)

    @cached_property
    def rows(self) -> LocalRows:
        return LocalRows.of(self.data, self.bias, self.kappa)

    @cached_property
    def task(self) -> LocalTask:
        return LocalTask(self.rows, self.y, self.beta, self.loss, self.into, self.out)

    def outputs(self, neurons: Blocks) -> FloatArray:
        H = self.data @ neurons.columns
        return np.asarray(np.where(H >= 0.0, H, self.kappa * H) @ neurons.signs + neurons.constant)

    def value(self, neurons: Blocks) -> float:
        """L + beta * sum of norms: (3) of the balanced network."""
        sizes = np.linalg.norm(penalised(neurons.columns, self.bias), axis=0)
        return self.loss.value(self.outputs(neurons), self.y) + self.beta * float(sizes.sum())

    def slope(self, f: FloatArray, smoothing: float) -> tuple[float, FloatArray]:
        """The loss and its gradient; with kinks, of the Moreau envelope. All losses with kinks have L*(v) = v'y."""
        if self.smooth:
            return self.loss.value(f, self.y), self.loss.gradient(f, self.y)
        width = smoothing * self.unit
        rest = f - self.y
        v = self.loss.project_dual(rest / width, self.y)
        return float(v @ rest) - 0.5 * width * float(v @ v), v

    def descend(self, neurons: Blocks, smoothing: float, iterations: int, deadline: float) -> Blocks:
        """L-BFGS, the signs of the output weights kept."""
        X, r, m = self.data @ self.into, self.into.shape[1], neurons.columns.shape[1]
        if m == 0:
            return neurons
        free = self.bias == "free"
        P = penalised(self.into, self.bias)
        scale = np.sqrt(np.maximum(np.linalg.norm(penalised(neurons.columns, self.bias), axis=0), 1e-150))
        signs = neurons.signs

        def objective(z: FloatArray) -> tuple[float, FloatArray]:
            Z, w2 = z[: r * m].reshape(r, m), z[r * m : -1]
            W, H = P @ Z, X @ Z
            D = np.where(H >= 0.0, 1.0, self.kappa)
            A = D * H
            value, v = self.slope(A @ (signs * w2) + z[-1], smoothing)
            gradient = X.T @ (D * (v[:, None] * (signs * w2))) + self.beta * (P.T @ W)
            value += 0.5 * self.beta * float(np.sum(W * W) + np.sum(w2 * w2))
            return value, np.concatenate([gradient.ravel(), signs * (A.T @ v) + self.beta * w2, [v.sum() if free else 0.0]])

        def watch(_: FloatArray) -> None:
            if time.perf_counter() > deadline:
                raise StopIteration

        start = np.concatenate([(self.out @ (neurons.columns / scale)).ravel(), scale, [neurons.constant]])
        options = {"maxiter": iterations, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-10 * (1.0 + self.beta)}
        end = minimize(objective, start, jac=True, method="L-BFGS-B", callback=watch, options=options).x
        w2 = end[r * m : -1]
        return Blocks(self.into @ end[: r * m].reshape(r, m) * np.maximum(w2, 0.0), signs, float(end[-1]))

    def search(self, v: FloatArray, neurons: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Directions of high price, and their prices, from those of the neurons and random ones."""
        counted = len(penalised(neurons, self.bias))
        return search(self.data, v, neurons, self.into, rng, kappa=self.kappa, penalised=counted, circles=_CIRCLES)


def train_locally(
    problem: LocalProblem, start: Blocks, *, seed: int, deadline: float, work: float = math.inf
) -> Blocks:
    """Train from the neurons given; never worse than what is given.

    Parameters
    ----------
    problem : LocalProblem
    start : Blocks
    seed : int
        Of all that is random: where searches start, and small neurons.
    deadline : float
        Of `time.perf_counter`, seconds.
    work : float
        Seconds that it may take by the sizes of what it does, on a machine like ours: a limit that no clock is asked for.

    Returns
    -------
    Blocks
    """
    nothing = Blocks.none(problem.data.shape[1])
    if problem.value(nothing) == 0.0:
        return nothing
    if len(problem.out) == 0:
        return start
    if problem.task.is_taken(start):
        neurons = descend_locally(problem.task, start, np.random.default_rng(seed), deadline=deadline, work=Work(work))
    else:
        neurons = by_many(problem, start, seed, deadline, work)
    return neurons if problem.value(neurons) < problem.value(start) else start


def by_many(problem: LocalProblem, start: Blocks, seed: int, deadline: float, work: float) -> Blocks:
    """L-BFGS from these and random small neurons beside them, then from directions that would lower the objective."""
    n, d = problem.data.shape
    each = _SECONDS_PER_ITERATION + _SECONDS_PER_PRODUCT * n * d * min(n + 1, _MOST_WIDTH)
    smoothings = (0.0,) if problem.smooth else WIDTHS
    searches = _SEARCHES if work > _WORK_FOR_SEARCHES else 0
    iterations = int(np.clip(work / (each * (len(smoothings) + searches)), _FEWEST_ITERATIONS, _MOST_ITERATIONS))
    rng = np.random.default_rng(seed)
    best, value = start, problem.value(start)
    width = max(8, min(len(problem.y) + 1, _MOST_WIDTH))
    neurons = _with_random(problem, start, max(8, width - start.columns.shape[1]), rng)
    for smoothing in smoothings:
        neurons = problem.descend(neurons, smoothing, iterations, deadline)
        neurons = _tidied(neurons)
    for _ in range(searches):
        if (reached := problem.value(neurons)) < value:
            best, value = neurons, reached
        if time.perf_counter() > deadline:
            break
        _, v = problem.slope(problem.outputs(neurons), smoothings[-1])
        U, prices = problem.search(v, neurons.columns, rng)
        worth = np.abs(prices) > problem.beta * (1.0 + 1e-6)
        entering = U[:, worth] * (_SMALL * _mean_size(problem, neurons))
        signs = np.append(neurons.signs, -np.sign(prices[worth]))
        neurons = Blocks(np.hstack([neurons.columns, entering]), signs, neurons.constant)
        neurons = _tidied(problem.descend(neurons, smoothings[-1], iterations, deadline))
    if (reached := problem.value(neurons)) < value:
        best = neurons
    return best


def _with_random(problem: LocalProblem, neurons: Blocks, count: int, rng: np.random.Generator) -> Blocks:
    U = problem.into @ rng.standard_normal((len(problem.out), count))
    U *= _SMALL * _mean_size(problem, neurons) / np.maximum(np.linalg.norm(U, axis=0), 1e-300)
    signs = np.append(neurons.signs, rng.choice([-1.0, 1.0], count))
    return replace(neurons, columns=np.hstack([neurons.columns, U]), signs=signs)


def _mean_size(problem: LocalProblem, neurons: Blocks) -> float:
    """Of the neurons at hand; without any, what could fit the targets."""
    sizes = np.linalg.norm(neurons.columns, axis=0)
    if sizes.any():
        return float(sizes.mean())
    return problem.unit / max(float(np.linalg.norm(problem.data, axis=1).max(initial=0.0)), 1e-300)


def _tidied(neurons: Blocks) -> Blocks:
    U, signs = merged(neurons.columns, neurons.signs, _SAME, _UNUSED)
    return Blocks(U.reshape(len(neurons.columns), -1), signs, neurons.constant)
