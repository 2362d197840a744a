"""Whether a point is in a zonotope: decided exactly at any rank, with a proof either way.

About its centre c the zonotope is {sum_j s_j g_j / 2 : |s_j| <= 1}. The largest t with t (p - c) in it is a linear
program in r equations; its dual is the least sum_j |w.g_j| over w.(p - c) fixed, reached at a w orthogonal to r - 1
generators: a facet's normal. A floating-point solver guesses those generators, and a simplex method in integers goes on
from there until both sides agree, as a rule at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from .._support.integers import Integers, independent_rows, kernel_line, solve
from .generators import Generators

__all__ = ["Membership", "membership"]


@dataclass(frozen=True, repr=False)
class Membership:
    """Where a point lies, and why.

    Attributes
    ----------
    position : {"inside", "boundary", "outside"}
        "inside" is the relative interior: of a zonotope of lower dimension than the space, its interior in its affine hull.
    coefficients : ndarray, shape (n,), object, or None
        Unless outside, a u in [0, 1]^n with X'u = p, `fractions.Fraction`.
    direction : ndarray, shape (d,), object, or None
        Unless inside, an integer c with c.p > h(c) (outside) or c.p = h(c), c.x_i not all 0 (boundary).
    gauge : Fraction or None
        The factor by which the zonotope must grow about its centre to reach the point: below, at or above 1. None for a
        point outside the affine hull.
    n_pivots : int
        Steps of the exact simplex method.
    """

    position: Literal["inside", "boundary", "outside"]
    coefficients: npt.NDArray[np.object_] | None
    direction: npt.NDArray[np.object_] | None
    gauge: Fraction | None
    n_pivots: int

    def __bool__(self) -> bool:
        return self.position != "outside"

    def __repr__(self) -> str:
        gauge = "off its affine hull" if self.gauge is None else f"gauge {float(self.gauge):.10g}"
        return f"Membership({self.position}, {gauge})"


def membership(generators: Generators, p: Integers, p_scale: int) -> Membership:
    """Decide the point p / p_scale."""
    g = generators
    # In units of 1 / (2 scale p_scale): p - centre.
    q = 2 * g.scale * p - p_scale * (2 * g.base + g.G.sum(axis=0))
    away = _off_the_hull(g, q)
    if away is not None:
        return Membership("outside", None, away, None, 0)
    half = np.full(g.m, Fraction(1, 2), dtype=object)
    columns = list(g.columns)
    if not (q[columns] != 0).any():
        return Membership("inside", g.coefficients(half), None, Fraction(0), 0)
    w, s, t, n_pivots = _largest_multiple(g.coordinates, q[columns], p_scale)
    position: Literal["inside", "boundary", "outside"] = "inside" if t > 1 else "boundary" if t == 1 else "outside"
    u = None if position == "outside" else g.coefficients(half + s / (2 * t))
    return Membership(position, u, None if position == "inside" else g.functional(w), 1 / t, n_pivots)


def _off_the_hull(g: Generators, q: Integers) -> npt.NDArray[np.object_] | None:
    """A functional that vanishes on all generators and is positive at q, or None where q is in their span."""
    d = len(q)
    if g.rank == d:
        return None
    columns = list(g.columns)
    T, D = g.lift if g.rank else (np.zeros((0, d), dtype=object), 1)
    rest = D * q - (q[columns] @ T if g.rank else 0)
    off = np.flatnonzero(rest)
    if not len(off):
        return None
    k = int(off[0])
    c = np.zeros(d, dtype=object)
    c[columns] = -T[:, k]
    c[k] = D
    return c if rest[k] > 0 else -c


def _largest_multiple(G: Integers, q: Integers, unit: int) -> tuple[Integers, npt.NDArray[np.object_], Fraction, int]:
    """The largest t with t q = unit * sum s_j g_j, |s_j| <= 1; s; and the normal w, w.q > 0, that proves it.

    The dual simplex method: w is orthogonal to a basis of r - 1 generators, s_j = sign(w.g_j) outside of it, and the
    equations give t and the s_j of the basis. While one of these is beyond 1, w turns about the others as far as
    sum |w.g_j| falls, past many generators at once. Where that is nowhere, the least indices are taken (Bland's rule),
    so that no basis comes twice: it ends.
    """
    basis, s = _guess(G, q)
    n_pivots = 0
    while True:
        w = kernel_line(G[basis])
        assert w is not None  # a basis is independent
        w = w if (w @ q) > 0 else -w
        heights = G @ w
        s[heights > 0], s[heights < 0] = 1, -1
        s[basis] = 0
        right = -unit * (s @ G)
        solved = solve(np.concatenate([unit * G[basis], -q[None, :]]).T, right[:, None])
        assert solved is not None  # q is independent of them
        values, D = solved[0][:, 0], solved[1]
        beyond = [k for k in range(len(basis)) if abs(values[k]) > D]
        if not beyond:
            exact = np.array([Fraction(int(x)) for x in s], dtype=object)
            exact[basis] = [Fraction(x, D) for x in values[:-1]]
            return w, exact, Fraction(values[-1], D), n_pivots
        k = max(beyond, key=lambda k: abs(values[k]))
        moves, entering, side = _turn(G, q, basis, k, s, heights, values[k], D)
        if not moves:
            k = min(beyond, key=basis.__getitem__)
            _, entering, side = _turn(G, q, basis, k, s, heights, values[k], D)
        s[basis[k]] = side
        basis[k] = entering
        n_pivots += 1


def _turn(
    G: Integers, q: Integers, basis: list[int], k: int, s: npt.NDArray[np.object_], heights: Integers, value: int, D: int
) -> tuple[bool, int, int]:
    """Turn w off the kth generator of the basis, s_k = value / D beyond 1, to the least sum |w.g_j| on the way.

    Returns whether w moves, the generator that enters the basis, and the sign of the one that left.
    """
    d = kernel_line(np.concatenate([G[[b for b in basis if b != basis[k]]], q[None, :]]))
    assert d is not None  # as w
    side = G[basis[k]] @ d
    if side * value < 0:
        d, side = -d, -side
    turns = G @ d
    ahead = np.flatnonzero((s != 0) & (s * turns < 0)).tolist()
    ratios = sorted((Fraction(abs(heights[j]), abs(turns[j])), j) for j in ahead)
    slope = Fraction((D - abs(value)) * abs(side), D)
    for ratio, j in ratios:
        slope += 2 * abs(turns[j])
        if slope >= 0:
            if ratio > 0:
                return True, j, 1 if side > 0 else -1
            break
    return False, ratios[0][1], 1 if side > 0 else -1


def _guess(G: Integers, q: Integers) -> tuple[list[int], npt.NDArray[np.object_]]:
    """Generators that are about orthogonal to the optimal w, exactly independent of each other and q; and signs."""
    m, r = G.shape
    signs = np.ones(m, dtype=object)
    order = np.arange(m)
    # G with columns of size 1, and q on the same scale but of size 1, in doubles.
    scale = [max(abs(x) for x in column) for column in G.T]
    F = np.array([[x / e for x, e in zip(row, scale, strict=True)] for row in G])
    largest = max(Fraction(abs(x), e) for x, e in zip(q, scale, strict=True))
    f = np.array([float(Fraction(x, e) / largest) for x, e in zip(q, scale, strict=True)])
    result = linprog(
        np.append(np.zeros(m), -1.0),
        A_eq=np.concatenate([F.T, -f[:, None]], axis=1),
        b_eq=np.zeros(r),
        bounds=[(-1.0, 1.0)] * m + [(0.0, None)],
        method="highs",
    )
    if result.status == 0:
        w = np.asarray(result.eqlin.marginals)
        length = np.linalg.norm(F, axis=1)
        order = np.argsort(np.abs(F @ w) / np.where(length > 0.0, length, 1.0), kind="stable")
        signs = np.where(result.x[:m] < 0.0, -1, 1).astype(object)
    some = max(16, 4 * r)
    while True:
        rows, _ = independent_rows(np.concatenate([q[None, :], G[order[:some]]]), r)
        if len(rows) == r:
            return [int(order[k - 1]) for k in rows[1:]], signs
        some *= 4
