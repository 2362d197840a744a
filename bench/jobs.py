"""Counting in shares over threads and processes, against plain threads: seconds, and the ratio to plain threads.

Every run counts the same arrangement, and every count is checked against the closed form. Runs of all ways alternate.

    python bench/jobs.py [--n 400] [--r 4] [--workers 2] [--repeats 7]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from topes import Arrangement


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("n", 400), ("r", 4), ("workers", 2), ("repeats", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    A = Arrangement(np.random.default_rng(0).standard_normal((args.n, args.r)))
    with (
        ProcessPoolExecutor(args.workers) as processes,
        ThreadPoolExecutor(args.workers) as threads,
        tempfile.TemporaryDirectory() as folder,
    ):
        A.count(executor=processes)  # the workers start, and import the library
        runs = {
            "plain threads": lambda k: A.count(args.workers),
            "a thread pool": lambda k: A.count(executor=threads),
            "a process pool": lambda k: A.count(executor=processes),
            "a process pool, checkpoint": lambda k: A.count(executor=processes, checkpoint=Path(folder) / str(k)),
            "a new process pool": lambda k: A.count(executor=lambda: ProcessPoolExecutor(args.workers)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for k in range(args.repeats):
            for name, run in runs.items():
                seconds[name].append(timed(run, k, A.bound()))
    plain = statistics.median(seconds["plain threads"])
    print(f"n = {args.n}, r = {args.r}, {args.workers} workers: {A.bound():,} cells; medians of {args.repeats} runs")
    for name, times in seconds.items():
        ratio = statistics.median(t / p for t, p in zip(times, seconds["plain threads"], strict=True))
        median, spread = statistics.median(times), f"{min(times):.2f} to {max(times):.2f}"
        print(f"{name:<28} {median:7.2f} s ({spread}), {ratio:.2f} times plain threads, {median - plain:+.2f} s")


def timed(run: Callable[[int], int], k: int, expected: int) -> float:
    start = time.perf_counter()
    n_cells = run(k)
    seconds = time.perf_counter() - start
    if n_cells != expected:
        raise SystemExit(f"counted {n_cells}, there are {expected}")
    return seconds


if __name__ == "__main__":
    main()
