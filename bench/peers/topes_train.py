"""`topes.train`, run as the peers are: the same problem file, the same answer, and its proof."""

from __future__ import annotations

import time

import numpy as np
from protocol import Problem, answer, serve

import topes


def solve(problem: Problem) -> Problem:
    start, cpu = time.perf_counter(), time.process_time()
    s = topes.train(
        problem["X"],
        problem["y"],
        float(problem["beta"]),
        tol=float(problem["tol"]),
        max_time=float(problem["budget"]),
        n_threads=int(problem["threads"]),
    )
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    w2 = s.network.w2
    return answer(
        s.network.W1 * np.abs(w2),
        np.sign(w2),
        s.objective,
        lower_bound=s.lower_bound,
        gap=s.gap,
        status=s.status.value,
        rounds=len(s.history),
        price=s.seconds["price"] / seconds,
        solve=s.seconds["solve"] / seconds,
        seconds=seconds,
        cpu=cpu,
    )


if __name__ == "__main__":
    serve(solve)
