"""The objective (15) in filters and weights: L-BFGS to the neighbourhood of a stationary point, Newton's method to it.

L-BFGS compares objectives and so leaves a gradient of the square root of their rounding, and a gap of about as much.
Newton's method here looks at gradients alone and has no such floor.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, minres

from .._support.validation import FloatArray
from ..losses import Loss
from .lifts import Lift

__all__ = ["FactorProblem"]

_MEMORY = 30
# Newton's steps; the iterations of each; the step of the difference that stands for the Hessian, whose error is the larger
# of 1e-16 over it, rounding, and its square.
_NEWTON, _KRYLOV, _DIFFERENCE = 12, 400, 1e-5


class FactorProblem:
    """L(f(U, W), y) + beta/2 (||U||^2 + ||W||^2), over a scale of its own."""

    def __init__(self, lift: Lift, loss: Loss, y: FloatArray, beta: float, empty: float) -> None:
        self.lift, self.loss, self.y, self.beta = lift, loss, y, beta
        self.scale = max(empty, 1e-300)

    def _split(self, x: FloatArray, unit: float) -> tuple[FloatArray, FloatArray]:
        m = len(x) // (self.lift.h + self.lift.K)
        cut = self.lift.h * m
        return unit * x[:cut].reshape(self.lift.h, m), unit * x[cut:].reshape(self.lift.K, m)

    def _value(self, x: FloatArray, unit: float) -> tuple[float, FloatArray]:
        """Objective and gradient in x, filters and weights over `unit`."""
        U, W = self._split(x, unit)
        f = self.lift.outputs(U, W)
        slopes = self.lift.slopes(self.loss.gradient(f, self.y), U, W)
        total = self.loss.value(f, self.y) + 0.5 * self.beta * (float(np.sum(U * U)) + float(np.sum(W * W)))
        gradient = np.concatenate([(slopes[0] + self.beta * U).ravel(), (slopes[1] + self.beta * W).ravel()])
        return total / self.scale, gradient * (unit / self.scale)

    def minimise(self, U: FloatArray, W: FloatArray, steps: int, deadline: float) -> tuple[FloatArray, FloatArray]:
        """At most so many steps of L-BFGS; what it has at the deadline."""
        if not U.size:
            return U, W
        # One unit for filters and weights keeps their balance.
        unit = math.sqrt(max(float(np.sum(U**2)) / U.shape[1], 1e-300))

        def late(_: Any) -> None:
            if time.perf_counter() > deadline:
                raise StopIteration

        x = np.concatenate([U.ravel(), W.ravel()]) / unit
        options = {"maxiter": steps, "maxfun": 2 * steps, "maxcor": _MEMORY, "ftol": 0.0, "gtol": 0.0, "maxls": 40}
        found = minimize(self._value, x, args=(unit,), jac=True, method="L-BFGS-B", callback=late, options=options)
        return self._split(found.x, unit)

    def polish(self, U: FloatArray, W: FloatArray, deadline: float) -> tuple[FloatArray, FloatArray]:
        """Newton's method while it shortens the gradient.

        The Hessian is singular along the rotations that leave the products, and the gradient orthogonal to them: MINRES.
        """
        if not U.size:
            return U, W
        unit = math.sqrt(max(float(np.sum(U**2)) / U.shape[1], 1e-300))
        x = np.concatenate([U.ravel(), W.ravel()]) / unit
        length = float(np.linalg.norm(x))
        _, g = self._value(x, unit)
        for _ in range(_NEWTON):
            at, size = x, float(np.linalg.norm(g))
            if size == 0.0 or time.perf_counter() > deadline:
                break

            def times(p: FloatArray, at: FloatArray = at) -> FloatArray:
                p = p.ravel()
                norm = float(np.linalg.norm(p))
                if norm == 0.0:
                    return np.zeros_like(p)
                t = _DIFFERENCE * length / norm
                return np.asarray((self._value(at + t * p, unit)[1] - self._value(at - t * p, unit)[1]) / (2.0 * t))

            hessian = LinearOperator((len(x), len(x)), matvec=times, dtype=np.float64)
            step, _ = minres(hessian, -g, rtol=1e-4, maxiter=_KRYLOV)
            _, new = self._value(x + step, unit)
            if not float(np.linalg.norm(new)) < 0.5 * size:
                break
            x, g = x + step, new
        return self._split(x, unit)
