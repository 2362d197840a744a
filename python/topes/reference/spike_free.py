"""Spike-freeness from its definition, cell by cell."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from .cells import sign_vectors
from .exact import Matrix, Vector, dot, echelon, read
from .faces import rays
from .zonotope import determinant

__all__ = ["is_copositive", "is_spike_free"]


def is_spike_free(X: Any, *, values: str = "binary") -> bool:
    """Whether every (Xu)_+ is an Xz with ||z|| <= ||u||: on each cell, where (Xu)_+ = DXu is linear; slow.

    A cell is the cone over its rays, up to directions that X does not see. So Xz = DXu must have a solution for every ray u,
    and with the shortest one for each ray the quadratic form ||u||^2 - ||z||^2 in the coefficients of the rays must not be
    negative on non-negative ones.

    Examples
    --------
    >>> from topes.reference import is_spike_free
    >>> is_spike_free([[1, 0], [1, 1]]), is_spike_free([[1, 0], [-1, 1]]), is_spike_free([[1], [-1]])
    (True, False, False)
    """
    rows, _ = read(X, values)
    basis, _ = echelon(rows)
    found = rays(X, values=values)
    for s in sign_vectors(X, values=values):
        lengths: list[tuple[Vector, Vector]] = []
        for u in found[s]:
            shortest = _shortest(rows, basis, [dot(row, u) for row in rows])
            assert shortest is not None  # Xz = Xu has the solution u
            z = _shortest(rows, basis, [dot(row, u) if x > 0 else Fraction(0) for row, x in zip(rows, s, strict=True)])
            if z is None:
                return False
            lengths.append((shortest, z))
        if not is_copositive([tuple(dot(u, v) - dot(z, t) for v, t in lengths) for u, z in lengths]):
            return False
    return True


def _shortest(rows: Matrix, basis: Matrix, f: list[Fraction]) -> Vector | None:
    """The shortest z with x_i.z = f_i, a combination of the basis of the row space; None where there is none."""
    r = len(basis)
    system = [(*(dot(row, b) for b in basis), value) for row, value in zip(rows, f, strict=True)]
    solved, pivots = echelon(system)
    if r in pivots:
        return None
    a = [row[r] for row in solved]  # the columns before it are independent: all are pivots
    d = len(basis[0]) if basis else 0
    return tuple(sum((x * b[j] for x, b in zip(a, basis, strict=True)), Fraction(0)) for j in range(d))


def is_copositive(A: Matrix) -> bool:
    """Whether a'Aa >= 0 for all a >= 0: every principal submatrix with a determinant < 0 has a cofactor < 0 in its last row.

    Keller's criterion, over all 2^k submatrices.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> is_copositive([(F(1), F(-1)), (F(-1), F(1))]), is_copositive([(F(1), F(-2)), (F(-2), F(1))])
    (True, False)
    """
    k = len(A)
    for size in range(1, k + 1):
        for chosen in combinations(range(k), size):
            part = [tuple(A[i][j] for j in chosen) for i in chosen]
            if determinant(part) < 0 and all(
                (-1) ** (size - 1 + j) * determinant([row[:j] + row[j + 1 :] for row in part[:-1]]) >= 0 for j in range(size)
            ):
                return False
    return True
