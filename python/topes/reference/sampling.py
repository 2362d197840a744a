"""Patterns of given directions, in rational arithmetic and in plain numpy: the twins of the sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .exact import dot, to_exact

__all__ = ["patterns_of_directions", "patterns_of_directions_in_floats"]

Counted = dict[tuple[int, ...], int]


def patterns_of_directions(X: Any, W: Any, *, values: str = "binary") -> Counted | None:
    """Pattern after pattern with the exact sign of each product; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `cells`.
    W : array_like, shape (N, d), float64
        Directions, taken as the rational numbers they are.
    values : {"binary", "decimal"}
        What a float in X means.

    Returns
    -------
    dict from pattern to int, or None
        How many directions have each pattern, in the order in which they come: 1 where x_i.w > 0, and where the row vanishes
        wherever w does not. None if a direction lies on the hyperplane of another row: the sampler would draw it again.

    Examples
    --------
    >>> from topes.reference import patterns_of_directions
    >>> patterns_of_directions([[1, 0], [0, 1], [0, 0]], [[0.5, -1], [2, -0.1], [-1, -1]])
    {(1, 0, 1): 2, (0, 0, 1): 1}
    >>> patterns_of_directions([[1, 1]], [[1, -1]]) is None
    True
    """
    rows = to_exact(X, values)
    counted: Counted = {}
    for w in to_exact(W):
        pattern = []
        for x in rows:
            height = dot(x, w)
            if height == 0 and any(a and b for a, b in zip(x, w, strict=True)):
                return None
            pattern.append(int(height >= 0))
        counted[tuple(pattern)] = counted.get(tuple(pattern), 0) + 1
    return counted


def patterns_of_directions_in_floats(
    X: npt.NDArray[np.float64], W: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The same in three lines of numpy, with rounded products: distinct patterns in lexicographic order, and their counts.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.reference import patterns_of_directions_in_floats
    >>> patterns, counts = patterns_of_directions_in_floats(np.eye(2), np.array([[0.5, -1], [2, -0.1], [-1, -1]]))
    >>> patterns.tolist(), counts.tolist()
    ([[0, 0], [1, 0]], [1, 2])
    """
    signs = (W @ X.T >= 0.0).astype(np.uint8)
    patterns, counts = np.unique(signs, axis=0, return_counts=True)
    return patterns, counts.astype(np.int64)
