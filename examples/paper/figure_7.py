"""Figure 7: five points of a line; how many of 10 SGD runs reach the optimum with 8, 15 and 50 neurons.

Taken as the paper's claim: with few neurons SGD often stops above the optimum of the convex program, with many it reaches
it. x = (-2, -1, 0, 1, 2) with a column of ones (a penalised bias), y = (1, -1, 1, 1, -1), ReLU, squared loss, beta =
1e-3. The paper's curve of the optimum comes from a solver; here it is certified: a lower bound on (3) for networks of any
width. A run reaches the optimum if the least objective it was ever seen at is within --within of the lower bound. The
paper's rate and batch are not known: by default each step sees all five points, has momentum, and its rate falls like a
cosine, which is kinder to SGD than a constant rate.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from _common import COLOURS, Figures, arguments, canvas, run, save, stop, tidy, with_ones
from _sgd import Runs, import_torch, sgd

import topes

X = with_ones(np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]))
Y = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
BETA, WIDTHS, STARTS = 1e-3, (8, 15, 50), 10


def draw(runs: Runs, bound: float, reached: dict[int, int], path: Any) -> None:
    figure = canvas(12, 4)
    panels = figure.subplots(1, len(WIDTHS), sharey=True)
    for k, (panel, colour, m) in enumerate(zip(panels, COLOURS, WIDTHS, strict=False)):
        curves = runs.objective[:, k * STARTS : (k + 1) * STARTS]
        panel.loglog(runs.epochs[1:], curves[1:], color=colour, linewidth=0.9, alpha=0.8)
        panel.axhline(bound, color="black", linestyle="--", linewidth=1.2, label="certified optimum")
        panel.set(title=f"m = {m}: {reached[m]} of {STARTS} runs reach it", xlabel="epoch")
        tidy(panel)
    panels[0].set_ylabel("objective (3)")
    panels[0].legend(frameon=False)
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--within", type=float, default=0.05, help="relative distance that counts as reached (default 0.05)")
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate at the start (default 0.1)")
    parser.add_argument("--momentum", type=float, default=0.9, help="(default 0.9)")
    parser.add_argument("--batch", type=int, default=5, help="samples a step (default 5: all)")
    options = arguments(__doc__, parser=parser)
    import_torch()
    figures = Figures("Figure 7", options)
    solution = topes.train(X, Y, BETA, tol=1e-8)
    full = topes.solve_full(X, Y, BETA)
    bound = solution.lower_bound
    figures.add("cells", topes.Arrangement(X).count(), "cells P")
    figures.add("objective", solution.objective, "optimum p*, certified")
    figures.add("lower_bound", bound, "proved lower bound")
    figures.add("gap", solution.gap, "gap")
    figures.add("full_program", full.convex_objective, "value of (7) by Clarabel", "the dashed line")
    figures.add("n_neurons", solution.n_neurons, "neurons of the optimum")
    epochs = 20_000 if options.quick else 200_000
    claim = {8: "often fails", 15: "fails less often", 50: "reaches the optimum"}
    runs = sgd(
        X, Y, BETA, np.repeat(WIDTHS, STARTS), rates=np.full(STARTS * len(WIDTHS), options.rate), epochs=epochs,
        batch=options.batch, seed=options.seed, momentum=options.momentum, decay=True,
    )  # fmt: skip
    if not np.isfinite(runs.objective[-1]).any():
        stop(f"all runs of SGD diverged: give a --rate below {options.rate:g}")
    reached = {}
    for m, best in zip(WIDTHS, runs.best.reshape(len(WIDTHS), STARTS), strict=True):
        reached[m] = int((best <= (1 + options.within) * bound).sum())
        above = np.sort(100 * (best / bound - 1))
        words = f"{above[0]:.2g}, {np.median(above):.2g}, {above[-1]:.2g}"
        figures.add(f"reached_{m}", reached[m], f"runs of {STARTS} that reach it, m = {m}", claim[m])
        figures.add(f"best_{m}", np.sort(best))
        figures.add(f"above_{m}", above, "  % above p*: least, median, most", text=words)
    figures.finish()
    if options.output is not None:
        draw(runs, bound, reached, options.output)


if __name__ == "__main__":
    run(main)
