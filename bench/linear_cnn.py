"""Linear convolutional networks: `train_linear_cnn` beside the programs (16) and (20) in cvxpy with Clarabel.

Usage: python bench/linear_cnn.py [--quick]

Processor seconds of one thread for both, and how far the program's value is above the proved bound.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import topes
from topes.programs import circular_convolutional, linear_convolutional

PATCHES = [(100, 26, 9), (400, 100, 25)]
CIRCULAR = [(200, 100), (300, 400)]


def timed(work):
    start = time.process_time()
    return work(), time.process_time() - start


def main(quick: bool) -> None:
    rng = np.random.default_rng(0)
    print(f"{'model':<10}{'shape':<16}{'gap':>9}{'filters':>9}{'ours, s':>9}{'cvxpy, s':>10}{'its error':>11}")
    for shape in (PATCHES + CIRCULAR)[:1] if quick else PATCHES + CIRCULAR:
        X, circular = rng.standard_normal(shape), len(shape) == 2
        if circular:
            y = X[:, :3].sum(axis=1) + 0.1 * rng.standard_normal(len(X))
        else:
            n, K, h = shape
            Z = rng.standard_normal((h, 2)) @ rng.standard_normal((2, K))
            y = np.einsum("nkh,hk->n", X, Z) + 0.1 * rng.standard_normal(n)
        ours, mine = timed(lambda X=X, y=y, c=circular: topes.train_linear_cnn(X, y, 1.0, circular=c))
        build = circular_convolutional if circular else linear_convolutional
        value, theirs = timed(lambda X=X, y=y, b=build: b(X, y, 1.0).solve(1e-8))
        name, error = "circular" if circular else "patches", value / ours.lower_bound - 1.0
        found = f"{ours.gap:>9.1e}{ours.n_filters:>9}{mine:>9.2f}"
        print(f"{name:<10}{shape!s:<16}{found}{theirs:>10.2f}{error:>11.1e}", flush=True)


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
