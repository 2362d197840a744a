"""What the bound at any rank is worth, part by part, and what `train_low_rank` reaches.

Usage: python bench/low_rank.py [--quick] [--max-time SECONDS]

Tails: one dual point, that of local training, priced at growing k. `plain` is ||v|| R sigma_(k+1) / beta; `tail` the bound
c(v) / beta; `adapted` the same for the directions that suit v. Bounds on p* with these three, the first by the triangle
inequality, and with cutting planes behind the third. Every bound is held against the objective of the network first.

Local training: objectives of three seeds, neurons, and seconds, for both of its ways.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from pathlib import Path

import numpy as np

import topes
from topes.dual import lower_bound
from topes.losses import get_loss
from topes.low_rank.any_rank import AnyRankBound
from topes.low_rank.local_training import LocalProblem, by_many, train_locally
from topes.low_rank.split import LowRankSplit
from topes.training.blocks import Blocks
from topes.training.local_descent import Work, descend_locally

DATA = Path(__file__).parents[1] / "examples" / "data"
SQUARED = get_loss("squared")


def standardised(table: np.ndarray) -> np.ndarray:
    return (table - table.mean(axis=0)) / table.std(axis=0)


def concrete(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows chosen at random, standardised, with a column of ones."""
    table = standardised(np.loadtxt(DATA / "concrete.csv", delimiter=",", skiprows=1))
    table = table[np.random.default_rng(0).permutation(len(table))[:n]]
    return np.hstack([table[:, :-1], np.ones((n, 1))]), table[:, -1]


def decaying(n: int, d: int, decay: float) -> tuple[np.ndarray, np.ndarray]:
    """A teacher of 5 neurons on Gaussian data whose columns shrink by `decay`, turned, with noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)) * decay ** np.arange(d) @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    y = np.maximum(X @ rng.standard_normal((d, 5)), 0.0) @ rng.standard_normal(5)
    return X, y + 0.1 * y.std() * rng.standard_normal(n)


def beta_of(X: np.ndarray, y: np.ndarray, share: float) -> float:
    """A share of about the beta at which the empty network is optimal: the best of local searches."""
    problem = LocalProblem(X, y, 1.0, SQUARED, 0.0, False)
    prices = problem.search(-y, np.zeros((X.shape[1], 0)), np.random.default_rng(0))[1]
    return share * float(np.abs(prices).max())


def tails(name: str, X: np.ndarray, y: np.ndarray, beta: float, ranks: list[int], seconds: float) -> None:
    problem = LocalProblem(X, y, beta, SQUARED, 0.0, False)
    nothing = Blocks.none(X.shape[1])
    neurons = train_locally(problem, nothing, seed=0, deadline=time.perf_counter() + seconds)
    objective, v = problem.value(neurons), problem.outputs(neurons) - y
    print(f"{name}: n = {len(X)}, d = {X.shape[1]}, beta = {beta:.4g}, objective of local training {objective:.6g}")
    head = [f"{word:>7}" for word in ("m_k", "plain", "tail", "adapted")]
    print(f"{'k':>3}", *head, "| bounds:", *(f"{word:>8}" for word in ("plain", "tail", "adapted", "cuts")), " price s")
    sizes = np.linalg.norm(neurons.columns, axis=0)
    H = X @ (neurons.columns / sizes)
    atoms = -np.maximum(H, 0.0) * neurons.signs
    for k in ranks:
        split = LowRankSplit.of(X, k)
        found = AnyRankBound(split, y, beta, SQUARED, 0.0, False).assess(v, tol=1e-3)
        plain = float(np.linalg.norm(v)) * split.residual_norm
        first = lower_bound(SQUARED, v, y, beta, found.rank_k_price + plain)[0]
        judge = AnyRankBound(LowRankSplit.adapted(X, k, v, 0.0), y, beta, SQUARED, 0.0, False)
        start = time.perf_counter()
        better = judge.assess(v, tol=1e-3)
        took = time.perf_counter() - start
        best = judge.improve(better, atoms, deadline=time.perf_counter() + seconds)
        bounds = [first, found.value, better.value, best.value]
        if max(bounds) > objective * (1 + 1e-9):
            raise SystemExit(f"{name}: a bound of {max(bounds)} above the objective {objective}")
        ratios = [found.rank_k_price / beta, plain / beta, found.tail / beta, better.tail / beta]
        print(f"{k:3}", *(f"{x:7.3f}" for x in ratios), "|        ", *(f"{x:8.4g}" for x in bounds), f"{took:8.2f}")


def local(name: str, X: np.ndarray, y: np.ndarray, beta: float) -> None:
    """Objectives of three seeds: L-BFGS from many neurons, and Newton's method with searches along great circles."""
    problem = LocalProblem(X, y, beta, SQUARED, 0.0, False)
    nothing = Blocks.none(X.shape[1])
    for method in ("many", "circles"):
        for work in (2.0, 10.0):
            start, trained = time.process_time(), []
            for seed in range(3):
                if method == "many":
                    trained.append(by_many(problem, nothing, seed, math.inf, work))
                else:
                    rng = np.random.default_rng(seed)
                    trained.append(descend_locally(problem.task, nothing, rng, deadline=math.inf, work=Work(work)))
            seconds = (time.process_time() - start) / 3
            values = ", ".join(f"{problem.value(t):.6g}" for t in trained)
            print(
                f"{name:10} beta {beta:8.4g} {method:8} work {work:3.0f}: {values}; "
                f"{', '.join(str(len(t)) for t in trained)} neurons; {seconds:.1f} CPU s each",
                flush=True,
            )


