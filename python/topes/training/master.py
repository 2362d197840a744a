"""The convex program over the working set: one conic solve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import clarabel
import numpy as np

from .._support.validation import FloatArray
from ..errors import SolverError
from ..losses import Loss
from ..network import weight_norm
from .conic import Conic, add_loss, column
from .faces import Face

__all__ = ["Master", "MasterSolution", "Scaling"]

Scaling = Literal["data", "features", "beta"]
# Targets beyond this many of the thresholds of Huber's loss.
_LARGE = 64.0


@dataclass(frozen=True)
class MasterSolution:
    """Coordinates of each face, outputs, and the multiplier of the outputs: a subgradient of the loss."""

    coordinates: list[FloatArray]
    outputs: FloatArray
    multiplier: FloatArray


class Master:
    """Solves min L(sum F_k q_k, y) + beta * sum ||N_k q_k||_p over G_k q_k >= 0."""

    def __init__(self, y: FloatArray, beta: float, loss: Loss, norm: float, free_bias: bool) -> None:
        self.y, self.beta, self.loss, self.norm, self.free_bias = y, beta, loss, norm, free_bias

    def weights(self, face: Face) -> FloatArray:
        """The rows of the basis whose norm is penalised."""
        return face.basis[:-1] if self.free_bias else face.basis

    def solve(self, faces: list[Face], accuracy: float, *, units: Scaling = "data") -> MasterSolution:
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

    def _scale(self, face: Face, units: Scaling) -> float:
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
            conic.constrain(
                clarabel.SecondOrderConeT(len(thin) + 1),
                [(t, column(len(thin) + 1, -1.0)), (place, np.vstack([np.zeros((1, k)), -thin]))],
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
