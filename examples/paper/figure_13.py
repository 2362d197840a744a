"""Figure 13: a convolutional network with global average pooling, (13): the convex program (14) against SGD.

What the figure prints is not on record with this project. Taken as its claim: the convex program of the convolutional
network has the global optimum at a cost that is polynomial for fixed filter size, as its arrangement has the rank of the
patches, and SGD on the network ends above it unless it is wide. Data: the digits that come with scikit-learn, 8 x 8
pixels, 3 against 5, filters of 2 x 2 pixels with stride 2, squared loss on targets -1 and 1. All cells of the patches are
priced: the lower bound holds for any number of filters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLACK, COLOURS, STYLES, Figures, arguments, canvas, run, save, stop, tidy
from _sgd import Runs, import_torch, sgd

import topes

BETA, WIDTHS, STARTS = 0.02, (2, 5, 20), 5


def digits() -> tuple[Any, Any]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        stop("the digits come with scikit-learn: pip install 'topes[sklearn]'")
    held = load_digits()
    some = np.isin(held.target, (3, 5))
    return held.images[some] / 16.0, np.where(held.target[some] == 5, 1.0, -1.0)


def draw(runs: Runs, bound: float, filters: Any, path: Any) -> None:
    figure = canvas(11, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    for k, (m, colour, style) in enumerate(zip(WIDTHS, COLOURS, STYLES[1:], strict=False)):
        look = {"color": colour, "linestyle": style}
        curves = runs.objective[1:, k * STARTS : (k + 1) * STARTS]
        left.loglog(runs.epochs[1:], curves, **look, linewidth=0.9, alpha=0.8)
        left.plot([], [], **look, label=f"SGD, {m} filters")
    left.axhline(bound, color=BLACK, linewidth=1.6, label="certified optimum of (14)")
    left.set(xlabel="epoch", ylabel="objective (13)")
    left.legend(frameon=False, fontsize=8)
    tidy(left)
    size = np.abs(filters).max()
    shown = filters[:, np.argsort(-np.linalg.norm(filters, axis=0))[:12]].T.reshape(-1, 2, 2)
    tiles = np.full((3 * 3 - 1, 3 * 4 - 1), np.nan)
    for k, tile in enumerate(shown):
        row, column = divmod(k, 4)
        tiles[3 * row : 3 * row + 2, 3 * column : 3 * column + 2] = tile
    drawn = right.imshow(tiles, cmap="cividis", vmin=-size, vmax=size)
    figure.colorbar(drawn, ax=right, label="weight", shrink=0.7)
    right.set_axis_off()
    right.set_title("filters of the optimum times output weight")
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    import_torch()
    figures = Figures("Figure 13", options)
    images, y = digits()
    n, seconds = (60, None) if options.quick else (100, 600.0)
    order = np.random.default_rng(options.seed).permutation(len(y))
    train, test = order[:n], order[n:]
    patches = topes.extract_patches(images, (2, 2), 2)
    A = topes.Arrangement(patches[train].reshape(-1, 4))
    tol = 1e-3 if options.quick else 1e-4
    solution = topes.train_cnn(images[train], y[train], BETA, kernel_size=(2, 2), stride=2, tol=tol, max_time=seconds)
    bound = solution.lower_bound
    figures.add("hyperplanes", A.n_hyperplanes, f"distinct patches of {n} images")
    figures.add("rank", A.rank, "their rank", "the size of a filter")
    figures.add("cells", float(A.bound()), "cells, at most")
    figures.add("objective", solution.objective, "objective of ours")
    figures.add("lower_bound", bound, "proved lower bound")
    figures.add("gap", solution.gap, "gap")
    figures.add("n_filters", solution.n_neurons, "filters of ours")
    figures.add("seconds", sum(solution.seconds.values()), "seconds of ours")
    runs = sgd(
        patches[train], y[train], BETA, np.repeat(WIDTHS, STARTS), rates=np.full(STARTS * len(WIDTHS), 0.1),
        epochs=600 if options.quick else 5000, batch=20, seed=options.seed, momentum=0.9, decay=True,
    )  # fmt: skip
    figures.add("best", runs.best)
    for m, best in zip(WIDTHS, runs.best.reshape(len(WIDTHS), STARTS), strict=True):
        above = 100 * (np.sort(best) / bound - 1)
        words = f"{above[0]:.2g}, {np.median(above):.2g}, {above[-1]:.2g}"
        figures.add(f"above_{m}", above, f"SGD, {m} filters, % above: least, median, most", "above it", text=words)
    chosen = int(np.argmin(runs.objective[-1]))
    scores = {"ours": solution.network.predict(images[test]), "sgd": runs.outputs(chosen, patches[test])}
    accuracy = {name: float(np.mean(np.sign(f) == y[test])) for name, f in scores.items()}
    words = f"{100 * accuracy['ours']:.1f} and {100 * accuracy['sgd']:.1f} %"
    figures.add("accuracy", accuracy, "test accuracy, ours and SGD", text=words)
    figures.finish()
    if options.output is not None:
        draw(runs, bound, solution.network.W1 * solution.network.w2, options.output)


if __name__ == "__main__":
    run(main)
