"""The convex program over the working set: one conic solve."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import clarabel
import numpy as np
import scipy.sparse as sp

from .._support.validation import FloatArray
from ..errors import SolverError
from ..losses import Loss
from ..network import weight_norm
from .faces import Face

__all__ = ["Conic", "Master", "MasterSolution", "Units", "add_loss"]

Units = Literal["data", "features", "beta"]
# Targets beyond this many of the thresholds of Huber's loss.
_LARGE = 64.0


@dataclass(frozen=True)
class MasterSolution:
    """Coordinates of each face, outputs, and the multiplier of the outputs: a subgradient of the loss."""

    coordinates: list[FloatArray]
    outputs: FloatArray
    multiplier: FloatArray


@dataclass
class Conic:
    """min x'Px/2 + q'x subject to b - A x in a product of cones, put together piece by piece."""

    n: int = 0
    cost: list[float] = field(default_factory=list)
    blocks: list[tuple[list[tuple[int, Any]], FloatArray]] = field(default_factory=list)
    cones: list[Any] = field(default_factory=list)
    quadratic: list[tuple[int, Any]] = field(default_factory=list)

    def variables(self, count: int, cost: float = 0.0) -> int:
        """Add variables; returns the place of the first."""
        self.cost += [cost] * count
        self.n += count
        return self.n - count

    def constrain(self, cone: Any, terms: list[tuple[int, Any]], b: FloatArray) -> None:
        """b - sum of matrix times the variables from its place on, in the cone."""
        self.blocks.append((terms, b))
        self.cones.append(cone)

    def solve(self, accuracy: float) -> Any:
        rows = []
        at = 0
        for terms, b in self.blocks:
            for place, matrix in terms:
                part = sp.coo_array(matrix)
                rows.append((part.data, part.row + at, part.col + place))
            at += len(b)
        data, row, col = (np.concatenate([r[k] for r in rows]) for k in range(3)) if rows else (np.zeros(0),) * 3
        A = sp.csc_array((data, (row, col)), shape=(at, self.n))
        P = sp.csc_array((self.n, self.n))
        for place, matrix in self.quadratic:
            part = sp.coo_array(matrix)
            P = P + sp.csc_array((part.data, (part.row + place, part.col + place)), shape=P.shape)
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = accuracy
        settings.max_threads = 1
        b = np.concatenate([b for _, b in self.blocks]) if self.blocks else np.zeros(0)
        solver = clarabel.DefaultSolver(
            sp.csc_matrix(sp.triu(P)), np.array(self.cost), sp.csc_matrix(A), b, self.cones, settings
        )
        return solver.solve()


class Master:
    """Solves min L(sum F_k q_k, y) + beta * sum ||N_k q_k||_p over G_k q_k >= 0."""

    def __init__(self, y: FloatArray, beta: float, loss: Loss, norm: float, free_bias: bool) -> None:
        self.y, self.beta, self.loss, self.norm, self.free_bias = y, beta, loss, norm, free_bias

    def weights(self, face: Face) -> FloatArray:
        """The rows of the basis whose norm is penalised."""
        return face.basis[:-1] if self.free_bias else face.basis

    def solve(self, faces: list[Face], accuracy: float, *, units: Units = "data") -> MasterSolution:
        """One solve. With a free bias a constant is added to the faces: the last entry of `coordinates`.

        The solver's own scaling gives up on units more than 1e4 apart, and it meets the dual constraints to an absolute
        accuracy: features of about size one, or a regularisation of about one, are other units to try.
        """
        scales = [self._scale(face, units) for face in faces]
        faces = [_in_units(face, scale) for face, scale in zip(faces, scales, strict=True)]
        conic = Conic()
        places = [conic.variables(face.dimension) for face in faces]
        constant = conic.variables(1) if self.free_bias else None
        F = np.hstack([face.features for face in faces] + ([np.ones((len(self.y), 1))] if self.free_bias else []))
        width = conic.n
        for face, place in zip(faces, places, strict=True):
            self._penalise(conic, face, place)
        size = self._size()
        multiplier_at = add_loss(conic, self.loss, self.y / size, F, size)
        solution = conic.solve(accuracy)
        x = size * np.array(solution.x)
        if not np.isfinite(x).all() or "Infeasible" in str(solution.status):
            raise SolverError(f"Clarabel returned no point: status {solution.status}")
        f = F @ x[:width]
        if multiplier_at is None:
            v = self.loss.gradient(f, self.y)
        else:
            v = np.array(solution.z)[multiplier_at : multiplier_at + len(self.y)]
        ends = [place + face.dimension for face, place in zip(faces, places, strict=True)]
        coordinates = [x[a:b] / scale for a, b, scale in zip(places, ends, scales, strict=True)]
        if constant is not None:
            coordinates.append(x[constant : constant + 1])
        return MasterSolution(coordinates, f, v)

    def _size(self) -> float:
        """The unit of targets, outputs and objective: where Huber's loss is all but linear, a power of two next to them."""
        largest = float(np.abs(self.y).max(initial=0.0))
        return _power_of_two(largest) if self.loss.name == "huber" and largest > _LARGE else 1.0

    def _scale(self, face: Face, units: Units) -> float:
        """A power of two: what becomes one."""
        if units == "data":
            return 1.0
        return _power_of_two(float(np.abs(face.features).max(initial=0.0)) if units == "features" else self.beta)

    def _penalise(self, conic: Conic, face: Face, place: int) -> None:
        M, k = self.weights(face), face.dimension
        if k == 1 and len(face.rows) == 0:
            conic.cost[place] += self.beta * float(weight_norm(M, self.norm)[0])
            conic.constrain(clarabel.NonnegativeConeT(1), [(place, -np.ones((1, 1)))], np.zeros(1))
            return
        t = conic.variables(1, self.beta)
        if len(face.rows):
            conic.constrain(clarabel.NonnegativeConeT(len(face.rows)), [(place, -face.rows)], np.zeros(len(face.rows)))
        m = len(M)
        if self.norm == 2.0:
            thin = np.asarray(np.linalg.qr(M, mode="r")) if m > k else M  # the same norm in fewer rows
            top = sp.coo_array(([-1.0], ([0], [0])), shape=(len(thin) + 1, 1))
            conic.constrain(
                clarabel.SecondOrderConeT(len(thin) + 1),
                [(t, top), (place, np.vstack([np.zeros((1, k)), -thin]))],
                np.zeros(len(thin) + 1),
            )
            return
        parts = conic.variables(m) if self.norm == 1.0 else t  # |M q| <= parts, their sum or all of them <= t
        bound = np.eye(m) if self.norm == 1.0 else np.ones((m, 1))
        for side in (M, -M):
            conic.constrain(clarabel.NonnegativeConeT(m), [(place, side), (parts, -bound)], np.zeros(m))
        if self.norm == 1.0:
            conic.constrain(clarabel.NonnegativeConeT(1), [(parts, np.ones((1, m))), (t, -np.ones((1, 1)))], np.zeros(1))


