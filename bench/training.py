"""Training to a certified gap over all cells, beside the full program where that can be carried.

Usage: python bench/training.py [--quick]

Every row is checked before it is printed: the status is certified and, where the full program ran, the optima agree.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from pathlib import Path

import numpy as np

import topes
from topes.errors import TopesError

ECG = Path(__file__).parents[1] / "examples" / "data" / "ecg_lags.csv"


def teacher(n: int, r: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten ReLU neurons with Gaussian weights on Gaussian data, and a little noise."""
    rng = np.random.default_rng(1000 * n + r)
    X = rng.standard_normal((n, r))
    y = np.maximum(X @ rng.standard_normal((r, 10)), 0) @ rng.standard_normal(10) + 0.1 * rng.standard_normal(n)
    return X, y


def row(name: str, X: np.ndarray, y: np.ndarray, beta: float, tol: float, *, full: bool, max_time: float) -> None:
    start = time.perf_counter()
    s = topes.train(X, y, beta, tol=tol, max_time=max_time)
    seconds = time.perf_counter() - start
    ratio = ""
    if full:
        start = time.perf_counter()
        try:
            reference = topes.solve_full(X, y, beta)
        except TopesError as error:
            ratio = type(error).__name__
        else:
            theirs = time.perf_counter() - start
            if abs(reference.objective - s.objective) > 3 * max(tol, 1e-8) * s.objective:
                raise SystemExit(f"{name}: {s.objective} here, {reference.objective} by the full program")
            ratio = f"{theirs / seconds:8.1f}"
    cells = topes.Arrangement(X).bound()
    shares = [s.seconds[part] / max(seconds, 1e-12) for part in ("price", "solve")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:10} {len(X):6} {X.shape[1]:2} {cells:13,} {beta:7g} {tol:7.0e} {s.status.value:10} {s.gap:8.1e} "
        f"{seconds:8.2f} {len(s.history):6} {s.n_neurons:7} {shares[0]:5.0%} {shares[1]:5.0%} {peak:6.0f} {ratio:>9}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="The rows that end within a few seconds.")
    parser.add_argument("--max-time", type=float, default=120.0, help="Seconds for each row.")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, topes {topes.__version__}")
    print(
        f"{'data':10} {'n':>6} {'r':>2} {'cells <=':>13} {'beta':>7} {'tol':>7} {'status':10} {'gap':>8} "
        f"{'seconds':>8} {'rounds':>6} {'neurons':>7} {'price':>5} {'solve':>5} {'MB':>6} {'full/ours':>9}"
    )
    sizes = [(50, 2), (50, 3), (100, 3), (1000, 2), (1000, 3)]
    if not arguments.quick:
        sizes += [(10000, 2), (10000, 3), (50, 4), (200, 4), (1000, 4)]
    for n, r in sizes:
        for tol in (1e-2, 1e-4, 1e-6):
            full = tol == 1e-6 and topes.Arrangement(teacher(n, r)[0]).bound() <= 10_000
            row("teacher", *teacher(n, r), 1.0, tol, full=full and not arguments.quick, max_time=arguments.max_time)
    table = np.loadtxt(ECG, delimiter=",", skiprows=1)
    row("ECG", table[:, :3], table[:, 3], 0.005, 1e-3, full=False, max_time=arguments.max_time)


if __name__ == "__main__":
    main()
