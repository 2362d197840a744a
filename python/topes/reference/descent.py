"""Local minimisation of (3) over all neurons at once: Newton's method on the faces they lie on, across the walls between.

On a face of the arrangement the objective is smooth and convex in a neuron's block u = |w2| w1. Where a block meets a wall,
the objective bends: downwards, and the block goes on through it; or upwards, and the minimum along the line may be on the
wall, which then becomes a constraint until its multiplier says otherwise. What comes out is stationary on its faces, to the
last digits; that no other direction is missing is for pricing to say.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear, nnls

from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..pricing.oracle import Pricer
from .blocks import Blocks
from .line_search import Bends, line_minimum

__all__ = ["Descent"]

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_STEPS = 400
# Heights below this share of a block and a row are zero up to rounding.
_ZERO = 1e-13
# Multipliers this far outside of [0, 1] are outside.
_OUTSIDE = 1e-9
# Angles below this make a wall one with those it is already on; to it, a row vanishes with them.
_DEPENDENT, _VANISH = 1e-7, 1e-9
# Blocks below this share of the largest are none.
_NOTHING = 1e-9
# Steps longer than this share of a whole one say that the face is left no more.
_WHOLE = 0.99
# So many times in a row walls are released without a step that descends.
_MOST_BLOCKED = 3
# So often, for each block, a block goes back to a wall it has just left.
_MOST_MET = 4
_LEAST_DAMPING, _MOST_DAMPING = 1e-13, 1e-2
# Rounds of quadratic models in which lengths are chosen.
_WEIGHINGS = 4
# Share of a squared loss that is added to all curvature where lengths are chosen.
_FLAT = 1e-11


class Descent:
    """The neurons of one run, p = 2: blocks u_j = |w2_j| w1_j with the sign of their output weight.

    Parameters
    ----------
    pricer : Pricer
        Of the data; its ball must be Euclidean, bias free or not.
    y : ndarray, shape (n,), float64
    beta : float
    loss : Loss
        With a `curvature`.
    deadline : float
        Of `time.perf_counter`.
    """

    def __init__(self, pricer: Pricer, y: FloatArray, beta: float, loss: Loss, deadline: float = math.inf) -> None:
        self.pricer, self.y, self.beta, self.loss, self.deadline = pricer, y, beta, loss, deadline
        self.span, self.kappa = pricer.span, pricer.kappa
        self.X = np.ascontiguousarray(pricer.data @ self.span)
        self.normals = pricer.reference @ self.span
        self.n, self.r = self.X.shape
        self.free = pricer.bias == "free"
        self.penalty = np.ones(self.r)  # the coordinates whose norm counts
        if self.free:
            self.penalty[-1] = 0.0
        self.pool, self.n_outputs = pricer.pool, len(y)
        self.sizes = np.linalg.norm(self.X, axis=1)
        self.groups, self.factor = pricer.hyperplanes, pricer.factor
        self.constant = 0.0  # added to all outputs; moves with a free bias
        self.damping = _LEAST_DAMPING
        self.Z = np.zeros((self.r, 0))
        self.signs = np.zeros(0)
        self.side = np.zeros((self.n, 0), dtype=bool, order="F")  # of each row, above its hyperplane
        self.on_wall = np.zeros((self.n, 0), dtype=bool, order="F")
        self.walls: list[list[int]] = []  # independent hyperplanes that each block lies on
        self.flats: list[FloatArray] = []  # orthonormal basis of what is on all of them
        self.parts: list[FloatArray] = []  # heights of the rows over that basis
        self.h = np.zeros((self.n, 0), order="F")

    def __len__(self) -> int:
        return len(self.signs)

    @property
    def columns(self) -> FloatArray:
        """Blocks in the coordinates of the data, shape (d, m)."""
        return np.asarray(self.span @ self.Z)

    def norms(self) -> FloatArray:
        return np.sqrt(self.penalty @ (self.Z * self.Z))

    def features(self) -> FloatArray:
        """What each block adds to the outputs, shape (n, m)."""
        return self.pricer.pooled(np.where(self.h >= 0.0, self.h, self.kappa * self.h)) * self.signs

    def outputs(self) -> FloatArray:
        return np.asarray(self.features().sum(axis=1) + self.constant)

    def value(self) -> float:
        return self.loss.value(self.outputs(), self.y) + self.beta * float(self.norms().sum())

    def _heights(self, Z: FloatArray) -> FloatArray:
        """X Z, each column in one piece: most work goes column by column."""
        return np.asarray((Z.T @ self.X.T).T)

    def blocks(self) -> Blocks:
        return Blocks(self.columns, self.signs, self.constant)

    def enter(self, U: FloatArray, signs: FloatArray) -> None:
        """Add blocks, columns in the coordinates of the data."""
        Z = self.span.T @ U
        some = np.sqrt(self.penalty @ (Z * Z)) > _NOTHING * np.linalg.norm(Z, axis=0)
        if self.free:  # a bias alone is a constant
            self.constant += float(signs[~some] @ phi(Z[-1, ~some], self.kappa))
        Z, signs = Z[:, some], signs[some]
        k = Z.shape[1]
        h = self._heights(Z)
        self.Z, self.signs = np.hstack([self.Z, Z]), np.append(self.signs, signs)
        self.h, self.side = np.hstack([self.h, h]), np.hstack([self.side, h >= 0.0])
        self.on_wall = np.hstack([self.on_wall, np.zeros((self.n, k), dtype=bool, order="F")])
        self.walls += [[] for _ in range(k)]
        self.flats += [np.eye(self.r) for _ in range(k)]
        self.parts += [self.X for _ in range(k)]

    def minimise(self, accuracy: float) -> None:
        """Descend until no gradient exceeds this share of beta: the error of a block's price; or nothing descends."""
        self.h = np.where(self.on_wall, 0.0, self._heights(self.Z))
        self._weigh()
        self._merge()
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

    def _weigh(self) -> None:
        """The best lengths of the blocks, their directions kept: most of those just entered are none."""
        for _ in range(_WEIGHINGS):
            norms = self.norms()
            if not len(self):
                return
            A = self.features() / np.maximum(norms, 1e-300)
            before = self.value()
            one = np.ones((self.n_outputs, 1))
            full = np.hstack([A, one, -one]) if self.free else A
            at = np.append(norms, [0.0, 0.0]) if self.free else norms
            f = self.outputs()
            v = self.loss.gradient(f, self.y)
            G = self.loss.curvature(f, self.y, full)
            if G is None:
                return
            cost = np.full(len(at), self.beta)
            cost[len(norms) :] = 0.0
            b = G @ at - full.T @ v - cost
            # Where the loss has no curvature of its own, a little of a squared loss says how far to go at first.
            G[np.diag_indices_from(G)] += _FLAT * np.maximum(np.sum(full * full, axis=0), 1e-300)
            try:
                L = np.linalg.cholesky(G)
                c = nnls(L.T, np.linalg.solve(L, b), maxiter=10 * len(b))[0]
            except (np.linalg.LinAlgError, RuntimeError):
                return
            if not np.isfinite(c).all():
                return
            old, constant, step = self.Z, self.constant, 1.0
            for _ in range(30):
                self.Z = old * (1.0 + step * (c[: len(norms)] - norms) / np.maximum(norms, 1e-300))
                if self.free:
                    self.constant = constant + step * float(c[-2] - c[-1])
                self.h = np.where(self.on_wall, 0.0, self._heights(self.Z))
                if self.value() <= before:
                    break
                step *= 0.5
            else:
                self.Z, self.constant = old, constant
                self.h = np.where(self.on_wall, 0.0, self._heights(self.Z))
                return
            self._keep(np.flatnonzero(self.norms() > _NOTHING * self.norms().max(initial=0.0)))
            exact = self.loss.name == "squared" and step == 1.0
            if exact or before - self.value() <= 1e-3 * before:
                return

    def _keep(self, kept: Sequence[int] | IntArray) -> None:
        kept = [int(k) for k in kept]
        self.Z, self.signs, self.h = self.Z[:, kept], self.signs[kept], self.h[:, kept]
        self.side, self.on_wall = self.side[:, kept], self.on_wall[:, kept]
        self.walls, self.flats = [self.walls[k] for k in kept], [self.flats[k] for k in kept]
        self.parts = [self.parts[k] for k in kept]

    def _merge(self) -> None:
        """Blocks of one sign in the closure of one cell become one: by the triangle inequality at no cost."""
        above, below = (self.h > 0.0).astype(np.float64), (self.h < 0.0).astype(np.float64)
        apart = above.T @ below
        apart = (apart + apart.T > 0.0) | (self.signs[:, None] != self.signs)
        kept: list[int] = []
        for j in range(len(self)):
            i = next((i for i in kept if not apart[i, j]), None)
            if i is None:
                kept.append(j)
                continue
            self.Z[:, i] += self.Z[:, j]
            free = self.h[:, i] == 0.0
            self.side[free, i] = self.side[free, j]
            self._set_walls(i, [g for g in self.walls[i] if g in self.walls[j]])
            apart[i] |= apart[j]
            apart[:, i] |= apart[:, j]
        if len(kept) < len(self):
            self._keep(kept)

    def _set_walls(self, j: int, walls: list[int]) -> None:
        """Put block j on these walls: the nearest point of their flat."""
        Q = np.zeros((self.r, 0))
        chosen = []
        for g in walls:
            rest = self.normals[g] - Q @ (Q.T @ self.normals[g])
            size = float(np.linalg.norm(rest))
            if size > _DEPENDENT and Q.shape[1] < self.r - 1:
                Q = np.hstack([Q, (rest / size)[:, None]])
                chosen.append(g)
        self.walls[j] = chosen
        self.flats[j] = np.linalg.svd(Q.T)[2][len(chosen) :].T if chosen else np.eye(self.r)
        self.parts[j] = self.X @ self.flats[j] if chosen else self.X
        on = np.zeros(self.n, dtype=bool)
        if chosen:
            vanish = np.linalg.norm(self.normals - (self.normals @ Q) @ Q.T, axis=1) <= _VANISH
            used = self.groups >= 0
            on[used] = vanish[self.groups[used]]
            self.Z[:, j] = self.flats[j] @ (self.flats[j].T @ self.Z[:, j])
        self.on_wall[:, j] = on
        self.h[:, j] = np.where(on, 0.0, self.X @ self.Z[:, j])

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
        h, dh = self.h, np.where(self.on_wall, 0.0, self._heights(step))
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
        self.h = np.where(self.on_wall, 0.0, self._heights(self.Z))
        if kink is not None:
            j = int(blocks[kink])
            self._set_walls(j, [*self.walls[j], int(self.groups[rows[kink]])])
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
                self._set_walls(int(j), [*self.walls[j], int(self.groups[bent[0]])])
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
                self._keep([k for k in range(len(self)) if k != j])
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
            self._set_walls(j, kept)
            released = True
        return released

    def _slopes_at_corner(self, B: FloatArray, c: FloatArray, there: IntArray) -> tuple[FloatArray, list[int] | None]:
        """Where more walls meet than are independent: slopes in [0, 1], and the walls to keep; None if all hold."""
        result = lsq_linear(B, c, bounds=(0.0, 1.0))
        slopes = np.asarray(result.x)
        if float(np.linalg.norm(B @ slopes - c)) <= _OUTSIDE * self.beta:
            return slopes, None
        return slopes, [int(g) for g, s in zip(there, slopes, strict=True) if _OUTSIDE < s < 1.0 - _OUTSIDE]