def row(name: str, X: np.ndarray, y: np.ndarray, beta: float, **options: object) -> None:
    start = time.perf_counter()
    s = topes.train_low_rank(X, y, beta, **options)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    if s.network.objective(X, y, beta) < s.lower_bound:
        raise SystemExit(f"{name}: a bound of {s.lower_bound} above the objective")
    cells = "-" if s.n_cells is None else str(s.n_cells)
    print(
        f"{name:22} {len(X):5} {X.shape[1]:3} {beta:8.4g} {s.method:8} {s.rank:2} {cells:>6} {s.program_objective:10.5g} "
        f"{s.objective:10.5g} {s.lower_bound:10.5g} {s.gap:8.1e} {s.n_neurons:4} {s.status.value:11} {seconds:6.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--max-time", type=float, default=30.0, help="Seconds for each row.")
    arguments = parser.parse_args()
    limit = arguments.max_time
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, topes {topes.__version__}")
    sets = {"decay 0.3": decaying(300, 20, 0.3), "decay 0.6": decaying(300, 20, 0.6), "concrete": concrete(300)}
    for name, (X, y) in sets.items():
        tails(name, X, y, beta_of(X, y, 0.1), [1, 2, 3, 4] if arguments.quick else [1, 2, 3, 4, 5], limit / 5)
    for name, (X, y) in sets.items():
        for share in (0.1, 0.03) if not arguments.quick else (0.1,):
            local(name, X, y, beta_of(X, y, share))
    print(
        f"{'data':22} {'n':>5} {'d':>3} {'beta':>8} {'method':8} {'k':>2} {'cells':>6} {'program':>10} {'objective':>10} "
        f"{'bound':>10} {'gap':>8} {'m':>4} {'status':11} {'s':>6}"
    )
    for name, (X, y) in sets.items():
        for share in (0.3, 0.1):
            beta = beta_of(X, y, share)
            row(name, X, y, beta, max_time=limit)
            if not arguments.quick:
                row(name, X, y, beta, rank=2, method="cells", max_time=limit)
                row(name, X, y, beta, n_samples=500, max_time=limit)
    if not arguments.quick:
        X, y = concrete(1030)
        row("concrete, all", X, y, beta_of(X, y, 0.1), max_time=2 * limit)


if __name__ == "__main__":
    main()
