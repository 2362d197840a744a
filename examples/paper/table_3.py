"""Table III: a stack of two-layer convolutional blocks, trained one after the other by the convex program.

What the table prints is not on record with this project. Taken as its claim: with the convex program, blocks that are
trained greedily, each on what the one before hands on, get more accurate with depth, and do no worse than blocks that SGD
trains. Here: filters of 3 x 3, (32) over patterns of the patches, cross entropy, averages over a grid of 2 x 2 for the
classifier and over windows of 2 x 2 for the next block. Beside it the same stack by SGD, block by block and end to end, at
the best of a few rates, with weight decay as in (27) where ours is (30): objectives are not compared. Without --data: the
digits that come with scikit-learn; their third map is 2 x 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLACK, BLUE, VERMILION, Figures, arguments, canvas, run, save, tidy
from _conv import Stack
from _images import HELP, image_parser, read
from _sgd import import_torch

KERNEL, DOWNSAMPLE, GRID, BATCH = 3, 2, 2, 32
RATES = (0.1, 0.03, 0.01)  # of SGD; the first two with --quick


def convex(images: Any, size: dict[str, Any], options: Any) -> tuple[dict[str, Any], Any]:
    """Figures by block, and the filters of the first."""
    import topes.large

    rho = "auto" if options.rho is None else options.rho * options.beta
    stack = topes.large.train_layerwise(
        images.train, images.y_train, options.beta, n_blocks=size["blocks"], width=size["width"], kernel_size=KERNEL,
        downsample=DOWNSAMPLE, grid=GRID, n_patterns=size["patterns"], rho=rho,
        learning_rate="auto" if options.rate is None else options.rate, batch_size=BATCH, epochs=size["epochs"],
        seed=options.seed,
    )  # fmt: skip
    test, train = stack.staged_predict(images.test), stack.staged_predict(images.train)
    figures = {
        "accuracy": [np.mean(said == images.y_test) for said in test],
        "train_accuracy": [np.mean(said == images.y_train) for said in train],
    }
    for name in ("objective", "convex_objective", "violation"):
        figures[name] = [getattr(block, name) for block in stack.blocks]
    figures["filters"] = [block.network.n_neurons for block in stack.blocks]
    first = stack.blocks[0]
    return figures, first.network.W1[:, first.filters]


def draw(rows: dict[str, Any], filters: Any, title: str, path: Any) -> None:
    figure = canvas(11, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    depth = np.arange(1, len(rows["convex"]["accuracy"]) + 1)
    shown_as = (("convex", "convex, block by block", BLUE, "o-"), ("sgd", "SGD, block by block", VERMILION, "s-."))
    for key, label, colour, style in shown_as:
        values = 100 * np.array(rows[key]["accuracy"])
        left.plot(depth, values, style, color=colour, label=label, markersize=7)
    left.axhline(100 * rows["joint"]["accuracy"], color=BLACK, linestyle="--", linewidth=1.2, label="SGD, end to end")
    left.set(xlabel="blocks", ylabel="test accuracy, %", title=title, xticks=depth)
    left.margins(x=0.1, y=0.15)
    left.legend(frameon=False, loc="lower right")
    tidy(left)
    channels = len(filters) // KERNEL**2
    shown = filters.T.reshape(-1, KERNEL, KERNEL, channels).mean(axis=3)[:20]
    size, step = np.abs(shown).max(), KERNEL + 1
    tiles = np.full((4 * step - 1, 5 * step - 1), np.nan)
    for k, tile in enumerate(shown):
        row, column = divmod(k, 5)
        tiles[step * row : step * row + KERNEL, step * column : step * column + KERNEL] = tile
    drawn = right.imshow(tiles, cmap="cividis", vmin=-size, vmax=size)
    figure.colorbar(drawn, ax=right, label="weight", shrink=0.7)
    right.set_axis_off()
    right.set_title("strongest filters of the first block" + (", mean of channels" if channels > 1 else ""))
    save(figure, path)


def main() -> None:
    parser = image_parser(__doc__, 0.01)
    parser.add_argument("--rho", type=float, help="weight of the penalty of (32), in beta (default: raised by rounds)")
    parser.add_argument("--rate", type=float, help="learning rate of Adam on (32) (default: what suits the data)")
    options = arguments(__doc__, data=HELP, parser=parser)
    import_torch()
    figures = Figures("Table III", options)
    size = {"blocks": 3, "width": 32, "patterns": 16, "epochs": 10, "n": 600, "test": 500}
    if not options.quick:
        size = {"blocks": 3, "width": 32, "patterns": 16, "epochs": 12, "n": 2000, "test": 10_000}
    images = read(options, size["n"], size["test"])
    if options.quick and images.train.shape[1] > 16:
        size |= {"patterns": 6, "epochs": 4, "width": 16}
    convex_rows, filters = convex(images, size, options)
    stack = Stack(
        images, options.beta, width=size["width"], kernel=KERNEL, downsample=DOWNSAMPLE, grid=GRID, epochs=size["epochs"],
        batch=BATCH, seed=options.seed, rates=RATES[:2] if options.quick else RATES,
    )  # fmt: skip
    rows = {"convex": convex_rows, "sgd": stack.layerwise(size["blocks"]), "joint": stack.jointly(size["blocks"])}
    figures.add("n", len(images.y_train), f"{images.name}: training images", "the sets have 60,000 and 50,000")
    figures.add("test", len(images.y_test), "test images", "the sets have 10,000")
    figures.add("width", size["width"], "filters handed on")
    figures.add("patterns", size["patterns"], "patterns a block")
    for k in range(size["blocks"]):
        claim = "above the block before" if k else ""
        percent = [100 * rows[name]["accuracy"][k] for name in ("convex", "sgd")]
        words = f"{percent[0]:.1f} and {percent[1]:.1f} %"
        figures.add(f"block_{k + 1}", percent, f"block {k + 1}: test accuracy, convex and SGD", claim, text=words)
    for k in range(size["blocks"]):
        cost = convex_rows["objective"][k] / convex_rows["convex_objective"][k] - 1.0
        words = f"{convex_rows['objective'][k]:.1f}, {100 * cost:+.2f} %"
        figures.add(f"cost_{k + 1}", cost, f"block {k + 1}: objective of the network, against the program", text=words)
    figures.add("end_to_end", rows["joint"]["accuracy"], "SGD, end to end", text=f"{100 * rows['joint']['accuracy']:.1f} %")
    for name, row in rows.items():
        figures.add(name, row)
    figures.finish()
    if options.output is not None:
        draw(rows, filters, f"{images.name}, {len(images.y_train)} training images", options.output)


if __name__ == "__main__":
    run(main)
