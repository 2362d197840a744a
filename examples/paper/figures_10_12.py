"""Figures 10 to 12: learning rates on images: the objective by epoch of (32) and of SGD on the network.

What the figures print is not on record with this project. Taken as their claim: on images the convex program is not
sensitive to the learning rate, while the network's training is. Cross entropy, the same data, optimiser (SGD without
momentum), batches and rates for both; (32) over Gaussian patterns with a fixed rho of --rho times beta, the network (3)
with as many neurons. The spread of a method is the ratio of its worst and best final objective over the rates that did
not diverge. The paper's script calls "non-convex cost" a sum of squared norms that is neither (3) nor (30); here both
objectives are evaluated in full, over all samples. Without --data: the digits that come with scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import COLOURS, STYLES, Figures, Progress, arguments, canvas, run, save, stop, tidy
from _images import HELP, Images, accuracy, image_parser, one_hot, read
from _sgd import import_torch, sgd

RATES = (0.01, 0.1, 1.0, 10.0)


def convex(X: Any, X_test: Any, images: Images, rate: float, size: dict[str, int], options: Any) -> dict[str, Any] | None:
    """The penalised objective by epoch, and the network's accuracy; None where the steps diverged."""
    import topes.large

    progress = Progress(f"(32) at rate {rate:g}", size["epochs"])
    try:
        solution = topes.large.train(
            X, images.y_train, options.beta, loss="cross_entropy", n_patterns=size["patterns"], epochs=size["epochs"],
            learning_rate=rate, optimizer="sgd", schedule="constant", rho=options.rho * options.beta, bias="penalized",
            seed=options.seed, callback=lambda epoch: progress(epoch.number),
        )  # fmt: skip
    except topes.TopesError:
        return None
    curve = [epoch.penalised for epoch in solution.history]
    test = accuracy(solution.network.predict(X_test), images.y_test)
    return {"curve": curve, "last": curve[-1], "accuracy": test}


def network(X: Any, X_test: Any, images: Images, size: dict[str, int], options: Any) -> list[dict[str, Any] | None]:
    classes = int(images.y_train.max()) + 1
    ones, ones_test = (np.hstack([part, np.ones((len(part), 1))]) for part in (X, X_test))
    runs = sgd(
        ones, one_hot(images.y_train, classes), options.beta, size["patterns"], rates=RATES, epochs=size["epochs"],
        batch=128, seed=options.seed, loss="cross_entropy", looks=10 * size["epochs"],
        what="SGD on the network",
    )  # fmt: skip
    found: list[dict[str, Any] | None] = []
    for k in range(len(RATES)):
        curve = runs.objective[1:, k].tolist()
        test = accuracy(runs.outputs(k, ones_test), images.y_test) if np.isfinite(curve[-1]) else 0.0
        found.append({"curve": curve, "last": curve[-1], "accuracy": test} if np.isfinite(curve[-1]) else None)
    return found


def draw(found: dict[str, list[dict[str, Any] | None]], title: str, path: Any) -> None:
    figure = canvas(11, 4.2)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, (name, rows) in zip(panels, found.items(), strict=True):
        for rate, row, colour, style in zip(RATES, rows, COLOURS, STYLES, strict=False):
            look = {"color": colour, "linestyle": style, "linewidth": 1.6}
            if row is None:
                panel.plot([], [], **look, label=f"rate {rate:g}: diverged")
            else:
                epochs = np.arange(1, len(row["curve"]) + 1)
                label = f"rate {rate:g}: {100 * row['accuracy']:.1f} % correct"
                panel.semilogy(epochs, row["curve"], **look, label=label)
        panel.set(xlabel="epoch", title=f"{name}, {title}")
        panel.legend(frameon=False, fontsize=8)
        tidy(panel)
    panels[0].set_ylabel("objective")
    save(figure, path)


def main() -> None:
    parser = image_parser(__doc__, 0.1)
    parser.add_argument("--rho", type=float, default=2.0, help="weight of the penalty over beta (default 2)")
    options = arguments(__doc__, data=HELP, parser=parser)
    import_torch()
    figures = Figures("Figures 10 to 12", options)
    size = {"patterns": 64, "epochs": 15, "n": 600, "test": 500}
    if not options.quick:
        size = {"patterns": 256, "epochs": 50, "n": 5000, "test": 5000}
    images = read(options, size["n"], size["test"])
    X, X_test = images.flat()
    if options.quick and X.shape[1] > 1000:
        size["patterns"] = 24
    found: dict[str, list[dict[str, Any] | None]] = {
        "convex (32)": [convex(X, X_test, images, rate, size, options) for rate in RATES],
        "network (3)": network(X, X_test, images, size, options),
    }
    figures.add("n", len(images.y_train), f"{images.name}: training images")
    for name, rows in found.items():
        for rate, row in zip(RATES, rows, strict=True):
            words = "diverged" if row is None else f"{row['last']:.5g}, {100 * row['accuracy']:.1f} % correct"
            figures.add(f"{name}, {rate:g}", row, f"{name}, rate {rate:g}: objective at the end", text=words)
        last = [row["last"] for row in rows if row is not None]
        claim = "small" if name.startswith("convex") else "large"
        if not last:
            stop(f"{name}: all rates diverged at beta = {options.beta:g}")
        figures.add(f"{name}, spread", max(last) / min(last), f"{name}: worst / best", claim)
    figures.finish()
    if options.output is not None:
        draw(found, images.name, options.output)


if __name__ == "__main__":
    run(main)
