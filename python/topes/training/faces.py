"""Blocks of the working set: faces of the arrangement, each the smallest that holds a direction worth having.

A face of dimension k is {N q : G N q >= 0}, a part of the closure of a cell on which the network is linear: f = D X N q.
Where the dual point bends the price downwards across a hyperplane, the best direction lies on it, and a face of the
hyperplane serves as well as the cells around it, with fewer variables. A vertex direction is a ray: one variable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.validation import FloatArray
from ..network import penalised, weight_norm
from ..pricing.oracle import Pricer

__all__ = ["Face", "face_at", "ray_at"]

# Hyperplanes at this angle to a direction, or nearer, may hold it.
_NEAR = 1e-6
# A projected direction may lose this share of its price.
_LOSS = 1e-7
# Angles below this are zero up to rounding.
_ZERO = 1e-9


@dataclass(frozen=True)
class Face:
    """A face with the sign of the output weight of its neurons.

    Attributes
    ----------
    sign : int
        Of the output weight.
    basis : ndarray, shape (d, k), float64
        N: its columns span the flat of the face; orthonormal, for a ray the direction itself, of norm 1.
    rows : ndarray, shape (c, k), float64
        G N: the face is where these are not negative.
    features : ndarray, shape (n, k), float64
        sign * D X N: what the coordinates add to the outputs; of patches, the mean over those of each sample.
    pattern : ndarray, shape (n,), bool
        Of a cell around the face, over the rows of X.
    toward : ndarray, shape (k,), float64
        Coordinates of the direction it was made for, of norm 1.
    key : tuple
        Equal for equal faces with the same sign.
    """

    sign: int
    basis: FloatArray
    rows: FloatArray
    features: FloatArray
    pattern: npt.NDArray[np.bool_]
    toward: FloatArray
    key: tuple[object, ...]

    @property
    def dimension(self) -> int:
        return int(self.basis.shape[1])


def ray_at(pricer: Pricer, u: FloatArray, sign: int) -> Face:
    """The ray of one direction u, of any length."""
    size = float(weight_norm(penalised(u[:, None], pricer.bias), pricer.norm)[0])
    u = u / (size if size > 0.0 else np.abs(u).max())
    h = pricer.data @ u
    pattern = h >= 0.0
    features = sign * pricer.pooled(np.where(pattern, h, pricer.kappa * h))
    key = (sign, np.round(u, 12).tobytes())
    return Face(sign, u[:, None], np.zeros((0, 1)), features[:, None], pattern, np.ones(1), key)


def face_at(pricer: Pricer, v: FloatArray, u: FloatArray, sign: int) -> Face:
    """The smallest face at which direction u has the price it has for the dual point v, up to rounding."""
    normals = pricer.reference  # of unit length
    u = u / np.linalg.norm(u)
    heights = np.abs(normals @ u)
    near = np.flatnonzero(heights <= _NEAR)
    near = near[np.argsort(heights[near], kind="stable")]
    flat: list[int] = []
    directions = [u]
    Q = np.zeros((len(u), 0))  # orthonormal, spans the normals of the flat
    rank = pricer.arrangement.rank
    for k in near:
        if len(flat) == rank - 1:
            break
        rest = normals[k] - Q @ (Q.T @ normals[k])
        size = float(np.linalg.norm(rest))
        if size <= 1e-3 * _NEAR:
            continue
        Q = np.hstack([Q, (rest / size)[:, None]])
        flat.append(int(k))
        on = u - Q @ (Q.T @ u)
        directions.append(on / max(float(np.linalg.norm(on)), 1e-300))
    prices = np.abs(pricer.at(v, np.stack(directions, axis=1)))
    depth = max(k for k in range(len(directions)) if prices[k] >= (1.0 - _LOSS) * prices.max())
    return _face(pricer, directions[depth], flat[:depth], Q[:, :depth], sign)


def _face(pricer: Pricer, u: FloatArray, flat: list[int], Q: FloatArray, sign: int) -> Face:
    if len(flat) == pricer.arrangement.rank - 1 and pricer.norm == 2.0 and pricer.bias != "free":
        return ray_at(pricer, u, sign)
    normals = pricer.reference
    h = normals @ u
    vanish = np.flatnonzero(np.linalg.norm(normals - (normals @ Q) @ Q.T, axis=1) <= _ZERO)
    if len(vanish):  # a point beside the flat, in one of the cells around it
        aside = np.linalg.lstsq(normals[flat], 1.0 + 0.3 * np.arange(len(flat)) % 1.0, rcond=None)[0]
        h[vanish] = normals[vanish] @ aside
    side = h >= 0.0
    pattern = pricer.pattern_of(side)
    D = np.where(pattern, 1.0, pricer.kappa)
    N = _complement(Q, pricer)
    facets = _core.find_facets(pricer.arrangement._core, np.packbits(pattern, bitorder="little"))
    # Beyond doubt the face is a part of this cone; if rounding chose a pattern that no cell has, all rows describe it.
    kept = np.arange(len(normals)) if facets is None else pricer.hyperplane_of(facets)
    rows = np.where(side[kept], 1.0, -1.0)[:, None] * (normals[kept] @ N)
    rows = rows[np.linalg.norm(rows, axis=1) > _ZERO]
    features = sign * pricer.pooled(D[:, None] * (pricer.data @ N))
    label = side.copy()
    label[vanish] = False
    toward = N.T @ u
    size = float(weight_norm(penalised((N @ toward)[:, None], pricer.bias), pricer.norm)[0])
    toward = toward / (size if size > 0.0 else 1.0)
    key = (sign, tuple(sorted(int(k) for k in vanish)), label.tobytes())
    return Face(sign, N, rows, features, pattern, toward, key)


def _complement(Q: FloatArray, pricer: Pricer) -> FloatArray:
    """Orthonormal basis of what is orthogonal to Q, within the span of the data where the norm is Euclidean."""
    space: FloatArray = pricer.span
    if Q.shape[1] == 0:
        return space
    inside = space.T @ Q
    _, s, right = np.linalg.svd(inside.T, full_matrices=True)
    return np.asarray(space @ right[len(s) :].T)
