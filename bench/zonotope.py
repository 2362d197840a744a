"""Zonotopes: volume, facets, membership, support, edges; beside Qhull on their vertices and HiGHS on the linear program.

Usage: python bench/zonotope.py [--quick]

Every answer is held against the peer's before it is timed. Times are processor seconds, the least of several runs that
alternate between the two.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

import topes
from topes import Zonotope


def gaussian(n: int, r: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, r))


def cost(function: Callable[[], Any]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def alternate(ours: Callable[[], Any], peer: Callable[[], Any] | None, runs: int) -> tuple[float, float | None]:
    pairs = [(cost(ours), cost(peer) if peer else None) for _ in range(runs)]
    theirs = [b for _, b in pairs if b is not None]
    return min(a for a, _ in pairs), min(theirs) if theirs else None


def row(what: str, n: int, r: int, ours: float, peer: str = "", theirs: float | None = None) -> None:
    ratio = f"{theirs / ours:.3g}" if theirs is not None else ""
    seconds = f"{theirs:.3g}" if theirs is not None else ""
    print(f"| {what} | {n} | {r} | {ours:.3g} | {peer} | {seconds} | {ratio} |", flush=True)


def volumes(sizes: list[tuple[int, int]], hulls: int, runs: int) -> None:
    for n, r in sizes:
        X = gaussian(n, r)
        exact = float(Zonotope(X).volume())
        value, error = Zonotope(X).approx_volume()
        assert abs(value - exact) <= error
        peer = None
        if Zonotope(X).n_vertices <= hulls:
            V = Zonotope(X).vertices()
            assert abs(ConvexHull(V).volume / exact - 1.0) < 1e-8

            def peer(V: np.ndarray = V) -> Any:
                return ConvexHull(V).volume

        a, b = alternate(lambda X=X: Zonotope(X).volume(), peer, runs)
        row("volume, exact", n, r, a, "Qhull, vertices given" if peer else "", b)
        a, _ = alternate(lambda X=X: Zonotope(X).approx_volume(), None, runs)
        row(f"volume in doubles, proved to {error / value:.1g}", n, r, a)


def facets(sizes: list[int], runs: int) -> None:
    for n in sizes:
        Z = Zonotope(gaussian(n, 3))
        faces = Z.facets()
        points = faces.points
        assert 2 * len(faces) == len(ConvexHull(points).simplices)
        a, b = alternate(lambda n=n: Zonotope(gaussian(n, 3)).facets(), lambda points=points: ConvexHull(points), runs)
        row(f"{len(faces):,} facets, exact", n, 3, a, "Qhull, vertices given", b)


def solve(X: np.ndarray, p: np.ndarray) -> bool:
    return linprog(np.zeros(len(X)), A_eq=X.T, b_eq=p, bounds=(0, 1), method="highs").status == 0


def membership(sizes: list[tuple[int, int]], runs: int) -> None:
    for n, r in sizes:
        X = gaussian(n, r)
        rng = np.random.default_rng(1)
        centre = X.sum(axis=0) / 2
        edge = [X[X @ c > 0].sum(axis=0) for c in rng.standard_normal((10, r))]
        inside = [centre + 0.99 * (p - centre) for p in edge]
        outside = [centre + 1.01 * (p - centre) for p in edge]
        Z = Zonotope(X)
        assert all(p in Z and solve(X, p) for p in inside)
        assert not any(p in Z or solve(X, p) for p in outside)
        for name, ps in (("inside", inside), ("outside", outside)):
            a, b = alternate(
                lambda Z=Z, ps=ps: [Z.membership(p) for p in ps], lambda X=X, ps=ps: [solve(X, p) for p in ps], runs
            )
            row(f"a point 1 % {name}, exact, with proof", n, r, a / len(ps), "HiGHS, in doubles", b / len(ps))
        vertex = Z.face(rng.standard_normal(r)).vertex
        assert Z.membership(vertex).position == "boundary"
        off = [x + Fraction(1, 10**30) * (x > c) for x, c in zip(vertex, centre.tolist(), strict=True)]
        a, _ = alternate(lambda Z=Z, p=vertex: Z.membership(p), None, runs)
        row("a vertex: on the boundary, exact, with proof", n, r, a)
        a, _ = alternate(lambda Z=Z, p=off: Z.membership(p), None, runs)
        row("10^-30 beside it", n, r, a)


def others(n: int, k: int, runs: int) -> None:
    X = gaussian(n, 3)
    C = np.random.default_rng(2).standard_normal((k, 3))
    Z = Zonotope(X)
    assert np.allclose(Z.support(C), np.maximum(C @ X.T, 0.0).sum(axis=1), rtol=1e-12)
    a, b = alternate(lambda: Z.support(C), lambda: np.maximum(C @ X.T, 0.0).sum(axis=1), runs)
    row(f"support function, {k} directions, doubled precision", n, 3, a, "numpy, plain", b)
    E = Z.edges()
    a, _ = alternate(lambda: Zonotope(X).edges(n_threads=1), None, 1)
    row(f"{len(E):,} edges, cells included", n, 3, a)
    a, _ = alternate(lambda: Zonotope(X).f_vector(), None, 1)
    row(f"f-vector {Z.f_vector()}", n, 3, a)
    Y = gaussian(100_000, 2)
    a, _ = alternate(lambda: Zonotope(Y).polygon(), None, 1)
    row("polygon", len(Y), 2, a)


def spike_free(sizes: list[tuple[int, int]], runs: int) -> None:
    for n, d in sizes:
        X = gaussian(n, d)
        a, _ = alternate(lambda X=X: topes.spike_free(X), None, runs)
        row(f"spike-free: {topes.spike_free(X).spike_free}, with proof", n, min(n, d), a)
    n, d = 60, 80
    W = np.linalg.qr(gaussian(d, n))[0].T
    y = np.random.default_rng(3).standard_normal(n)
    assert topes.spike_free(W).within(1e-12)
    a, _ = alternate(lambda: topes.spike_free(W), None, runs)
    row("spike-free: whitened in doubles, ratio below 1 + 1e-12", n, n, a)
    closed, program = topes.train_whitened(W, y, 0.3), topes.train_spike_free(W, y, 0.3)
    assert closed.gap < 1e-9 > abs(closed.objective - program.objective)
    a, b = alternate(lambda: topes.train_whitened(W, y, 0.3), lambda: topes.train_spike_free(W, y, 0.3), runs)
    row(f"trained on it, closed form, gap {closed.gap:.0e}", n, n, a, f"(26) by Clarabel, gap {program.gap:.0e}", b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    runs = 1 if quick else 3
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}\n")
    print("| what | n | r | seconds | peer | seconds | ratio |\n|---|---|---|---|---|---|---|")
    large = [(100_000, 2), (300, 3), (1000, 3), (2393, 3), (100, 4), (40, 5)]
    volumes([(100, 2), (100, 3), (30, 4)] if quick else large, 10**5, runs)
    facets([50] if quick else [100, 300], runs)
    membership([(100, 3)] if quick else [(100, 3), (1000, 3), (10_000, 3), (1000, 8)], runs)
    others(100 if quick else 1000, 1000, runs)
    spike_free([(20, 30)] if quick else [(50, 70), (100, 150), (5000, 40)], runs)


if __name__ == "__main__":
    main()
