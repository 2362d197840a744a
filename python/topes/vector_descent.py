"""Local minimisation of (27), several outputs: Newton's method in both layers at once, across the walls between cells.

As `descent.py`, with the output weights g_j in R^C as variables beside the input weights z_j: on a face of the arrangement

    L(sum_j phi(X z_j) g_j' + 1 c', Y) + beta/2 * sum_j (||z_j||^2 + ||g_j||^2)

is smooth, also where a neuron vanishes, but not convex: the second derivative that mixes z_j and g_j is a matrix M_j, what
the dual point sees of the neuron's cell, and where a singular value of it exceeds beta, [beta I, M_j; M_j', beta I] has a
negative eigenvalue. At an optimum over all cells none does (that is the dual constraint), so where the whole matrix is not
positive definite singular values are cut at beta: every step descends, and the last ones are Newton's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from ._validation import FloatArray
from .activation import phi
from .descent import Descent
from .line_search import first_minimum
from .losses import Loss
from .pricing import Pricer

__all__ = ["VectorDescent", "cut"]

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_STEPS = 200
_ZERO = 1e-13
# Neurons whose product of norms is below this share of the largest are none.
_NOTHING = 1e-10
_WHOLE = 0.99
_MOST_BLOCKED = 3
_MOST_MET = 4
# Curvatures below this share of the largest count as that much.
_LEAST_DAMPING, _MOST_DAMPING = 1e-12, 1e-2
# Sweeps of the group lasso over the directions at hand.
_SWEEPS, _SETTLED = 60, 1e-3
# Neurons whose directions are closer than this cosine may be one.
_NEAR = 0.95


class VectorDescent(Descent):
    """The neurons of one run: input weights Z, shape (r, m), output weights G, shape (m, C).

    Parameters
    ----------
    pricer : Pricer
        Of the data; its ball must be Euclidean, bias free or not.
    Y : ndarray, shape (n, C), float64
    beta, loss, deadline
        As for `Descent`; the loss is that of all entries.
    """

    def __init__(self, pricer: Pricer, Y: FloatArray, beta: float, loss: Loss, deadline: float = math.inf) -> None:
        super().__init__(pricer, Y, beta, loss, deadline)
        self.G = np.zeros((0, Y.shape[1]))
        self.shift = np.zeros(Y.shape[1])  # added to the rows of the outputs; moves with a free bias

    def features(self) -> FloatArray:
        """phi(X z_j), shape (n, m)."""
        return self.pricer.pooled(np.where(self.h >= 0.0, self.h, self.kappa * self.h))

    def outputs(self) -> FloatArray:
        return np.asarray(self.features() @ self.G + self.shift)

    def value(self) -> float:
        penalty = float(self.penalty @ np.sum(self.Z * self.Z, axis=1)) + float(np.sum(self.G * self.G))
        return self._loss(self.outputs()) + 0.5 * self.beta * penalty

    def _loss(self, F: FloatArray) -> float:
        return self.loss.value(F.ravel(), self.y.ravel())

    def _gradient(self, F: FloatArray) -> FloatArray:
        return self.loss.gradient(F.ravel(), self.y.ravel()).reshape(F.shape)

    def _slope(self) -> FloatArray:
        return self._gradient(self.outputs())

    def _seen_by(self, j: int, v: FloatArray) -> FloatArray:
        return np.asarray(v @ (self.G[j] / max(float(np.linalg.norm(self.G[j])), 1e-300)))

    def enter_atoms(self, U: FloatArray, G: FloatArray) -> None:
        """Add neurons phi(X u_j) g_j', columns of U in the coordinates of the data."""
        Z = self.span.T @ U
        norms = np.sqrt(self.penalty @ (Z * Z))
        some = norms > 1e-9 * np.linalg.norm(Z, axis=0)
        if self.free:  # a bias alone is a constant
            self.shift = self.shift + phi(Z[-1, ~some], self.kappa) @ G[~some]
        first = len(self)
        self.enter(U[:, some], np.ones(int(some.sum())))
        self.G = np.vstack([self.G, G[some]])
        self._balance(first)

    def _balance(self, first: int = 0) -> None:
        """Both layers of equal norm: the least penalty for the same outputs."""
        a, b = self.norms()[first:], np.linalg.norm(self.G[first:], axis=1)
        t = np.sqrt(np.where((a > 0.0) & (b > 0.0), b / np.maximum(a, 1e-300), 1.0))
        self.Z[:, first:] *= t
        self.h[:, first:] *= t
        self.G[first:] /= t[:, None]

    def _keep(self, kept: Sequence[int] | IntArray) -> None:
        super()._keep(kept)
        self.G = self.G[[int(k) for k in kept]]

    def minimise(self, accuracy: float) -> None:
        """Descend until no gradient exceeds this share of beta: the error of a neuron's price; or nothing descends."""
        self.h = np.where(self.on_wall, 0.0, self.X @ self.Z)
        self._weigh()
        self._merge()
        self.damping = _LEAST_DAMPING
        blocked = met = 0
        for _ in range(_STEPS):
            if (not len(self) and not self.free) or time.perf_counter() > self.deadline:
                return
            self._balance()
            found = self._step()
            if found is None:
                return
            dZ, dG, shift, unrest = found
            if unrest <= accuracy:
                if blocked >= _MOST_BLOCKED or not self._release(self._slope()):
                    return
                blocked += 1
                continue
            t, changed = self._along(dZ, dG, shift)
            if not changed:
                if self.damping < _MOST_DAMPING:
                    self.damping *= 1e3
                elif blocked < _MOST_BLOCKED and self._release(self._slope()):
                    blocked += 1
                else:
                    return
                continue
            if t >= _WHOLE:
                self.damping = max(_LEAST_DAMPING, 0.1 * self.damping)
                if self._release(self._slope()):
                    blocked = 0
            elif t == 0.0:
                met += 1
                if met > _MOST_MET * len(self):
                    return
            elif t < 1e-3 and self.damping < _MOST_DAMPING:
                self.damping *= 10.0

    def _weigh(self) -> None:
        """Group lasso over the directions at hand, by block coordinate descent: most of those just entered are none."""
        if not len(self):
            return
        norms = np.maximum(self.norms(), 1e-300)
        A = self.features() / norms
        G, shift, before = self.G * norms[:, None], self.shift, self.value()
        squares = np.sum(A * A, axis=0)
        F = A @ G + shift
        last = before
        for _ in range(_SWEEPS):
            L = self._steepness(F)
            for j in np.flatnonzero(squares > 0.0):
                a = A[:, j]
                s = G[j] - a @ self._gradient(F) / (L * squares[j])
                size = float(np.linalg.norm(s))
                new = s * max(0.0, 1.0 - self.beta / (L * squares[j]) / max(size, 1e-300))
                if not np.array_equal(new, G[j]):
                    F += np.outer(a, new - G[j])
                    G[j] = new
            if self.free:
                step = self._gradient(F).mean(axis=0) / L
                F, shift = F - step, shift - step
            now = self._loss(F) + self.beta * float(np.linalg.norm(G, axis=1).sum())
            if last - now <= _SETTLED * (last - now + before - last) or now > last:
                break
            last = now
        now = self._loss(A @ G + shift) + self.beta * float(np.linalg.norm(G, axis=1).sum())
        if not now <= before:
            return
        sizes = np.linalg.norm(G, axis=1)
        self.Z, self.h, self.G, self.shift = self.Z / norms, self.h / norms, G, shift
        self._keep(np.flatnonzero(sizes > _NOTHING * sizes.max(initial=0.0)))
        self._balance()

    def _steepness(self, F: FloatArray) -> float:
        """A bound on the second derivative of the loss in one output; of the l2 loss, the one here."""
        if self.loss.name == "l2":
            return 1.0 / max(float(np.linalg.norm(F - self.y)), 1e-300)
        return {"logistic": 0.25, "squared_hinge": 2.0}.get(self.loss.name, 1.0)

    def _merge(self) -> None:
        """Two neurons in the closure of one cell, close to each other, become the best single one where that pays.

        The sum of their u g' is a matrix of rank two; its second singular value is second order in their angles.
        """
        self._balance()
        above, below = (self.h > 0.0).astype(np.float64), (self.h < 0.0).astype(np.float64)
        apart = above.T @ below
        near = (apart + apart.T == 0.0) & (self._cosines(self.Z) > _NEAR) & (self._cosines(self.G.T) > _NEAR)
        gone: set[int] = set()
        for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            if i in gone or j in gone:
                continue
            state = self.Z.copy(), self.G.copy(), self.h.copy(), self.side.copy(), self.on_wall.copy()
            walls, flats, before = self.walls[i], self.flats[i], self.value()
            u, s, g = np.linalg.svd(self.Z[:, [i, j]] @ self.G[[i, j]], full_matrices=False)
            sign = 1.0 if u[:, 0] @ self.Z[:, i] >= 0.0 else -1.0
            self.Z[:, i], self.G[i] = sign * math.sqrt(s[0]) * u[:, 0], sign * math.sqrt(s[0]) * g[0]
            free = self.h[:, i] == 0.0
            self.side[free, i] = self.side[free, j]
            self._set_walls(int(i), [w for w in walls if w in self.walls[j]])
            self.Z[:, j], self.G[j], self.h[:, j] = 0.0, 0.0, 0.0
            self._balance()
            if self.value() <= before:
                gone.add(int(j))
            else:
                self.Z, self.G, self.h, self.side, self.on_wall = state
                self.walls[i], self.flats[i] = walls, flats
        if gone:
            self._keep([k for k in range(len(self)) if k not in gone])

    @staticmethod
    def _cosines(Z: FloatArray) -> FloatArray:
        units = Z / np.maximum(np.linalg.norm(Z, axis=0), 1e-300)
        return np.asarray(units.T @ units)

    def _step(self) -> tuple[FloatArray, FloatArray, FloatArray, float] | None:
        """Newton's step of input weights, output weights and the constant; the largest gradient as a share of beta."""
        n, C = self.y.shape
        D = np.where(self.side, 1.0, self.kappa)
        D[self.on_wall] = 0.0
        F = self.outputs()
        V = self._gradient(F)
        seen = self.pricer.spread(V / self.pool)
        a = self.features()
        widths = [N.shape[1] for N in self.flats]
        size = sum(widths) + len(self) * C + (C if self.free else 0)
        J = np.zeros((n, C, size))
        g = np.zeros(size)
        H = np.zeros((size, size))
        place: list[tuple[slice, slice]] = []
        mixes: list[tuple[FloatArray, FloatArray]] = []
        at = 0
        unrest = 0.0
        for j, N in enumerate(self.flats):
            q, b = slice(at, at + widths[j]), slice(at + widths[j], at + widths[j] + C)
            at = b.stop
            place.append((q, b))
            slopes = D[:, [j]] * (self.X @ N)
            J[:, :, q] = self.pricer.pooled(slopes)[:, None, :] * self.G[j][None, :, None]
            J[:, :, b] = a[:, j][:, None, None] * np.eye(C)
            mixed = slopes.T @ seen
            counted = N.T @ (self.penalty[:, None] * N)
            mixes.append((mixed, counted))
            H[q, b], H[b, q] = mixed, mixed.T
            H[q, q] = self.beta * counted
            H[b, b] = self.beta * np.eye(C)
            g[q] = mixed @ self.G[j] + self.beta * (N.T @ (self.penalty * self.Z[:, j]))
            g[b] = a[:, j] @ V + self.beta * self.G[j]
            length = max(float(np.linalg.norm(self.G[j])), 1e-300)
            unrest = max(unrest, float(np.linalg.norm(g[q])) / length, float(np.linalg.norm(g[b])) / length)
        if self.free:
            J[:, :, at:] = np.eye(C)
            g[at:] = V.sum(axis=0)
            unrest = max(unrest, float(np.linalg.norm(g[at:])))
        curved = self.loss.curvature(F.ravel(), self.y.ravel(), J.reshape(n * C, size))
        if curved is None:
            return None
        H += curved
        x = self._solve(H, -g)
        if x is None:
            for (q, b), (mixed, counted) in zip(place, mixes, strict=True):
                less = cut(mixed, counted, self.beta) - mixed
                H[q, b] += less
                H[b, q] += less.T
            while x is None and self.damping <= 1.0:
                x = self._solve(H, -g)
                self.damping = self.damping if x is not None else max(1e-10, 10.0 * self.damping)
            if x is None:
                return None
        dZ, dG = np.zeros_like(self.Z), np.zeros_like(self.G)
        for j, (q, b) in enumerate(place):
            dZ[:, j], dG[j] = self.flats[j] @ x[q], x[b]
        return dZ, dG, x[at:] if self.free else np.zeros(C), unrest / self.beta

    def _solve(self, H: FloatArray, b: FloatArray) -> FloatArray | None:
        """x with (H + damping) x = b; None where that matrix is not positive definite."""
        scale = H.diagonal()
        A = H + np.diag(self.damping * np.maximum(scale, 1e-6 * (float(scale.max(initial=0.0)) or 1.0)))
        try:
            return np.asarray(cho_solve(cho_factor(A, overwrite_a=True, check_finite=False), b, check_finite=False))
        except np.linalg.LinAlgError:
            return None

    def _along(self, dZ: FloatArray, dG: FloatArray, shift: FloatArray) -> tuple[float, bool]:
        """To the first minimum along the step; how far, and whether anything changed."""
        h, dh = self.h, np.where(self.on_wall, 0.0, self.X @ dZ)
        h = np.where(np.abs(h) <= _ZERO * self.sizes[:, None] * np.linalg.norm(self.Z, axis=0), 0.0, h)
        above = (h > 0.0) | ((h == 0.0) & (dh > 0.0))
        rows, blocks = np.nonzero((h * dh < 0.0) & (np.abs(h) < np.abs(dh)))
        at = -h[rows, blocks] / dh[rows, blocks]
        order = np.argsort(at, kind="stable")
        rows, blocks, at = rows[order], blocks[order], at[order]
        w, dw = self.penalty[:, None] * self.Z, self.penalty[:, None] * dZ

        def look(t: float, k: int) -> tuple[float, float]:
            D = np.where(above, 1.0, self.kappa)
            D[rows[:k], blocks[:k]] = np.where(above[rows[:k], blocks[:k]], self.kappa, 1.0)
            G = self.G + t * dG
            A, dA = self.pricer.pooled(D * (h + t * dh)), self.pricer.pooled(D * dh)
            F = A @ G + self.shift + t * shift
            slope = float(np.sum(self._gradient(F) * (dA @ G + A @ dG + shift)))
            slope += self.beta * (float(np.sum((w + t * dw) * dZ)) + float(np.sum(G * dG)))
            Z = self.Z + t * dZ
            penalty = float(self.penalty @ np.sum(Z * Z, axis=1)) + float(np.sum(G * G))
            return slope, self._loss(F) + 0.5 * self.beta * penalty

        found = first_minimum(look, at, 1.0)
        if found is None:
            return 0.0, self._meet(above & (h == 0.0), ~above & (h == 0.0))
        t, kink = found
        self.Z, self.G, self.shift = self.Z + t * dZ, self.G + t * dG, self.shift + t * shift
        self.side = above
        passed = slice(0, int(np.searchsorted(at, t, side="left" if kink is not None else "right")))
        self.side[rows[passed], blocks[passed]] ^= True
        self.h = np.where(self.on_wall, 0.0, self.X @ self.Z)
        if kink is not None:
            j = int(blocks[kink])
            self._set_walls(j, [*self.walls[j], int(self.groups[rows[kink]])])
        sizes = self.norms() * np.linalg.norm(self.G, axis=1)
        none = sizes <= _NOTHING * sizes.max(initial=0.0)
        if none.any():
            if self.free:  # their biases stay, as a constant
                self.shift = self.shift + phi(self.Z[-1, none], self.kappa) @ self.G[none]
            self._keep(np.flatnonzero(~none))
        return t, True


def cut(mixed: FloatArray, counted: FloatArray, beta: float) -> FloatArray:
    """The M next to `mixed` for which [beta * counted, M; M', beta I] has no negative eigenvalue."""
    values, vectors = np.linalg.eigh(counted)
    roots = np.sqrt(np.where(values > 1e-9, values, 0.0))
    left, sizes, right = np.linalg.svd((vectors / np.where(roots > 0.0, roots, np.inf)).T @ mixed, full_matrices=False)
    return np.asarray((vectors * roots) @ ((left * np.minimum(sizes, beta)) @ right))
