"""Example II.1: three points in the plane, two of them parallel: cells, zonotope, solid angles, convex optimum.

The paper prints three patterns and leaves out the fourth, which adds no neuron; its bound (6) counts three hyperplanes
where two are distinct. Remark III.2 takes solid angles in radians (theta-bar = pi for this example); as Theorem III.2
uses them they are probabilities: two of 1/8, two of 3/8, theta-bar = 4/8. The convex program has the squared loss, beta =
0.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLACK, BLUE, GREEN, ORANGE, SKY, VERMILION, Figures, arguments, canvas, run, save

import topes

X = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]])
Y = np.array([1.0, -1.0, 1.0])
BETA = 0.1


def draw(patterns: Any, witnesses: Any, angles: Any, vertices: Any, path: Any) -> None:
    figure = canvas(10, 4.6)
    left, right = figure.subplots(1, 2)
    tints = (SKY, ORANGE, GREEN, VERMILION)
    fan = np.arctan2(witnesses[:, 1], witnesses[:, 0])
    walls = np.sort(np.concatenate([a + np.array([0.0, np.pi]) for a in (np.pi / 2, 3 * np.pi / 4)]))
    for tint, at, pattern, angle in zip(tints, fan, patterns, angles, strict=True):
        end = walls[np.searchsorted(walls, at % (2 * np.pi)) % 4]
        turn = np.linspace(end - 2 * np.pi * angle, end, 50)
        left.fill(np.append(np.cos(turn), 0.0), np.append(np.sin(turn), 0.0), color=tint, alpha=0.35, linewidth=0)
        middle = 0.6 * np.array([np.cos(turn[25]), np.sin(turn[25])])
        left.annotate(f"{''.join(map(str, pattern))}\n{angle:g}", middle, ha="center", va="center")
    for normal, name in ((X[0], "rows 1 and 2"), (X[2], "row 3")):
        along = np.array([-normal[1], normal[0]]) / np.linalg.norm(normal)
        left.plot(*np.outer(along, [-1.05, 1.05]), color=BLACK, linewidth=1.2)
        left.annotate(name, 1.1 * along, ha="center" if along[0] == 0 else "right", va="bottom")
    left.set(xlim=(-1.6, 1.25), ylim=(-1.25, 1.25), aspect="equal", xlabel="$w_1$", ylabel="$w_2$")
    left.set_title("cells of weight space: pattern, solid angle")
    middle = vertices.mean(axis=0)
    order = np.argsort(np.arctan2(*(vertices - middle).T[::-1]))
    right.fill(*vertices[order].T, color=BLUE, alpha=0.15, linewidth=0)
    right.plot(*vertices[np.append(order, order[0])].T, color=BLUE, linewidth=1.2)
    for tint, vertex, pattern in zip(tints, vertices, patterns, strict=True):
        right.plot(*vertex, "o", color=tint, markeredgecolor=BLACK, markersize=9)
        outside = np.sign(vertex - middle) * np.array([12, 14])
        name = "".join(map(str, pattern))
        right.annotate(name, vertex, xytext=outside, textcoords="offset points", ha="center", va="center")
    right.set(aspect="equal", xlabel="$z_1$", ylabel="$z_2$", title="zonotope: a vertex for each cell")
    right.margins(0.2)
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    figures = Figures("Example II.1", options)
    A, Z = topes.Arrangement(X), topes.Zonotope(X)
    patterns, vertices = A.patterns(), Z.vertices()
    measured = topes.solid_angles(A)
    angles = np.asarray(measured)
    solution = topes.train(X, Y, BETA, tol=1e-9)
    full = topes.solve_full(X, Y, BETA)
    network = solution.network
    norms = np.sort(np.linalg.norm(network.W1, axis=0) * np.abs(network.w2))[::-1]
    words = ", ".join("".join(map(str, p)) for p in patterns)
    figures.add("patterns", patterns, "patterns", "111, 110, 001; 000 left out", text=words)
    figures.add("cells", A.count(), "cells P", "4")
    figures.add("bound", A.bound(), "bound (6), distinct hyperplanes", "6 with n = 3; n is 2")
    figures.add("vertices", vertices)
    figures.add("n_vertices", Z.n_vertices, "vertices of the zonotope", "one for each cell")
    figures.add("volume", float(Z.volume()), "area of the zonotope")
    figures.add("angles", np.sort(angles), "solid angles", "probabilities, as Theorem III.2 needs them")
    figures.add("angle_errors", float(np.max(measured.errors)))
    figures.add("theta_bar", len(angles) * float(angles.min()), "theta-bar", "pi, in radians")
    figures.add("objective", solution.objective, "optimum p*, squared loss, beta 0.1")
    figures.add("lower_bound", solution.lower_bound, "proved lower bound")
    figures.add("gap", solution.gap, "gap")
    figures.add("full_program", full.convex_objective, "value of (7) by Clarabel", "the same as p*")
    figures.add("n_neurons", network.n_neurons, "neurons")
    figures.add("weights", norms, "their ||w_i|| in (7)")
    figures.finish()
    if options.output is not None:
        witnesses = np.vstack([batch.witnesses for batch in A.cells()])
        draw(patterns, witnesses, angles, vertices, options.output)


if __name__ == "__main__":
    run(main)
