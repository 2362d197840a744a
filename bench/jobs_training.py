"""Training over processes against plain threads: seconds, processor seconds, and how well the pieces of pricing share out.

All ways alternate, every solution is compared with the first to the last bit. Pools are made and ended within a run. The
share of the ideal is computed from the cones in the pieces: what so many workers of equal speed would reach of their number,
if sending cost nothing.

    python bench/jobs_training.py [--n 300] [--r 6] [--beta 20] [--tol 1e-2] [--workers 2] [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from jobs import processor_seconds

import topes
from topes.jobs import pricing
from topes.jobs.supply import supply

IDEAL = (2, 8, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("n", 300), ("r", 6), ("workers", 2), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, size in (("beta", 20.0), ("tol", 1e-2)):
        parser.add_argument(f"--{name}", type=float, default=size)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((args.n, args.r)), rng.standard_normal(args.n)

    def train(**options: Any) -> topes.Solution:
        return topes.train(X, y, args.beta, tol=args.tol, **options)

    runs: dict[str, Callable[[], topes.Solution]] = {
        "plain threads": lambda: train(n_threads=args.workers),
        "a process pool": lambda: train(executor=lambda: ProcessPoolExecutor(args.workers)),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    first = None
    for _ in range(args.repeats):
        for name, run in runs.items():
            start, used = time.perf_counter(), processor_seconds()
            s = run()
            found[name].append((time.perf_counter() - start, processor_seconds() - used))
            told = (s.objective, s.lower_bound, s.n_priced, s.network.W1.tobytes())
            first = first or told
            if told != first:
                raise SystemExit(f"{name} found {s}, not the same")
    print(f"n = {args.n}, r = {args.r}, beta = {args.beta:g}: {s}; {s.n_priced:,} cones; medians of {args.repeats} runs")
    for name, times in found.items():
        wall, processor = (statistics.median(t[k] for t in times) for k in (0, 1))
        dearer = statistics.median(t[1] / p[1] for t, p in zip(times, found["plain threads"], strict=True))
        print(f"{name:<16} {wall:7.2f} s, {processor:7.2f} processor s ({dearer:.2f} of plain)")
    waves = sizes_of_pieces(train)
    total = sum(map(sum, waves))
    for workers in IDEAL:
        least = sum(max(max(wave), sum(wave) / workers) for wave in waves)
        print(f"{workers} workers: {total / least / workers:.2f} of the ideal, {total / least:.1f} times one")


def sizes_of_pieces(train: Callable[..., topes.Solution]) -> list[list[int]]:
    """Cones of each piece, wave by wave, of the pricing calls that are not over at once."""
    waves: list[list[int]] = []

    class Watched(pricing.Workers):
        def call(self, *given: Any) -> Any:
            call = super().call(*given)

            def search(pieces: Any, incumbent: float) -> Any:
                found = call(pieces, incumbent)
                waves.append([piece.nodes for piece in found])
                return found

            return search

    with ProcessPoolExecutor(2) as pool:
        train(executor=Watched(supply(pool, None)))
    return waves


if __name__ == "__main__":
    main()
