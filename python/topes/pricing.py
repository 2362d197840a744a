"""The dual constraint's left side over ALL cells: max over the unit ball of ||V' phi(X u)||_2, by branch and bound.

`Pricer` makes a data matrix ready once: rows on one hyperplane become one term, coordinates are chosen in which the search
is well conditioned, and what all of that may lose to rounding is bounded, so that the bound it returns is a theorem.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from . import _core
from ._exact_input import Values, as_exact_array, as_floats
from ._limits import NO_LIMIT, thread_count
from ._validation import FloatArray, choice
from .activation import kappa_of, phi
from .arrangement import Arrangement
from .errors import InputError
from .network import Bias, check_bias, penalised, weight_norm

__all__ = ["Pricer", "Pricing"]

_EPS = float(np.finfo(np.float64).eps)
# Working coordinates are u in the right singular basis times the singular values to this power: between the data's own
# metric (1: cells of even size) and the norm's (0: bounds of even quality).
_WHITENING = 0.5
_NO_SECONDS = 1e300


@dataclass(frozen=True)
class Pricing:
    """What one pricing call found.

    Attributes
    ----------
    upper_bound : float
        No unit direction has a larger price; roundings included.
    best : float
        Largest price found.
    directions : ndarray, shape (d, k), float64
        Columns of norm 1 (with a free bias, of weights of norm 1), best first.
    values : ndarray, shape (k,), float64
    signs : ndarray, shape (k,), int8
        Sign of v'phi(Xu); all 1 for several outputs.
    complete : bool
        The search was not cut short by a limit. The bound holds all the same.
    n_nodes : int
        Cones looked at.
    """

    upper_bound: float
    best: float
    directions: FloatArray
    values: FloatArray
    signs: Any
    complete: bool
    n_nodes: int


class Pricer:
    """Prices dual points over all cells of a data matrix.

    Parameters
    ----------
    X : array_like, shape (n, d)
    activation : {"relu", "abs"} or float
    bias : {False, "penalized", "free"}
        Appends a column of ones. A free bias needs dual points whose entries sum to zero exactly.
    norm : {1, 2, inf}
        p of the unit ball.
    values : {"binary", "decimal"}

    Raises
    ------
    InputError
        The rank (for p = 1 and inf the number of columns) is above `_core.MAX_PRICING_DIMENSION`.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.pricing import Pricer
    >>> pricing = Pricer([[3.0, 4.0]]).price(np.array([2.0]))
    >>> round(pricing.best, 9), pricing.upper_bound >= 10.0
    (10.0, True)
    """

    def __init__(
        self,
        X: Any,
        *,
        activation: str | float = "relu",
        bias: Bias = False,
        norm: float = 2,
        values: Values = "binary",
    ) -> None:
        exact = as_exact_array(X, "X", 2, values)
        self.bias, self.kappa = check_bias(bias), kappa_of(activation)
        self.norm = float(choice(norm, "norm", (1, 2, np.inf)))
        if self.bias is not False:
            exact = np.hstack([exact, np.ones((len(exact), 1), dtype=exact.dtype)])
        self.data = as_floats(exact)
        self.arrangement = Arrangement(exact, values=values)
        n, d = self.data.shape
        core = self.arrangement._core
        groups = np.asarray(core.hyperplanes)
        m = int(groups.max(initial=-1)) + 1
        used = groups >= 0
        reference = np.zeros((m, d))
        reference[groups[used][::-1]] = self.data[used][::-1]  # the first row of each group
        reference /= np.linalg.norm(reference, axis=1, keepdims=True) if m else 1.0
        factor = np.zeros(n)
        factor[used] = np.einsum("ij,ij->i", self.data[used], reference[groups[used]])
        self._groups, self._factor, self._used = groups, factor, used
        self._set_coordinates(reference)
        _, s, basis = np.linalg.svd(self.data, full_matrices=False)
        k = int(np.sum(s > _EPS * max(self.data.shape) * s.max(initial=0.0)))
        #: u = whitening @ z makes data @ whitening orthonormal, up to one factor; unwhitening goes back
        self.whitening = basis[:k].T * (s.max(initial=1.0) / s[:k])
        self.unwhitening = basis[:k] * (s[:k] / s.max(initial=1.0))[:, None]
        self.reference = reference  #: unit normal of each distinct hyperplane, shape (m, d)

    def _set_coordinates(self, reference: FloatArray) -> None:
        """Working coordinates w = P u, hyperplanes h with x_i = factor_i * P'h up to an error that is bounded."""
        d = self.data.shape[1]
        q = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}[self.norm]
        free = self.bias == "free"
        inputs = self.data[:, :-1] if free else self.data
        unit = np.ones(d)  # what one unit of each coordinate of the ball is in u
        if free:  # the largest abs(x_i.u) over the unit ball, rounded up: no breakpoint lies further out
            reach = float(np.linalg.norm(inputs, ord=q, axis=1).max(initial=0.0)) * (1.0 + 1e-9) if d > 1 else 0.0
            unit[-1] = reach if reach > 0.0 else 1.0
        scaled = reference * unit
        if self.norm == 2.0:
            k = d - 1 if free else d
            _, s, basis = np.linalg.svd(scaled[:, :k], full_matrices=False)
            rank = self.arrangement.rank if not free else int(np.sum(s > _EPS * len(s) * s.max(initial=0.0)))
            s, basis = np.maximum(s[:rank], 1e-300), basis[:rank]
            stretch = (s / s[0]) ** _WHITENING if rank else np.ones(0)
            into, back = stretch[:, None] * basis, basis.T / stretch
            if free:
                into, back = block_diag(into, 1.0), block_diag(back, 1.0)
                stretch, rank = np.append(stretch, 1.0), rank + 1
            self._to_working, self._from_working = into / unit, unit[:, None] * back
            self.span = block_diag(basis.T, 1.0) if free else basis.T
            normals, scale = scaled @ back, stretch
            ball = "cylinder" if free else "euclidean"
            self._inflation = 1.0 + 8 * (d + 2) * _EPS  # rows of the basis are orthonormal up to rounding
        else:
            rank = d
            self._to_working, self._from_working = np.diag(1.0 / unit), np.diag(unit)
            normals, scale = scaled, np.ones(d)
            ball = "cube" if self.norm == np.inf else "prism" if free and d > 1 else "cross"
            self._inflation = 1.0
            self.span = np.eye(d)
        if rank > _core.MAX_PRICING_DIMENSION:
            what = f"rank {rank}" if self.norm == 2.0 else f"{rank} columns"
            raise InputError(
                f"X has {what}; pricing over all cells takes at most {_core.MAX_PRICING_DIMENSION}. Use fewer features, "
                "or train_low_rank, whose lower bound holds at any rank"
            )
        self.dimension = rank
        self._normals = np.ascontiguousarray(normals)
        self._space = _core.PricingSpace(self._normals, ball, np.ascontiguousarray(scale)) if rank and len(normals) else None
        # |x_i.u - factor_i h_i.P u| over the unit ball, each i: what was left out, and the rounding of finding out.
        product = normals @ self._to_working
        rest = np.zeros_like(self.data)
        rest[self._used] = self.data[self._used] - self._factor[self._used, None] * product[self._groups[self._used]]
        size = np.abs(self.data)
        size[self._used] += np.abs(self._factor[self._used, None]) * (np.abs(normals) @ np.abs(self._to_working))[
            self._groups[self._used]
        ]
        rest = np.abs(rest) + (rank + 4) * _EPS * size
        k = inputs.shape[1]
        self._rest, self._reach = (
            (np.linalg.norm(each[:, :k], ord=q, axis=1) if k else 0.0) + each[:, k:] @ unit[k:] for each in (rest, size)
        )

    def price(
        self,
        v: FloatArray,
        *,
        floor: float = 0.0,
        keep: float = 1.0,
        tol: float = 1e-9,
        starts: FloatArray | None = None,
        n_directions: int = 16,
        max_nodes: int | None = None,
        max_seconds: float | None = None,
        n_threads: int | None = None,
        progress: Any = None,
    ) -> Pricing:
        """The largest price over all cells.

        Parameters
        ----------
        v : ndarray, shape (n,) or (n, C), float64
            Dual point; for several outputs the price is the 2-norm over them.
        floor : float
            Prices below this are of no interest: the search may bound them by it and leaves them.
        keep : float
            Nor are those below this share of the best; less than 1 gives more directions.
        tol : float
            Relative width at which the bound is close enough to the best price.
        starts : ndarray, shape (d, k), optional
            Directions that are likely good: the neurons at hand.
        n_directions : int
            Most directions to return.
        max_nodes, max_seconds : optional
            Limits; the bound holds all the same.

        Returns
        -------
        Pricing
        """
        V = np.asarray(v, dtype=np.float64)
        V = V[:, None] if V.ndim == 1 else V
        d, outputs = self.data.shape[1], V.shape[1]
        # phi(x) = kappa x + (1 - kappa) max(0, x), and max(0, -x) = max(0, x) - x: one bend a hyperplane, the rest linear.
        slope = 1.0 - self.kappa
        bend = np.zeros((len(self._normals), outputs))
        np.add.at(bend, self._groups[self._used], slope * np.abs(self._factor[self._used, None]) * V[self._used])
        linear_rows = np.where(self._factor < 0.0, 1.0, self.kappa)[:, None] * V
        by_group = np.zeros_like(bend)
        np.add.at(by_group, self._groups[self._used], self._factor[self._used, None] * linear_rows[self._used])
        sizes = np.linalg.norm(V, axis=1)
        most = max(1.0, abs(self.kappa))
        # Left out by the coordinates; lost while the terms were added up.
        slack = most * float(sizes @ self._rest)
        slack += (len(V) + 16) * _EPS * 2.0 * most * math.sqrt(outputs) * float(sizes @ self._reach)
        if self._space is None:
            return Pricing(slack, 0.0, np.zeros((d, 0)), np.zeros(0), np.zeros(0, np.int8), True, 0)
        linear = by_group.T @ self._normals
        first = np.zeros((0, self.dimension)) if starts is None else (self._to_working @ starts).T
        upper, best, complete, nodes, w, values, signs = self._space.price(
            np.ascontiguousarray(bend),
            np.ascontiguousarray(linear),
            np.ascontiguousarray(first),
            max(floor, 0.0),
            keep,
            tol,
            NO_LIMIT if max_nodes is None else max_nodes,
            _NO_SECONDS if max_seconds is None else max_seconds,
            n_directions,
            thread_count(n_threads),
            progress,
        )
        directions = self._from_working @ w.T
        return Pricing(upper * self._inflation + slack, best, directions, values, signs, complete, nodes)

    def pattern_of(self, side: Any) -> Any:
        """Pattern over the samples, shape (n,), bool, of the side of each hyperplane, shape (m,), bool; zero rows: True."""
        pattern = np.ones(len(self.data), dtype=bool)
        pattern[self._used] = side[self._groups[self._used]] == (self._factor[self._used] > 0.0)
        return pattern

    def hyperplane_of(self, samples: Any) -> Any:
        """Number of the hyperplane of each sample."""
        return self._groups[samples]

    def at(self, v: FloatArray, U: FloatArray) -> FloatArray:
        """Prices v'phi(X u) of the columns of U, shape (k,), or their 2-norms over several outputs, as they are: rounded."""
        sizes = np.maximum(weight_norm(penalised(U, self.bias), self.norm), 1e-300)
        prices = phi(self.data @ U, self.kappa).T @ v
        return np.asarray((prices if prices.ndim == 1 else np.linalg.norm(prices, axis=1)) / sizes)
