"""Figure 2: the non-convex landscape of one neuron and the convex one behind it, cell by cell.

What the figure prints is not on record with this project. Taken as its claim: over the weights of a neuron, (3) is a
patchwork with one quadratic piece for each cell of the arrangement and minima that are not global, while the convex
program has one optimal value and gives it away to none of them. Drawn for the data of Example II.1, y = (1, -1, 1) or
those of --seed, squared loss: left, the least of (3) over the output weight and the scaling of a neuron that points at
angle t, that is min_c L(c phi(Xu), y) + beta |c|; its local minima are minima of networks with one neuron. Middle, the
price |v'phi(Xu)| of the optimal dual point against beta: the optimum's neurons stand where it touches. Right, (3) of one
neuron with output weight 1 over the plane of its input weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLACK, BLUE, GREEN, ORANGE, VERMILION, Figures, arguments, canvas, run, save, tidy

import topes

X = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]])
Y = np.array([1.0, -1.0, 1.0])
BETA = 0.1


def one_neuron(A: Any, y: Any, beta: float) -> Any:
    """min_c of 0.5 ||c a - y||^2 + beta |c| for each column a of A: soft thresholding."""
    fit, size = y @ A, np.sum(A**2, axis=0)
    c = np.sign(fit) * np.maximum(np.abs(fit) - beta, 0.0) / np.where(size > 0, size, 1.0)
    return 0.5 * np.sum((A * c - y[:, None]) ** 2, axis=0) + beta * np.abs(c)


def is_minimum(values: Any) -> Any:
    """Strict local minima of a closed curve, flat stretches left out."""
    return (values < np.roll(values, 1)) & (values < np.roll(values, -1))


def draw(
    turn: Any, values: Any, minima: Any, price: Any, walls: Any, solution: Any, directions: Any, X: Any, y: Any, path: Any
) -> None:
    figure = canvas(14, 4.9)
    left, middle, right = figure.subplots(1, 3)
    below: Any = {"frameon": False, "fontsize": 8, "loc": "upper center", "bbox_to_anchor": (0.5, -0.14)}
    for panel in (left, middle):
        for wall in walls:
            panel.axvline(wall, color="0.75", linewidth=0.9)
        panel.set(xlabel="angle t of the neuron, radians (walls of cells in grey)", xlim=(0, 2 * np.pi))
        tidy(panel)
    left.plot(turn, values, color=BLUE, linewidth=1.4, label="best network of one neuron at t")
    left.plot(turn[minima], values[minima], "o", color=VERMILION, label="its local minima")
    left.axhline(solution.objective, color=BLACK, linestyle="--", linewidth=1.2, label="optimum of (7)")
    left.set(ylabel="objective (3)", title="non-convex: one piece for each cell")
    left.legend(**below)
    middle.plot(turn, price, color=GREEN, linewidth=1.4, label="$|v^T\\phi(Xu)|$, v optimal")
    middle.axhline(BETA, color=BLACK, linestyle="--", linewidth=1.2, label="beta")
    middle.plot(directions, np.full(len(directions), BETA), "o", color=ORANGE, label="neurons of the optimum")
    middle.set(ylabel="price of a neuron at t", title="dual: nothing above beta, so it is global")
    middle.legend(**below)
    side = np.linspace(-1.2, 1.2, 241)
    W = np.stack(np.meshgrid(side, side), axis=0).reshape(2, -1)
    f = np.maximum(X @ W, 0.0)
    height = (0.5 * np.sum((f - y[:, None]) ** 2, axis=0) + 0.5 * BETA * (np.sum(W**2, axis=0) + 1)).reshape(241, 241)
    levels = np.linspace(height.min(), 2 * np.median(height), 25)
    drawn = right.contourf(side, side, height, levels=levels, extend="max", cmap="cividis")
    figure.colorbar(drawn, ax=right, label="objective (3)", format="%.2f")
    for wall in walls:
        right.plot([0, 1.7 * np.cos(wall)], [0, 1.7 * np.sin(wall)], color="white", linewidth=1)
    right.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal", xlabel="$w_1$", ylabel="$w_2$")
    right.set_title("(3) of one neuron, output weight 1")
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    figures = Figures("Figure 2", options)
    y = Y if options.seed == 0 else np.random.default_rng(options.seed).standard_normal(3)
    n_points = 7_201 if options.quick else 720_001
    turn = np.linspace(0, 2 * np.pi, n_points)[:-1]
    A = np.maximum(X @ np.array([np.cos(turn), np.sin(turn)]), 0.0)
    values = one_neuron(A, y, BETA)
    minima = is_minimum(values)
    solution = topes.train(X, y, BETA, tol=1e-9)
    price = np.abs(solution.dual @ A)
    cells = topes.Arrangement(X).count()
    walls = np.sort([np.arctan2(s * x[0], -s * x[1]) % (2 * np.pi) for x in X[1:] for s in (1, -1)])
    directions = np.arctan2(*solution.network.W1[::-1]) % (2 * np.pi)
    figures.add("cells", cells, "cells, pieces of the landscape", "4")
    figures.add("minima", np.sort(values[minima]), "local minima of one neuron", "several, not all global")
    figures.add("best_single", float(values.min()), "best network of one neuron")
    figures.add("objective", solution.objective, "optimum of (7), certified", "no more than any of them")
    figures.add("lower_bound", solution.lower_bound, "proved lower bound")
    figures.add("gap", solution.gap, "gap")
    figures.add("n_neurons", solution.n_neurons, "neurons of it")
    figures.add("price", float(price.max() / BETA), "largest price / beta", "at most 1, by (9)")
    figures.finish()
    if options.output is not None:
        draw(turn, values, minima, price, walls, solution, directions, X, y, options.output)


if __name__ == "__main__":
    run(main)
