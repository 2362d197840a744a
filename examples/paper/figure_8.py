"""Figure 8: an electrocardiogram: SGD by epoch against the optimum over all cells, and the prediction.

Taken as the paper's claim: SGD with several learning rates stays above the objective of the convex program, and the
convex program predicts the next samples at least as well. n = 2393 and d = 3 are the paper's; which record and segment it
took is not known, and the paper's beta neither. Here the optimum is over all 4.6 million cells, with a proved lower
bound: no SGD run of any width can go below it. Test data are the samples that follow.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from _common import BLACK, BLUE, COLOURS, STYLES, VERMILION, Figures, arguments, canvas, read_table, run, save, tidy
from _sgd import Runs, import_torch, sgd

import topes

RATES = (0.01, 0.1, 0.5, 1.0)


def draw(runs: Runs, solution: Any, y: Any, ours: Any, theirs: Any, path: Any) -> None:
    figure = canvas(12, 4.4)
    left, right = figure.subplots(1, 2)
    for k, (rate, colour, style) in enumerate(zip(RATES, COLOURS, STYLES[1:], strict=False)):
        label = f"SGD, rate {rate:g}" + ("" if np.isfinite(runs.objective[-1, k]) else ": diverged")
        left.loglog(runs.epochs[1:], runs.objective[1:, k], color=colour, linestyle=style, linewidth=1.3, label=label)
    left.axhline(solution.lower_bound, color=BLACK, linewidth=1.6, label="certified optimum over all cells")
    left.set(xlabel="epoch", ylabel="objective (3)", ylim=(0.8 * solution.lower_bound, None))
    left.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.1))
    span = slice(0, 300)
    right.plot(y[span], color=BLACK, linewidth=2.4, alpha=0.35, label="test samples")
    right.plot(theirs[span], color=VERMILION, linewidth=1, label="best SGD run")
    right.plot(ours[span], "--", color=BLUE, linewidth=1, label="certified optimum")
    right.set(xlabel="sample (360 a second)", ylabel="millivolt", title="one step ahead, samples not trained on")
    right.legend(frameon=False, fontsize=8)
    tidy(left)
    tidy(right)
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--beta", type=float, default=0.005, help="weight of the regulariser (default 0.005)")
    parser.add_argument("--neurons", type=int, default=50, help="of SGD (default 50)")
    options = arguments(__doc__, data="folder of ecg_lags.csv and ecg_lags_next.csv", parser=parser)
    import_torch()
    figures = Figures("Figure 8", options)
    X, y = read_table("ecg_lags", "now", options.data)
    X_test, y_test = read_table("ecg_lags_next", "now", options.data)
    solution = topes.train(X, y, options.beta, values="decimal", tol=1e-3 if options.quick else 1e-5)
    bound = solution.lower_bound
    figures.add("n", len(y), "samples n", "2393")
    figures.add("d", X.shape[1], "lags d", "3")
    figures.add("cells", topes.Arrangement(X, values="decimal").count(), "cells P")
    figures.add("objective", solution.objective, "objective of ours")
    figures.add("lower_bound", bound, "proved lower bound")
    figures.add("gap", solution.gap, "gap")
    figures.add("n_neurons", solution.n_neurons, "neurons of ours")
    figures.add("seconds", sum(solution.seconds.values()), "seconds of ours")
    epochs = 60 if options.quick else 3000
    runs = sgd(X, y, options.beta, options.neurons, rates=RATES, epochs=epochs, batch=100, seed=options.seed)
    figures.add("best", runs.best)
    for rate, last, best in zip(RATES, runs.objective[-1], runs.best, strict=True):
        words = f"{last:.5g} (best {100 * (best / bound - 1):.3g} % above the bound)"
        figures.add(f"sgd_{rate:g}", last, f"SGD, rate {rate:g}, after {epochs} epochs", "above it", text=words)
    chosen = int(np.argmin(runs.objective[-1]))
    ours, theirs = solution.network.predict(X_test), runs.outputs(chosen, X_test)
    errors = {"ours": ours - y_test, "sgd": theirs - y_test, "repeat": X_test[:, 0] - y_test}
    rms = {name: float(np.sqrt(np.mean(e**2))) for name, e in errors.items()}
    figures.add("test_rms", rms)
    figures.add("test_ours", rms["ours"], "test error of ours, root mean square, mV")
    figures.add("test_sgd", rms["sgd"], f"of SGD, rate {RATES[chosen]:g}", "no better")
    figures.add("test_repeat", rms["repeat"], "of repeating the last sample")
    figures.finish()
    if options.output is not None:
        draw(runs, solution, y_test, ours, theirs, options.output)


if __name__ == "__main__":
    run(main)
