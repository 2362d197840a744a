"""Figure 14: the penalised form (32): its value, and the network read off it, over the weight rho of the penalty.

What the figure prints is not on record with this project; taken as its claim is what the paper says of (32): it is
equivalent to (7) and trains with any first-order method. It is equivalent from a threshold of rho on, the largest
multiplier of the cones; below, its value is less than p* and its network costs more than p*. The paper's (32) also leaves
X out of the penalty; here it is in. Data: the five points of Figure 7 with beta = 1e-3 (threshold 0.0021212) and Gaussian
data, 10 x 3, beta = 0.1, where the paper's rho = 0.01 lies far below the threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import BLACK, BLUE, GREEN, VERMILION, Figures, arguments, canvas, run, save, tidy, with_ones

import topes
from topes.programs import penalised

PAPER_RHO = 0.01
EXACT = 1e-5  # relative, of the solver


def instances(seed: int) -> dict[str, tuple[Any, Any, float]]:
    rng = np.random.default_rng(seed)
    line = with_ones(np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])), np.array([1.0, -1.0, 1.0, 1.0, -1.0]), 1e-3
    return {"five points": line, "Gaussian, 10 x 3": (rng.standard_normal((10, 3)), rng.standard_normal(10), 0.1)}


def solve(X: Any, y: Any, beta: float, rho: float) -> tuple[float, float]:
    """The value of (32), and (3) of the network whose neurons are its weights."""
    program = penalised(X, y, beta, rho)
    value = float(program.problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10))
    network = topes.TwoLayerNetwork.from_convex(program.positive.value, program.negative.value)
    return value, network.objective(X, y, beta)


def threshold(X: Any, y: Any, beta: float, optimum: float, steps: int) -> float:
    """The rho from which the value is that of (7), by halving the interval of its logarithm."""
    low, high = 1e-3 * beta, 1e3 * beta
    for _ in range(steps):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if solve(X, y, beta, middle)[0] >= optimum * (1 - EXACT) else (middle, high)
    return high


def draw(found: dict[str, Any], path: Any) -> None:
    figure = canvas(11, 4.2)
    for panel, (name, rows) in zip(figure.subplots(1, 2), found.items(), strict=True):
        rho = np.array(rows["rho"])
        panel.loglog(rho, rows["value"], "o-", color=BLUE, markersize=4, label="value of (32) / p*")
        panel.loglog(rho, rows["network"], "s-", color=VERMILION, markersize=4, label="its network, (3) / p*")
        panel.axhline(1.0, color=BLACK, linestyle="--", linewidth=1, label="p*, certified")
        panel.axvline(rows["threshold"], color=GREEN, linewidth=1.2, label=f"threshold {rows['threshold']:.4g}")
        panel.axvline(PAPER_RHO, color="0.5", linestyle=":", linewidth=1.4, label="rho = 0.01, the paper's")
        panel.set(xlabel="rho", ylabel="relative to p*", title=name)
        panel.legend(frameon=False, fontsize=8)
        tidy(panel)
    save(figure, path)


def main() -> None:
    options = arguments(__doc__)
    figures = Figures("Figure 14", options)
    found: dict[str, Any] = {}
    for key, (name, (X, y, beta)) in zip(("line", "gaussian"), instances(options.seed).items(), strict=True):
        optimum = topes.train(X, y, beta, tol=1e-9)
        p = optimum.lower_bound
        figures.add(f"{key}_optimum", optimum.objective, f"{name}: p*, certified")
        figures.add(f"{key}_gap", optimum.gap)
        edge = threshold(X, y, beta, p, 12 if options.quick else 25)
        figures.add(f"{key}_threshold", edge, f"{name}: exact from rho =", "any rho > 0")
        rhos = np.geomspace(min(edge / 30, PAPER_RHO / 2), 30 * edge, 9 if options.quick else 25)
        pairs = [solve(X, y, beta, float(rho)) for rho in rhos]
        values, networks = ([pair[i] / p for pair in pairs] for i in range(2))
        found[name] = {"rho": rhos, "value": values, "network": networks, "threshold": edge}
        figures.add(key, found[name])
        at_paper = [v / p for v in solve(X, y, beta, PAPER_RHO)]
        words = f"{at_paper[0]:.4g} and {at_paper[1]:.4g}"
        figures.add(f"{key}_paper", at_paper, f"{name}: (32) and its network at rho = 0.01, over p*", "1 and 1", text=words)
        worst = int(np.argmax(networks))
        figures.add(f"{key}_worst", networks[worst], f"{name}: worst network, rho = {rhos[worst]:.2g}, over p*", "1")
    figures.finish()
    if options.output is not None:
        draw(found, options.output)


if __name__ == "__main__":
    run(main)
