"""Figures 10 to 12: CIFAR-10 by (32) and by SGD on the network: objective by epoch, training and test accuracy.

What the paper prints is not on record with this project; a script and its figures that the authors published with their
paper of 2020 are (github.com/pilancilab/convex_nn, convexnn_pytorch_stepsize_fig.py), and are taken for it. There:
4096 neurons or patterns, squared loss on unit vectors, SGD with momentum 0.9 in 50 steps an epoch, beta = 0.001 for a step,
that is n / 1000000 in all, rho = 0.01 for the wrong sides; rates 0.01, 0.005, 0.001 for the network, 1e-6 and 5e-7 for (32)
over Gaussian patterns and over patterns on patches of 3 x 3. Read off its curves: test accuracy at best 0.53 for the
network, 0.54 and 0.56 for (32). Two things in it matter: the accuracy of (32) is that of its gates on the test images
(`LargeSolution.gated`), which is no network (3); and the penalty is on the sum of w over the classes. Here it is on each, as
in (32) and Theorem VIII.2, and both readings of the weights are shown. Rates are 1, 1/2 and 1/10 of one: for (32) of
what suits the data, for the network of --rate. Without --data: the digits that come with scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLUE, GREEN, VERMILION, Figures, Progress, arguments, canvas, run, save, stop, tidy, with_ones
from _images import HELP, Images, accuracy, image_parser, one_hot, read
from _sgd import import_torch, sgd

import topes

SHARES = (1.0, 0.5, 0.1)
STYLES = ("-", "--", ":")
STEPS, MOMENTUM, RHO, BETA = 50, 0.9, 0.01, 1e-6  # an epoch; in all over n
PRINTED = {"network (3)": "0.53", "(32), Gaussian": "0.54", "(32), patches": "0.56"}  # read off a curve, to 0.005
LOOKS = {"network (3)": VERMILION, "(32), Gaussian": BLUE, "(32), patches": GREEN}


def convex(what: str, X: Any, X_test: Any, images: Images, sampling: Any, size: dict[str, int], options: Any) -> Any:
    """A row for each rate: the penalised objective by epoch, and the accuracy of both readings of the weights."""
    import topes.large

    rows: list[dict[str, Any] | None] = []
    rate: Any = "auto"
    for share in SHARES:
        progress = Progress(f"{what} at {share:g} of the rate", size["epochs"])
        try:
            found = topes.large.train(
                X, one_hot(images.y_train, images.classes), options.beta * len(X), n_patterns=size["patterns"],
                sampling=sampling, bias="penalized", rho=RHO, optimizer="sgd", momentum=MOMENTUM, schedule="constant",
                learning_rate=rate if rate == "auto" else share * rate, batch_size=-(-len(X) // STEPS),
                epochs=size["epochs"], seed=options.seed,
                callback=lambda epoch, progress=progress: progress(epoch.number),
            )  # fmt: skip
        except topes.SolverError:
            rows.append(None)
            if rate == "auto":
                stop(f"{what} diverged at the automatic rate")
            continue
        rate = found.learning_rate if rate == "auto" else rate
        assert found.gated is not None
        rows.append({
            "rate": found.learning_rate, "curve": [epoch.penalised / len(X) for epoch in found.history],
            "train": accuracy(found.gated.predict(X), images.y_train),
            "accuracy": accuracy(found.gated.predict(X_test), images.y_test),
            "as_network": accuracy(found.network.predict(X_test), images.y_test),
            "objective": found.objective / len(X), "violation": found.violation,
        })  # fmt: skip
    return rows


def network(X: Any, X_test: Any, images: Images, size: dict[str, int], options: Any) -> list[dict[str, Any] | None]:
    ones, ones_test = (with_ones(part) for part in (X, X_test))
    rates = [share * options.rate for share in SHARES]
    runs = sgd(
        ones, one_hot(images.y_train, images.classes), options.beta * len(X), size["patterns"], rates=rates,
        epochs=size["epochs"], batch=-(-len(X) // STEPS), seed=options.seed, momentum=MOMENTUM,
        looks=10 * size["epochs"], what="SGD on the network",
    )  # fmt: skip
    rows: list[dict[str, Any] | None] = []
    for k, rate in enumerate(rates):
        curve = (runs.objective[1:, k] / len(X)).tolist()
        if not np.isfinite(curve[-1]):
            rows.append(None)
            continue
        test, train = (
            accuracy(runs.outputs(k, part), y) for part, y in ((ones_test, images.y_test), (ones, images.y_train))
        )
        rows.append({"rate": rate, "curve": curve, "train": train, "accuracy": test})
    return rows


def draw(found: dict[str, list[dict[str, Any] | None]], title: str, path: Any) -> None:
    figure = canvas(11, 4.8)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    for name, rows in found.items():
        for row, style in zip(rows, STYLES, strict=True):
            if row is not None:
                label = f"{name}, rate {row['rate']:.2g}"
                epochs = np.arange(1, len(row["curve"]) + 1)
                left.semilogy(epochs, row["curve"], style, color=LOOKS[name], linewidth=1.6, label=label)
    left.set(xlabel="epoch", ylabel="objective over n", title=title)
    left.legend(frameon=False, fontsize=7, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    places, names = [], []
    for k, (name, rows) in enumerate(found.items()):
        for j, (share, row) in enumerate(zip(SHARES, rows, strict=True)):
            y = -(k + 0.22 * j)
            if row is None:
                right.annotate("diverged", (0, y), fontsize=7, va="center")
                continue
            right.plot(100 * row["accuracy"], y, "o", color=LOOKS[name], markersize=7, alpha=1.0 - 0.25 * j)
            if "as_network" in row:
                right.plot(100 * row["as_network"], y, "D", color=LOOKS[name], markersize=6, fillstyle="none")
            places.append(y)
            names.append(f"{name}, rate x {share:g}")
    right.set_yticks(places, names, fontsize=7)
    right.plot([], [], "o", color="0.4", label="as trained: gates, or the network of SGD")
    right.plot([], [], "D", color="0.4", fillstyle="none", label="the network of the same weights")
    right.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.4, -0.14))
    right.set(xlabel="test accuracy, %")
    tidy(left)
    tidy(right)
    save(figure, path)


def main() -> None:
    parser = image_parser(__doc__, BETA)
    parser.add_argument("--rate", type=float, default=0.3, help="the largest of the network (default 0.3)")
    options = arguments(__doc__, data=HELP, parser=parser)
    import_torch()
    figures = Figures("Figures 10 to 12", options)
    size = {"patterns": 64, "epochs": 15, "n": 600, "test": 500}
    if not options.quick:
        size = {"patterns": 256, "epochs": 50, "n": 4000, "test": 1500}
    images = read(options, size["n"], size["test"])
    X, X_test = images.flat()
    if options.quick and X.shape[1] > 1000:
        size["patterns"] = 24
    patches = topes.ConvolutionalSampling(images.train.shape[1:], (3, 3))
    found: dict[str, list[dict[str, Any] | None]] = {}
    for name, sampling in (("(32), Gaussian", "gaussian"), ("(32), patches", patches)):
        found[name] = convex(name, X, X_test, images, sampling, size, options)
    found["network (3)"] = network(X, X_test, images, size, options)
    figures.add("n", len(images.y_train), f"{images.name}: training images", "50,000 of CIFAR-10")
    figures.add("patterns", size["patterns"], "neurons or patterns", "4,096")
    for name, rows in found.items():
        seen = [row for row in rows if row is not None]
        if not seen:
            stop(f"{name}: all rates diverged at beta = {options.beta:g}")
        for share, row in zip(SHARES, rows, strict=True):
            words = "diverged"
            if row is not None:
                words = f"{row['curve'][-1]:.4f}; {100 * row['train']:.1f} and {100 * row['accuracy']:.1f} %"
            what = f"{name}, {share:g} of the rate: objective / n; train, test"
            figures.add(f"{name}, {share:g}", row, what, text=words)
        best = max(row["accuracy"] for row in seen)
        figures.add(f"{name}, best", best, f"{name}: best test accuracy", PRINTED[name], text=f"{best:.3f}")
        if name != "network (3)":
            best = max(row["as_network"] for row in seen)
            words = "not shown"
            figures.add(
                f"{name}, as network", best, f"{name}: of the network of the same weights", words, text=f"{best:.3f}"
            )
        ends = [row["curve"][-1] for row in seen]
        figures.add(f"{name}, spread", max(ends) / min(ends), f"{name}: worst / best objective", "")
    figures.finish()
    if options.output is not None:
        draw(found, images.name, options.output)


if __name__ == "__main__":
    run(main)
