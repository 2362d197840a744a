"""Hypothesis strategies for arrangements, biased to trouble.

An `Instance` prints as Python that can be pasted into a test, or turned into a corpus file by `Instance.to_corpus`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from topes import reference

Number = float | int | Fraction


@dataclass(frozen=True)
class Instance:
    """Data of an arrangement as Python numbers; `dimension` tells d when there is no row."""

    rows: tuple[tuple[Number, ...], ...]
    dimension: int
    offsets: tuple[Number, ...] | None = None
    values: str = "binary"

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def X(self) -> np.ndarray:
        """Shape (n, d): float64 if all entries are floats, int64 if they are integers that fit, else objects."""
        return _array(self.rows, (self.n, self.dimension))

    @property
    def b(self) -> np.ndarray | None:
        """Shape (n,), in the same way, or None."""
        return None if self.offsets is None else _array(self.offsets, (self.n,))

    @property
    def twin(self) -> dict[str, Any]:
        """Keyword arguments for the functions of `topes.reference`."""
        return {"X": self.X, "offsets": self.b, "values": self.values}

    def take(self, order: Sequence[int]) -> Instance:
        """The rows in another order, or some of them."""
        offsets = None if self.offsets is None else tuple(self.offsets[i] for i in order)
        return replace(self, rows=tuple(self.rows[i] for i in order), offsets=offsets)

    def to_corpus(self, story: str) -> dict[str, Any]:
        """The document that tests/corpus/test_corpus.py reads; the expected answer is the twin's."""
        found = reference.sign_vectors(**self.twin)
        text = str if self.values == "decimal" else lambda x: str(Fraction(x))
        return {
            "story": story,
            "dimension": self.dimension,
            "values": self.values,
            "rows": [[text(x) for x in row] for row in self.rows],
            "offsets": None if self.offsets is None else [text(b) for b in self.offsets],
            "n_cells": len(found),
            "sign_vectors": sorted("".join("-0+"[x + 1] for x in s) for s in found),
        }


def _array(entries: Any, shape: tuple[int, ...]) -> np.ndarray:
    flat = [x for row in entries for x in row] if len(shape) == 2 else list(entries)
    kinds = {type(x) for x in flat}
    if kinds <= {float}:
        return np.array(flat, dtype=np.float64).reshape(shape)
    if kinds == {int} and all(-(2**63) <= x < 2**63 for x in flat):
        return np.array(flat, dtype=np.int64).reshape(shape)
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(shape)


def small_integers(limit: int) -> st.SearchStrategy[int]:
    return st.integers(-limit, limit)


# A table is a list of rows of one kind of number. Each kind below is one sort of trouble.


