"""Newton's method on the faces that are in use: takes a conic solver's seven digits to as many as doubles hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import nnls

from ._validation import FloatArray
from .faces import Face
from .losses import Loss

__all__ = ["polish"]

_STEPS = 200
# Blocks that end within so many times the step that is possible, or this share of the whole, end with it.
_TOGETHER, _SOON = 4.0, 1e-3
# Curvature below this share of what a squared loss would have.
_FLAT = 1e-9
# Weight of a free bias beside the others where a best direction is sought.
_BIAS_SHARE = 1e-3
# Rounds of entries: near the minimum one or two are enough.
_ENTRIES = 8
# Blocks below this share of the largest are what the conic solver leaves of zeros.
_NEGLIGIBLE = 1e-4
# A step ends where a face does if that is nearer than this share of it.
_WHOLE = 1.0 - 1e-9


@dataclass
class _Block:
    """A face, or the part of its boundary that the iterates have come to: the coordinates are basis @ z."""

    place: int
    features: FloatArray
    gram: FloatArray  # of the weights that are penalised
    rows: FloatArray
    basis: FloatArray

    def inside(self, row: int) -> _Block | None:
        """Where one more row is zero; None if that is the origin."""
        _, _, right = np.linalg.svd(self.rows[[row]])
        T = right[1:].T
        if T.shape[1] == 0:
            return None
        rows = self.rows @ T
        rows = rows[np.linalg.norm(rows, axis=1) > 1e-9]
        return _Block(self.place, self.features @ T, T.T @ self.gram @ T, rows, self.basis @ T)


def polish(
    faces: list[Face], coordinates: list[FloatArray], y: FloatArray, beta: float, loss: Loss, free_bias: bool
) -> list[FloatArray]:
    """Minimise the objective over the coordinates of all faces, from a point near the minimum; p = 2.

    An active set method: where a step would leave a face it ends on the boundary and goes on there; where a block comes
    to zero it leaves; and a face whose price exceeds beta enters along its best direction, until none does.

    Parameters
    ----------
    faces, coordinates
        As in `topes.master`, the constant of a free bias last.

    Returns
    -------
    list of ndarray
        Coordinates inside their faces. Where the loss is not smooth they are left as they are.
    """
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            return _polished(faces, coordinates, y, beta, loss, free_bias)
    except FloatingPointError:  # a block ran off to infinity or came to zero: the conic solver's point is as good as any
        return coordinates


def _polished(
    faces: list[Face], coordinates: list[FloatArray], y: FloatArray, beta: float, loss: Loss, free_bias: bool
) -> list[FloatArray]:
    sizes = np.array([float(np.linalg.norm(q)) for q in coordinates[: len(faces)]])
    least = _NEGLIGIBLE * sizes.max(initial=0.0)
    out = [q if size > least else 0.0 * q for q, size in zip(coordinates, sizes, strict=False)]
    out += coordinates[len(faces) :]
    f = _outputs(faces, out, len(y))
    for _ in range(_ENTRIES):
        out = _descend(faces, out, y, beta, loss, free_bias)
        f = _outputs(faces, out, len(y))
        v, none = loss.gradient(f, y), np.zeros((len(y), 0))
        if loss.curvature(f, y, none) is None:
            break
        entered = False
        for k, face in enumerate(faces):
            q, price = best_direction(face, v, free_bias)
            if price <= beta * (1.0 + 1e-10) or np.any(out[k]):
                continue
            A = face.features @ q
            H = loss.curvature(f, y, A[:, None])
            assert H is not None
            if float(H[0, 0]) <= _FLAT * float(A @ A):
                continue  # a loss without curvature says nothing of how far to go
            out[k] = q * (0.5 * (price - beta) / float(H[0, 0]))
            entered = True
        if not entered:
            break
    return out


def best_direction(face: Face, v: FloatArray, free_bias: bool) -> tuple[FloatArray, float]:
    """Coordinates, of norm 1, of the direction of the face with the largest price, and the price."""
    c = -(face.features.T @ v)
    if face.dimension == 1:
        size = float(np.linalg.norm(face.basis[:-1] if free_bias else face.basis))
        return np.array([1.0 / size]), float(c[0]) / size
    if not free_bias:
        q = c + face.rows.T @ nnls(face.rows.T, -c)[0] if len(face.rows) else c
        size = float(np.linalg.norm(q))
        return (q / size, size) if size > 0.0 else (face.toward, 0.0)
    # The penalty is a seminorm: a small part of the bias added to it makes the projection defined.
    M = face.basis.copy()
    M[-1] *= _BIAS_SHARE
    L = np.linalg.cholesky(M.T @ M)
    inside = np.linalg.solve(L, c)
    rows = np.linalg.solve(L, face.rows.T).T
    z = inside + rows.T @ nnls(rows.T, -inside)[0] if len(rows) else inside
    q = np.linalg.solve(L.T, z)
    size = float(np.linalg.norm(face.basis[:-1] @ q))
    return (q / size, float(c @ q) / size) if size > 1e-12 * np.linalg.norm(q) else (face.toward, 0.0)


def _outputs(faces: list[Face], coordinates: list[FloatArray], n: int) -> FloatArray:
    f = np.zeros(n)
    for face, q in zip(faces, coordinates, strict=False):
        if np.any(q):
            f += face.features @ q
    return f + coordinates[-1][0] if len(coordinates) > len(faces) else f


def _descend(
    faces: list[Face], coordinates: list[FloatArray], y: FloatArray, beta: float, loss: Loss, free_bias: bool
) -> list[FloatArray]:
    """Newton's method on the faces that are not zero."""
    out = [np.zeros_like(q) for q in coordinates]
    blocks, parts = _start(faces, coordinates, free_bias, len(y))
    if not blocks:
        return coordinates
    for _ in range(_STEPS):
        A = np.hstack([b.features for b in blocks])
        ends = np.cumsum([0, *(len(z) for z in parts)])
        slices = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        x = np.concatenate(parts)
        step, decrease = _newton_step(A, x, blocks, slices, y, beta, loss)
        if step is None:
            break
        value = _objective(A, x, blocks, slices, y, beta, loss)
        rooms, ends_at = _rooms(blocks, slices, x, step)
        room = float(rooms.min())
        t = min(1.0, room)
        trial = _objective(A, x + t * step, blocks, slices, y, beta, loss)
        halved = False
        while trial > value + 1e-4 * t * decrease and t > 1e-9:
            t, halved = 0.5 * t, True
            trial = _objective(A, x + t * step, blocks, slices, y, beta, loss)
        if trial > value:
            break
        x = x + t * step
        parts = [x[s] for s in slices]
        if room < _WHOLE and not halved:
            # All that end at about the same place end now: what goes too early enters again.
            for k in sorted(np.flatnonzero(rooms <= max(_TOGETHER * t, _SOON)), reverse=True):
                smaller = blocks[k].inside(ends_at[k]) if ends_at[k] < len(blocks[k].rows) else None
                if smaller is None:
                    del blocks[k], parts[k]
                else:
                    T = np.linalg.lstsq(blocks[k].basis, smaller.basis, rcond=None)[0]
                    blocks[k], parts[k] = smaller, T.T @ parts[k]
            if not blocks:
                break
        elif value - trial <= 1e-15 * abs(value):
            break
    for block, z in zip(blocks, parts, strict=True):
        out[block.place] = block.basis @ z
    return out


