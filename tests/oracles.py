"""Independent answers: closed-form counts with the arrangements they belong to, and tests of feasibility by elimination.

A family is a function that makes (X, offsets or None); a count is a function of the same argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

import numpy as np

Affine = tuple[np.ndarray, np.ndarray]

# Cells of central arrangements.


def generic_count(n: int, r: int) -> int:
    """Most cells of n central hyperplanes of rank r, reached in general position [Cover65]."""
    return 2 * sum(math.comb(n - 1, k) for k in range(r)) if n else 1


def threshold(m: int) -> np.ndarray:
    """The points (1, x), x in {0, 1}^m: cells are the Boolean functions that one threshold unit computes."""
    return np.array([(1, *x) for x in product((0, 1), repeat=m)], dtype=np.int64)


THRESHOLD_COUNTS = {1: 4, 2: 14, 3: 104, 4: 1882, 5: 94572, 6: 15028134}  # OEIS A000609


def resonance(m: int) -> np.ndarray:
    """All non-zero 0/1 vectors of length m."""
    return np.array([x for x in product((0, 1), repeat=m) if any(x)], dtype=np.int64)


RESONANCE_COUNTS = {2: 6, 3: 32, 4: 370, 5: 11292, 6: 1066044}  # OEIS A034997


def braid(m: int) -> np.ndarray:
    """x_i = x_j for i < j, of type A: cells are the m! orders of m numbers."""
    return np.array([_difference(m, i, j) for i, j in combinations(range(m), 2)], dtype=np.int64).reshape(-1, m)


def type_b(m: int) -> np.ndarray:
    """x_i = 0, x_i = x_j, x_i = -x_j: cells are the 2^m m! signed orders."""
    eye = np.eye(m, dtype=np.int64)
    pairs = [eye[i] + s * eye[j] for i, j in combinations(range(m), 2) for s in (1, -1)]
    return np.array([*eye, *pairs], dtype=np.int64)


def type_d(m: int) -> np.ndarray:
    """x_i = x_j, x_i = -x_j: cells are the 2^(m-1) m! even-signed orders."""
    return type_b(m)[m:]


def graphic(m: int, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """x_i = x_j for the edges of a graph: cells are its acyclic orientations."""
    return np.array([_difference(m, i, j) for i, j in edges], dtype=np.int64)


# Deformations of the braid arrangement: x_i - x_j = k for i < j and k in a set.


def deformation(m: int, shifts: Sequence[int]) -> Affine:
    rows = [(_difference(m, i, j), k) for i, j in combinations(range(m), 2) for k in shifts]
    normals = np.array([a for a, _ in rows], dtype=np.int64).reshape(-1, m)
    return normals, np.array([k for _, k in rows], dtype=np.int64)


def shi(m: int) -> Affine:
    return deformation(m, (0, 1))


def catalan(m: int) -> Affine:
    return deformation(m, (-1, 0, 1))


def linial(m: int) -> Affine:
    return deformation(m, (1,))


def semiorder(m: int) -> Affine:
    return deformation(m, (-1, 1))


# Cells, and cells that are bounded modulo the line (1, ..., 1): Stanley, An introduction to hyperplane arrangements,
# section 5; Linial is OEIS A007889, semiorders are A006531.


def shi_counts(m: int) -> tuple[int, int]:
    return (m + 1) ** (m - 1), (m - 1) ** (m - 1)


def catalan_counts(m: int) -> tuple[int, int]:
    number = math.comb(2 * m, m) // (m + 1)
    return math.factorial(m) * number, math.factorial(m) * (math.comb(2 * m - 2, m - 1) // m)


def linial_counts(m: int) -> tuple[int, int]:
    """chi(t) = t / 2^m * sum of C(m, k) (t - k)^(m - 1), Postnikov and Stanley; Zaslavsky at t = -1 and t = 1."""

    def chi(t: int) -> Fraction:
        return Fraction(t * sum(math.comb(m, k) * (t - k) ** (m - 1) for k in range(m + 1)), 2**m)

    return int(abs(chi(-1))), int(abs(chi(1)))


SEMIORDER_COUNTS = {1: 1, 2: 3, 3: 19, 4: 183, 5: 2371}


def grid(sizes: Sequence[int]) -> Affine:
    """sizes[j] hyperplanes x_j = 0, 1, ...: a box of prod(sizes + 1) cells, prod(sizes - 1) of them bounded."""
    eye = np.eye(len(sizes), dtype=np.int64)
    rows = [(eye[j], k) for j, size in enumerate(sizes) for k in range(size)]
    return np.array([a for a, _ in rows]), np.array([k for _, k in rows])


def generic_affine_counts(n: int, d: int) -> tuple[int, int]:
    """Cells and bounded cells of n >= d hyperplanes in general position in R^d [Buck43]."""
    return sum(math.comb(n, k) for k in range(d + 1)), math.comb(n - 1, d)


def acyclic_orientations(m: int, edges: Sequence[tuple[int, int]]) -> int:
    """Try all 2^|E| orientations; one is acyclic when vertices without incoming edges can be taken away to the end."""
    total = 0
    for turned in product((False, True), repeat=len(edges)):
        arcs = {(j, i) if t else (i, j) for (i, j), t in zip(edges, turned, strict=True)}
        left = set(range(m))
        while left:
            sources = {v for v in left if not any((u, v) in arcs for u in left)}
            if not sources:
                break
            left -= sources
        total += not left
    return total


def _difference(m: int, i: int, j: int) -> list[int]:
    return [1 if k == i else -1 if k == j else 0 for k in range(m)]


# Brute force.


def brute_sign_vectors(rows: Sequence[Sequence[Fraction]], offsets: Sequence[Fraction], d: int) -> set[tuple[int, ...]]:
    """Try all 2^n sign vectors: one is a cell when its strict inequalities have a solution."""
    constant = {i: (-b > 0) - (-b < 0) for i, (a, b) in enumerate(zip(rows, offsets, strict=True)) if not any(a)}
    choices = [(constant[i],) if i in constant else (1, -1) for i in range(len(rows))]
    found = set()
    for signs in product(*choices):
        system = [
            tuple(s * x for x in (*a, -b))
            for i, (a, b, s) in enumerate(zip(rows, offsets, signs, strict=True))
            if i not in constant
        ]
        if solvable(system, d):
            found.add(signs)
    return found


def solvable(system: Sequence[Sequence[Fraction]], d: int) -> bool:
    """Whether a . w + c > 0 for all rows (a, c) has a solution: Fourier and Motzkin's elimination, exactly."""
    rows = {tuple(row) for row in system}
    for j in range(d):
        above = [r for r in rows if r[j] > 0]
        below = [r for r in rows if r[j] < 0]
        rows = {r for r in rows if r[j] == 0}
        for p, q in product(above, below):
            rows.add(tuple(x * -q[j] + y * p[j] for x, y in zip(p, q, strict=True)))
    return all(r[-1] > 0 for r in rows)
