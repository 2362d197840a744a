"""Training by the program (7) on a working set of faces: for any loss and norm, and where descent gets no further."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np

from .._support.validation import FloatArray
from ..pricing.found import Pricing
from ..result import Status
from .blocks import Blocks
from .by_descent import is_smooth
from .descent import Descent
from .entering import distinct
from .faces import Face, face_at, ray_at
from .judge import Judge
from .master import Master, Scaling

__all__ = ["work"]

_ACCURACY, _ROUGH = 1e-9, 1e-6
_MOST_ROUNDS = 200
# Directions a round: with more, the conic solves cost more than the rounds they save.
_ENTERING = 32
# Above this share of beta by which some price exceeds it, the program is solved to a conic solver's accuracy only.
_FINE = 0.05
# Faces unused for so many rounds leave the working set.
_IDLE = 1
# The share of the largest neuron below which one is none.
_UNUSED = 1e-5
# Scaling of the program in a row of rounds that do not move.
_OPINIONS: tuple[Scaling, ...] = ("data", "features", "data", "beta")
# Rounds in which neither side of the gap moves before giving up: without new faces, and with some.
_MOST_STUCK, _MOST_DEGENERATE = 4, 40


def work(judge: Judge, blocks: Blocks) -> Status:
    """Rounds of the conic program and pricing until the gap is met, a limit is, or nothing moves."""
    return _Work(judge).run(blocks)


class _Work:
    """The working set of one run."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.pricer, self.y, self.beta, self.loss = judge, judge.pricer, judge.y, judge.beta, judge.loss
        self.round_ball = self.pricer.norm == 2.0
        self.master_dual: FloatArray | None = None  # where it is not the dual point returned

    def run(self, blocks: Blocks) -> Status:
        judge = self.judge
        v = self.loss.gradient(blocks.outputs(self.pricer), self.y)
        status: Status | None = None
        faces = self.faces_of(blocks, v)
        coordinates, blocks, v = self.solve(faces)
        stuck, fine = 0, True
        idle: dict[tuple[object, ...], int] = {}
        for _ in range(_MOST_ROUNDS):
            pricing, moved = judge.round(blocks, v, tight=True)
            status = judge.ended()
            if status is None and (stuck or not len(pricing.values)) and self.master_dual is not None:
                other, self.master_dual = self.master_dual, None  # the conic solver's own may be nearer to feasible
                pricing, also = judge.round(blocks, other, tight=True)
                status, v, moved = judge.ended(), other, moved or also
            stuck = 0 if moved else stuck + 1
            if status is not None or (fine and not len(pricing.values)):
                break
            entering = self.entering_faces(v, pricing, {face.key for face in faces})
            if stuck > (_MOST_STUCK if not entering else _MOST_DEGENERATE):
                break
            if not stuck:  # else faces that hold no neuron may be what holds the dual point: without them it would come back
                faces, idle = _without_idle(faces, coordinates, idle)
            faces = _united(faces, entering or self.rays(pricing))
            fine = judge.violation < _FINE or stuck > 0
            # Where nothing moves the conic solver may be at its limits: other units are another opinion.
            coordinates, blocks, v = self.solve(faces, fine=fine, units=_OPINIONS[stuck % len(_OPINIONS)])
        return status or Status.NUMERICAL_FAILURE

    def solve(
        self, faces: list[Face], *, fine: bool = True, units: Scaling = "data"
    ) -> tuple[list[FloatArray], Blocks, FloatArray]:
        """The program over these faces, to the last digits if `fine`: coordinates, blocks, dual point."""
        begin = time.perf_counter()
        judge, d = self.judge, self.pricer.data.shape[1]
        if not faces and not judge.free:
            return [], Blocks.none(d), self.loss.gradient(np.zeros_like(self.y), self.y)
        small, y = self.compressed(faces)
        master = Master(y, self.beta, self.loss, self.pricer.norm, judge.free)
        solution = master.solve(small, _ACCURACY if fine else _ROUGH, units=units)
        coordinates, v = solution.coordinates, solution.multiplier
        used = [(face, q) for face, q in zip(faces, coordinates, strict=False) if np.any(q)]
        columns = np.array([face.basis @ q for face, q in used]).reshape(-1, d).T
        constant = float(coordinates[-1][0]) if judge.free else 0.0
        blocks = Blocks(columns, np.array([float(face.sign) for face, _ in used]), constant)
        if len(y) < len(self.y):
            v = self.loss.gradient(blocks.outputs(self.pricer), self.y)
        self.master_dual = None
        if self.round_ball and fine and is_smooth(self.loss, self.y):
            descent = Descent(self.pricer, self.y, self.beta, self.loss, judge.deadline)
            descent.enter(columns, blocks.signs)
            descent.constant = constant
            descent.minimise(0.02 * judge.tol)
            better = descent.blocks()
            objective = [b.objective(self.pricer, self.y, self.beta, self.loss) for b in (better, blocks)]
            if objective[0] <= objective[1]:
                blocks = better
                f = better.outputs(self.pricer)
                if is_smooth(self.loss, self.y, f):
                    self.master_dual, v = v, self.loss.gradient(f, self.y)
        judge.seconds["solve"] += time.perf_counter() - begin
        return coordinates, blocks, v

    def compressed(self, faces: list[Face]) -> tuple[list[Face], FloatArray]:
        """The same faces and targets in fewer rows: the squared loss sees lengths only, and a constant is no matter."""
        width = sum(face.dimension for face in faces)
        if self.loss.name != "squared" or self.judge.free or len(self.y) <= width + 1:
            return faces, self.y
        R = np.asarray(np.linalg.qr(np.column_stack([*(face.features for face in faces), self.y]), mode="r"))
        ends = np.cumsum([0, *(face.dimension for face in faces)])
        small = [replace(face, features=R[:, a:b]) for face, (a, b) in zip(faces, pairwise(ends), strict=True)]
        return small, R[:, -1]

    def faces_of(self, blocks: Blocks, v: FloatArray) -> list[Face]:
        """The faces that hold these directions."""
        begin = time.perf_counter()
        faces = [face_at(self.pricer, v, u, int(s)) for u, s in zip(blocks.columns.T, blocks.signs, strict=True)]
        self.judge.seconds["faces"] += time.perf_counter() - begin
        return _united([], faces)

    def entering_faces(self, v: FloatArray, pricing: Pricing, known: set[tuple[object, ...]]) -> list[Face]:
        """Faces of the priced directions that are not in the working set."""
        begin = time.perf_counter()
        found: dict[tuple[object, ...], Face] = {}
        for k in distinct(self.pricer, pricing, self.judge.violation)[:_ENTERING]:
            # Where v'phi(Xu) > 0 the loss falls along -phi(Xu).
            face = face_at(self.pricer, v, pricing.directions[:, k], -int(pricing.signs[k]))
            if face.key not in known:
                found.setdefault(face.key, face)
        self.judge.seconds["faces"] += time.perf_counter() - begin
        return list(found.values())

    def rays(self, pricing: Pricing) -> list[Face]:
        """The priced directions themselves: for where their faces are known and the program is not solved well enough."""
        chosen = distinct(self.pricer, pricing, self.judge.violation)[:_ENTERING]
        return [ray_at(self.pricer, pricing.directions[:, k], -int(pricing.signs[k])) for k in chosen]


def _without_idle(
    faces: list[Face], coordinates: list[FloatArray], idle: dict[tuple[object, ...], int]
) -> tuple[list[Face], dict[tuple[object, ...], int]]:
    """Faces in use, or in use a few rounds ago; and for how many rounds each has not been."""
    sizes = [float(np.linalg.norm(q)) for q in coordinates[: len(faces)]]
    least = _UNUSED * max(sizes, default=0.0)
    waited = [0 if size > least else idle.get(face.key, 0) + 1 for face, size in zip(faces, sizes, strict=True)]
    kept = [k for k in range(len(faces)) if waited[k] <= _IDLE]
    return [faces[k] for k in kept], {faces[k].key: waited[k] for k in kept}


def _united(faces: list[Face], more: list[Face]) -> list[Face]:
    return list({face.key: face for face in [*faces, *more]}.values())
