"""Draws the pictures of docs/plotting.md into this folder: python docs/images/make.py"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import topes
from topes import plotting

HERE = Path(__file__).parent


def main() -> None:
    rng = np.random.default_rng(5)
    lines = topes.Arrangement(rng.standard_normal((7, 2)), offsets=0.4 * rng.standard_normal(7))
    window = ((-1.5, 1.5), (-1.2, 1.2))
    save("arrangement_plane", plotting.arrangement_plane(lines, labels=True, window=window))
    X = rng.standard_normal((9, 3))
    save("arrangement_sphere", plotting.arrangement_sphere(topes.Arrangement(X)))
    save("zonotope", plotting.zonotope(topes.Zonotope(X)))
    X = rng.uniform(-1.0, 1.0, (80, 2))
    y = np.where((X**2).sum(axis=1) < 0.5, 1.0, -1.0)
    solution = topes.train(X, y, beta=0.2, bias="penalized", loss="squared_hinge")
    save("fitted_function", plotting.fitted_function(solution.network, X, y))


def save(name: str, ax: Any) -> None:
    ax.figure.savefig(HERE / f"{name}.png", dpi=80, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
