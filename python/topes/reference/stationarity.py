"""Stationary points of (3) by their definitions, squared loss, in fractions: limits of gradients, slopes of exact values."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from typing import Any

from .cells import cells
from .exact import Matrix, Vector, dot, echelon, sign, to_exact

__all__ = ["clarke_residual_squared", "descent_squared", "objective_slope"]


class _Point:
    """A network and its data as fractions; W one neuron a row."""

    def __init__(self, X: Any, y: Any, beta: Any, W1: Any, w2: Any, kappa: Any) -> None:
        self.X = to_exact(X)
        self.W = [tuple(column) for column in zip(*to_exact(W1), strict=True)]
        (self.c,), (self.y,) = to_exact([list(w2)]), to_exact([list(y)])
        self.beta, self.kappa = Fraction(beta), Fraction(kappa)

    def slope(self, s: int) -> Fraction:
        return Fraction(1) if s > 0 else self.kappa

    def phi(self, h: Fraction) -> Fraction:
        return h * self.slope(sign(h))

    def value(self, W: Matrix, c: Vector) -> Fraction:
        f = [sum((cj * self.phi(dot(x, w)) for w, cj in zip(W, c, strict=True)), Fraction(0)) for x in self.X]
        loss = sum(((a - b) ** 2 for a, b in zip(f, self.y, strict=True)), Fraction(0)) / 2
        return loss + self.beta / 2 * (sum((dot(w, w) for w in W), Fraction(0)) + dot(c, c))

    def residual(self) -> Vector:
        f = [sum((cj * self.phi(dot(x, w)) for w, cj in zip(self.W, self.c, strict=True)), Fraction(0)) for x in self.X]
        return tuple(a - b for a, b in zip(f, self.y, strict=True))

    def zero_rows(self, j: int) -> Matrix:
        return [x for x in self.X if any(x) and dot(x, self.W[j]) == 0]

    def limits(self, j: int) -> list[tuple[Vector, Vector]]:
        """Limits of gradients in w_j, each with a direction from which it is approached: one a cell of the zero rows."""
        v = self.residual()
        zero = self.zero_rows(j)
        d = len(self.W[j])
        witnesses = [w for _, w in cells(zero)] if zero else [(Fraction(0),) * d]
        found = []
        for u in witnesses:
            g = [self.beta * x for x in self.W[j]]
            for x, vi in zip(self.X, v, strict=True):
                s = sign(dot(x, self.W[j])) or sign(dot(x, u))
                for k in range(d):
                    g[k] += self.c[j] * vi * self.slope(s) * x[k]
            found.append((tuple(g), u))
        return found

    def output_slope(self, j: int) -> Fraction:
        features = tuple(self.phi(dot(x, self.W[j])) for x in self.X)
        return dot(features, self.residual()) + self.beta * self.c[j]


def clarke_residual_squared(X: Any, y: Any, beta: Any, W1: Any, w2: Any, *, kappa: Any = 0) -> Fraction:
    """The squared distance of 0 to the Clarke subdifferential of (3), exact; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : number
    W1, w2 : array_like, shape (d, m) and (m,)
    kappa : number

    Examples
    --------
    >>> from topes.reference import clarke_residual_squared
    >>> clarke_residual_squared([[1]], [2], 1, [[1]], [1])  # 1/2 (c w - 2)^2 + (c^2 + w^2) / 2 at c = w = 1
    Fraction(0, 1)
    """
    point = _Point(X, y, beta, W1, w2, kappa)
    total = Fraction(0)
    for j in range(len(point.c)):
        total += _least_norm_of_hull({g for g, _ in point.limits(j)}) + point.output_slope(j) ** 2
    return total


def descent_squared(X: Any, y: Any, beta: Any, W1: Any, w2: Any, *, kappa: Any = 0) -> Fraction:
    """The square of the steepest slope of (3) down, over directions of unit length, exact; slow.

    On the cone of each cell of the zero rows (3) moves linearly, along the limit of its gradients: the steepest way down
    is the projection of its negative onto the cone.
    """
    point = _Point(X, y, beta, W1, w2, kappa)
    total = Fraction(0)
    for j in range(len(point.c)):
        zero = point.zero_rows(j)
        best = Fraction(0)
        for g, u in point.limits(j):
            rows = [tuple(sign(dot(x, u)) * e for e in x) for x in zero]
            best = max(best, _projected(tuple(-x for x in g), rows))
        total += best + point.output_slope(j) ** 2
    return total


def objective_slope(X: Any, y: Any, beta: Any, W1: Any, w2: Any, dW1: Any, dw2: Any, *, kappa: Any = 0) -> Fraction:
    """The one-sided derivative of (3) along a direction, from exact values of (3); slow.

    Before the first sign changes, (3) is a polynomial of degree four in the step: five values give its derivative at zero.
    """
    point = _Point(X, y, beta, W1, w2, kappa)
    move = _Point(X, y, beta, dW1, dw2, kappa)
    step = Fraction(1)
    for w, dw in zip(point.W, move.W, strict=True):
        for x in point.X:
            h, k = dot(x, w), dot(x, dw)
            if h * k < 0:
                step = min(step, abs(h / k))
    step /= 5
    values = []
    for t in range(5):
        W = [tuple(a + t * step * b for a, b in zip(w, dw, strict=True)) for w, dw in zip(point.W, move.W, strict=True)]
        c = tuple(a + t * step * b for a, b in zip(point.c, move.c, strict=True))
        values.append(point.value(W, c))
    weights = (Fraction(-25, 12), Fraction(4), Fraction(-3), Fraction(4, 3), Fraction(-1, 4))
    return sum((a * b for a, b in zip(weights, values, strict=True)), Fraction(0)) / step


def _least_norm_of_hull(points: Iterable[Vector]) -> Fraction:
    """The least squared norm over the convex hull: at the projection of 0 onto the affine hull of some of the points."""
    points = list(points)
    d = len(points[0])
    best = min(dot(p, p) for p in points)
    for size in range(2, d + 2):
        for some in combinations(points, size):
            weights = _affine_weights(some)
            if weights is not None and min(weights) >= 0:
                at = tuple(sum((w * p[k] for w, p in zip(weights, some, strict=True)), Fraction(0)) for k in range(d))
                best = min(best, dot(at, at))
    return best


def _affine_weights(points: tuple[Vector, ...]) -> Vector | None:
    """Weights with sum 1 of the point of the affine hull nearest to 0; None where the points are affinely dependent."""
    size = len(points)
    rows = [(*(dot(p, q) for q in points), Fraction(-1), Fraction(0)) for p in points]  # P'P w = mu 1, sum w = 1
    rows.append((*(Fraction(1) for _ in points), Fraction(0), Fraction(1)))
    basis, pivots = echelon(rows)
    if pivots != tuple(range(size + 1)):
        return None
    return tuple(row[-1] for row in basis[:size])


def _projected(c: Vector, rows: Matrix) -> Fraction:
    """The squared length of the projection of c onto {u : row.u >= 0}: the largest c.u squared over unit u in it, or 0."""
    best = Fraction(0)
    for size in range(len(c) + 1):
        for some in combinations(rows, size):
            on = c
            basis: list[Vector] = []
            for row in some:  # Gram-Schmidt
                rest = row
                for b in basis:
                    rest = tuple(x - dot(rest, b) / dot(b, b) * y for x, y in zip(rest, b, strict=True))
                if any(rest):
                    basis.append(rest)
            for b in basis:
                on = tuple(x - dot(on, b) / dot(b, b) * y for x, y in zip(on, b, strict=True))
            if all(dot(row, on) >= 0 for row in rows):
                best = max(best, dot(on, on))
    return best
