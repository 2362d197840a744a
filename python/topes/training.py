"""Training by a working set of faces and global pricing: the optimum of (7) over all cells, never written down."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ._exact_input import Values
from ._validation import FloatArray, as_beta, as_positive, as_vector
from .dual import lower_bound, zero_sum
from .errors import InputError
from .faces import Face, face_at, ray_at
from .losses import Loss, get_loss
from .master import Master
from .network import TwoLayerNetwork, penalised, weight_norm
from .newton import polish
from .outcome import best_network
from .pricing import Pricer, Pricing
from .pricing_cost import warn_if_costly
from .result import KKTResiduals, Round, Solution, Status, relative_gap
from .sliding import merged, slide

__all__ = ["Training", "train"]

_ACCURACY, _ROUGH = 1e-9, 1e-6
_MOST_ROUNDS = 200
_DIRECTIONS = 32
# Above this share of beta by which some price exceeds it, the program is solved to a conic solver's accuracy only.
_FINE = 0.05
# Faces unused for so many rounds leave the working set.
_IDLE = 1
# Local training and pricing in turn: at most so many rounds, until no price exceeds beta by more than this share or the
# objective falls by less than that share.
_SETTLING, _SETTLED, _SLOW = 40, 1e-3, 1e-3
# While prices exceed beta by more, the search for them leaves what is below this share of the best: on 3 x 10^8 cells a
# share of 0.5 took nearly three times as long to the same end.
_KEEP = 0.95
# Steps of local training in each half of a round; the share of the largest neuron below which one is none; the angle
# (radians) within which neurons are one.
_SLIDES, _UNUSED, _SAME = 100, 1e-5, 1e-2
# Rounds that neither lower the objective nor raise the bound before giving up.
_MOST_STUCK = 4
# Below this share of beta_max a network is an interpolation in all but name, and doubles do not hold the difference.
_LEAST_BETA = 1e-12


def train(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    callback: Callable[[Round], Any] | None = None,
    warm_start: Solution | TwoLayerNetwork | None = None,
    n_threads: int | None = None,
) -> Solution:
    """Train a two-layer network to its certified global optimum, whatever the number of cells.

    Minimises (3), L(f, y) + beta/2 * sum of ||w1_j||_p^2 + w2_j^2. Each round solves the convex program (7) on the faces of
    the arrangement that have paid so far, takes the dual point v, and prices it over all cells: the largest price
    bounds the optimum from below, and directions whose price exceeds beta bring new faces.

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    loss : str
        A name of `topes.losses`.
    activation : {"relu", "abs"} or float
        Slope kappa < 1 on the negative side.
    bias : {False, "penalized", "free"}
        A column of ones (Corollary II.1), or the same with its coefficient left out of the norm.
    norm : {1, 2, inf}
        p of the input weights, eq. (23).
    values : {"binary", "decimal"}
        How floats of X are read where cells are told apart.
    tol : float
        The `Solution.gap` to reach.
    max_time : float, optional
        Seconds; beyond it the best network and the bounds proved so far are returned.
    callback : callable, optional
        Called with a `Round` after each round; a true result stops.
    warm_start : Solution or TwoLayerNetwork, optional
        Its neurons are the first working set.
    n_threads : int, optional
        Of pricing; default all processors. The result does not depend on it.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        An argument does not meet its requirement, or the rank of X is too high to price over all cells.

    Examples
    --------
    >>> from topes import train
    >>> s = train([[2, 2], [3, 3], [1, 0]], [1, -1, 1], beta=0.1)
    >>> s.status.value, round(s.objective, 5), s.gap <= 1e-6
    ('certified', 1.10027, True)
    """
    start = time.perf_counter()
    the_loss, beta, tol = get_loss(loss), as_beta(beta), as_positive(tol, "tol")
    deadline = start + (math.inf if max_time is None else as_positive(max_time, "max_time"))
    targets = the_loss.check_targets(as_vector(y, "y"))
    pricer = Pricer(X, activation=activation, bias=bias, norm=norm, values=values)
    warn_if_costly(pricer, max_time)
    targets = as_vector(targets, "y", length=len(pricer.data))
    return Training(pricer, targets, beta, the_loss, tol, deadline, callback, n_threads, start).run(warm_start)


class Training:
    """The state of one run."""

    def __init__(
        self,
        pricer: Pricer,
        y: FloatArray,
        beta: float,
        loss: Loss,
        tol: float,
        deadline: float,
        callback: Callable[[Round], Any] | None,
        n_threads: int | None,
        start: float,
    ) -> None:
        self.pricer, self.y, self.beta, self.loss, self.tol = pricer, y, beta, loss, tol
        self.deadline, self.callback, self.n_threads, self.start = deadline, callback, n_threads, start
        self.free = pricer.bias == "free"
        self.empty = loss.value(np.zeros_like(y), y)
        self.seconds = {"solve": 0.0, "price": 0.0, "faces": 0.0, "slide": 0.0}
        self.n_priced = 0
        self.history: list[Round] = []
        self.best_bound, self.best_dual, self.price_at_best = -math.inf, np.zeros_like(y), 0.0
        self.other_dual: FloatArray | None = None
        self.best_value = math.inf
        self.best: tuple[list[Face], list[FloatArray]] = ([], [])

    def objective_of(self, faces: list[Face], coordinates: list[FloatArray], f: FloatArray) -> float:
        """L(f, y) + beta * sum of the norms of the blocks."""
        norms = (
            float(weight_norm(penalised((face.basis @ q)[:, None], self.pricer.bias), self.pricer.norm)[0])
            for face, q in zip(faces, coordinates, strict=False)
        )
        return self.loss.value(f, self.y) + self.beta * sum(norms)

    def solve(self, faces: list[Face], *, fine: bool = True) -> tuple[list[FloatArray], FloatArray, FloatArray]:
        """The program over these faces, to the last digits if `fine`: coordinates, outputs, dual point."""
        begin = time.perf_counter()
        if not faces and not self.free:
            f = np.zeros_like(self.y)
            return [], f, self.loss.gradient(f, self.y)
        small, y = self.compressed(faces)
        master = Master(y, self.beta, self.loss, self.pricer.norm, self.free)
        solution = master.solve(small, _ACCURACY if fine else _ROUGH)
        coordinates, f, v = solution.coordinates, solution.outputs, solution.multiplier
        self.other_dual = None
        if len(y) < len(self.y):
            f = self.outputs(faces, coordinates)
            v = self.loss.gradient(f, self.y)
        if self.pricer.norm == 2.0 and fine:
            better = polish(small, coordinates, y, self.beta, self.loss, self.free)
            at = self.outputs(faces, better)
            if self.objective_of(faces, better, at) <= self.objective_of(faces, coordinates, f):
                coordinates, f = better, at
                self.other_dual = v
                if self.loss.curvature(f, self.y, np.zeros((len(f), 0))) is not None:
                    v = self.loss.gradient(f, self.y)
        self.seconds["solve"] += time.perf_counter() - begin
        return coordinates, f, v

    def compressed(self, faces: list[Face]) -> tuple[list[Face], FloatArray]:
        """The same faces and targets in fewer rows: the squared loss sees lengths only, and a constant is no matter."""
        width = sum(face.dimension for face in faces)
        if self.loss.name != "squared" or self.free or len(self.y) <= width + 1:
            return faces, self.y
        R = np.asarray(np.linalg.qr(np.column_stack([*(face.features for face in faces), self.y]), mode="r"))
        ends = np.cumsum([0, *(face.dimension for face in faces)])
        small = [replace(face, features=R[:, a:b]) for face, (a, b) in zip(faces, pairwise(ends), strict=True)]
        return small, R[:, -1]

    def outputs(self, faces: list[Face], coordinates: list[FloatArray]) -> FloatArray:
        f = np.zeros_like(self.y)
        for face, q in zip(faces, coordinates, strict=False):
            f += face.features @ q
        return f + coordinates[-1][0] if self.free else f

    def feasible(self, v: FloatArray) -> FloatArray:
        """The point of the domain of L* next to v; with a free bias its entries sum to zero exactly."""
        v = self.loss.project_dual(v, self.y, zero_sum=self.free)
        return zero_sum(v) if self.free else v

    def price(self, v: FloatArray, faces: list[Face], coordinates: list[FloatArray], tol: float, keep: float) -> Pricing:
        begin = time.perf_counter()
        used = [face.basis @ q for face, q in zip(faces, coordinates, strict=False) if np.any(q)]
        pricing = self.pricer.price(
            v,
            floor=self.beta * (1.0 + 0.25 * self.tol),
            keep=keep,
            tol=tol,
            starts=np.stack(used, axis=1) if used else None,
            n_directions=_DIRECTIONS,
            max_seconds=None if math.isinf(self.deadline) else max(0.01, self.deadline - begin),
            n_threads=self.n_threads,
        )
        self.n_priced += pricing.n_nodes
        self.seconds["price"] += time.perf_counter() - begin
        return pricing

    def first_faces(self, warm_start: Solution | TwoLayerNetwork | None) -> list[Face]:
        """A ray for each neuron of the warm start."""
        network = warm_start.network if isinstance(warm_start, Solution) else warm_start
        if network is None:
            return []
        U = network.W1 if self.pricer.bias is False else np.vstack([network.W1, _bias_of(network)])
        if len(U) != self.pricer.data.shape[1]:
            raise InputError(f"warm_start must take {self.pricer.data.shape[1]} inputs, its bias counted, got {len(U)}")
        used = np.flatnonzero(np.any(penalised(U, self.pricer.bias) != 0.0, axis=0) & (network.w2 != 0.0))
        return [ray_at(self.pricer, U[:, j], int(np.sign(network.w2[j]))) for j in used]

    def run(self, warm_start: Solution | TwoLayerNetwork | None) -> Solution:
        """Rounds until the gap is met, a limit is, or nothing moves."""
        faces = self.first_faces(warm_start)
        coordinates, f, v = self.solve(faces)
        status: Status | None = None
        violation, stuck, fine = 1.0, 0, True
        idle: dict[tuple[object, ...], int] = {}
        if self.pricer.norm == 2.0:
            faces, coordinates, f, v, status = self.settle(faces, coordinates, f, v)
        for _ in range(_MOST_ROUNDS):
            if status is not None:
                break
            pricing, violation, moved = self.round(faces, coordinates, f, v, violation, tight=True)
            status = self.ended()
            if status is None and (stuck or not len(pricing.values)) and self.other_dual is not None:
                other, self.other_dual = self.other_dual, None  # the conic solver's own may be nearer to feasible
                pricing, violation, also = self.round(faces, coordinates, f, other, violation, tight=True)
                status, v, moved = self.ended(), other, moved or also
            stuck = 0 if moved else stuck + 1
            if status is not None or stuck > _MOST_STUCK or (fine and not len(pricing.values)):
                break
            entering = self.entering_faces(v, pricing, {face.key for face in faces})
            faces, coordinates, idle = _without_idle(faces, coordinates, idle)
            faces = _united(faces, entering or self.rays(pricing))
            fine = violation < _FINE
            coordinates, f, v = self.solve(faces, fine=fine)
        return self.finish(status or Status.NUMERICAL_FAILURE)

    def round(
        self,
        faces: list[Face],
        coordinates: list[FloatArray],
        f: FloatArray,
        v: FloatArray,
        violation: float,
        *,
        tight: bool,
    ) -> tuple[Pricing, float, bool]:
        """Price the dual point, keep the best of both sides; the new violation, and whether either side moved."""
        value = self.objective_of(faces, coordinates, f)
        moved = value < self.best_value
        if moved:
            self.best_value, self.best = value, (faces, coordinates)
        v = self.feasible(v)
        finest = 0.25 * self.tol
        width = min(0.1, max(finest, 0.1 * violation))
        pricing = self.price(v, faces, coordinates, width, _KEEP if violation > _SETTLED else 0.0)
        if tight and not len(pricing.values) and width > finest and pricing.upper_bound > self.beta * (1.0 + finest):
            pricing = self.price(v, faces, coordinates, finest, 0.0)  # all that is left is the proof
        self._refuse_tiny_beta(pricing, first=not self.history)
        bound, dual = lower_bound(self.loss, v, self.y, self.beta, pricing.upper_bound)
        if bound > self.best_bound:
            self.best_bound, self.best_dual, self.price_at_best, moved = bound, dual, pricing.upper_bound, True
        gap = relative_gap(self.best_value, self.best_bound, self.empty)
        seconds = time.perf_counter() - self.start
        self.history.append(Round(self.best_value, self.best_bound, gap, len(faces), pricing.n_nodes, seconds))
        return pricing, max(0.0, pricing.best / self.beta - 1.0), moved

    def ended(self) -> Status | None:
        """Why to stop after this round, if so."""
        stopped = self.callback is not None and self.callback(self.history[-1])
        if self.history[-1].gap <= self.tol:
            return Status.CERTIFIED
        if stopped:
            return Status.CANCELLED
        return Status.TIME_LIMIT if time.perf_counter() > self.deadline else None

    def settle(
        self, faces: list[Face], coordinates: list[FloatArray], f: FloatArray, v: FloatArray
    ) -> tuple[list[Face], list[FloatArray], FloatArray, FloatArray, Status | None]:
        """Local training and pricing in turn, until prices are near beta: then faces of the neurons it ends with."""
        violation, constant = 1.0, coordinates[len(faces) :]
        columns = [face.basis @ q for face, q in zip(faces, coordinates, strict=False)]
        U = np.array(columns).reshape(-1, self.pricer.data.shape[1]).T
        signs = np.array([float(face.sign) for face in faces])
        rays, sizes = faces, coordinates
        before = math.inf
        for _ in range(_SETTLING):
            pricing, violation, _ = self.round(rays, sizes, f, v, violation, tight=False)
            status = self.ended()
            if status is not None:
                return rays, sizes, f, v, status
            value = self.objective_of(rays, sizes, f)
            if not len(pricing.values) or violation < _SETTLED or value > (1.0 - _SLOW) * before:
                break
            before = value
            begin = time.perf_counter()
            entering = self.rays(pricing)
            A = np.stack([ray.features[:, 0] for ray in entering], axis=1)
            gain = np.maximum(-(A.T @ v) - self.beta, 0.0) / np.maximum(np.sum(A * A, axis=0), 1e-300)
            gain /= len(entering)
            U = np.hstack([U, np.stack([ray.basis[:, 0] for ray in entering], axis=1) * gain])
            signs = np.append(signs, [float(ray.sign) for ray in entering])
            shift = float(constant[0][0]) if self.free else 0.0
            U, shift = slide(self.pricer, U, signs, self.y, self.beta, self.loss, shift, _SLIDES)
            U, signs = merged(U, signs, _SAME, _UNUSED)
            U, shift = slide(self.pricer, U, signs, self.y, self.beta, self.loss, shift, _SLIDES)
            rays = [ray_at(self.pricer, U[:, j], int(signs[j])) for j in range(len(signs)) if np.any(U[:, j])]
            constant = [np.array([shift])] if self.free else []
            norms = weight_norm(penalised(U, self.pricer.bias), 2)
            sizes = [np.array([t]) for t, u in zip(norms, U.T, strict=True) if np.any(u)] + constant
            f = self.outputs(rays, sizes)
            v = self.loss.gradient(f, self.y)
            self.seconds["slide"] += time.perf_counter() - begin
        if not rays:
            return rays, sizes, f, v, None
        begin = time.perf_counter()
        faces = _united([], [face_at(self.pricer, v, ray.basis[:, 0], ray.sign) for ray in rays])
        self.seconds["faces"] += time.perf_counter() - begin
        coordinates, f, v = self.solve(faces)
        return faces, coordinates, f, v, None

    def entering_faces(self, v: FloatArray, pricing: Pricing, known: set[tuple[object, ...]]) -> list[Face]:
        """Faces of the priced directions that are not in the working set."""
        begin = time.perf_counter()
        found: dict[tuple[object, ...], Face] = {}
        for k in range(len(pricing.values)):
            # Where v'phi(Xu) > 0 the loss falls along -phi(Xu).
            face = face_at(self.pricer, v, pricing.directions[:, k], -int(pricing.signs[k]))
            if face.key not in known:
                found.setdefault(face.key, face)
        self.seconds["faces"] += time.perf_counter() - begin
        return list(found.values())

    def rays(self, pricing: Pricing) -> list[Face]:
        """The priced directions themselves: for where their faces are known and the program is not solved well enough."""
        return [
            ray_at(self.pricer, pricing.directions[:, k], -int(pricing.signs[k])) for k in range(len(pricing.values))
        ]

    def _refuse_tiny_beta(self, pricing: Pricing, *, first: bool) -> None:
        if first and pricing.best > 0.0 and self.beta < _LEAST_BETA * pricing.best:
            raise InputError(
                f"beta must be at least {_LEAST_BETA:g} times the beta at which the empty network is optimal, "
                f"{_LEAST_BETA * pricing.best:g}, got {self.beta:g}: below it the optimum interpolates in all but name"
            )

    def finish(self, status: Status) -> Solution:
        best, bound, dual, price = self.best, self.best_bound, self.best_dual, self.price_at_best
        faces, coordinates = best
        f = self.outputs(faces, coordinates) if coordinates else np.zeros_like(self.y)
        value = self.objective_of(faces, coordinates, f)
        # A smaller network may cost what the gap leaves.
        worth = max(0.01 * self.tol, 0.9 * (self.tol - relative_gap(value, bound, self.empty)))
        network, objective = best_network(self.pricer, faces, coordinates, self.y, self.beta, self.loss, worth)
        gap = relative_gap(objective, bound, self.empty)
        if status is Status.CERTIFIED and gap > self.tol:
            status = Status.NUMERICAL_FAILURE
        elif status is Status.NUMERICAL_FAILURE and gap <= self.tol:
            status = Status.CERTIFIED
        at_f = self.loss.value(f, self.y)
        penalty = (value - at_f) / self.beta
        outside = [
            float(np.maximum(0.0, -(face.rows @ q)).max(initial=0.0)) / max(float(np.linalg.norm(q)), 1e-300)
            for face, q in zip(*best, strict=False)
            if np.any(q)
        ]
        residuals = KKTResiduals(
            stationarity=max(0.0, at_f + self.loss.conjugate(dual, self.y) - float(dual @ f)) / (1.0 + at_f),
            primal_feasibility=max(outside, default=0.0),
            dual_feasibility=max(0.0, price / self.beta - 1.0),
            complementarity=abs(self.beta * penalty + float(dual @ f)) / (1.0 + at_f),
        )
        patterns = np.array([face.pattern for face in best[0]], dtype=np.uint8).reshape(len(best[0]), len(self.y))
        patterns.setflags(write=False)
        dual.setflags(write=False)
        total = time.perf_counter() - self.start
        seconds = {**self.seconds, "other": max(0.0, total - sum(self.seconds.values()))}
        return Solution(
            status,
            network,
            objective,
            bound,
            gap,
            patterns,
            dual,
            value,
            residuals,
            self.n_priced,
            "working set",
            seconds,
            tuple(self.history),
        )


def _bias_of(network: TwoLayerNetwork) -> FloatArray:
    return np.zeros(network.n_neurons) if network.b1 is None else network.b1


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


def _united(faces: list[Face], more: list[Face]) -> list[Face]:
    return list({face.key: face for face in [*faces, *more]}.values())
