"""Local minimisation of (3) over all neurons at once, in numpy: the readable twin of `cpp/src/descent.cpp`.

On a face of the arrangement the objective is smooth and convex in a neuron's block u = |w2| w1. Where a block meets a wall,
the objective bends: downwards, and the block goes on through it; or upwards, and the minimum along the line may be on the
wall, which then becomes a constraint until its multiplier says otherwise. What comes out is stationary on its faces, to the
last digits; that no other direction is missing is for pricing to say.
"""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear

from .._support.validation import FloatArray
from .blocks_on_faces import BlocksOnFaces
from .line_minimum import Bends, line_minimum

__all__ = ["Descent"]

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_STEPS = 400
# Heights below this share of a block and a row are zero up to rounding.
_ZERO = 1e-13
# Multipliers this far outside of [0, 1] are outside.
_OUTSIDE = 1e-9
# Blocks below this share of the largest are none.
_NOTHING = 1e-9
# Steps longer than this share of a whole one say that the face is left no more.
_WHOLE = 0.99
# So many times in a row walls are released without a step that descends.
_MOST_BLOCKED = 3
# So often, for each block, a block goes back to a wall it has just left.
_MOST_MET = 4
_LEAST_DAMPING, _MOST_DAMPING = 1e-13, 1e-2


