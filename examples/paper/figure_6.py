"""Figure 6: how many Gaussian directions see every cell (Theorem III.2), and the program over those seen.

What the figure prints is not on record with this project; taken as its claim is that of Theorem III.2: N >= log(P / eps)
/ theta_min samples see all P cells with probability 1 - eps, after which the sampled program has the value p*. Two
arrangements with known angles: the 16-gon (8 lines, 16 cells of 1/16) and Example II.1 (1/8, 1/8, 3/8, 3/8). The remark
puts in radians where the theorem means probabilities, which makes N smaller by 2 pi: both are held against the exact
probability of seeing all cells. Third, Gaussian data of rank 3: the sampled program (7) and the cells seen, over N.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from _common import BLACK, BLUE, COLOURS, ORANGE, STYLES, VERMILION, Figures, arguments, canvas, run, save, tidy

import topes
from topes.sampling import coverage_probability, sample_cells, sufficient_samples, union_samples

EPS = 0.05
TURN = np.pi * np.arange(8) / 8
SETS = {
    "16-gon": np.column_stack([np.cos(TURN), np.sin(TURN)]),
    "Example II.1": np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]]),
}


def share_that_see_all(X: Any, n_cells: int, n: int, trials: int, seed: int) -> float:
    """Of `trials` samples of n directions, how many see every cell."""
    return float(np.mean([len(sample_cells(X, n, seed=seed * 100_003 + t)) == n_cells for t in range(trials)]))


def sampled_program(X: Any, y: Any, beta: float, sizes: tuple[int, ...], seed: int) -> tuple[list[float], list[int]]:
    values, seen = [], []
    for n in sizes:
        found = topes.sample_patterns(X, n, seed=seed)
        values.append(topes.solve_full(X, y, beta, patterns=found).objective)
        seen.append(len(found))
    return values, seen


def draw(curves: dict[str, Any], marks: dict[str, Any], sizes: Any, ratio: Any, seen: Any, path: Any) -> None:
    figure = canvas(11, 4.2)
    left, right = figure.subplots(1, 2)
    for (name, (N, chance)), colour, style in zip(curves.items(), COLOURS, STYLES, strict=False):
        left.plot(N, chance, color=colour, linestyle=style, linewidth=1.4, label=name)
        radians, theorem = marks[name]
        left.plot(radians, np.interp(radians, N, chance), "x", color=colour, markersize=9)
        left.plot(theorem, np.interp(theorem, N, chance), "o", color=colour, markersize=7)
    left.axhline(1 - EPS, color=BLACK, linestyle=":", linewidth=1.4, label="1 - eps")
    left.plot([], [], "o", color="0.4", label="N of Theorem III.2, probabilities")
    left.plot([], [], "x", color="0.4", label="N with radians, Remark III.2")
    left.set(xlabel="Gaussian directions N", ylabel="probability that all cells are seen (exact)", ylim=(-0.03, 1.05))
    left.legend(frameon=False, fontsize=8, loc="center right")
    right.plot(sizes, ratio, "o-", color=BLUE, markersize=4, label="value of the sampled (7), above p*")
    right.plot(sizes, seen, "s--", color=ORANGE, markersize=4, label="share of the cells not seen")
    right.set(xscale="log", yscale="log", xlabel="Gaussian directions N", ylabel="relative", title="Gaussian data of rank 3")
    right.axhline(1e-8, color=VERMILION, linewidth=0.8)
    right.annotate("nothing, to the solver's accuracy", (sizes[0], 1.3e-8), color=VERMILION, fontsize=8)
    right.legend(frameon=False, fontsize=8)
    tidy(left)
    tidy(right)
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    figures = Figures("Figure 6", options)
    trials = 300 if options.quick else 5000
    curves: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    for name, X in SETS.items():
        theta = np.asarray(topes.solid_angles(topes.Arrangement(X)))
        P, least = len(theta), float(theta.min())
        theorem = sufficient_samples(P, least, EPS)
        radians = math.ceil(math.log(P / EPS) / (2 * math.pi * least))
        key = name.split()[0].replace("-", "")
        figures.add(f"{key}_cells", P, f"{name}: cells")
        for how, n in (("radians", radians), ("probabilities", theorem)):
            chance = coverage_probability(theta, n)
            seen = share_that_see_all(X, P, n, trials, options.seed)
            paper = "at least 0.95" if how == "radians" else "the theorem as it means it"
            figures.add(
                f"{key}_{how}", {"n": n, "exact": chance, "seen": seen, "trials": trials},
                f"{name}: all seen by N = {n}, {how}", paper, text=f"{chance:.3f} ({seen:.3f} of {trials} trials)",
            )  # fmt: skip
        figures.add(f"{key}_union", union_samples(theta, EPS), f"{name}: N of the exact union bound")
        N = np.arange(1, 2 * theorem)
        curves[name], marks[name] = (N, [coverage_probability(theta, int(k)) for k in N]), (radians, theorem)
    n, beta = (20, 0.1) if options.quick else (40, 0.1)
    rng = np.random.default_rng(options.seed)
    X, y = rng.standard_normal((n, 3)), rng.standard_normal(n)
    A = topes.Arrangement(X)
    summary = topes.solid_angle_summary(A)
    optimum = topes.train(X, y, beta, tol=1e-9)
    sizes = (10, 30, 100, 300, 1000, 3000) if options.quick else (10, 30, 100, 300, 1000, 3000, 10_000, 100_000)
    values, seen = sampled_program(X, y, beta, sizes, options.seed)
    above = [v / optimum.lower_bound - 1 for v in values]
    figures.add("gaussian_cells", summary.n_cells, f"Gaussian, {n} x 3: cells")
    needed = sufficient_samples(summary.n_cells, summary.least.angle, EPS)
    figures.add("gaussian_needed", needed, "  N of Theorem III.2", "log(P / eps) / theta_min", text=f"{needed:.3g}")
    figures.add("optimum", optimum.objective)
    figures.add("lower_bound", optimum.lower_bound)
    figures.add("sampled", [{"n": s, "value": v, "cells": k} for s, v, k in zip(sizes, values, seen, strict=True)])
    for s, a, k in zip(sizes, above, seen, strict=True):
        words = f"{100 * a:.2g} % above p*, {k} cells"
        figures.add(f"above_{s}", a, f"  sampled (7), N = {s}", "p* once all are seen", text=words)
    figures.finish()
    if options.output is not None:
        missed = [max(1 - k / summary.n_cells, 1e-8) for k in seen]
        draw(curves, marks, sizes, [max(a, 1e-8) for a in above], missed, options.output)


if __name__ == "__main__":
    run(main)