def _power_of_two(x: float) -> float:
    return math.ldexp(1.0, math.frexp(x)[1])


def _in_units(face: Face, scale: float) -> Face:
    if scale == 1.0:
        return face
    return replace(face, features=face.features / scale, basis=face.basis / scale, rows=face.rows / scale)


def add_loss(conic: Conic, loss: Loss, y: FloatArray, F: FloatArray, size: float = 1.0) -> int | None:
    """Add L(F x, y), x the first variables; of Huber's loss, L(size F x, size y) / size.

    Returns where the multipliers of f = F x are, or None for the squared loss, whose outputs are no variables.
    """
    n = len(y)
    if loss.name == "squared":
        conic.quadratic.append((0, F.T @ F))
        for j, slope in enumerate(-(F.T @ y)):
            conic.cost[j] += float(slope)
        return None
    rows = sum(len(b) for _, b in conic.blocks)
    if loss.name == "interpolation":
        conic.constrain(clarabel.ZeroConeT(n), [(0, F)], y)
        return rows
    f = conic.variables(n)
    identity = sp.eye_array(n)
    conic.constrain(clarabel.ZeroConeT(n), [(0, F), (f, -identity)], np.zeros(n))
    nonnegative = clarabel.NonnegativeConeT(n)
    if loss.name == "l2":
        t = conic.variables(1, 1.0)
        top = sp.coo_array(([-1.0], ([0], [0])), shape=(n + 1, 1))
        below = sp.vstack([sp.coo_array((1, n)), -identity])
        conic.constrain(clarabel.SecondOrderConeT(n + 1), [(t, top), (f, below)], np.concatenate([[0.0], -y]))
    elif loss.name == "margin":
        conic.constrain(nonnegative, [(f, -sp.diags_array(y))], -np.ones(n))
    elif loss.name in ("absolute", "huber"):
        e = conic.variables(n, 1.0)  # |f - y - s| <= e, s the quadratic part
        square: list[tuple[int, Any]] = []
        if loss.name == "huber":
            s = conic.variables(n)
            conic.quadratic.append((s, size * identity))
            square = [(s, identity)]
        conic.constrain(nonnegative, [(f, identity), (e, -identity), *[(s, -m) for s, m in square]], y)
        conic.constrain(nonnegative, [(f, -identity), (e, -identity), *square], -y)
    elif loss.name in ("hinge", "squared_hinge"):
        e = conic.variables(n, 1.0 if loss.name == "hinge" else 0.0)
        if loss.name == "squared_hinge":
            conic.quadratic.append((e, 2.0 * identity))
        conic.constrain(nonnegative, [(f, -sp.diags_array(y)), (e, -identity)], -np.ones(n))
        conic.constrain(nonnegative, [(e, -identity)], np.zeros(n))
    else:  # logistic: exp(-y f - t) + exp(-t) <= 1
        t, a, b = conic.variables(n, 1.0), conic.variables(n), conic.variables(n)
        conic.constrain(nonnegative, [(a, identity), (b, identity)], np.ones(n))
        one = np.array([0.0, 1.0, 0.0])
        for i in range(n):
            up = sp.coo_array(([1.0], ([0], [0])), shape=(3, 1))
            out = sp.coo_array(([-1.0], ([2], [0])), shape=(3, 1))
            conic.constrain(clarabel.ExponentialConeT(), [(f + i, up * y[i]), (t + i, up), (a + i, out)], one)
            conic.constrain(clarabel.ExponentialConeT(), [(t + i, up), (b + i, out)], one)
    return rows
