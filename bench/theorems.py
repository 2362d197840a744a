"""Theorems II.2 and III.1 on data: what points local training ends at, and what the rank-k program costs.

Usage: python bench/theorems.py [--quick]

Points: networks of several widths trained by L-BFGS from random starts on the penguins (body mass from three measurements,
all standardised, bias penalised), judged by `topes.stationarity`: objective above the certified optimum, residual of (3),
gap of the program (46) of the network's own sign vectors. Ranks: `topes.theory.rank_k_ratio` on data with a decaying
spectrum, l2 loss.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import topes
from topes.theory import decaying_data, rank_k_ratio

DATA = Path(__file__).parents[1] / "examples" / "data"


def penguins() -> tuple[np.ndarray, np.ndarray]:
    table = np.loadtxt(DATA / "penguins.csv", delimiter=",", skiprows=1)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    return table[:, :-1], table[:, -1]


def trained_locally(X: np.ndarray, y: np.ndarray, beta: float, m: int, seed: int) -> tuple[np.ndarray, ...]:
    """L-BFGS on (3), ReLU, restarted until it moves no more: W1, b1, w2."""
    data = np.hstack([X, np.ones((len(X), 1))])
    d = data.shape[1]
    z = np.random.default_rng(seed).standard_normal(m * (d + 1)) / np.sqrt(d)

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        W, c = z[: m * d].reshape(d, m), z[m * d :]
        H = data @ W
        A = np.maximum(H, 0.0)
        v = A @ c - y
        gradient = data.T @ ((H >= 0.0) * v[:, None] * c) + beta * W
        return 0.5 * v @ v + 0.5 * beta * (z @ z), np.concatenate([gradient.ravel(), A.T @ v + beta * c])

    for _ in range(5):
        options = {"maxiter": 3000, "maxfun": 10_000, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 30}
        z = minimize(objective, z, jac=True, method="L-BFGS-B", options=options).x
    W = z[: m * d].reshape(d, m)
    return W[:-1], W[-1], z[m * d :]


def points(beta: float, widths: tuple[int, ...], starts: int) -> None:
    X, y = penguins()
    optimum = topes.train(X, y, beta, bias="penalized", tol=1e-8)
    print(f"\npenguins, beta {beta:g}: {optimum}")
    print("width  starts  above p*, % (least, median, most)  residual (median)  own program's gap (median, most)  kinds")
    for m in widths:
        found = []
        for seed in range(starts):
            network = trained_locally(X, y, beta, m, seed)
            found.append(topes.stationarity(network, X, y, beta, zero_tol=1e-6, tol=1e-6, optimum=optimum))
        above = [100.0 * (s.objective / optimum.lower_bound - 1.0) for s in found]
        own = [s.program_gap for s in found]
        kinds: dict[str, int] = {}
        for s in found:
            kinds[s.kind.value] = kinds.get(s.kind.value, 0) + 1
        print(
            f"{m:5d}  {starts:6d}  {min(above):.2g}, {np.median(above):.2g}, {max(above):.2g}"
            f"  {np.median([s.residual for s in found]):.1e}  {np.median(own):.1e}, {max(own):.1e}  {kinds}",
            flush=True,
        )


def ranks(n: int, d: int, decays: tuple[float, ...], most: int) -> None:
    print(f"\nn = {n}, d = {d}, l2 loss, beta = 1")
    print("decay  k  cells  sigma  p_cvx-k / p*  bound  value of (10) / p*  rank-k data / p*  held  seconds")
    for decay in decays:
        X, y = decaying_data(n, d, decay)
        optimum = topes.train(X, y, 1.0, loss="l2")
        for k in range(1, most + 1):
            begin = time.perf_counter()
            r = rank_k_ratio(X, y, 1.0, k, optimum=optimum)
            p = r.optimum_upper
            print(
                f"{decay:5g}  {k}  {r.n_cells}  {r.sigma:.3g}  {r.ratio:.6f}  {r.bound:.5g}  {r.program_value / p:.5f}"
                f"  {r.data_objective / p:.5f}  {r.held}  {time.perf_counter() - begin:.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few starts, few ranks")
    quick = parser.parse_args().quick
    print(f"topes {topes.__version__}, numpy {np.__version__}, {platform.machine()}")
    points(1.0, (2, 5) if quick else (2, 5, 10, 30), 3 if quick else 10)
    ranks(100, 5, (0.3,) if quick else (0.1, 0.3, 0.5, 0.7), 2 if quick else 3)


if __name__ == "__main__":
    main()
