"""The neurons of (27), several outputs, from directions at hand: two convex programs in turn.

With the directions fixed (27) is a group lasso, min L(sum a_j g_j' + 1 c', Y) + beta sum ||g_j||: what they are worth. With
each neuron held in a face of the arrangement, where u_j = N q_j and phi(X u_j) = A q_j, outputs are bilinear in q and g, and

    L(sum A_j q_j g_j' + 1 c', Y) + beta/2 * sum (||N_j q_j||^2 + ||g_j||^2)

is linearised inside the loss: a quadratic program over the faces, which tells where the directions go. What the
linearisation leaves out is, seen by the dual point V, dq' (A' V) dg; it goes into the objective, and with beta on the
diagonal that is convex just where no singular value of A' V exceeds beta. At an optimum over all cells none does, for that
is the dual constraint, so values beyond are cut at beta and the last steps are Newton's. The group lasso after each lets
them be whole where the loss has kinks: it makes up for the error of second order in the outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import clarabel
import numpy as np

from .._support.validation import FloatArray
from ..activation import phi
from ..errors import SolverError
from ..training.conic import Conic, add_loss, column
from ..training.faces import Face, face_at
from ..training.judge import Judge

__all__ = ["VectorProgram"]

_FAR = 20  # binary orders of magnitude
_ACCURACY, _LESS = 1e-10, (1e-8, 1e-6)
# Steps a round, until the objective falls by less than this share, or by less than a share of the gap.
_STEPS, _SETTLED, _SHARE = 8, 1e-9, 0.02
# Merged neurons are given up when the steps left, so many times as long as the last, would not get as low as before.
_PACE = 3.0
# Neurons whose directions are closer than this cosine may be one.
_NEAR = 0.9
_FAILURES, _LEAST_DAMPING = 3, 0.1
# Atoms below this share of the largest are none.
_NOTHING = 1e-7


@dataclass
class _Neuron:
    face: Face
    q: FloatArray
    g: FloatArray


class _State(NamedTuple):
    neurons: list[_Neuron]
    shift: FloatArray
    V: FloatArray
    value: float


class VectorProgram:
    """Neurons phi(X u_j) g_j' and a constant, of a problem whose judge keeps outputs as vectors of n C entries."""

    def __init__(self, judge: Judge, n_outputs: int) -> None:
        self.judge, self.loss, self.y = judge, judge.loss, judge.y
        # A power of two of data, beta and output weights where they are far from 1 still: the judge's units leave data whose
        # bias is penalised, and the conic solver's tolerances are absolute.
        unit = int(np.frexp(np.abs(judge.pricer.data).max(initial=0.0))[1])
        self._unit = unit if abs(unit) > _FAR else 0
        self.pricer, self.beta = judge.pricer.scaled(-self._unit), float(np.ldexp(judge.beta, -self._unit))
        self.C = n_outputs
        self.n = len(self.y) // n_outputs

    def solve(self, U: FloatArray, *, fixed: bool) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Neurons from directions U, shape (d, m): U, G of those in use, the constant and the dual point, shape (n, C).

        With `fixed` the directions are kept, and the dual point prices none of them above beta.
        """
        columns, G, shift, V = self._solve(U, fixed)
        return columns, np.ldexp(G, -self._unit), shift, V

    def _solve(self, U: FloatArray, fixed: bool) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        G, shift, V, value = self._lasso(U)
        used = np.flatnonzero(np.any(G != 0.0, axis=1))
        if fixed:
            return U[:, used] / np.linalg.norm(self._penalised(U[:, used]), axis=0), G[used], shift, V
        neurons = []
        for u, g in zip(U.T[used], G[used], strict=True):
            size = float(np.linalg.norm(g))
            face = face_at(self.pricer, V @ (g / size), u, 1)
            neurons.append(self._balanced(_Neuron(face, face.toward, g)))
        others = np.delete(U, used, axis=1)
        others = others / np.maximum(np.linalg.norm(self._penalised(others), axis=0), 1e-300)
        state = _State(neurons, shift, V, value)
        merged = self._merged(neurons)
        if len(merged) < len(neurons):
            other = self._improved(_State(merged, shift, V, np.inf), others, below=value)
            if other.value <= value:
                state = other
        if state.value == value:
            state = self._improved(state, others)
        G = np.array([a.g for a in state.neurons]).reshape(-1, self.C)
        return self._columns(state.neurons), G, state.shift, state.V

    def _improved(self, state: _State, others: FloatArray, below: float = np.inf) -> _State:
        """Steps of the quadratic program, each followed by the group lasso, while they lower the value.

        The columns of `others` are directions not in use. Steps are given up that at their pace will not get `below`.
        """
        settled = max(_SETTLED, _SHARE * min(1.0, self.judge.gap if self.judge.history else 1.0))
        damping, failed = 0.0, 0
        for left in reversed(range(_STEPS if state.neurons else 0)):
            try:
                goal, multiplier = self._model(state.neurons, state.V, damping, others)
                G, shift, _, value = self._lasso(np.hstack([self._columns(goal), others]))
            except SolverError:
                value = np.inf
            if value > state.value + 1e-12 * abs(state.value):
                failed += 1
                if failed > _FAILURES:
                    break
                damping = max(_LEAST_DAMPING, 10.0 * damping)
                continue
            fall = (state.value if state.value < np.inf else below) - value
            done = fall <= settled * abs(value) if value <= below else 0.0 < _PACE * left * fall < value - below
            moved = [_Neuron(a.face, a.q, g) for a, g in zip(goal, G[: len(goal)], strict=True) if np.any(g)]
            for u, g in zip(others.T, G[len(goal) :], strict=True):
                if np.any(g):
                    face = face_at(self.pricer, multiplier @ (g / np.linalg.norm(g)), u, 1)
                    moved.append(_Neuron(face, face.toward, g))
            state = _State([self._balanced(a) for a in moved], shift, multiplier, value)
            damping = 0.1 * damping if damping > _LEAST_DAMPING else 0.0
            if done or not moved:
                break
        return state

    def _columns(self, neurons: list[_Neuron]) -> FloatArray:
        d = self.pricer.data.shape[1]
        return np.asarray(np.array([a.face.basis @ a.q for a in neurons]).reshape(-1, d).T)

    def _balanced(self, neuron: _Neuron) -> _Neuron:
        """Both layers of equal norm; input weights of norm 1 beforehand."""
        size = float(np.linalg.norm(self._counted(neuron.face) @ neuron.q))
        root = np.sqrt(float(np.linalg.norm(neuron.g)))
        return _Neuron(neuron.face, neuron.q / size * root, neuron.g / root)

    def _merged(self, neurons: list[_Neuron]) -> list[_Neuron]:
        """Neurons of one face that point nearly the same way, in both layers, as the best single one for the sum of theirs.

        The steps that follow make up for the difference: many copies of one neuron are what makes them short.
        """
        kept: list[_Neuron] = []
        for a in neurons:
            for at, b in enumerate(kept):
                if a.face.key == b.face.key and _cosine(a.q, b.q) > _NEAR and _cosine(a.g, b.g) > _NEAR:
                    left, sizes, right = np.linalg.svd(np.outer(a.q, a.g) + np.outer(b.q, b.g), full_matrices=False)
                    root = np.sqrt(sizes[0]) * (1.0 if left[:, 0] @ b.q >= 0.0 else -1.0)
                    kept[at] = _Neuron(b.face, root * left[:, 0], root * right[0])
                    break
            else:
                kept.append(a)
        return kept

    def _counted(self, face: Face) -> FloatArray:
        return self._penalised(face.basis)

    def _penalised(self, U: FloatArray) -> FloatArray:
        return U[:-1] if self.judge.free else U

    def _lasso(self, U: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """The group lasso over these directions, each of norm 1: output weights, constant, dual point and value."""
        norms = np.linalg.norm(self._penalised(U), axis=0)
        A = phi(self.pricer.data @ (U / np.maximum(norms, 1e-300)), self.pricer.kappa)
        A[:, norms <= _NOTHING * np.linalg.norm(U, axis=0)] = 0.0
        m, C = A.shape[1], self.C
        if not m and not self.judge.free:
            zero = np.zeros_like(self.y)
            V = self.loss.gradient(zero, self.y).reshape(self.n, C)
            return np.zeros((0, C)), np.zeros(C), V, self.loss.value(zero, self.y)
        conic = Conic()
        conic.variables(m * C + (C if self.judge.free else 0))
        parts = [np.kron(A, np.eye(C)), *([np.kron(np.ones((self.n, 1)), np.eye(C))] if self.judge.free else [])]
        for j in range(m):
            self._penalise(conic, j * C)
        x, V = self._run(conic, np.hstack(parts))
        G = x[: m * C].reshape(m, C)
        sizes = np.linalg.norm(G, axis=1)
        G = np.where((sizes > _NOTHING * sizes.max(initial=0.0))[:, None], G, 0.0)
        shift = x[m * C : m * C + C] if self.judge.free else np.zeros(C)
        value = self.loss.value((A @ G + shift).ravel(), self.y) + self.beta * float(np.linalg.norm(G, axis=1).sum())
        return G, shift, V, value

    def _penalise(self, conic: Conic, place: int) -> None:
        """Add beta ||g||, g the C variables from this place on."""
        C = self.C
        t = conic.variables(1, self.beta)
        below = np.vstack([np.zeros((1, C)), -np.eye(C)])
        conic.constrain(clarabel.SecondOrderConeT(C + 1), [(t, column(C + 1, -1.0)), (place, below)], np.zeros(C + 1))

    def _model(
        self, neurons: list[_Neuron], V: FloatArray, damping: float, others: FloatArray
    ) -> tuple[list[_Neuron], FloatArray]:
        """The quadratic program around these neurons: where it leads, and its multiplier."""
        C, beta = self.C, self.beta
        conic = Conic()
        one = conic.variables(1)
        J: list[Any] = [np.zeros((self.n * C, 1))]
        for a in neurons:
            k = a.face.dimension
            features, out = a.face.features, a.face.features @ a.q
            at = conic.variables(k + C)
            J += [np.kron(features, a.g[:, None]), np.kron(out[:, None], np.eye(C))]
            J[0] -= np.outer(out, a.g).reshape(-1, 1)
            M = self._counted(a.face)
            mixed = _cut(features.T @ V, M.T @ M, beta)
            H = np.block([[beta * (M.T @ M), mixed], [mixed.T, beta * np.eye(C)]]) + damping * beta * np.eye(k + C)
            conic.quadratic(at, H)
            pull = damping * beta
            conic.cost[at : at + k + C] = [*(-mixed @ a.g - pull * a.q), *(-mixed.T @ a.q - pull * a.g)]
            if len(a.face.rows):
                conic.constrain(
                    clarabel.NonnegativeConeT(len(a.face.rows)), [(at, -a.face.rows)], np.zeros(len(a.face.rows))
                )
            elif k == 1:  # a ray
                conic.constrain(clarabel.NonnegativeConeT(1), [(at, -np.ones((1, 1)))], np.zeros(1))
        if self.judge.free:
            conic.variables(C)
            J += [np.kron(np.ones((self.n, 1)), np.eye(C))]
        # Directions not in use, fixed: the dual point is to price them, too, at no more than beta.
        A = phi(self.pricer.data @ others, self.pricer.kappa)
        places = [conic.variables(C) for _ in range(others.shape[1])]
        J += [np.kron(a[:, None], np.eye(C)) for a in A.T]
        for place in places:
            self._penalise(conic, place)
        conic.constrain(clarabel.ZeroConeT(1), [(one, np.ones((1, 1)))], np.ones(1))
        x, multiplier = self._run(conic, np.hstack(J))
        found, at = [], 1
        for a in neurons:
            k = a.face.dimension
            found.append(_Neuron(a.face, x[at : at + k], x[at + k : at + k + C]))
            at += k + C
        return found, multiplier

    def _run(self, conic: Conic, J: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variables and dual point of the program with L(J x, y), x the first variables."""
        width = J.shape[1]
        at = add_loss(conic, self.loss, self.y, J)
        for accuracy in (_ACCURACY, *_LESS):  # a program that is feasible and bounded may still be called infeasible
            solution = conic.solve(accuracy)
            x = np.array(solution.x)
            if np.isfinite(x).all() and "Infeasible" not in str(solution.status):
                break
        else:
            raise SolverError(f"Clarabel returned no point: status {solution.status}")
        if at is None:
            v = self.loss.gradient(J @ x[:width], self.y)
        else:
            v = np.array(solution.z)[at : at + len(self.y)]
        return x, np.asarray(v.reshape(self.n, self.C))


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a)) * float(np.linalg.norm(b)), 1e-300)


def _cut(mixed: FloatArray, counted: FloatArray, beta: float) -> FloatArray:
    """The M next to `mixed` for which [beta * counted, M; M', beta I] has no negative eigenvalue."""
    values, vectors = np.linalg.eigh(counted)
    roots = np.sqrt(np.where(values > 1e-9, values, 0.0))
    left, sizes, right = np.linalg.svd((vectors / np.where(roots > 0.0, roots, np.inf)).T @ mixed, full_matrices=False)
    return np.asarray((vectors * roots) @ ((left * np.minimum(sizes, beta)) @ right))
