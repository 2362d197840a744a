"""The dual constraint's left side over all cells: max over unit u of |v'phi(Xu)|, one projection a cell at most."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from .._support.nonnegative import nonnegative_least_squares
from .._support.validation import FloatArray
from ..network import Bias
from ..programs.scalar_output import Cones

__all__ = ["price"]

_EPS = float(np.finfo(np.float64).eps)
# Weight of the equation for a free bias beside those of the weights: large enough to hold it to rounding.
_BIAS_WEIGHT = 1e6


def price(
    cones: Cones, v: FloatArray, kappa: float, *, bias: Bias = False, norm: float = 2, enough: float = 0.0
) -> tuple[float, int]:
    """An upper bound on m(v) over the cells given, tight up to rounding.

    On cell i the price is linear, c_i.u with c_i = X'D_i v, and by duality

        max {c.u : u in K, ||u||_p <= 1}  =  min {||c + G'lam||_q : lam >= 0},   K = {u : G u >= 0}, 1/p + 1/q = 1.

    Any lam >= 0 gives an upper bound, so an inexact solver cannot make the result too small; what rounding may add is added.

    Parameters
    ----------
    cones : Cones
    v : ndarray, shape (n,), float64
    kappa : float
    bias, norm
        Those of the program. A free bias asks for sum(v) = 0, which is met up to rounding by the caller, or cones without a
        neuron of the bias alone: their normals lean both ways.
    enough : float
        Cells that cannot exceed this need no projection.

    Returns
    -------
    bound : float
        At least `enough`.
    n_projections : int
    """
    if not len(cones) or not len(v):
        return enough, 0
    gates = np.where(cones.patterns == 1, 1.0, kappa)
    C = (gates * v) @ cones.X
    # Each entry of C is a sum of n products of three factors, in some order.
    error = (len(v) + 4) * _EPS * max(1.0, abs(kappa)) * (np.abs(v) @ np.abs(cones.X))
    q = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}[float(norm)]
    weights = slice(0, C.shape[1] - 1) if bias == "free" else slice(None)
    slack = float(np.linalg.norm(error, ord=q))
    easy = np.full(len(C), np.inf) if bias == "free" else np.linalg.norm(C, ord=q, axis=1)
    best, projections = max(enough, 0.0), 0
    for i in np.argsort(-easy):
        if easy[i] + slack <= best:
            break
        G = cones.normals(int(i))
        for c in (C[i], -C[i]):
            lam = _multipliers(c, G, q, bias == "free")
            reached = c + G.T @ lam
            rounding = (len(lam) + 2) * _EPS * float(np.sum(np.abs(c)) + np.sum(lam))
            best = max(best, float(np.linalg.norm(reached[weights], ord=q)) + slack + rounding)
            projections += 1
    return best, projections


def _multipliers(c: FloatArray, G: FloatArray, q: float, free: bool) -> FloatArray:
    """A lam >= 0 that makes ||c + G'lam||_q small; with a free bias its last coordinate is made zero."""
    if not len(G):
        return np.zeros(0)
    if q == 2.0:
        scale = np.ones(len(c))
        if free:
            scale[-1] = _BIAS_WEIGHT
        lam = nonnegative_least_squares(G.T * scale[:, None], -c * scale)
    else:
        lam = _multipliers_linear(c, G, q, free)
    if free:  # take what is left of the bias coordinate away with one facet that leans the other way
        rest = c[-1] + G[:, -1] @ lam
        k = int(np.argmax(-np.sign(rest) * G[:, -1]))
        if rest * G[k, -1] < 0.0:
            lam[k] += abs(rest / G[k, -1])
    return np.asarray(lam)


def _multipliers_linear(c: FloatArray, G: FloatArray, q: float, free: bool) -> FloatArray:
    """The same for q = 1 and inf, by a linear program in (lam, t): |c + G'lam| <= t."""
    k, d = G.shape
    m = d - 1 if free else d
    n_t = 1 if q == np.inf else m
    T = np.ones((m, 1)) if q == np.inf else np.eye(m)
    A = np.block([[G.T[:m], -T], [-G.T[:m], -T]])
    b = np.concatenate([-c[:m], c[:m]])
    equal = {"A_eq": np.concatenate([G[:, -1], np.zeros(n_t)])[None, :], "b_eq": [-c[-1]]} if free else {}
    result = linprog(np.concatenate([np.zeros(k), np.ones(n_t)]), A_ub=A, b_ub=b, bounds=(0, None), method="highs", **equal)
    return np.maximum(result.x[:k], 0.0) if result.status == 0 else np.zeros(k)
