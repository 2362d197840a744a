"""Counting without enumerating: Zaslavsky's theorem on the characteristic polynomial.

The polynomial comes from the poset of all intersections and its Möbius function, so the count shares nothing
with the enumeration in `cells`, nor with the core.
"""

from __future__ import annotations

import math
from typing import Any

from .cells import hyperplane_classes, read_arrangement
from .exact import Matrix, Vector, echelon, reduce

__all__ = ["bound", "characteristic_polynomial", "count", "count_bounded"]


def characteristic_polynomial(X: Any, offsets: Any = None, *, values: str = "binary") -> tuple[int, ...]:
    """Characteristic polynomial of an arrangement, by its intersection poset; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Normals, as for `cells`.
    offsets : array_like, shape (n,), optional
        Offsets, as for `cells`.
    values : {"binary", "decimal"}
        What a float means.

    Returns
    -------
    tuple of d + 1 ints
        Coefficient k belongs to t**k in chi(t) = sum over flats F of mu(F) t**dim(F).

    Raises
    ------
    InputError
        As for `cells`.

    Notes
    -----
    A flat is a non-empty intersection of hyperplanes, the whole space among them; mu is 1 there and
    mu(F) = -sum of mu(G) over the flats G that contain F properly. Time: quadratic in the number of flats.

    Examples
    --------
    The three lines x = 0, y = 0, x = y: chi(t) = t**2 - 3 t + 2.

    >>> from topes.reference import characteristic_polynomial
    >>> characteristic_polynomial([[1, 0], [0, 1], [1, -1]])
    (2, -3, 1)
    """
    rows, d = read_arrangement(X, offsets, values)
    augmented = [(*rows[m[0]][0], rows[m[0]][1]) for m in hyperplane_classes(rows)]
    coefficients = [0] * (d + 1)
    mobius: dict[frozenset[int], int] = {}
    level: dict[frozenset[int], Matrix] = {frozenset(): []}
    for codimension in range(d + 1):
        for flat in level:
            mobius[flat] = 1 if not flat else -sum(mu for above, mu in mobius.items() if above < flat)
            coefficients[d - codimension] += mobius[flat]
        below: dict[frozenset[int], Matrix] = {}
        for flat, equations in level.items():
            for i in range(len(augmented)):
                if i not in flat:
                    found = _intersect(augmented, [*equations, augmented[i]], d)
                    if found is not None:
                        below[found[0]] = found[1]
        level = below
    return tuple(coefficients)


def _intersect(augmented: list[Vector], equations: Matrix, d: int) -> tuple[frozenset[int], Matrix] | None:
    """Return the hyperplanes through all solutions, and the equations reduced; None for no solution."""
    basis, pivots = echelon(equations)
    if d in pivots:  # 0 = 1
        return None
    return frozenset(i for i, row in enumerate(augmented) if not any(reduce(row, basis, pivots))), basis


def count(X: Any, offsets: Any = None, *, values: str = "binary") -> int:
    """Number of cells by Zaslavsky's theorem, (-1)**d chi(-1); slow, and no cell is looked at.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    int
        The number of cells.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    >>> from topes.reference import count
    >>> count([[1, 0], [0, 1], [1, -1]]), count([[1, 0], [0, 1], [1, -1]], [0, 0, 1])
    (6, 7)
    """
    polynomial = characteristic_polynomial(X, offsets, values=values)
    return abs(sum(-c if k % 2 else c for k, c in enumerate(polynomial)))


def count_bounded(X: Any, offsets: Any = None, *, values: str = "binary") -> int:
    """Number of relatively bounded cells by Zaslavsky's theorem, abs(chi(1)); slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    int
        The number of cells that are bounded once the directions orthogonal to all normals are divided out.
        With normals of rank d these are the bounded cells; below that rank no cell is bounded.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    >>> from topes.reference import count_bounded
    >>> count_bounded([[1, 0], [0, 1], [1, 1]], [0, 0, 1])
    1
    """
    return abs(sum(characteristic_polynomial(X, offsets, values=values)))


def bound(n_hyperplanes: int, r: int, *, central: bool = True) -> int:
    """Largest number of cells that distinct hyperplanes of one rank can have, eq. (6).

    Parameters
    ----------
    n_hyperplanes : int
        Number of distinct hyperplanes, at least r.
    r : int
        Rank of their normals.
    central : bool
        Whether all pass through one point.

    Returns
    -------
    int
        2 * sum(C(n - 1, k) for k < r) for central arrangements [Cover65], sum(C(n, k) for k <= r) for affine
        ones [Buck43], both reached in general position; 1 for no hyperplane.

    Examples
    --------
    >>> from topes.reference import bound
    >>> bound(200, 4), bound(3, 2), bound(3, 2, central=False), bound(0, 0)
    (2627200, 6, 7, 1)
    """
    if n_hyperplanes == 0 or r == 0:
        return 1
    if central:
        return 2 * sum(math.comb(n_hyperplanes - 1, k) for k in range(r))
    return sum(math.comb(n_hyperplanes, k) for k in range(r + 1))
