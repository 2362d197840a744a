"""The cover: cones that fill space, a bound on each, hence a bound on the price over all directions.

The walk goes down the trees with lists of the hyperplanes that still cut each cone, many cones at a time. All arithmetic on
hyperplanes is in plain doubles; `_error_of_a_bound` says once for all what roundings may have done to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from ._file import Certificate
from ._numbers import TINY, FloatArray, Refused, U, exact_dot, gamma, norms_up, round_up, sqrt_up, sum_up
from ._spectral import price_by_norms
from ._terms import Terms

__all__ = ["fan", "prices_up"]

IntArray = npt.NDArray[np.int64]

#: A vertex is exact in doubles as long as its entries are multiples of 2^-50.
MOST_BITS = 50
_ENTRIES = 1 << 20  # hyperplanes in the lists of the cones that are looked at together


def prices_up(k: Certificate, terms: Terms) -> tuple[list[float], int]:
    """No smaller than any price over the unit ball, one for each output or one for all; and the number of cones.

    Without cones, where some are needed to fill space, the bound is that by norms.
    """
    if len(k.coordinates) == 0 or len(k.normals) == 0:  # no term bends, and b.w = 0
        if len(k.split):
            raise Refused("there is nothing to cover, but the file holds cones")
        of_rows = terms.rest
    elif not len(k.split):
        of_rows = [price_by_norms(k)]
    else:
        tops = _Walk(k, terms).largest_bounds()
        of_rows = [
            math.nextafter(math.nextafter(terms.inflation * top, math.inf) + rest, math.inf)
            for top, rest in zip(tops, terms.rest, strict=True)
        ]
    if k.patches == 1:
        return of_rows, len(k.split)
    return [math.nextafter(x / k.patches, math.inf) for x in of_rows], len(k.split)


def fan(kind: str, r: int) -> FloatArray:
    """Cones that fill space, shape (number, r, r): [cone, vertex, coordinate], entries -1, 0, 1: see docs/certificates.md.

    Examples
    --------
    >>> len(fan("cross", 3)), len(fan("cube", 3)), len(fan("prism", 3))
    (8, 48, 24)
    """
    one = np.eye(r)
    if kind == "cross":
        positive = [one]
    elif kind == "cube":
        positive = [np.cumsum(one[list(order)], axis=0) for order in permutations(range(r))]
    else:  # prism
        lid = one[-1]
        positive = [np.array([*one[: j + 1], *(one[j:-1] + lid)]) for j in range(r - 1)]
        positive.append(np.array([*(one[:-1] + lid), lid]))
    signs = [[-1.0 if bits >> i & 1 else 1.0 for i in range(r)] for bits in range(1 << r)]
    return np.array([cone * s + 0.0 for s in signs for cone in positive])


def _kind(k: Certificate) -> str:
    if k.norm == math.inf:
        return "cube"
    return "prism" if k.norm == 1.0 and k.bias == "free" and len(k.coordinates) > 1 else "cross"


@dataclass(frozen=True)
class _Cones:
    """Cones that are looked at together, with what is left of the function on each.

    On the cone of vertices V_j the function is the linear one with values linear_j at V_j, plus the list's bends. It has
    Q components: one for a search of g_c or -g_c, C for one of ||g||.
    """

    node: IntArray  # (N,)
    search: IntArray  # (N,): which function
    vertex: FloatArray  # (N, r, r), exact
    bits: IntArray  # (N, r): entries of the vertex are multiples of 2^-bits
    linear: FloatArray  # (N, r, Q)
    owner: IntArray  # (E,), ascending: the position of the cone
    row: IntArray  # (E,): the hyperplane
    z: FloatArray  # (E, r): h.V_j

    def take(self, part: slice) -> _Cones:
        first, last, _ = part.indices(len(self.node))
        a, b = np.searchsorted(self.owner, [first, last])
        return _Cones(
            self.node[part],
            self.search[part],
            self.vertex[part],
            self.bits[part],
            self.linear[part],
            self.owner[a:b] - first,
            self.row[a:b],
            self.z[a:b],
        )


class _Walk:
    def __init__(self, k: Certificate, terms: Terms) -> None:
        self.k, self.terms = k, terms
        self.r = len(k.coordinates)
        self.fan = fan(_kind(k), self.r)
        self.edges = np.array(list(combinations(range(self.r), 2)), dtype=np.int64).reshape(-1, 2)
        self.n_roots = len(self.fan) * (2 * len(terms.b) if k.by_output else 1)
        self.child, depth = self._children()
        self.leaf = np.cumsum(k.split == 0) - 1
        self.slope_key = k.slope_leaf.astype(np.int64) * len(k.normals) + k.slope_row
        #: weights (S, m, Q) and linear parts (S, Q, r) of the functions that are searched
        if k.by_output:
            signed = [(s * terms.a[:, [c]], s * terms.b[[c]]) for c in range(len(terms.b)) for s in (1.0, -1.0)]
        else:
            signed = [(terms.a, terms.b)]
        self.weights, self.linear = (np.stack(parts) for parts in zip(*signed, strict=True))
        self.sizes = norms_up(np.abs(terms.a), 2)  # of all components of a hyperplane's weight
        self.error = np.repeat(
            [_error_of_a_bound(terms, part, depth) for part in self._parts()], 2 if k.by_output else 1
        )
        self.round = k.norm == 2.0
        self.height = 0.0
        if self.round:  # the sum of |w_i| is at most this times the norm of w
            s = k.scale[:-1] if k.bias == "free" else k.scale
            self.height = math.nextafter(sqrt_up(exact_dot(s, s)) + (k.bias == "free"), math.inf)

    def _children(self) -> tuple[IntArray, int]:
        """First child of each cone; the depth. Cones are in the order of their level: the roots, their halves, ..."""
        split = self.k.split
        roots, n = self.n_roots, len(split)
        if n and int(split.max()) > len(self.edges):
            raise Refused("a cone is cut along an edge that it does not have")
        before: IntArray = np.cumsum(split > 0) - (split > 0)
        child: IntArray = roots + 2 * before
        if n < roots or n != roots + 2 * int(np.count_nonzero(split)) or bool((child <= np.arange(n)).any()):
            raise Refused("the trees of the cover are not complete")
        depth, first, last = 0, 0, roots
        while last < n:  # the next level begins where the last one ends
            first, last = last, last + 2 * int(np.count_nonzero(split[first:last]))
            depth += 1
        return child, depth

    def _parts(self) -> list[slice]:
        """The outputs of each price."""
        C = len(self.terms.b)
        return [slice(c, c + 1) for c in range(C)] if self.k.by_output else [slice(0, C)]

    def largest_bounds(self) -> list[float]:
        """No smaller than |g_c|, or ||g||, at any point of norm 1."""
        top = np.zeros(len(self.weights))
        step = max(1, self._most // len(self.k.normals))
        for first in range(0, self.n_roots, step):
            self._raise(top, self._roots(slice(first, first + step)))
        return [float(both.max()) for both in top.reshape(-1, 2 if self.k.by_output else 1)]

    @property
    def _most(self) -> int:
        return max(1, _ENTRIES // int(self.weights.shape[2]))

    def _raise(self, top: FloatArray, cones: _Cones) -> None:
        """Raise the entries of `top`, one for each search, to the bounds of all leaves below these cones."""
        left = [cones]
        while left:
            cones = left.pop()
            if len(cones.node) > 1 and len(cones.row) > self._most:
                middle = len(cones.node) // 2
                left += [cones.take(slice(0, middle)), cones.take(slice(middle, None))]
                continue
            is_leaf = self.k.split[cones.node] == 0
            if is_leaf.any():
                leaves = _chosen(cones, is_leaf)
                bounds = self._leaf_bounds(leaves)
                if not np.isfinite(bounds).all():
                    raise Refused("a bound exceeds the range of doubles")
                np.maximum.at(top, leaves.search, bounds)
            if not is_leaf.all():
                left.append(self._halves(_chosen(cones, ~is_leaf)))

    def _roots(self, part: slice) -> _Cones:
        node = np.arange(self.n_roots)[part]
        search = node // len(self.fan)
        vertex = self.fan[node % len(self.fan)]
        m = len(self.k.normals)
        z = np.zeros((len(node), m, self.r))
        linear = np.zeros((len(node), self.r, self.linear.shape[1]))
        for i in range(self.r):  # entries -1, 0, 1: the products are exact
            z += self.k.normals[None, :, None, i] * vertex[:, None, :, i]
            linear += self.linear[search, None, :, i] * vertex[:, :, i, None]
        owner = np.repeat(np.arange(len(node)), m)
        row = np.tile(np.arange(m), len(node))
        bends = (self.weights[search[owner], row] != 0.0).any(axis=1)
        whole = _Cones(
            node,
            search,
            vertex,
            np.zeros((len(node), self.r), dtype=np.int64),
            linear,
            owner[bends],
            row[bends],
            z.reshape(-1, self.r)[bends],
        )
        return self._placed(whole)

    def _placed(self, c: _Cones) -> _Cones:
        """Hyperplanes that do not cut their cone leave the list: they are linear there, or nothing."""
        low, high = c.z.min(axis=1, initial=math.inf), c.z.max(axis=1, initial=-math.inf)
        whole = low >= 0.0
        owner = c.owner[whole]
        weight = self.weights[c.search[owner], c.row[whole]]
        linear = c.linear + _sums(owner, len(c.node), weight, c.z[whole])
        cuts = ~whole & (high > 0.0)
        return _Cones(c.node, c.search, c.vertex, c.bits, linear, c.owner[cuts], c.row[cuts], c.z[cuts])

    def _halves(self, c: _Cones) -> _Cones:
        """Vertex j of the edge (i, j) gives way to the midpoint in the first half, vertex i in the second."""
        n = len(c.node)
        edge = self.edges[self.k.split[c.node].astype(np.int64) - 1]
        here, entry = np.arange(n), np.arange(len(c.row))
        i, j = edge[:, 0], edge[:, 1]
        bits = np.maximum(c.bits[here, i], c.bits[here, j]) + 1
        if int(bits.max()) > MOST_BITS:
            raise Refused(f"an edge is halved more than {MOST_BITS} times")
        middle = 0.5 * (c.vertex[here, i] + c.vertex[here, j])
        linear = 0.5 * (c.linear[here, i] + c.linear[here, j])
        z = 0.5 * (c.z[entry, i[c.owner]] + c.z[entry, j[c.owner]])
        halves = []
        for which, gone in enumerate((j, i)):
            node = self.child[c.node] + which
            kept = (c.vertex.copy(), c.bits.copy(), c.linear.copy(), c.owner, c.row, c.z.copy())
            new = _Cones(node, c.search, *kept)
            new.vertex[here, gone], new.bits[here, gone], new.linear[here, gone] = middle, bits, linear
            new.z[entry, gone[c.owner]] = z
            halves.append(self._placed(new))
        a, b = halves
        joined: list[Any] = [np.concatenate(pair) for pair in zip(_fields(a), _fields(b), strict=True)]
        joined[5][len(a.owner) :] += n
        return _Cones(*joined)

    def _leaf_bounds(self, c: _Cones) -> FloatArray:
        """No smaller than the function at any point of norm 1 of each cone, shape (N,)."""
        leaf = self.leaf[c.node]
        weight = self.weights[c.search[c.owner], c.row]
        # max(0, h) is below its interpolation between the vertices, and above slope * h
        slope = np.where(c.z.sum(axis=1) > 0.0, 1.0, 0.0)
        if len(self.slope_key):
            key = leaf[c.owner] * len(self.k.normals) + c.row
            at = np.minimum(np.searchsorted(self.slope_key, key), len(self.slope_key) - 1)
            slope = np.where(self.slope_key[at] == key, self.k.slope[at], slope)
        above, below = np.maximum(c.z, 0.0), slope[:, None] * c.z
        if self.k.by_output:  # the one for bends upwards, the other for bends downwards
            t = (c.linear + _sums(c.owner, len(c.node), weight, np.where(weight > 0.0, above, below)))[:, :, 0]
        else:  # the middle of both, which is linear, and half of what is between them
            middle = c.linear + _sums(c.owner, len(c.node), weight, 0.5 * (above + below))
            between = _sums(c.owner, len(c.node), self.sizes[c.row, None], 0.5 * (above - below))[:, :, 0]
            C = middle.shape[2]
            t = (_norms(middle.reshape(-1, C)).reshape(-1, self.r) + between) * (1.0 + gamma(C + 8)) + C * TINY
        error = self.error[c.search][:, None]
        if not self.round:  # each vertex has norm 1, and norms add up within a cone
            return np.asarray(np.maximum(0.0, (t + error).max(axis=1) * (1.0 + 4 * U)) + TINY)
        f = self.k.c[leaf]
        reached, size = np.zeros_like(t), np.zeros_like(t)
        for i in range(self.r):
            reached += f[:, [i]] * c.vertex[:, :, i]
            size += np.abs(f[:, [i]] * c.vertex[:, :, i])
        missing = t - reached + gamma(self.r + 4) * (size + np.abs(t)) + (error + 2 * self.r * TINY)
        lift = np.maximum(missing.max(axis=1), 0.0) * self.height
        last = np.abs(f[:, -1]) if self.k.bias == "free" else 0.0
        width = self.r - 1 if self.k.bias == "free" else self.r
        square = _norms(self.k.scale[:width] * f[:, :width]) + self.r * TINY
        return np.asarray((square + last + lift) * (1.0 + gamma(self.r + 16)) + TINY)


def _norms(x: FloatArray) -> FloatArray:
    """2-norms of the rows, with a relative error of at most gamma(k + 6): scaled, so that no square underflows."""
    most = np.abs(x).max(axis=1, initial=0.0)
    shares = x / np.where(most > 0.0, most, 1.0)[:, None]
    return np.asarray(most * np.sqrt((shares * shares).sum(axis=1)))


def _fields(c: _Cones) -> tuple[Any, ...]:
    return c.node, c.search, c.vertex, c.bits, c.linear, c.owner, c.row, c.z


def _chosen(c: _Cones, which: npt.NDArray[np.bool_]) -> _Cones:
    if which.all():
        return c
    number = np.cumsum(which) - 1
    kept = which[c.owner]
    return _Cones(
        c.node[which],
        c.search[which],
        c.vertex[which],
        c.bits[which],
        c.linear[which],
        number[c.owner[kept]],
        c.row[kept],
        c.z[kept],
    )


def _sums(owner: IntArray, n: int, weight: FloatArray, x: FloatArray) -> FloatArray:
    """Sums of weight_q x_j, weights of shape (E, Q), over the lists of n cones, shape (n, r, Q)."""
    total = np.empty((n, x.shape[1], weight.shape[1]))
    for q in range(weight.shape[1]):
        for j in range(x.shape[1]):
            total[:, j, q] = np.bincount(owner, weights=weight[:, q] * x[:, j], minlength=n)
    return total


def _error_of_a_bound(terms: Terms, outputs: slice, depth: int) -> float:
    """No smaller than what roundings may take from any t_j; the reasons are in docs/certificates.md."""
    a, b, r = terms.a[:, outputs], terms.b[outputs], terms.b.shape[1]
    m, C = a.shape
    # of h.V_j: r - 1 sums of exact products, one sum and one half for each halving of an edge
    share = gamma(r + MOST_BITS + 2)
    products = np.nextafter(np.abs(a) * terms.sizes[:, None], np.inf)
    total = sum_up([*products.ravel().tolist(), *np.abs(b).ravel().tolist()])
    # of the sums: each term is multiplied three times and added at most m + r + 2 depth + 4 times; once more for the widths
    each = 2.0 * share + (1 if C == 1 else 2) * gamma(m + r + 2 * depth + 8) * (1.0 + 2.0 * share)
    underflow = (8.0 * (m + depth) + 200.0) * C * TINY * (1.0 + float(np.abs(a).sum()))
    errors = sum((Fraction(x) for x in terms.errors[outputs].tolist()), Fraction(underflow))
    return round_up(Fraction(total) * Fraction(each) + errors) * (1.0 + 2.0**-40)
