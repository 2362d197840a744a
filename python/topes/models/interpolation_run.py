"""One run of interpolation: a conic program over the faces at hand and pricing, in turn, until both sides meet.

The working set of `topes.training` with an equation in place of the loss: no beta, no smoothness to lean on, and a dual
point that is the multiplier of f = y.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ..certificate import Problem
from ..dual import zero_sum
from ..errors import SolverError
from ..jobs.pricing import Workers
from ..losses import Loss, get_loss
from ..network import penalised, weight_norm
from ..pricing.found import Pricing
from ..pricing.oracle import Pricer
from ..result import Round, Status
from ..training.faces import Face, face_at, ray_at
from ..training.master import Master, MasterSolution
from .indicator import MarginLoss
from .interpolation_result import Interpolation
from .through import network_through

__all__ = ["InterpolationRun"]

_EPS = float(np.finfo(np.float64).eps)
# Accuracy asked of the conic solver, relative.
_ACCURACY, _ROUGH = 1e-11, 1e-6
# Below this share by which a price exceeds 1 the program is solved to the full accuracy.
_FINE = 0.02
# Outputs this near to the targets, which are of size 1, are on them but for the solver's accuracy.
_NEARLY = 1e-5
_MOST_ROUNDS = 300
# Of the gap asked for, what prices may leave open; and what they may where nothing else is left to gain.
_SHARE, _LAST_SHARE = 0.25, 0.02
_DIRECTIONS = 64
# Slack costs at least so many times what the best dual point knows to be needed; the factor by which it rises.
_DEAR, _DEARER = 10.0, 10.0
# Beyond this cost of slack (times that of the first dual point) a network through y is beyond what doubles hold.
_TOO_DEAR = 1e14
# Faces below this share of the largest are not in use; those unused for so many rounds leave once the objective falls.
_UNUSED, _IDLE = 1e-5, 2
# A residual below this share of the targets is none: what sums of doubles leave.
_THROUGH = 1e-9
# Of max |y_i| / max ||x_i||: an objective below has no relative accuracy.
_LEAST_SCALE = 1e-3
# Rounds that move neither side before giving up.
_MOST_STUCK = 2


class InterpolationRun:
    """The state of one run."""

    def __init__(
        self,
        pricer: Pricer,
        y: FloatArray,
        loss: Loss,
        tol: float,
        deadline: float,
        callback: Callable[[Round], Any] | None,
        n_threads: int | None,
        start: float,
        workers: Workers | None = None,
    ) -> None:
        self.pricer, self.y, self.loss, self.tol = pricer, y, loss, tol
        self.deadline, self.callback, self.n_threads, self.start = deadline, callback, n_threads, start
        self.workers = workers
        self.free = pricer.bias == "free"
        self.seconds = {"solve": 0.0, "price": 0.0, "faces": 0.0}
        self.n_priced = 0
        self.history: list[Round] = []
        reach = float(np.linalg.norm(pricer.data[:, :-1] if self.free else pricer.data, axis=1).max(initial=0.0))
        self.least_scale = max(_LEAST_SCALE * float(np.abs(y).max(initial=0.0)) / (reach or 1.0), 1e-300)
        self.best_bound, self.best_dual = 0.0, np.zeros_like(y)
        self.best_value = math.inf
        self.best: tuple[list[Face], list[FloatArray]] = ([], [])
        self.slack_cost, self.first_cost, self.violation = 0.0, 0.0, 1.0
        self.best_is_fine, self.share = False, _SHARE
        self.spanned = True  # the working set holds a network through y

    def run(self) -> Interpolation:
        """Rounds until the gap is met, a limit is, or nothing moves."""
        faces: list[Face] = []
        coordinates: list[FloatArray] = [np.zeros(1)] if self.free else []
        v, through = -self.y, not np.any(self.y)
        if through:
            self.best_value = 0.0
            return self.finish(Status.CERTIFIED)
        idle: dict[tuple[object, ...], int] = {}
        stuck = 0
        for _ in range(_MOST_ROUNDS):
            pricing = self.price(v, faces, coordinates)
            self.record(pricing, len(faces))
            status = self.ended()
            if status is not None:
                return self.finish(status)
            known = {face.key for face in faces}
            entering = self.entering_faces(v, pricing, known)
            if not entering and not through:
                # No face helps at this price of slack: it must cost more.
                self.slack_cost *= _DEARER
                if self.slack_cost > _TOO_DEAR * self.first_cost:
                    break
            if not entering and through and self.best_is_fine:
                self.share = _LAST_SHARE  # what the prices themselves leave open is the last to gain
            stuck = stuck + 1 if not entering and through else 0
            if stuck > _MOST_STUCK:
                break
            if not faces:
                faces = self.first_rays()
            faces = [*faces, *entering]
            value = self.best_value
            coordinates, v, through = self.solve(faces)
            if self.best_value < value:
                faces, coordinates, idle = _without_idle(faces, coordinates, idle)
        return self.finish(Status.NUMERICAL_FAILURE)

    def first_rays(self) -> list[Face]:
        """A random pair of opposite rays on each hyperplane, with both signs: in general they span all outputs there are."""
        rng = np.random.default_rng(0)
        whitening, normals = self.pricer.whitening, self.pricer.reference
        U = rng.standard_normal((len(normals), whitening.shape[1])) @ whitening.T
        U -= np.sum(U * normals, axis=1, keepdims=True) * normals
        rays = [ray_at(self.pricer, s * u, sign) for u in U if np.any(u) for s in (1.0, -1.0) for sign in (1, -1)]
        return list({ray.key: ray for ray in rays}.values())

    def solve(self, faces: list[Face]) -> tuple[list[FloatArray], FloatArray, bool]:
        """The program over these faces: coordinates, dual point, whether the outputs are as asked.

        Where no combination of the faces has these outputs, slack is allowed at a price.
        """
        begin = time.perf_counter()
        # Features and targets of size one, whatever the units.
        unit = max((float(np.abs(face.features).max(initial=0.0)) for face in faces), default=0.0) or 1.0
        size = float(np.abs(self.y).max())
        margin = isinstance(self.loss, MarginLoss)
        if margin:
            size = 1.0
        small = [replace(face, features=face.features / unit) for face in faces]
        self.slack_cost = max(self.slack_cost, _DEAR * float(np.abs(self.best_dual).max()))
        fine = self.violation < _FINE
        through = self.spanned
        solution = self.conic(small, self.loss, size, 1.0, fine=fine) if self.spanned else None
        if solution is None:
            through = False
            relaxed = get_loss("hinge" if margin else "absolute")
            cost = self.slack_cost * unit
            solution = self.conic(small, relaxed, size, 1.0 / cost, fine=fine)
            if solution is None:
                raise SolverError("Clarabel found no point of a program that has one")
            self.spanned = self.outside(solution.outputs, self.y / size) <= _NEARLY
            solution = replace(solution, multiplier=solution.multiplier * cost)
        coordinates = [q * (size / unit) for q in solution.coordinates]
        if self.free:
            coordinates[-1] = solution.coordinates[-1] * size
        v = solution.multiplier / unit
        if through:
            value = self.value_of(faces, coordinates)
            if value < self.best_value or fine > self.best_is_fine:
                self.best_value, self.best, self.best_is_fine = value, (faces, coordinates), fine
        self.seconds["solve"] += time.perf_counter() - begin
        return coordinates, v, through

    def conic(self, faces: list[Face], loss: Loss, size: float, beta: float, *, fine: bool) -> MasterSolution | None:
        """The point over the faces, if there is one."""
        y = self.y / size
        try:
            solution = Master(y, beta, loss, self.pricer.norm, self.free).solve(faces, _ACCURACY if fine else _ROUGH)
        except SolverError:
            return None
        if loss is self.loss and self.outside(solution.outputs, y) > _NEARLY:
            return None
        return solution

    def outside(self, f: FloatArray, y: FloatArray) -> float:
        """How far outputs are from what is asked."""
        return float((np.maximum(0.0, 1.0 - y * f) if self.loss.needs_labels else np.abs(f - y)).max(initial=0.0))

    def value_of(self, faces: list[Face], coordinates: list[FloatArray]) -> float:
        """Sum of the norms of the blocks."""
        columns = [(face.basis @ q)[:, None] for face, q in zip(faces, coordinates, strict=False)]
        return sum(float(weight_norm(penalised(u, self.pricer.bias), self.pricer.norm)[0]) for u in columns)

    def price(self, v: FloatArray, faces: list[Face], coordinates: list[FloatArray]) -> Pricing:
        """Price the dual point and keep the bound it proves."""
        begin = time.perf_counter()
        v = self.loss.project_dual(v, self.y, zero_sum=self.free)
        v = zero_sum(v) if self.free else v
        used = [face.basis @ q for face, q in zip(faces, coordinates, strict=False) if np.any(q)]
        finest = self.share * self.tol
        for width in dict.fromkeys((min(0.1, max(finest, 0.1 * self.violation)), finest)):
            pricing = self.pricer.price(
                v,
                floor=1.0 + finest if faces else 0.0,
                keep=0.0 if faces else 0.5,
                tol=width,
                starts=np.stack(used, axis=1) if used else None,
                n_directions=_DIRECTIONS,
                max_seconds=None if math.isinf(self.deadline) else max(0.01, self.deadline - begin),
                n_threads=self.n_threads,
                workers=self.workers,
            )
            self.n_priced += pricing.n_nodes
            if len(pricing.values) or pricing.upper_bound <= 1.0 + finest:
                break  # otherwise all that is left is the proof
        self.violation = max(0.0, pricing.best - 1.0)
        # The rows and targets as they were read may be off the doubles by half an ulp.
        reach = float(np.abs(v) @ np.linalg.norm(self.pricer.data, axis=1)) * max(1.0, abs(self.pricer.kappa))
        price = pricing.upper_bound + _EPS * reach * math.sqrt(self.pricer.data.shape[1])
        if price > 0.0:
            dual = -v / price * (1.0 - 4.0 * _EPS)
            bound = float(dual @ self.y) - (len(v) + 8) * _EPS * float(np.abs(dual) @ np.abs(self.y))
            if bound > self.best_bound:
                self.best_bound, self.best_dual = bound, dual
        if self.first_cost == 0.0 and pricing.best > 0.0:
            self.first_cost = float(np.abs(v).max()) / pricing.best
            self.slack_cost = _DEAR * self.first_cost
        self.seconds["price"] += time.perf_counter() - begin
        return pricing

    def record(self, pricing: Pricing, n_faces: int) -> None:
        seconds = time.perf_counter() - self.start
        gap = self.gap(self.best_value)
        self.history.append(Round(self.best_value, self.best_bound, gap, n_faces, pricing.n_nodes, seconds))

    def gap(self, objective: float) -> float:
        return math.inf if math.isinf(objective) else (objective - self.best_bound) / max(objective, self.least_scale)

    def ended(self) -> Status | None:
        """Why to stop after this round, if so."""
        stopped = self.callback is not None and self.callback(self.history[-1])
        if self.history[-1].gap <= 0.9 * self.tol and self.best_is_fine:
            return Status.CERTIFIED
        if stopped:
            return Status.CANCELLED
        return Status.TIME_LIMIT if time.perf_counter() > self.deadline else None

    def entering_faces(self, v: FloatArray, pricing: Pricing, known: set[tuple[object, ...]]) -> list[Face]:
        """Faces of the priced directions that are not in the working set."""
        begin = time.perf_counter()
        found: dict[tuple[object, ...], Face] = {}
        for k in range(len(pricing.values)):
            face = face_at(self.pricer, v, pricing.directions[:, k], -int(pricing.signs[k]))
            if face.key not in known:
                found.setdefault(face.key, face)
        self.seconds["faces"] += time.perf_counter() - begin
        return list(found.values())

    def finish(self, status: Status) -> Interpolation:
        faces, coordinates = self.best
        margin = isinstance(self.loss, MarginLoss)
        network, residual = network_through(self.pricer, faces, coordinates, self.y, margin=margin)
        objective = network.penalty(bias=self.pricer.bias or "penalized", norm=self.pricer.norm)
        if math.isinf(self.best_value):  # no working set was solved in time
            objective = math.inf
        gap = self.gap(objective)
        scale = max(float(np.abs(self.y).max(initial=0.0)), 1e-300)
        met = gap <= self.tol and residual <= _THROUGH * scale
        if met and status is not Status.CANCELLED:
            status = Status.CERTIFIED
        elif status is Status.CERTIFIED:
            status = Status.NUMERICAL_FAILURE
        self.best_dual.setflags(write=False)
        total = time.perf_counter() - self.start
        seconds = {**self.seconds, "other": max(0.0, total - sum(self.seconds.values()))}
        return Interpolation(
            status,
            network,
            objective,
            self.best_bound,
            gap,
            residual,
            self.best_dual,
            self.n_priced,
            seconds,
            tuple(self.history),
            Problem(self.pricer, self.y, 1.0, self.loss.name),
        )


def _without_idle(
    faces: list[Face], coordinates: list[FloatArray], idle: dict[tuple[object, ...], int]
) -> tuple[list[Face], list[FloatArray], dict[tuple[object, ...], int]]:
    """Faces in use, or in use a few rounds ago; their coordinates; and for how many rounds each has not been."""
    sizes = [float(np.linalg.norm(q)) for q in coordinates[: len(faces)]]
    least = _UNUSED * max(sizes, default=0.0)
    waited = [0 if size > least else idle.get(face.key, 0) + 1 for face, size in zip(faces, sizes, strict=True)]
    kept = [k for k in range(len(faces)) if waited[k] <= _IDLE]
    rest = coordinates[len(faces) :]
    return [faces[k] for k in kept], [coordinates[k] for k in kept] + rest, {faces[k].key: waited[k] for k in kept}
