"""What pricing returns: the best directions with a bound on all others, and the search behind such a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._support.validation import FloatArray

__all__ = ["Cover", "Pricing"]


@dataclass(frozen=True)
class Pricing:
    """What one pricing call found.

    Attributes
    ----------
    upper_bound : float
        No unit direction has a larger price; roundings included.
    best : float
        Largest price found.
    directions : ndarray, shape (d, k), float64
        Columns of norm 1 (with a free bias, of weights of norm 1), best first.
    values : ndarray, shape (k,), float64
    signs : ndarray, shape (k,), int8
        Sign of v'phi(Xu); all 1 for several outputs.
    complete : bool
        The search was not cut short by a limit. The bound holds all the same.
    n_nodes : int
        Cones looked at.
    """

    upper_bound: float
    best: float
    directions: FloatArray
    values: FloatArray
    signs: Any
    complete: bool
    n_nodes: int


@dataclass(frozen=True)
class Cover:
    """A finished search, cone by cone, and the coordinates it worked in: what a certificate of the bound is made of.

    Attributes
    ----------
    scale : ndarray, shape (r,), float64
        Half axes of the unit ball of the working coordinates w = P u, for the round ones (`cpp/include/topes/pricing.hpp`).
    coordinates : ndarray, shape (r, d), float64
        P; with a bias, its coefficient is the last column.
    normals : ndarray, shape (m, r), float64
        One h for each distinct hyperplane; row i of the data is close to factor[i] P'h[group[i]].
    group : ndarray, shape (n,), int
        -1 for a zero row.
    factor : ndarray, shape (n,), float64
    reach : float
        With a free bias, the largest bias that is looked at; else 0.
    split, depth : ndarray, shape (n_nodes,)
        Trees in preorder: 0 for a leaf, 1 + e where edge e is halved. First those for v, then those for -v, one for each
        cone of the fan; for several outputs those for V only.
    c : ndarray, shape (n_leaves, r), float64
        For the round balls.
    slope_leaf, slope_row, slope : ndarray, shape (k,)
        Slopes of hyperplanes that bend the price downwards inside a leaf, where they are not the simple ones.
    """

    scale: FloatArray
    coordinates: FloatArray
    normals: FloatArray
    group: Any
    factor: FloatArray
    reach: float
    split: Any
    depth: Any
    c: FloatArray
    slope_leaf: Any
    slope_row: Any
    slope: FloatArray