@st.composite
def _lattice(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    entry = draw(st.sampled_from([st.integers(0, 1), small_integers(1), small_integers(3), small_integers(99)]))
    return draw(_table(entry, n, d))


@st.composite
def _random(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    """Independent entries from a seeded generator: Hypothesis likes to repeat itself, and then has few cells."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    how = draw(st.sampled_from(["integers", "bits", "gaussian", "wide"]))
    if how == "integers":
        return rng.integers(-9, 10, size=(n, d)).tolist()
    if how == "bits":
        return rng.integers(0, 2, size=(n, d)).tolist()
    table = rng.standard_normal((n, d))
    return (table * 10.0 ** rng.integers(-300, 300, size=(n, d)) if how == "wide" else table).tolist()


@st.composite
def _scaled(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    """Small integers times the ends of the range of doubles: by the row, by the column, or by the entry."""
    table = draw(_table(small_integers(4), n, d))
    scale = st.sampled_from([5e-324, 2.0**-1074 * 12345, 1e-310, 1e-300, 1e-154, 1.0, 0.1, 1e154, 1e300, 4e307])
    by_row = draw(st.lists(scale, min_size=n, max_size=n))
    by_column = draw(st.lists(scale, min_size=d, max_size=d))
    how = draw(st.sampled_from(["row", "column", "entry"]))
    pick = {
        "row": lambda i, j: by_row[i],
        "column": lambda i, j: by_column[j],
        "entry": lambda i, j: (by_row[i], by_column[j])[(i + j) % 2],
    }[how]
    return [[float(x) * pick(i, j) for j, x in enumerate(row)] for i, row in enumerate(table)]


@st.composite
def _any_floats(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    return draw(_table(st.floats(allow_nan=False, allow_infinity=False), n, d))


@st.composite
def _nearly_dependent(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    """Multiples and sums of a few rows, rounded, and then off by one unit in the last place here and there."""
    seeds = draw(_table(st.integers(-30, 30).map(lambda x: x / 10), min(n, 3), d))
    table: list[list[Number]] = []
    for i in range(n):
        if i < len(seeds):
            table.append(seeds[i])
            continue
        a, b = draw(st.tuples(small_integers(3), small_integers(3)))
        c = draw(st.sampled_from([1.0, 1.0, 0.1, 3.0, 1e-9]))
        u, v = seeds[draw(st.integers(0, len(seeds) - 1))], seeds[-1]
        table.append([c * (a * x + b * y) for x, y in zip(u, v, strict=True)])
    nudges = draw(_table(st.sampled_from([0, 0, 0, -1, 1]), n, d))
    return [[_nudged(x, k) for x, k in zip(*pair, strict=True)] for pair in zip(table, nudges, strict=True)]


def _nudged(x: float, ulps: int) -> float:
    return float(np.nextafter(x, math.copysign(math.inf, ulps))) if ulps else float(x)


@st.composite
def _big_integers(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    """Python integers around 2^62 (products past int64), 2^64 (past uint64) and 2^200."""
    center = draw(st.sampled_from([2**31, 2**53, 2**62, 2**63, 2**64, 2**200]))
    entry = st.tuples(small_integers(3), small_integers(2)).map(lambda p: p[0] * center + p[1])
    return draw(_table(entry, n, d))


@st.composite
def _fractions(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    return draw(_table(st.builds(Fraction, small_integers(9), st.integers(1, 9)), n, d))


@st.composite
def _decimals(draw: st.DrawFn, n: int, d: int) -> list[list[Number]]:
    """Tenths and hundredths: 0.1, 0.2, 0.3 are dependent as decimals, not as doubles."""
    digits = draw(st.sampled_from([10, 100, 1000]))
    return draw(_table(st.integers(-12, 12).map(lambda k: k / digits), n, d))


def _table(entry: st.SearchStrategy[Any], n: int, d: int) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(st.lists(entry, min_size=d, max_size=d), min_size=n, max_size=n)


KINDS = {
    "lattice": _lattice,
    "random": _random,
    "scaled": _scaled,
    "any floats": _any_floats,
    "nearly dependent": _nearly_dependent,
    "big integers": _big_integers,
    "fractions": _fractions,
    "decimals": _decimals,
}

# The twin takes a fraction of a second up to these shapes: dimension, most rows.
SHAPES = ((1, 5), (2, 8), (3, 9), (3, 9), (4, 7), (4, 7), (5, 7))


@st.composite
def central(
    draw: st.DrawFn,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    min_rows: int = 0,
    shapes: Sequence[tuple[int, int]] = SHAPES,
) -> Instance:
    """Central arrangements small enough for the twin."""
    kind = draw(st.sampled_from(tuple(kinds)))
    d, most = draw(st.sampled_from(tuple(shapes)))
    n = draw(st.one_of(st.integers(min_rows, most), st.integers(max(min_rows, most - 2), most)))
    table = draw(KINDS[kind](n, d))
    if d > 1 and draw(st.sampled_from([False] * 4 + [True])):
        _lower_the_rank(draw, table, d)
    if n:
        for i in draw(st.lists(st.integers(0, n - 1), max_size=3)):
            _spoil(draw, table, i)
    values = "decimal" if kind == "decimals" else "binary"
    return Instance(tuple(tuple(row) for row in table), d, values=values)


def _lower_the_rank(draw: st.DrawFn, table: list[list[Number]], d: int) -> None:
    """Make one column 0, another one, or another one's negative: exact in every kind of number."""
    target, source = draw(st.tuples(st.integers(0, d - 1), st.integers(0, d - 1)))
    factor = draw(st.sampled_from([0, 1, -1]))
    for row in table:
        row[target] = row[source] * factor if factor else type(row[target])(0)


def _spoil(draw: st.DrawFn, table: list[list[Number]], i: int) -> None:
    """Make row i zero, or an exact copy, opposite or multiple of another row."""
    what = draw(st.sampled_from(["zero", "copy", "opposite", "multiple"]))
    source = table[draw(st.integers(0, len(table) - 1))]
    if what == "zero":
        table[i] = [type(x)(0) for x in source]
    elif what == "copy":
        table[i] = list(source)
    elif what == "opposite":
        table[i] = [-x for x in source]
    elif what == "multiple" and all(1e-300 < abs(x) < 1e300 for x in source if x):
        # A power of two keeps doubles parallel, where it neither overflows nor underflows.
        table[i] = [x * (-8) for x in source]


OFFSETS = ("zero", "small", "point", "scaled", "any")


@st.composite
def affine(draw: st.DrawFn, *, offsets_from: Sequence[str] = OFFSETS, **options: Any) -> Instance:
    """Affine arrangements small enough for the twin: parallel, concurrent and nearly concurrent hyperplanes."""
    options.setdefault("shapes", ((1, 5), (2, 7), (3, 7), (3, 7), (4, 6)))
    instance = draw(central(**options))
    how = draw(st.sampled_from(tuple(offsets_from)))
    if how == "zero":
        offsets: list[Number] = [0] * instance.n
    elif how == "small":
        offsets = draw(st.lists(small_integers(3), min_size=instance.n, max_size=instance.n))
    elif how == "point":
        point = draw(st.lists(small_integers(3), min_size=instance.dimension, max_size=instance.dimension))
        offsets = [_through(row, point) for row in instance.rows]
        for i in range(instance.n):
            if draw(st.integers(0, 3)) == 0:
                offsets[i] = _moved(offsets[i])
    elif how == "scaled":
        scale = st.sampled_from([0.0, 5e-324, 1e-300, -1e-300, 0.1, -1.0, 1e300, -1e300])
        offsets = draw(st.lists(scale, min_size=instance.n, max_size=instance.n))
    else:
        entry = st.floats(allow_nan=False, allow_infinity=False)
        offsets = draw(st.lists(entry, min_size=instance.n, max_size=instance.n))
    if draw(st.booleans()) and all(type(b) is int and abs(b) < 2**53 for b in offsets):
        offsets = [float(b) for b in offsets]
    return replace(instance, offsets=tuple(offsets))


def _through(row: Sequence[Number], point: Sequence[int]) -> Number:
    """The offset that makes the hyperplane pass the point; in floats it is rounded, so it may just miss."""
    total = sum(x * y for x, y in zip(row, point, strict=True))
    # Sums of huge floats overflow: any offset will do then.
    return total if not isinstance(total, float) or math.isfinite(total) else 1.0


def _moved(b: Number) -> Number:
    return _nudged(b, 1) if isinstance(b, float) and abs(b) < 1e308 else b + 1


def points(instance: Instance) -> st.SearchStrategy[tuple[Number, ...]]:
    """Points of the space of an instance: small integers, halves and floats of every size."""
    entry = st.one_of(small_integers(2), st.integers(-6, 6).map(lambda x: x / 2), st.floats(-1e300, 1e300, allow_nan=False))
    return st.tuples(*[entry] * instance.dimension)