class Descent(BlocksOnFaces):
    """The steps: `minimise` after `enter`. Arguments as for `BlocksOnFaces`; slow, all rows and blocks looked at in each."""

    damping = _LEAST_DAMPING

    def minimise(self, accuracy: float) -> None:
        """Descend until no gradient exceeds this share of beta: the error of a block's price; or nothing descends."""
        self.h = np.where(self.on_wall, 0.0, self.heights_of(self.Z))
        self.weigh()
        self.merge()
        self.damping = _LEAST_DAMPING
        blocked = met = 0
        for _ in range(_STEPS):
            if (not len(self) and not self.free) or time.perf_counter() > self.deadline:
                return
            step, shift, unrest, v = self._newton()
            if unrest <= accuracy:
                if blocked >= _MOST_BLOCKED or not self._release(v):
                    return
                blocked += 1
                continue
            t, changed, smooth = self._go(step, shift)
            if not changed:
                if self.damping < _MOST_DAMPING:
                    self.damping *= 1e3
                elif blocked < _MOST_BLOCKED and self._release(v):
                    blocked += 1
                else:
                    return
                continue
            if t >= _WHOLE:
                self.damping = max(_LEAST_DAMPING, 0.1 * self.damping)
                if self._release(self.loss.gradient(self.outputs(), self.y)):
                    blocked = 0
            elif t == 0.0:
                met += 1
                if met > _MOST_MET * len(self):
                    return
            elif smooth and t < 1e-3 and self.damping < _MOST_DAMPING:
                self.damping *= 10.0

    def _newton(self) -> tuple[FloatArray, float, float, FloatArray]:
        """The step of all blocks, of the constant; the largest gradient as a share of beta; and the gradient of the loss."""
        D = np.where(self.side, 1.0, self.kappa) * self.signs
        D[self.on_wall] = 0.0
        ends = np.cumsum([0, *(N.shape[1] for N in self.flats)])
        rows = np.empty((self.n, int(ends[-1])), order="F")
        for j, part in enumerate(self.parts):
            np.multiply(part, D[:, [j]], out=rows[:, ends[j] : ends[j + 1]])
        A = self.pricer.pooled(rows)
        if self.free:
            A = np.hstack([A, np.ones((self.n_outputs, 1))])
        f = self.outputs()
        v = self.loss.gradient(f, self.y)
        H = self.loss.curvature(f, self.y, A)
        none = np.zeros_like(self.Z), 0.0, 0.0, v
        if H is None or not A.shape[1]:
            return none
        g = A.T @ v
        norms = np.maximum(self.norms(), 1e-300)
        place = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        unrest = abs(float(g[-1])) if self.free else 0.0
        for j, (N, s) in enumerate(zip(self.flats, place, strict=True)):
            toward = N.T @ (self.penalty * self.Z[:, j]) / norms[j]
            g[s] += self.beta * toward
            unrest = max(unrest, float(np.linalg.norm(g[s])))
            H[s, s] += self.beta / norms[j] * (N.T @ (self.penalty[:, None] * N) - np.outer(toward, toward))
        scale = np.einsum("ij,ij->j", A, A)
        H[np.diag_indices_from(H)] += self.damping * np.maximum(scale, 1e-6 * (float(scale.max()) or 1.0))
        try:
            L = np.linalg.cholesky(H)
            x = np.linalg.solve(L.T, np.linalg.solve(L, -g))
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(H)
            if not values.max() > 0.0:
                return none
            x = -vectors @ ((vectors.T @ g) / np.maximum(values, 1e-12 * values.max()))
        step = np.zeros_like(self.Z)
        for j, (N, s) in enumerate(zip(self.flats, place, strict=True)):
            step[:, j] = N @ x[s]
        return step, float(x[-1]) if self.free else 0.0, unrest / self.beta, v

    def _go(self, step: FloatArray, shift: float) -> tuple[float, bool, bool]:
        """To the first minimum along the step, a block at most to its end; how far, whether anything changed, and whether
        it is a minimum where nothing bends or ends."""
        h, dh = self.h, np.where(self.on_wall, 0.0, self.heights_of(step))
        h = np.where(np.abs(h) <= _ZERO * self.sizes[:, None] * np.linalg.norm(self.Z, axis=0), 0.0, h)
        above = (h > 0.0) | ((h == 0.0) & (dh > 0.0))
        D = np.where(above, 1.0, self.kappa) * self.signs
        moved = self.penalty[:, None] * step
        counted = self.penalty[:, None] * self.Z
        squares = [np.sum(a * b, axis=0) for a, b in ((counted, self.Z), (counted, step), (moved, step))]
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            ends = np.where(squares[1] < 0.0, squares[0] / -squares[1], np.inf)
        most = min(1.0, float(ends.min(initial=np.inf)))
        rows, blocks = np.nonzero((h * dh < 0.0) & (np.abs(h) < most * np.abs(dh)))
        at = -h[rows, blocks] / dh[rows, blocks]
        order = np.argsort(at, kind="stable")
        rows, blocks, at = rows[order], blocks[order], at[order]
        by = self.signs[blocks] * (1.0 - self.kappa) * np.abs(dh[rows, blocks]) / self.pool
        bends = Bends(at, rows // self.pool, by)
        f0 = self.pricer.pooled((D * h).sum(axis=1)) + self.constant
        f1 = self.pricer.pooled((D * dh).sum(axis=1)) + shift
        found = line_minimum(f0, f1, bends, squares, self.loss, self.y, self.beta, most)
        if found is None:
            return 0.0, self._meet(above & (h == 0.0), ~above & (h == 0.0)), False
        t, kink = found
        self.Z = self.Z + t * step
        self.constant += t * shift
        self.side = above
        passed = slice(0, int(np.searchsorted(at, t, side="left" if kink is not None else "right")))
        self.side[rows[passed], blocks[passed]] ^= True
        self.h = np.where(self.on_wall, 0.0, self.heights_of(self.Z))
        if kink is not None:
            j = int(blocks[kink])
            self.set_walls(j, [*self.walls[j], int(self.groups[rows[kink]])])
        elif t >= most and most < 1.0:
            self._end(np.flatnonzero(ends <= t * (1.0 + 1e-12)))
        least = _NOTHING * float(self.norms().max(initial=0.0))
        self._end(np.flatnonzero(self.norms() <= least), sure=True)
        return t, True, kink is None and t < most

    def _meet(self, up: BoolArray, down: BoolArray) -> bool:
        """Settle rows on their hyperplanes from which the step went up or down, to the other side than it was made for.

        A bend upwards becomes a wall, one downwards is passed. False if there is none.
        """
        wrong = ~self.on_wall & ((up & ~self.side) | (down & self.side)) & (self.groups >= 0)[:, None]
        weight = self.signs * self.pricer.spread(self.loss.gradient(self.outputs(), self.y))[:, None]
        found = False
        for j in np.flatnonzero(wrong.any(axis=0)):
            rows = np.flatnonzero(wrong[:, j])
            bent = rows[weight[rows, j] > 0.0]
            passed = rows[weight[rows, j] <= 0.0]
            self.side[passed, j] ^= True
            if len(bent):
                self.set_walls(int(j), [*self.walls[j], int(self.groups[bent[0]])])
            found = True
        return found

    def _end(self, blocks: IntArray, *, sure: bool = False) -> None:
        """Leave out blocks that have come to nothing, where that does not raise the value."""
        for j in sorted((int(k) for k in blocks), reverse=True):
            Z, h, constant, before = self.Z[:, j].copy(), self.h[:, j].copy(), self.constant, self.value()
            if self.free:  # its bias stays, as a constant
                b = float(self.Z[-1, j])
                self.constant += float(self.signs[j]) * (b if b >= 0.0 else self.kappa * b)
            self.Z[:, j], self.h[:, j] = 0.0, 0.0
            if sure or self.flats[j].shape[1] == 1 or self.value() <= before:
                self.keep([k for k in range(len(self)) if k != j])
            else:
                self.Z[:, j], self.h[:, j], self.constant = Z, h, constant

    def _release(self, v: FloatArray) -> bool:
        """Let blocks go from walls whose multiplier, the slope of the bend there, is not between its ends."""
        v = self.pricer.spread(v / self.pool)
        used = self.groups >= 0
        bend = np.zeros(len(self.normals))
        np.add.at(bend, self.groups[used], (1.0 - self.kappa) * np.abs(self.factor[used]) * v[used])
        norms = np.maximum(self.norms(), 1e-300)
        released = False
        for j in range(len(self)):
            if not self.walls[j]:
                continue
            on = self.on_wall[:, j]
            straight = np.where(on, np.where(self.factor < 0.0, 1.0, self.kappa), np.where(self.side[:, j], 1.0, self.kappa))
            c = self.signs[j] * (self.X.T @ (straight * v)) + self.beta * self.penalty * self.Z[:, j] / norms[j]
            there = np.unique(self.groups[on])
            weight = self.signs[j] * bend[there]
            B = (self.normals[there] * weight[:, None]).T
            if len(there) > len(self.walls[j]):
                slopes, kept = self._slopes_at_corner(B, -c, there)
                if kept is None:
                    continue
            else:
                # A slope without weight is free: whatever it is, the wall holds nothing.
                slopes = np.linalg.lstsq(B, -c, rcond=None)[0]
                outside = np.maximum(-slopes, slopes - 1.0) * np.abs(weight)
                outside[weight <= 0.0] = np.inf
                k = int(np.argmax(outside))
                if outside[k] <= _OUTSIDE * self.beta:
                    continue
                kept = [g for g in self.walls[j] if g != there[k]]
            for g, slope in zip(there, slopes, strict=True):
                if g not in kept:
                    rows = on & (self.groups == g)
                    self.side[rows, j] = (slope >= 0.5) == (self.factor[rows] > 0.0)
            self.set_walls(j, kept)
            released = True
        return released

    def _slopes_at_corner(self, B: FloatArray, c: FloatArray, there: IntArray) -> tuple[FloatArray, list[int] | None]:
        """Where more walls meet than are independent: slopes in [0, 1], and the walls to keep; None if all hold."""
        result = lsq_linear(B, c, bounds=(0.0, 1.0))
        slopes = np.asarray(result.x)
        if float(np.linalg.norm(B @ slopes - c)) <= _OUTSIDE * self.beta:
            return slopes, None
        return slopes, [int(g) for g, s in zip(there, slopes, strict=True) if _OUTSIDE < s < 1.0 - _OUTSIDE]
