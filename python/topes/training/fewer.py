"""A network with fewer neurons among those with the same outputs at the same cost.

At an optimum every direction u with |v'phi(Xu)| = beta may carry a neuron, and any lambda >= 0 with A lambda = f is optimal:
a polytope. Its smallest member is hard to find; a vertex has at most rank(A) neurons, and some vertices have far fewer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from .._support.validation import FloatArray
from ..activation import phi
from ..pricing.oracle import Pricer
from .blocks import Blocks

__all__ = ["fewer"]

# Prices within this share of the best belong to directions that may carry a neuron.
_TIGHT = 1e-6
_MOST_DIRECTIONS, _TRIES, _REWEIGHTINGS = 400, 8, 4
# Tries without any gain after which there is none to be had: as a rule, on data in general position, from the first on.
_FRUITLESS = 2
_RANK, _NONE = 1e-9, 1e-9


def fewer(pricer: Pricer, blocks: Blocks, spare: FloatArray, dual: FloatArray, beta: float) -> Blocks | None:
    """Blocks with the same outputs, fewer of them, on directions of these blocks and of `spare`; None if none were found.

    Parameters
    ----------
    blocks : Blocks
        Of an optimum.
    spare : ndarray, shape (d, k), float64
        Directions of unit norm, which may be tight at the dual point or not.
    dual : ndarray, shape (n,), float64
        The optimal dual point.
    beta : float
    """
    if len(blocks) < 2 or not spare.shape[1] or pricer.bias == "free":
        return None
    prices = pricer.at(dual, spare)
    tight = np.flatnonzero(np.abs(prices) >= (1.0 - _TIGHT) * beta)[: _MOST_DIRECTIONS - len(blocks)]
    norms = blocks.norms(pricer)
    U = np.hstack([blocks.columns / norms, spare[:, tight]])
    values = pricer.pooled(phi(pricer.data @ U, pricer.kappa))
    signs = np.append(blocks.signs, -np.sign(dual @ values[:, len(blocks) :]))
    values *= signs
    _, s, right = np.linalg.svd(np.linalg.qr(values, mode="r"))  # lambda meets the same equations, in few rows
    rank = int(np.sum(s > _RANK * s[0]))
    if rank == len(signs):
        return None  # the only one
    rows = s[:rank, None] * right[:rank]
    target = rows[:, : len(blocks)] @ norms
    scale = float(np.abs(target).max())
    rng = np.random.default_rng(0)
    best: FloatArray | None = None
    least = len(blocks)
    for k in range(_TRIES):
        if k == _FRUITLESS and best is None:
            break
        weights = rng.uniform(0.5, 1.5, len(signs))
        before: npt.NDArray[np.bool_] | None = None
        for _ in range(_REWEIGHTINGS):
            found = linprog(weights, A_eq=rows / scale, b_eq=target / scale, bounds=(0.0, None), method="highs")
            if not found.success:
                break
            lam = np.where(found.x > _NONE * found.x.max(), found.x, 0.0)
            if np.count_nonzero(lam) < least:
                best, least = lam, int(np.count_nonzero(lam))
            if before is not None and np.array_equal(lam > 0.0, before):
                break
            before = lam > 0.0
            weights = 1.0 / (lam + 0.1 * lam.max())  # the small ones are to go
    if best is None:
        return None
    kept = np.flatnonzero(best)
    return Blocks(U[:, kept] * best[kept], signs[kept], blocks.constant)
