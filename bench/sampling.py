"""Sampling patterns against numpy, and Theorem III.2 measured: whether it holds, and how loose it is.

Usage: python bench/sampling.py [--quick]

One thread on both sides; seconds of the processor, the least of several runs that alternate. numpy draws its own Gaussian
directions, multiplies, takes signs, packs them into bits and calls unique on the packed rows, in batches that fit its
caches: faster by far than unique(axis=0) on the signs.
On each instance both first take the same directions and must give the same
patterns with the same counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from topes import Arrangement, sampling, solid_angles

BATCH_BYTES = 1 << 21  # of the products of a batch


def packed(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(np.packbits(W @ X.T >= 0.0, axis=1, bitorder="little"))
    return rows.view(np.dtype((np.void, rows.shape[1])))[:, 0]


def merged(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    rows, inverse = np.unique(np.concatenate([rows for rows, _ in parts]), return_inverse=True)
    return rows, np.bincount(inverse, weights=np.concatenate([counts for _, counts in parts])).astype(np.int64)


def by_numpy(X: np.ndarray, n_samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    batch = max(64, BATCH_BYTES // (8 * len(X)))
    parts = []
    for begin in range(0, n_samples, batch):
        W = rng.standard_normal((min(batch, n_samples - begin), X.shape[1]))
        parts.append(np.unique(packed(X, W), return_counts=True))
    return merged(parts)


def agree(X: np.ndarray) -> None:
    W = sampling.sample_directions(X.shape[1], 2000, seed=3)
    rows, counts = np.unique(packed(X, W), return_counts=True)
    ours = sampling.sample_cells(X, 2000, seed=3, n_threads=1)
    keys = np.ascontiguousarray(ours.packed).view(rows.dtype)[:, 0]
    order = np.argsort(keys)
    if not (np.array_equal(keys[order], rows) and np.array_equal(ours.counts[order], counts)):
        raise SystemExit("the two samplers disagree on the same directions")


def clock(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def row(n: int, d: int, n_samples: int, repeats: int) -> None:
    X = np.random.default_rng(n + d).standard_normal((n, d))
    agree(X)
    ours, theirs = [], []
    for k in range(repeats):
        rng = np.random.default_rng(k)
        theirs.append(clock(lambda rng=rng: by_numpy(X, n_samples, rng)))
        ours.append(clock(lambda k=k: sampling.sample_cells(X, n_samples, seed=k, n_threads=1)))
    found = sampling.sample_cells(X, n_samples, n_threads=1)
    share = found.counters["double_signs"] / found.counters["signs"]
    rates = f"{n_samples / min(ours):14,.0f} {n_samples / min(theirs):14,.0f} {min(theirs) / min(ours):7.1f}"
    print(f"{n:6} {d:4} {n_samples:10,} {len(found):10,} {rates} {share:9.1e} {found.counters['exact_signs']:6}")


def images(n: int, n_samples: int) -> None:
    """Sparse images and patches of 3 x 3: most rows vanish on patches at the border."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (n, 28, 28)) * (rng.random((n, 28, 28)) < 0.3)
    X[:, :4] = X[:, -4:] = X[:, :, :4] = X[:, :, -4:] = 0
    X = X.reshape(n, -1).astype(np.float64)
    method = sampling.ConvolutionalSampling((28, 28), (3, 3))
    work = [lambda k=k: sampling.sample_cells(X, n_samples, method=method, seed=k, n_threads=1) for k in range(3)]
    seconds = min(map(clock, work))
    found = sampling.sample_cells(X, n_samples, method=method)
    rate = n_samples / seconds
    print(f"patches of 3 x 3, n = {n}: {rate:,.0f} samples a second, {len(found):,} patterns of {n_samples:,}")


def looseness() -> None:
    print("\nTheorem III.2 at eps = 0.05; equal cells, and cells of a random partition of the circle")
    names = ("theorem", "sharper", "union", "exact")
    print(f"{'cells':>8} {'equal':>6}", *(f"{name:>15}" for name in names), f"{'N / exact':>9} {'at N / 2 pi':>11}")
    for n_cells in (4, 16, 100, 1000, 10_000):
        widths = np.random.default_rng(n_cells).dirichlet(np.ones(n_cells // 2)) / 2  # antipodal cells are congruent
        for name, theta, times in (("yes", [1 / n_cells], [n_cells]), ("no", widths, np.full(n_cells // 2, 2))):
            s = sampling.sample_sizes(theta, multiplicity=times)
            numbers = (f"{getattr(s, which):15,}" for which in names)
            print(f"{n_cells:8,} {name:>6}", *numbers, f"{s.looseness:9.2f} {s.reached['radians']:11.4f}")


def grid(repetitions: int) -> None:
    print("\nTheorem III.2 on Gaussian points: share of repetitions that see all cells, at its N and at N / (2 pi)")
    head = f"{'n':>4} {'r':>2} {'eps':>5} {'cells':>7} {'theta_min':>10} {'N':>12}"
    print(f"{head} {'at N':>8} {'interval':>18} {'held':>5} {'N / 2 pi':>8} {'N / exact':>9}")
    for r, n in ((2, 5), (2, 20), (2, 100), (3, 5), (3, 10), (3, 30), (4, 6), (4, 12), (5, 7), (5, 10)):
        theta = solid_angles(Arrangement(np.random.default_rng(10 * n + r).standard_normal((n, r)))).angles
        for eps in (0.2, 0.05, 0.01):
            sizes = sampling.sample_sizes(theta, eps=eps)
            seen = sampling.coverage(theta, eps=eps, repetitions=repetitions, rng=0)
            less = sampling.coverage(theta, round(sizes.theorem / (2 * np.pi)), repetitions=repetitions, rng=0)
            shares = [found.n_covered / repetitions for found in (seen, less)]
            interval = f"[{seen.low:.4f}, {seen.high:.4f}]"
            print(
                f"{n:4d} {r:2d} {eps:5g} {len(theta):7,} {theta.min():10.2e} {sizes.theorem:12,} {shares[0]:8.4f}"
                f" {interval:>18} {seen.held!s:>5} {shares[1]:8.4f} {sizes.looseness:9.2f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples, fewer runs")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, numpy {np.__version__}")
    print(f"{'n':>6} {'d':>4} {'samples':>10} {'patterns':>10}", end=" ")
    print(f"{'ours / s':>14} {'numpy / s':>14} {'ratio':>7} {'double':>9} {'exact':>6}")
    scale = 10 if arguments.quick else 1
    for n, d, n_samples in (
        (20, 3, 2_000_000),
        (100, 3, 2_000_000),
        (1000, 3, 400_000),
        (100, 4, 1_000_000),
        (100, 5, 1_000_000),
        (100, 10, 500_000),
        (1000, 10, 200_000),
        (1000, 784, 5_000),
    ):
        row(n, d, n_samples // scale, 2 if arguments.quick else 5)
    images(1000, 100_000 // scale)
    X = np.random.default_rng(0).standard_normal((100, 3))
    n_samples = 2_000_000 // scale
    s = sampling.sample_cells(X, n_samples)
    print(f"\n100 Gaussian points of rank 3 have {Arrangement(X).count():,} cells.")
    print(s, s.unseen_mass(), s.estimate_n_cells(), sep="\n")
    looseness()
    grid(1000 if arguments.quick else 10_000)


if __name__ == "__main__":
    main()
