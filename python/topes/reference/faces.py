"""Facets, rays and vertices of cells, and the vertices of a zonotope, straight from their definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from .cells import Hyperplane, SignVector, hyperplane_classes, read_arrangement, sign_vectors
from .exact import Matrix, Vector, dot, echelon, primitive, sign

__all__ = ["bounded", "facets", "rays", "vertices", "zonotope_vertices"]


def facets(X: Any, offsets: Any = None, *, values: str = "binary") -> dict[SignVector, tuple[int, ...]]:
    """The facets of every cell; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    dict from sign vector to tuple of ints
        Rows of X whose hyperplanes bound the cell, ascending; of several rows on one hyperplane the first
        stands for all. A hyperplane is a facet exactly when flipping its sign, and those of all rows on it,
        gives another cell.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    Row 2 repeats row 0.

    >>> from topes.reference import facets
    >>> facets([[1, 0], [1, 1], [-2, 0], [1, -1]])[1, 1, -1, 1]
    (1, 3)
    """
    rows, _ = read_arrangement(X, offsets, values)
    classes = hyperplane_classes(rows)
    found = sign_vectors(X, offsets, values=values)
    result = {}
    for s in found:
        walls = []
        for members in classes:
            flipped = list(s)
            for i in members:
                flipped[i] = -flipped[i]
            if tuple(flipped) in found:
                walls.append(members[0])
        result[s] = tuple(walls)
    return result


def rays(X: Any, offsets: Any = None, *, values: str = "binary") -> dict[SignVector, set[Vector]]:
    """The extreme directions of every cell; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    dict from sign vector to set of tuples of d Fractions
        Directions in which the closure of the cell runs to infinity, one on each extreme ray: integers
        without a common factor. Modulo the directions that no normal sees: below rank d they are 0 outside
        the pivot columns of X. The closure is the sum of the hull of its `vertices`, the cone of its rays,
        and those unseen directions.

    Raises
    ------
    InputError
        As for `cells`.

    Notes
    -----
    A ray is the line on which rank-many minus one independent hyperplanes meet: all C(n, r - 1) choices are
    tried.

    Examples
    --------
    >>> from topes.reference import rays
    >>> sorted((int(x), int(y)) for x, y in rays([[1, 0], [-1, 2]])[1, 1])
    [(0, 1), (2, 1)]
    """
    return _select(X, offsets, values, at_infinity=True)


def vertices(X: Any, offsets: Any = None, *, values: str = "binary") -> dict[SignVector, set[Vector]]:
    """The vertices of every cell; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    dict from sign vector to set of tuples of d Fractions
        Points where rank-many independent hyperplanes meet, in the closure of the cell; below rank d the one
        with 0 outside the pivot columns of X stands for all. Cells of a central arrangement have the vertex
        0.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    >>> from topes.reference import vertices
    >>> sorted(tuple(map(str, v)) for v in vertices([[1, 0], [0, 1], [1, 2]], [0, 0, 1])[1, 1, -1])
    [('0', '0'), ('0', '1/2'), ('1', '0')]
    """
    return _select(X, offsets, values, at_infinity=False)


def bounded(X: Any, offsets: Any = None, *, values: str = "binary") -> dict[SignVector, bool]:
    """Whether each cell is a bounded set; slow.

    Parameters
    ----------
    X, offsets, values
        As for `cells`.

    Returns
    -------
    dict from sign vector to bool
        Never True when the normals have rank below d: such a cell holds whole lines.

    Raises
    ------
    InputError
        As for `cells`.

    Examples
    --------
    >>> from topes.reference import bounded
    >>> sorted(bounded([[1], [1]], [0, 2]).items())
    [((-1, -1), False), ((1, -1), True), ((1, 1), False)]
    """
    rows, d = read_arrangement(X, offsets, values)
    full = len(echelon(a for a, _ in rows)[0]) == d
    return {s: full and not directions for s, directions in rays(X, offsets, values=values).items()}


def _select(X: Any, offsets: Any, values: str, *, at_infinity: bool) -> dict[SignVector, set[Vector]]:
    """Hand each cell the rays or vertices of the arrangement that lie in its closure.

    With a coordinate t more, a_i . w - b_i t, a cell is the part t = 1 of a cone, whose extreme rays are the
    cell's rays (t = 0) and vertices (t > 0).
    """
    rows, d = read_arrangement(X, offsets, values)
    candidates = []
    for ray in _cone_rays(rows, d):
        *w, t = ray
        if (t == 0) == at_infinity:
            point = tuple(w) if at_infinity else tuple(x / t for x in w)
            candidates.append((point, tuple(sign(dot(a, tuple(w)) - b * t) for a, b in rows)))
    return {
        s: {p for p, touch in candidates if all(x in (0, y) for x, y in zip(touch, s, strict=True))}
        for s in sign_vectors(X, offsets, values=values)
    }


def _cone_rays(rows: list[Hyperplane], d: int) -> set[Vector]:
    """Return directions of all lines where lifted hyperplanes and t = 0 meet: with t > 0, or t = 0 and both."""
    zeros = (Fraction(0),) * d
    lifted = [(*zeros, Fraction(1))] + [(*rows[m[0]][0], -rows[m[0]][1]) for m in hyperplane_classes(rows)]
    _, columns = echelon(lifted)
    seen = [tuple(row[j] for j in columns) for row in lifted]
    found = set()
    for chosen in combinations(seen, len(columns) - 1):
        line = _kernel_line(list(chosen), len(columns))
        if line is None:
            continue
        for side in (1, -1):
            if side * line[-1] >= 0:
                full = [Fraction(0)] * (d + 1)
                for j, x in zip(columns, line, strict=True):
                    full[j] = side * x
                found.add(primitive(tuple(full)))
    return found


def _kernel_line(rows: Matrix, width: int) -> Vector | None:
    """Return a vector that spans the kernel of the rows, or None when that is not a line."""
    basis, pivots = echelon(rows)
    if len(basis) != width - 1:
        return None
    free = next(j for j in range(width) if j not in pivots)
    line = [Fraction(0)] * width
    line[free] = Fraction(1)
    for row, column in zip(basis, pivots, strict=True):
        line[column] = -row[free]
    return tuple(line)


def zonotope_vertices(X: Any, *, values: str = "binary") -> dict[SignVector, Vector]:
    """The vertex of the zonotope {X'u : u in [0, 1]^n} that belongs to each cell; slow.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Row i is generator i; read as `to_exact` reads it.
    values : {"binary", "decimal"}
        What a float means.

    Returns
    -------
    dict from sign vector to tuple of d Fractions
        X'D for each cell of the central arrangement of the rows: the sum of the rows with sign >= 0.
        Different cells have different vertices.

    Raises
    ------
    InputError
        As for `to_exact`.

    Examples
    --------
    >>> from topes.reference import zonotope_vertices
    >>> corners = zonotope_vertices([[1, 0], [0, 1], [1, 1]]).values()
    >>> sorted((int(x), int(y)) for x, y in corners)
    [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2)]
    """
    rows, d = read_arrangement(X, None, values)
    result = {}
    for s in sign_vectors(X, values=values):
        chosen = [a for (a, _), x in zip(rows, s, strict=True) if x >= 0]
        result[s] = tuple(sum((a[j] for a in chosen), Fraction(0)) for j in range(d))
    return result