def _start(
    faces: list[Face], coordinates: list[FloatArray], free_bias: bool, n: int
) -> tuple[list[_Block], list[FloatArray]]:
    blocks, parts = [], []
    for k, face in enumerate(faces):
        if not np.any(coordinates[k]):
            continue
        M = face.basis[:-1] if free_bias else face.basis
        rows = face.rows if len(face.rows) or face.dimension > 1 else np.ones((1, 1))
        blocks.append(_Block(k, face.features, M.T @ M, rows, np.eye(face.dimension)))
        parts.append(coordinates[k])
    if free_bias:
        blocks.append(_Block(len(faces), np.ones((n, 1)), np.zeros((1, 1)), np.zeros((0, 1)), np.eye(1)))
        parts.append(coordinates[-1])
    return blocks, parts


def _norm(z: FloatArray, gram: FloatArray) -> float:
    return math.sqrt(max(0.0, float(z @ gram @ z)))


def _objective(
    A: FloatArray, x: FloatArray, blocks: list[_Block], slices: list[slice], y: FloatArray, beta: float, loss: Loss
) -> float:
    return loss.value(A @ x, y) + beta * sum(_norm(x[s], b.gram) for b, s in zip(blocks, slices, strict=True))


def _newton_step(
    A: FloatArray, x: FloatArray, blocks: list[_Block], slices: list[slice], y: FloatArray, beta: float, loss: Loss
) -> tuple[FloatArray | None, float]:
    """The step, None where the loss is not smooth or nothing is to be gained; its slope."""
    f = A @ x
    H = loss.curvature(f, y, A)
    if H is None:
        return None, 0.0
    g = A.T @ loss.gradient(f, y)
    for b, s in zip(blocks, slices, strict=True):
        norm = _norm(x[s], b.gram)
        if norm > 0.0:
            toward = b.gram @ x[s] / norm
            g[s] += beta * toward
            H[s, s] += beta * (b.gram - np.outer(toward, toward)) / norm
    shift = 1e-13 * np.trace(H) / len(H) + 1e-300
    try:
        L = np.linalg.cholesky(H + shift * np.eye(len(H)))
        step = np.linalg.solve(L.T, np.linalg.solve(L, -g))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(H)
        step = -vectors @ ((vectors.T @ g) / np.maximum(values, 1e-12 * values.max(initial=0.0) + 1e-300))
    slope = float(g @ step)
    return (step, slope) if slope < 0.0 else (None, 0.0)


def _rooms(
    blocks: list[_Block], slices: list[slice], x: FloatArray, step: FloatArray
) -> tuple[FloatArray, list[int]]:
    """The longest step inside each face, and the row that ends it: one past the last where the block comes to zero."""
    rooms, ends = np.full(len(blocks), np.inf), [0] * len(blocks)
    for k, (b, s) in enumerate(zip(blocks, slices, strict=True)):
        if not np.any(b.gram):  # a constant has no end
            continue
        # Its own direction comes last: where that falls to zero the block turns over, and is to leave.
        rows = np.vstack([b.rows, x[s] / np.linalg.norm(x[s])])
        at, slope = rows @ x[s], rows @ step[s]
        ratio = np.where(slope < 0.0, np.maximum(at, 0.0) / np.where(slope < 0.0, -slope, 1.0), np.inf)
        ends[k] = int(np.argmin(ratio))
        rooms[k] = ratio[ends[k]]
    return rooms, ends
