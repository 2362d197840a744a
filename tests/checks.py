"""What several test files do with an arrangement; nothing here knows an expected answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

import topes
from strategies import Instance
from topes import reference

SignVector = tuple[int, ...]

# Directions from floats against exact ones, after both are scaled to largest entry 1: a few roundings of a double.
RAY_TOLERANCE = 1e-12


def build(instance: Instance) -> topes.Arrangement:
    return topes.Arrangement(instance.X, instance.b, values=instance.values)


def as_set(array: Any) -> set[SignVector]:
    """The rows of an array as a set; fails where two rows are equal."""
    rows = [tuple(row) for row in np.asarray(array).tolist()]
    found = set(rows)
    assert len(found) == len(rows), "a cell came twice"
    return found


def cell_set(instance: Instance) -> set[SignVector]:
    return as_set(build(instance).sign_vectors())


def exact_data(instance: Instance) -> tuple[list[tuple[Fraction, ...]], list[Fraction]]:
    """The rows and offsets as the rational numbers they are."""
    rows = reference.to_exact(instance.X, instance.values)
    offsets = [Fraction(0)] * instance.n
    if instance.b is not None:
        offsets = [row[0] for row in reference.to_exact(instance.b[:, None], instance.values)]
    return rows, offsets


def heights(instance: Instance, w: Sequence[Any]) -> list[Fraction]:
    """x_i . w - b_i, exactly; a float in w is the dyadic rational it is."""
    rows, offsets = exact_data(instance)
    point = [Fraction(x) for x in w]
    return [
        sum((x * y for x, y in zip(row, point, strict=True)), Fraction(0)) - b for row, b in zip(rows, offsets, strict=True)
    ]


def signs_at(instance: Instance, w: Sequence[Any]) -> SignVector:
    return tuple((h > 0) - (h < 0) for h in heights(instance, w))


def parallel_classes(instance: Instance) -> list[list[int]]:
    """Rows on the same hyperplane, by the definition: one is a multiple of the other."""
    rows, offsets = exact_data(instance)
    lifted = [(*row, -b) for row, b in zip(rows, offsets, strict=True)]
    classes: list[list[int]] = []
    for i, row in enumerate(lifted):
        if not any(row[:-1]):
            continue
        for members in classes:
            if reference.rank([lifted[members[0]], row]) == 1:
                members.append(i)
                break
        else:
            classes.append([i])
    return classes


def flipped(s: SignVector, rows: Iterable[int]) -> SignVector:
    changed = set(rows)
    return tuple(-x if i in changed else x for i, x in enumerate(s))


def exact_array(rows: Sequence[Sequence[Fraction]], d: int) -> np.ndarray:
    """Fractions as an object array of shape (n, d), also when n = 0."""
    out = np.empty((len(rows), d), dtype=object)
    for i, row in enumerate(rows):
        out[i] = row
    return out


def primitive(v: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The positive multiple with largest absolute value 1."""
    largest = max((abs(x) for x in v), default=Fraction(0))
    return tuple(x / largest for x in v) if largest else tuple(v)


def same_directions(found: Iterable[Sequence[float]], expected: Iterable[Sequence[Fraction]]) -> bool:
    """Whether two sets of directions agree one to one, up to positive scale and rounding."""
    have = np.array(sorted([float(x) for x in primitive([Fraction(x) for x in v])] for v in found))
    want = np.array(sorted([float(x) for x in primitive(v)] for v in expected))
    if have.shape != want.shape:
        return False
    if not have.size:
        return True
    distance = np.abs(have[:, None, :] - want[None, :, :]).max(axis=2)
    near = distance <= RAY_TOLERANCE
    return bool((near.sum(axis=0) == 1).all() and (near.sum(axis=1) == 1).all())
