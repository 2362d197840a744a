"""Counting in shares over threads and processes, against plain threads: seconds and processor seconds, and their ratio.

Every run counts the same arrangement, and every count is checked against the closed form. Runs of all ways alternate;
pools are made and ended within a run. Processor seconds are those of this process and its workers, so they tell the
overhead on a busy machine too.

    python bench/jobs.py [--n 400] [--r 4] [--workers 2] [--repeats 7]
"""

from __future__ import annotations

import argparse
import resource
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

    def processes() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(args.workers)

    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, Callable[[int], int]] = {
            "plain threads": lambda k: A.count(args.workers),
            "a thread pool": lambda k: A.count(executor=lambda: ThreadPoolExecutor(args.workers)),
            "a process pool": lambda k: A.count(executor=processes),
            "the same, checkpoint": lambda k: A.count(executor=processes, checkpoint=Path(folder) / str(k)),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for k in range(args.repeats):
            for name, run in runs.items():
                found[name].append(timed(run, k, A.bound()))
    print(f"n = {args.n}, r = {args.r}, {args.workers} workers: {A.bound():,} cells; medians of {args.repeats} runs")
    for name, times in found.items():
        pairs = list(zip(times, found["plain threads"], strict=True))
        wall, processor = (statistics.median(t[k] for t in times) for k in (0, 1))
        slower, dearer = (statistics.median(t[k] / p[k] for t, p in pairs) for k in (0, 1))
        print(f"{name:<22} {wall:7.2f} s ({slower:.2f} of plain), {processor:7.2f} processor s ({dearer:.2f} of plain)")


def timed(run: Callable[[int], int], k: int, expected: int) -> tuple[float, float]:
    start, used = time.perf_counter(), processor_seconds()
    n_cells = run(k)
    seconds = time.perf_counter() - start, processor_seconds() - used
    if n_cells != expected:
        raise SystemExit(f"counted {n_cells}, there are {expected}")
    return seconds


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


if __name__ == "__main__":
    main()
