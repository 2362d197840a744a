"""Training with several outputs by conic programs: for losses without second derivatives, and where descent gets no further.

Two convex programs in turn. With the directions fixed (27) is a group lasso, min L(sum a_j g_j', Y) + beta sum ||g_j||, which
tells what new directions are worth. With each neuron held in a face, where it is N q, outputs are bilinear in q and g;
sequential quadratic programming linearises them and puts what that leaves out, the dual point's view of the face, into the
objective, cut as in `vector_descent.py` so that it stays convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import clarabel
import numpy as np
import scipy.sparse as sp

from ._validation import FloatArray
from .activation import phi
from .errors import SolverError
from .faces import Face, face_at
from .judge import Judge
from .master import Conic, add_loss
from .vector_descent import cut

__all__ = ["VectorProgram"]

_ACCURACY = 1e-10
# Steps a round, until the objective falls by less than this share.
_STEPS, _SETTLED = 12, 1e-9
_HALVINGS = 12
# Atoms below this share of the largest are none.
_NOTHING = 1e-7


@dataclass
class _Neuron:
    face: Face
    q: FloatArray
    g: FloatArray


class VectorProgram:
    """Neurons phi(X u_j) g_j' and a constant, of a problem whose judge keeps outputs as vectors of n C entries."""

    def __init__(self, judge: Judge, n_outputs: int) -> None:
        self.judge, self.pricer, self.beta, self.loss, self.y = judge, judge.pricer, judge.beta, judge.loss, judge.y
        self.C = n_outputs
        self.n = len(self.y) // n_outputs

    def solve(self, U: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Better neurons from directions U, shape (d, m); returns U, G, the constant and the dual point, shape (n, C)."""
        U, G, shift, V = self._lasso(U)
        neurons = []
        for u, g in zip(U.T, G, strict=True):
            size = float(np.linalg.norm(g))
            face = face_at(self.pricer, V @ (g / size), u, 1)
            norm = float(np.linalg.norm(self._counted(face) @ face.toward))
            root = np.sqrt(size / norm)
            neurons.append(_Neuron(face, face.toward * root, g / root))
        value = self._value(neurons, shift)
        for _ in range(_STEPS if neurons else 0):
            goal, to, multiplier = self._model(neurons, shift, V)
            for halving in range(_HALVINGS):
                t = 0.5**halving
                moved = [
                    _Neuron(a.face, a.q + t * (b.q - a.q), a.g + t * (b.g - a.g)) for a, b in zip(neurons, goal, strict=True)
                ]
                at = shift + t * (to - shift)
                now = self._value(moved, at)
                if now <= value:
                    break
            else:
                V = multiplier
                break
            done = value - now <= _SETTLED * abs(value)
            neurons, shift, value, V = moved, at, now, multiplier
            if done:
                break
        columns = np.array([a.face.basis @ a.q for a in neurons]).reshape(-1, len(U)).T
        return columns, np.array([a.g for a in neurons]).reshape(-1, self.C), shift, V

    def _counted(self, face: Face) -> FloatArray:
        return face.basis[:-1] if self.judge.free else face.basis

    def _value(self, neurons: list[_Neuron], shift: FloatArray) -> float:
        F = np.tile(shift, (self.n, 1))
        penalty = 0.0
        for a in neurons:
            F += np.outer(a.face.features @ a.q, a.g)
            penalty += float(np.linalg.norm(self._counted(a.face) @ a.q)) * float(np.linalg.norm(a.g))
        return self.loss.value(F.ravel(), self.y) + self.beta * penalty

    def _lasso(self, U: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """The group lasso over these directions; those in use."""
        norms = np.linalg.norm(U[:-1] if self.judge.free else U, axis=0)
        A = phi(self.pricer.data @ (U / norms), self.pricer.kappa)
        m, C = A.shape[1], self.C
        conic = Conic()
        conic.variables(m * C + (C if self.judge.free else 0))
        parts = [np.kron(A, np.eye(C)), *([np.kron(np.ones((self.n, 1)), np.eye(C))] if self.judge.free else [])]
        for j in range(m):
            t = conic.variables(1, self.beta)
            top = sp.coo_array(([-1.0], ([0], [0])), shape=(C + 1, 1))
            below = np.vstack([np.zeros((1, C)), -np.eye(C)])
            conic.constrain(clarabel.SecondOrderConeT(C + 1), [(t, top), (j * C, below)], np.zeros(C + 1))
        x, V = self._run(conic, np.hstack(parts))
        G = x[: m * C].reshape(m, C)
        sizes = np.linalg.norm(G, axis=1)
        used = sizes > _NOTHING * sizes.max(initial=0.0)
        shift = x[m * C : m * C + C] if self.judge.free else np.zeros(C)
        return U[:, used] / norms[used], G[used], shift, V

    def _model(
        self, neurons: list[_Neuron], shift: FloatArray, V: FloatArray
    ) -> tuple[list[_Neuron], FloatArray, FloatArray]:
        """The quadratic program around these neurons: where it leads, and its multiplier."""
        C, beta = self.C, self.beta
        conic = Conic()
        one = conic.variables(1)
        J = [np.zeros((self.n * C, 1))]
        for a in neurons:
            k = a.face.dimension
            features, out = a.face.features, a.face.features @ a.q
            at = conic.variables(k + C)
            J.append(np.kron(features, a.g[:, None]))
            J.append(np.kron(out[:, None], np.eye(C)))
            J[0] -= np.outer(out, a.g).reshape(-1, 1)
            M = self._counted(a.face)
            mixed = cut(features.T @ V, M.T @ M, beta)
            conic.quadratic.append((at, np.block([[beta * (M.T @ M), mixed], [mixed.T, beta * np.eye(C)]])))
            conic.cost[at : at + k + C] = [*(-mixed @ a.g), *(-mixed.T @ a.q)]
            if len(a.face.rows):
                conic.constrain(
                    clarabel.NonnegativeConeT(len(a.face.rows)), [(at, -a.face.rows)], np.zeros(len(a.face.rows))
                )
            elif k == 1:  # a ray
                conic.constrain(clarabel.NonnegativeConeT(1), [(at, -np.ones((1, 1)))], np.zeros(1))
        if self.judge.free:
            conic.variables(C)
            J.append(np.kron(np.ones((self.n, 1)), np.eye(C)))
        conic.constrain(clarabel.ZeroConeT(1), [(one, np.ones((1, 1)))], np.ones(1))
        x, multiplier = self._run(conic, np.hstack(J))
        found, at = [], 1
        for a in neurons:
            k = a.face.dimension
            found.append(_Neuron(a.face, x[at : at + k], x[at + k : at + k + C]))
            at += k + C
        return found, x[at : at + C] if self.judge.free else shift, multiplier

    def _run(self, conic: Conic, J: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variables and dual point of the program with L(J x, y), x the first variables."""
        width = J.shape[1]
        at = add_loss(conic, self.loss, self.y, J)
        solution = conic.solve(_ACCURACY)
        x = np.array(solution.x)
        if not np.isfinite(x).all() or "Infeasible" in str(solution.status):
            raise SolverError(f"Clarabel returned no point: status {solution.status}")
        if at is None:
            v = self.loss.gradient(J @ x[:width], self.y)
        else:
            v = np.array(solution.z)[at : at + len(self.y)]
        return x, np.asarray(v.reshape(self.n, self.C))
