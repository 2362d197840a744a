"""Rational numbers and the little linear algebra the twin needs: nothing here is rounded, nothing is fast."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import InputError

__all__ = ["Matrix", "Vector", "dot", "echelon", "primitive", "rank", "read", "sign", "to_exact"]

Vector = tuple[Fraction, ...]
Matrix = list[Vector]


def to_exact(X: Any, values: str = "binary") -> Matrix:
    """Read a matrix as the rational numbers it holds; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Floats, integers of any size, booleans, Fractions or Decimals, in any mixture.
    values : {"binary", "decimal"}
        What a float means: the dyadic rational it is, or the shortest decimal that rounds to it (what
        ``repr`` prints). Other numbers mean themselves in both.

    Returns
    -------
    list of n tuples of d Fractions

    Raises
    ------
    InputError
        `values` is neither word, X is ragged or not a table, or an entry is not a finite real number.

    Examples
    --------
    >>> from topes.reference import to_exact
    >>> to_exact([[0.5, 2**70]])
    [(Fraction(1, 2), Fraction(1180591620717411303424, 1))]
    >>> to_exact([[0.1]]) == to_exact([[0.1]], values="decimal")
    False
    >>> to_exact([[0.1]], values="decimal")
    [(Fraction(1, 10),)]
    """
    return read(X, values)[0]


def read(X: Any, values: str, name: str = "X") -> tuple[Matrix, int]:
    """Return the rows of `to_exact` and their length, which an array of no rows still knows."""
    if values not in ("binary", "decimal"):
        raise InputError(f"values must be 'binary' or 'decimal', got {values!r}")
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 2:
        raise InputError(f"{name} must be two-dimensional, got an array of shape {shape}")
    rows: Matrix = []
    for i, row in enumerate(X):
        if not isinstance(row, (Sequence, np.ndarray)) or isinstance(row, str):
            raise InputError(f"{name}[{i}] is {row!r}; {name} must be two-dimensional")
        rows.append(tuple(_number(value, values, f"{name}[{i}, {j}]") for j, value in enumerate(row)))
    if shape is not None:
        d = int(shape[1])
    else:
        d = len(rows[0]) if rows else 0
    for i, exact_row in enumerate(rows):
        if len(exact_row) != d:
            raise InputError(f"{name}[{i}] has {len(exact_row)} entries; every row of {name} must have {d}")
    return rows, d


def read_vector(v: Iterable[Any], values: str, name: str, length: int) -> Vector:
    """Read one vector as `read` reads a row."""
    result = tuple(_number(value, values, f"{name}[{j}]") for j, value in enumerate(v))
    if len(result) != length:
        raise InputError(f"{name} must have {length} entries, got {len(result)}")
    return result


def _number(value: Any, values: str, at: str) -> Fraction:
    if isinstance(value, (bool, np.bool_)):
        return Fraction(int(value))
    if isinstance(value, numbers.Integral):
        return Fraction(int(value))
    if isinstance(value, numbers.Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    if isinstance(value, (float, np.floating)) and math.isfinite(value):
        # str, not repr: that of a numpy scalar is not a numeral. A float32 has its own shortest decimal.
        return Fraction(float(value)) if values == "binary" else Fraction(str(value))
    raise InputError(f"{at} is {value!r}; it must be a finite real number")


def sign(value: Fraction) -> int:
    """Return -1, 0 or +1."""
    return (value > 0) - (value < 0)


def dot(a: Vector, b: Vector) -> Fraction:
    """Return the inner product of two vectors of one length."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def primitive(v: Vector) -> Vector:
    """Return the positive multiple of `v` whose entries are integers without a common factor; 0 for 0."""
    denominator = math.lcm(*(x.denominator for x in v))
    whole = [int(x * denominator) for x in v]
    divisor = math.gcd(*whole)
    return tuple(Fraction(x // divisor) for x in whole) if divisor else v


def echelon(rows: Iterable[Vector]) -> tuple[Matrix, tuple[int, ...]]:
    """Gauss-Jordan elimination.

    Returns
    -------
    basis : list of r tuples of Fractions
        The reduced row echelon form of the rows, without its zero rows.
    pivots : tuple of r ints
        Column of the leading 1 of each basis row, ascending.
    """
    basis: Matrix = []
    pivots: list[int] = []
    for row in rows:
        rest = reduce(row, basis, pivots)
        column = next((j for j, x in enumerate(rest) if x), None)
        if column is None:
            continue
        lead = tuple(x / rest[column] for x in rest)
        basis = [tuple(x - b[column] * y for x, y in zip(b, lead, strict=True)) for b in basis]
        basis.append(lead)
        pivots.append(column)
    order = sorted(range(len(pivots)), key=pivots.__getitem__)
    return [basis[k] for k in order], tuple(pivots[k] for k in order)


def reduce(row: Vector, basis: Matrix, pivots: Sequence[int]) -> Vector:
    """Subtract multiples of the reduced echelon `basis` so that `row` is 0 in every pivot column."""
    for b, column in zip(basis, pivots, strict=True):
        factor = row[column]
        if factor:
            row = tuple(x - factor * y for x, y in zip(row, b, strict=True))
    return row


def rank(X: Any, values: str = "binary") -> int:
    """Rank of the matrix of the exact numbers; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `to_exact`.
    values : {"binary", "decimal"}
        As for `to_exact`.

    Returns
    -------
    int
        Dimension of the span of the rows; O(n d r) rational operations.

    Raises
    ------
    InputError
        As for `to_exact`.

    Examples
    --------
    The floats 0.1, 0.2, 0.3 are not in the ratio 1 : 2 : 3, the decimals are.

    >>> from topes.reference import rank
    >>> rank([[0.1, 0.3], [1, 3]]), rank([[0.1, 0.3], [1, 3]], values="decimal")
    (2, 1)
    """
    return len(echelon(to_exact(X, values))[0])
