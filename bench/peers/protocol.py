"""How a peer is run: a process of its own, a problem in one .npz, a network in another. Needs numpy alone.

The problem: X (n, d), y (n,), beta, budget (seconds) and what the peer takes besides. The answer: columns |w2_j| w1_j of
shape (d, m) with signs (m,) of the output weights, and value, what the peer itself says it reached, in the units of (3):
0.5 ||f - y||^2 + beta/2 sum of ||w1_j||^2 + w2_j^2. Nothing in it is believed: the caller evaluates the network. Each solves
a problem of a dozen rows first, so that seconds hold no imports; peak is that of the process, in MB.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Problem = dict[str, Any]


def gates(d: int, count: int) -> np.ndarray:
    """Gaussian directions, shape (d, count): how both packages sample activation patterns."""
    return np.random.default_rng(0).standard_normal((d, count))


def masks(X: np.ndarray, count: int) -> np.ndarray:
    """Distinct patterns of sampled directions, shape (n, m), bool."""
    return np.unique(gates(X.shape[1], count).T @ X.T >= 0.0, axis=0).T


def answer(columns: np.ndarray, signs: np.ndarray, value: float, **more: Any) -> Problem:
    return {"columns": columns, "signs": signs, "value": value, **more}


def serve(solve: Callable[[Problem], Problem]) -> None:
    """Read the problem named first on the command line, write the answer to the second name."""
    with np.load(sys.argv[1]) as file:
        problem = {name: file[name][()] for name in file.files}
    rng = np.random.default_rng(0)
    small = {**problem, "X": rng.standard_normal((12, problem["X"].shape[1])), "y": rng.standard_normal(12), "samples": 4}
    small.pop("cells", None)
    solve(small)
    start = time.perf_counter()
    result = solve(problem)
    result.setdefault("seconds", time.perf_counter() - start)
    np.savez(sys.argv[2], peak=peak(), **result)


def peak() -> float:
    """Peak resident memory of this program in MB: not of the one that started it, which getrusage would count."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size / (1024**2 if sys.platform == "darwin" else 1024)
