"""Figure 5: Theorem III.1 over the number of features d: p_cvx-k / p*, the bound, and the cells of both arrangements.

Taken as the paper's claim: on data whose spectrum decays, the convex program over the cells of the rank-k data costs
little more than p* and never more than (1 + R sigma_(k+1) / beta)^2 times it, while its cells grow like n^(k-1) and not
like n^(d-1). The loss is ||f - y||_2, not its square, which has no Lipschitz constant. p_cvx-k is the objective (3), on
X, of the network read off the minimiser of (10); the value of (10) itself can lie below p*. Singular values sqrt(n)
decay^i, targets of a random network with noise. p* lies between two proved numbers: by pricing over all cells up to d =
5, by the bound for any rank beyond.
"""

from __future__ import annotations

from typing import Any

from _common import BLACK, COLOURS, MARKERS, Figures, arguments, canvas, run, save, tidy

import topes
from topes.theory import decaying_data, rank_k_ratio

BETA, DECAY = 1.0, 0.3
FLOOR = 1e-6  # what the two sides of p* leave
PRICED = 5  # features up to which p* is found by pricing over all cells


def optimum(X: Any, y: Any, seconds: float) -> Any:
    """p* from both sides: over all cells, or by the bound for any rank."""
    if X.shape[1] <= PRICED:
        return topes.train(X, y, BETA, loss="l2", tol=1e-6, max_time=seconds)
    return topes.train_low_rank(X, y, BETA, loss="l2", tol=1e-4, max_time=seconds)


def draw(rows: list[dict[str, Any]], ranks: tuple[int, ...], path: Any) -> None:
    figure = canvas(11, 4.8)
    left, right = figure.subplots(1, 2)
    for k, colour, marker in zip(ranks, COLOURS, MARKERS, strict=False):
        mine = [r for r in rows if r["k"] == k]
        d = [r["d"] for r in mine]
        excess = [max(r["ratio"] - 1, FLOOR) for r in mine]
        left.plot(d, excess, "-", marker=marker, color=colour, markersize=5, label=f"$p_{{cvx-{k}}} / p^*$")
        bounds, hollow = [r["bound"] - 1 for r in mine], {"marker": marker, "markerfacecolor": "none", "linewidth": 1}
        left.plot(d, bounds, "--", color=colour, label=f"bound, k = {k}", **hollow)
        right.plot(d, [r["cells"] for r in mine], "-", marker=marker, color=colour, markersize=5, label=f"rank {k}")
    every = sorted({(r["d"], r["all_cells"]) for r in rows})
    right.plot(*zip(*every, strict=True), "x--", color=BLACK, markersize=4, label="all d features (general position)")
    left.set(xscale="log", yscale="log", xlabel="features d", ylabel="ratio, less 1", title="Theorem III.1")
    right.set(xscale="log", yscale="log", xlabel="features d", ylabel="cells", title="cells of the program")
    for panel in (left, right):
        panel.set_xticks([d for d, _ in every], [str(d) for d, _ in every])
        panel.minorticks_off()
        tidy(panel)
    left.legend(frameon=False, fontsize=8, ncols=len(ranks), loc="upper center", bbox_to_anchor=(0.5, -0.14))
    right.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    left.axhline(FLOOR, color="0.6", linewidth=0.8)
    left.annotate("not told from 1", (every[0][0], 1.2 * FLOOR), color="0.4", fontsize=8)
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    figures = Figures("Figure 5", options)
    n, seconds = (60, 20.0) if options.quick else (100, 120.0)
    sizes, ranks = ((2, 3, 4, 8), (1, 2)) if options.quick else ((2, 3, 4, 5, 8, 16, 32, 64), (1, 2, 3))
    rows: list[dict[str, Any]] = []
    for d in sizes:
        X, y = decaying_data(n, d, DECAY, seed=options.seed)
        best = optimum(X, y, seconds)
        for k in (k for k in ranks if k < d):
            r = rank_k_ratio(X, y, BETA, k, optimum=best, max_time=seconds)
            rows.append({
                "d": d, "k": k, "cells": r.n_cells, "all_cells": topes.cell_bound(n, d), "sigma": r.sigma,
                "objective": r.objective, "program_value": r.program_value,
                "lower": r.optimum_lower, "upper": r.optimum_upper, "ratio": r.ratio, "ratio_lower": r.ratio_lower,
                "bound": r.bound, "paper_bound": r.paper_bound, "held": r.held, "gap": best.gap,
            })  # fmt: skip
            figures.add(
                f"d{d}_k{k}", r.ratio, f"p_cvx-{k} / p*, d = {d}, {r.n_cells:,} cells for {topes.cell_bound(n, d):.3g}",
                f"at most {r.paper_bound:.4g}: {'held' if r.paper_held else 'broken'}", text=f"{r.ratio:.6f}",
            )  # fmt: skip
    figures.add("rows", rows)
    figures.add("below", sum(r["program_value"] < r["lower"] for r in rows), "values of (10) below p*")
    figures.add("held", all(r["held"] for r in rows), "bound held in all", "yes")
    figures.finish()
    if options.output is not None:
        draw(rows, ranks, options.output)


if __name__ == "__main__":
    run(main)
