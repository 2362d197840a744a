"""Plain local training of (3): scipy's L-BFGS-B on all weights of a wide network, the best of some random starts.

Weights start Gaussian, of variance 1/d and 1/m. The time is that of all starts; the starts begun within the budget count.
"""

from __future__ import annotations

import time

import numpy as np
from protocol import Problem, answer, serve
from scipy.optimize import minimize

WIDTH = 100


def train(X: np.ndarray, y: np.ndarray, beta: float, seed: int, deadline: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, W1 of shape (d, m) and w2 from one start."""
    rng = np.random.default_rng(seed)
    d, m = X.shape[1], WIDTH

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        W1, w2 = z[: d * m].reshape(d, m), z[d * m :]
        A = X @ W1
        on = A > 0.0
        A *= on
        rest = A @ w2 - y
        gradient1 = X.T @ (on * (rest[:, None] * w2)) + beta * W1
        value = 0.5 * float(rest @ rest) + 0.5 * beta * float(z @ z)
        return value, np.concatenate([gradient1.ravel(), A.T @ rest + beta * w2])

    def watch(_: np.ndarray) -> None:
        if time.perf_counter() > deadline:
            raise StopIteration

    start = np.concatenate([rng.standard_normal(d * m) / np.sqrt(d), rng.standard_normal(m) / np.sqrt(m)])
    options = {"maxiter": 2000, "maxfun": 4000, "maxcor": 20, "ftol": 1e-13, "gtol": 1e-9}
    end = minimize(objective, start, jac=True, method="L-BFGS-B", options=options, callback=watch)
    return float(end.fun), end.x[: d * m].reshape(d, m), end.x[d * m :]


def solve(problem: Problem) -> Problem:
    X, y, beta = problem["X"], problem["y"], float(problem["beta"])
    deadline = time.perf_counter() + 0.8 * float(problem["budget"])
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    values = []
    for seed in range(int(problem["samples"])):
        run = train(X, y, beta, seed, deadline)
        values.append(run[0])
        if best is None or run[0] < best[0]:
            best = run
        if time.perf_counter() > deadline:
            break
    assert best is not None
    value, W1, w2 = best
    return answer(W1 * np.abs(w2), np.sign(w2), value, patterns=len(values), values=np.array(values))


if __name__ == "__main__":
    serve(solve)
