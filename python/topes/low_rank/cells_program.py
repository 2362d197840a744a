"""The convex program over given cells, by a working set of them: (7) over sampled patterns, (10) over rank-k cells.

    min L(sum_i D_i X (w_i - w_i'), y) + beta * sum_i ||w_i|| + ||w_i'||,   w_i and w_i' in C_i = {w : G_i Q'w >= 0}.

For (7) Q = I and G_i holds the rows of X with the signs of pattern i; for (10) X_k = Z Q' and G_i the rows of Z on the
facets of cell i. Only the cells in use are in the conic program; all given cells are priced in each round. On cell i
v'D_i X u = c.u, whose maximum over the cone and the unit ball is the length of the projection of c: of Q'c onto a cone in k
dimensions, and all of what is orthogonal to Q.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._support.nonnegative import nonnegative_least_squares
from .._support.validation import FloatArray
from ..arrangement import Arrangement
from ..dual import lower_bound
from ..errors import CellLimitError, SolverError
from ..losses import Loss
from ..programs.scalar_output import Cones
from ..training.faces import Face
from ..training.master import Master
from .split import LowRankSplit

__all__ = ["CellsSolution", "cells_of_rank_k", "patterns_as_cones", "solve_over_cells"]

_EPS = float(np.finfo(np.float64).eps)
_ROUNDS, _ENTERING = 60, 24
_ACCURACY = 1e-9
# Cones with more rows than this enter with those that matter, the others where they are violated.
_ALL_ROWS, _MORE_ROWS, _REPAIRS = 40, 20, 40
_VIOLATED = 1e-7
_HELD = 2000  # cones whose rows are kept between rounds
# Columns below this share of the largest are what the conic solver leaves of zeros.
_UNUSED = 1e-6


@dataclass(frozen=True, repr=False)
class CellsSolution:
    """A solution of the program over given cells.

    Attributes
    ----------
    U : ndarray, shape (d, m), float64
        Columns w_i and w_i' that are not zero.
    signs : ndarray, shape (m,), float64
        1 for w_i, -1 for w_i'.
    outputs : ndarray, shape (n,), float64
        sum_i D_i X (w_i - w_i'): those of the program; of a network only where the signs of X u are those of D_i.
    value, lower_bound : float
        Of the program; its optimum lies between them.
    dual : ndarray, shape (n,), float64
        Feasible for the program.
    complete : bool
        The bounds are as close as asked for.
    """

    U: FloatArray
    signs: FloatArray
    outputs: FloatArray
    value: float
    lower_bound: float
    dual: FloatArray
    complete: bool


def cells_of_rank_k(split: LowRankSplit, *, max_cells: int | None = None) -> Cones:
    """All cells of the rank-k data with their facets, enumerated exactly in the k coordinates.

    The signs of X_k computed in d dimensions would not do: a row of rounding errors has signs too.

    Raises
    ------
    CellLimitError
        There are more than `max_cells`.
    """
    try:
        return Cones.of(split.coordinates, max_cells=max_cells)
    except CellLimitError as error:
        raise CellLimitError(
            f"{error}; give a smaller rank, method='data', which writes no cell down, or method='samples'", bound=error.bound
        ) from None


def patterns_as_cones(data: FloatArray, patterns: npt.NDArray[np.uint8]) -> Cones:
    """Cones of given patterns: one row for each distinct hyperplane of the data."""
    groups = np.asarray(Arrangement(data)._core.hyperplanes)
    _, first = np.unique(groups[groups >= 0], return_index=True)
    rows = np.flatnonzero(groups >= 0)[first].astype(np.int64)
    indptr = np.arange(len(patterns) + 1, dtype=np.int64) * len(rows)
    return Cones(data, np.ascontiguousarray(patterns), indptr, np.tile(rows, len(patterns)), complete=False)


def solve_over_cells(
    data: FloatArray,
    cones: Cones,
    basis: FloatArray,
    y: FloatArray,
    beta: float,
    loss: Loss,
    kappa: float,
    *,
    tol: float,
    deadline: float,
) -> CellsSolution:
    """Solve the program to a relative gap of `tol`, or until `deadline` of `time.perf_counter`.

    Parameters
    ----------
    data : ndarray, shape (n, d), float64
        X, with a column of ones where the bias is penalised.
    cones : Cones
        Its X has shape (n, k): Z.
    basis : ndarray, shape (d, k), float64
        Q.

    Returns
    -------
    CellsSolution

    Raises
    ------
    SolverError
        The conic solver returned no point for the first working set.
    """
    solver = _Solver(data, cones, basis, y, beta, loss, kappa)
    return solver.run(tol, deadline)


class _Solver:
    def __init__(
        self, data: FloatArray, cones: Cones, basis: FloatArray, y: FloatArray, beta: float, loss: Loss, kappa: float
    ) -> None:
        self.data, self.cones, self.basis, self.y, self.beta, self.loss = data, cones, basis, y, beta, loss
        self.gates = np.where(cones.patterns == 1, 1.0, kappa)
        self.master = Master(y, beta, loss, 2.0, False)
        self.faces: dict[tuple[int, int], Face] = {}
        self.normals: dict[int, FloatArray] = {}
        self.kept: dict[tuple[int, int], npt.NDArray[np.bool_]] = {}

    def run(self, tol: float, deadline: float) -> CellsSolution:
        n, d = self.data.shape
        empty = self.loss.value(np.zeros(n), self.y)
        keys: list[tuple[int, int]] = []
        columns: list[FloatArray] = []
        f, v = np.zeros(n), self.loss.gradient(np.zeros(n), self.y)
        value, best = empty, (keys, columns, f)
        bound, dual = -np.inf, np.zeros(n)
        complete = False
        for _ in range(_ROUNDS):
            v = self.loss.project_dual(v, self.y)
            price, entering = self.price(v, self.beta * (1.0 + 0.25 * tol))
            trial, at = lower_bound(self.loss, v, self.y, self.beta, price)
            if trial > bound:
                bound, dual = trial, at
            complete = value - bound <= tol * max(abs(value), 1e-3 * empty)
            fresh = [key for key in entering if key not in self.faces]
            if complete or not fresh or time.perf_counter() > deadline:
                break
            for key in fresh:
                self.faces[key] = self.face(*key, entering[key])
            try:
                keys, columns, f, v = self.solve()
            except SolverError:
                if not columns:
                    raise
                break
            reached = self.loss.value(f, self.y) + self.beta * sum(float(np.linalg.norm(u)) for u in columns)
            if reached < value:
                value, best = reached, (keys, columns, f)
            largest = max((float(np.linalg.norm(u)) for u in columns), default=0.0)
            for key, u in zip(keys, columns, strict=True):
                if np.linalg.norm(u) <= _UNUSED * largest and key not in fresh:
                    del self.faces[key], self.kept[key]
        keys, columns, f = best
        used = [j for j, u in enumerate(columns) if np.any(u)]
        U = np.array([columns[j] for j in used]).reshape(-1, d).T
        signs = np.array([float(keys[j][1]) for j in used])
        return CellsSolution(U, signs, f, value, bound, dual, complete)

    def price(self, v: FloatArray, floor: float) -> tuple[float, dict[tuple[int, int], FloatArray]]:
        """An upper bound on the price over the cells given, and the best cells above `floor` with their directions.

        The sign of a key is that of the output weight: where v'D_i X u > 0 the loss falls along its negative.
        """
        C = (self.gates * v) @ self.data
        inside = C @ self.basis
        outside = C - inside @ self.basis.T
        sizes = np.linalg.norm(C, axis=1)
        rounding = (len(v) + self.data.shape[1] + 16) * _EPS * float(np.abs(v) @ np.linalg.norm(self.data, axis=1))
        rounding *= max(1.0, float(np.abs(self.gates).max(initial=0.0)))
        worst = floor
        found: list[tuple[float, tuple[int, int], FloatArray]] = []
        for i in np.argsort(-sizes, kind="stable"):
            if sizes[i] <= worst or (len(found) >= 4 * _ENTERING and sizes[i] <= 2.0 * worst):
                worst = max(worst, float(sizes[i]))  # bounds the cells that are left
                break
            G = self.rows(int(i))
            for sign in (1, -1):
                z = self.projected(sign * inside[i], G)
                price = float(np.hypot(np.linalg.norm(z), np.linalg.norm(outside[i])))
                if price > floor:
                    found.append((price, (int(i), -sign), self.basis @ z + sign * outside[i]))
                worst = max(worst, price)
        found.sort(key=lambda entry: -entry[0])
        return worst + rounding, {key: u for _, key, u in found[:_ENTERING]}

    def rows(self, i: int) -> FloatArray:
        """Inward unit normals of cone i in the coordinates, shape (c, k)."""
        if i not in self.normals:
            if len(self.normals) >= _HELD:
                self.normals.clear()
            self.normals[i] = self.cones.normals(i)
        return self.normals[i]

    @staticmethod
    def projected(c: FloatArray, G: FloatArray) -> FloatArray:
        """c + G'lam for the lam >= 0 that make it short; any lam >= 0 gives an upper bound."""
        return np.asarray(c + G.T @ nonnegative_least_squares(G.T, -c)) if len(G) else c

    def face(self, i: int, sign: int, toward: FloatArray) -> Face:
        """One cone as a block of the conic program, with all its rows or those next to its best direction."""
        G = self.rows(i) @ self.basis.T
        kept = np.ones(len(G), dtype=bool)
        if len(G) > _ALL_ROWS:
            heights = G @ toward
            kept = heights <= np.partition(heights, _ALL_ROWS)[_ALL_ROWS]
        self.kept[(i, sign)] = kept
        d = self.data.shape[1]
        features = sign * (self.gates[i][:, None] * self.data)
        pattern = self.cones.patterns[i].astype(bool)
        return Face(sign, np.eye(d), G[kept], features, pattern, toward, (sign, i))

    def solve(self) -> tuple[list[tuple[int, int]], list[FloatArray], FloatArray, FloatArray]:
        """The program over the cells in use, rows added until none is violated: keys, columns, outputs, dual point."""
        for _ in range(_REPAIRS):
            keys = list(self.faces)
            solution = self.master.solve([self.faces[key] for key in keys], _ACCURACY)
            largest = max(float(np.linalg.norm(q)) for q in solution.coordinates)
            repaired = False
            for key, q in zip(keys, solution.coordinates, strict=True):
                kept = self.kept[key]
                size = float(np.linalg.norm(q))
                if kept.all() or size <= _UNUSED * largest:
                    continue
                G = self.rows(key[0]) @ self.basis.T
                heights = np.where(kept, np.inf, G @ q)
                worst = np.argsort(heights)[:_MORE_ROWS]
                worst = worst[heights[worst] < -_VIOLATED * size]
                if len(worst):
                    kept[worst] = True
                    self.faces[key] = Face(**{**vars(self.faces[key]), "rows": G[kept]})
                    repaired = True
            if not repaired:
                break
        columns = [q if np.linalg.norm(q) > _UNUSED * largest else np.zeros_like(q) for q in solution.coordinates]
        f = np.zeros(len(self.y))
        for key, q in zip(keys, columns, strict=True):
            f += self.faces[key].features @ q
        return keys, columns, f, solution.multiplier
