"""Blocks of neurons, the faces of the arrangement that they lie on, and their lengths: the state of `descent.Descent`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..pricing.oracle import Pricer
from ..training.blocks import Blocks

__all__ = ["BlocksOnFaces"]

IntArray = npt.NDArray[np.intp]

# Angles below this make a wall one with those it is already on; to it, a row vanishes with them.
_DEPENDENT, _VANISH = 1e-7, 1e-9
# Blocks below this share of the largest are none.
_NOTHING = 1e-9
# Rounds of quadratic models in which lengths are chosen.
_WEIGHINGS = 4
# Share of a squared loss that is added to all curvature where lengths are chosen.
_FLAT = 1e-11


class BlocksOnFaces:
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

    def heights_of(self, Z: FloatArray) -> FloatArray:
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
        h = self.heights_of(Z)
        self.Z, self.signs = np.hstack([self.Z, Z]), np.append(self.signs, signs)
        self.h, self.side = np.hstack([self.h, h]), np.hstack([self.side, h >= 0.0])
        self.on_wall = np.hstack([self.on_wall, np.zeros((self.n, k), dtype=bool, order="F")])
        self.walls += [[] for _ in range(k)]
        self.flats += [np.eye(self.r) for _ in range(k)]
        self.parts += [self.X for _ in range(k)]

    def weigh(self) -> None:
        """The best lengths of the blocks, their directions kept: most of those just entered are none."""
        self.keep(np.flatnonzero(self.features().any(axis=0)))  # what adds nothing to the outputs only costs
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
                self.h = np.where(self.on_wall, 0.0, self.heights_of(self.Z))
                if self.value() <= before:
                    break
                step *= 0.5
            else:
                self.Z, self.constant = old, constant
                self.h = np.where(self.on_wall, 0.0, self.heights_of(self.Z))
                return
            self.keep(np.flatnonzero(self.norms() > _NOTHING * self.norms().max(initial=0.0)))
            exact = self.loss.name == "squared" and step == 1.0
            if exact or before - self.value() <= 1e-3 * before:
                return

    def keep(self, kept: Sequence[int] | IntArray) -> None:
        kept = [int(k) for k in kept]
        self.Z, self.signs, self.h = self.Z[:, kept], self.signs[kept], self.h[:, kept]
        self.side, self.on_wall = self.side[:, kept], self.on_wall[:, kept]
        self.walls, self.flats = [self.walls[k] for k in kept], [self.flats[k] for k in kept]
        self.parts = [self.parts[k] for k in kept]

    def merge(self) -> None:
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
            self.set_walls(i, [g for g in self.walls[i] if g in self.walls[j]])
            apart[i] |= apart[j]
            apart[:, i] |= apart[:, j]
        if len(kept) < len(self):
            self.keep(kept)

    def set_walls(self, j: int, walls: list[int]) -> None:
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
