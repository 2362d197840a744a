"""The dual constraint's left side over ALL cells: max over the unit ball of ||V' phi(X u)||_2, by branch and bound.

`Pricer` makes a data matrix ready once: rows on one hyperplane become one term, coordinates are chosen in which the search
is well conditioned, and what all of that may lose to rounding is bounded, so that the bound it returns is a theorem.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from .. import _core
from .._support.exact_input import Values, as_exact_array, as_floats
from .._support.limits import NO_LIMIT, thread_count
from .._support.validation import FloatArray, choice
from ..activation import kappa_of, phi
from ..arrangement import Arrangement
from ..errors import RankLimitError
from ..jobs.pricing import PricingOptions, Workers
from ..network import Bias, check_bias, penalised, pooled, weight_norm
from .flat import ascend, spectral_norm
from .found import Cover, Pricing
from .normals import unit_normals

__all__ = ["Pricer"]

_EPS = float(np.finfo(np.float64).eps)
# Working coordinates are u in the right singular basis times the singular values to this power: between the data's own
# metric (1: cells of even size) and the norm's (0: bounds of even quality).
_WHITENING = 0.5
_NO_SECONDS = 1e300
_SLICE = _core.PRICING_SLICE  # cones


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
    pool : int
        So many consecutive rows of X are the patches of one sample, whose feature is the mean of theirs, (13); it divides
        the number of rows. Dual points and targets then have one entry for each sample.

    Raises
    ------
    InputError
        The rank (for p = 1 and inf the number of columns) is above `_core.MAX_PRICING_DIMENSION`.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.pricing.oracle import Pricer
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
        pool: int = 1,
    ) -> None:
        exact = as_exact_array(X, "X", 2, values)
        self.pool = pool
        self.n_samples = len(exact) // pool
        self.bias, self.kappa = check_bias(bias), kappa_of(activation)
        self.norm, self.values = float(choice(norm, "norm", (1, 2, np.inf))), values
        if self.bias is not False:
            exact = np.hstack([exact, np.ones((len(exact), 1), dtype=exact.dtype)])
        self.data = as_floats(exact)
        self.arrangement = Arrangement(exact, values=values)
        self.hyperplanes = np.asarray(self.arrangement._core.hyperplanes)
        self._used = self.hyperplanes >= 0
        self._spectral_norm: float | None = None
        self._make_ready()

    def _make_ready(self) -> None:
        """All that follows from the data."""
        #: unit normal of each distinct hyperplane, shape (m, d)
        self.reference, self.factor = unit_normals(self.data, self.hyperplanes)
        self._set_coordinates(self.reference)
        _, s, basis = np.linalg.svd(self.data, full_matrices=False)
        k = int(np.sum(s > _EPS * max(self.data.shape) * s.max(initial=0.0)))
        #: u = whitening @ z makes data @ whitening orthonormal, up to one factor; unwhitening goes back
        self.whitening = basis[:k].T * (s.max(initial=1.0) / s[:k])
        self.unwhitening = basis[:k] * (s[:k] / s.max(initial=1.0))[:, None]

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
            basis = basis[:rank]
            # Exact ranks count directions in which doubles differ by a rounding: there a singular value is noise, or 0.
            stretch = np.maximum(s[:rank] / s[0], _EPS) ** _WHITENING if rank else np.ones(0)
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
            raise RankLimitError(
                f"X has {what}; pricing over all cells takes at most {_core.MAX_PRICING_DIMENSION}. Use fewer features, "
                "or train_low_rank, whose lower bound holds at any rank"
            )
        self.dimension = rank
        self._normals = np.ascontiguousarray(normals)
        self._scale, self._bias_reach = np.ascontiguousarray(scale), float(unit[-1]) if free else 0.0
        self._ball = ball
        self._space = self._pricing_space()
        # |x_i.u - factor_i h_i.P u| over the unit ball, each i: what was left out, and the rounding of finding out.
        product = normals @ self._to_working
        rest = np.zeros_like(self.data)
        rest[self._used] = self.data[self._used] - self.factor[self._used, None] * product[self.hyperplanes[self._used]]
        size = np.abs(self.data)
        size[self._used] += np.abs(self.factor[self._used, None]) * (np.abs(normals) @ np.abs(self._to_working))[
            self.hyperplanes[self._used]
        ]
        rest = np.abs(rest) + (rank + 4) * _EPS * size
        k = inputs.shape[1]
        self._rest, self._reach = (
            (np.linalg.norm(each[:, :k], ord=q, axis=1) if k else 0.0) + each[:, k:] @ unit[k:] for each in (rest, size)
        )

    def in_units(self, exponent: int) -> Pricer:
        """The pricer of 2^exponent times the inputs; a column of ones, and the arrangement, stay as they are."""
        other = copy.copy(self)
        k = self.data.shape[1] - (self.bias is not False)
        other.data = np.hstack([np.ldexp(self.data[:, :k], exponent), self.data[:, k:]])
        other._spectral_norm = None
        other._make_ready()
        return other

    def scaled(self, exponent: int) -> Pricer:
        """The pricer of 2^exponent times the data, for its data and hyperplanes: prices are not asked of it."""
        other = copy.copy(self)
        other.data, other.factor = np.ldexp(self.data, exponent), np.ldexp(self.factor, exponent)
        return other

    def _pricing_space(self) -> _core.PricingSpace | None:
        some = self.dimension > 0 and len(self._normals) > 0
        return _core.PricingSpace(self._normals, self._ball, self._scale) if some else None

    def _elsewhere(
        self,
        workers: Workers | None,
        bend: FloatArray,
        linear: FloatArray,
        options: PricingOptions,
        max_seconds: float | None,
    ) -> Any:
        """Who searches pieces in the place of threads of this process."""
        if workers is None:
            return None
        return workers.call((self._normals, self._ball, self._scale), bend, linear, options, max_seconds)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_space": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._space = self._pricing_space()

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
        reallot: bool = False,
        workers: Workers | None = None,
    ) -> Pricing:
        """The largest price over all cells.

        Parameters
        ----------
        v : ndarray, shape (n,) or (n, C), float64
            Dual point; for several outputs the price is the 2-norm over them.
        floor : float
            Prices below this are of no interest: the search may bound them by it and leaves them.
        keep : float
            Nor are those below this share of the way from `floor` to the best; less than 1 gives more directions.
        tol : float
            Relative width at which the bound is close enough to the best price.
        starts : ndarray, shape (d, k), optional
            Directions that are likely good: the neurons at hand.
        n_directions : int
            Most directions to return.
        max_nodes, max_seconds : optional
            Limits; the bound holds all the same.
        reallot : bool
            Each part of space has its share of `max_nodes`; what some leave goes to those that ran out, which begin again:
            up to twice as many cones are looked at.
        workers : Workers, optional
            Of `topes.jobs.pricing.workers`: who searches what this process does not finish at once. The result is the same.

        Returns
        -------
        Pricing
        """
        V = np.asarray(v, dtype=np.float64)
        V = V[:, None] if V.ndim == 1 else V
        V = self.spread(V)  # pool times the price of v: a division here would round, and a zero sum would not stay one
        d, outputs = self.data.shape[1], V.shape[1]
        sizes = np.linalg.norm(V, axis=1)
        most = max(1.0, abs(self.kappa))
        # Left out by the coordinates; lost while the terms were added up.
        slack = most * float(sizes @ self._rest)
        slack += (len(V) + 16) * _EPS * 2.0 * most * math.sqrt(outputs) * float(sizes @ self._reach)
        if self._space is None:
            return Pricing(slack / self.pool, 0.0, np.zeros((d, 0)), np.zeros(0), np.zeros(0, np.int8), True, 0)
        flat = self._flat(V, floor, keep, tol, starts, n_directions)
        if flat is not None:
            return flat
        bend, linear, unit = self._terms(V)
        first = self._first(starts)
        level = max(floor, 0.0) * self.pool / unit
        options = PricingOptions(level, keep, tol, n_directions, False, _SLICE)
        upper, best, complete, nodes, w, values, signs = self._space.price(
            bend,
            linear,
            first,
            level,
            keep,
            tol,
            NO_LIMIT if max_nodes is None else max_nodes,
            _NO_SECONDS if max_seconds is None else max_seconds,
            n_directions,
            thread_count(n_threads),
            progress,
            reallot,
            self._elsewhere(workers, bend, linear, options, max_seconds),
            options.slice,
        )
        directions = self._from_working @ w.T
        upper = upper * unit * self._inflation + slack
        if self.pool > 1:
            upper *= (1.0 + 2.0 * _EPS) / self.pool
        unit /= self.pool
        return Pricing(upper, best * unit, directions, values * unit, signs, complete, nodes)

    def _flat(
        self, V: FloatArray, floor: float, keep: float, tol: float, starts: FloatArray | None, n_directions: int
    ) -> Pricing | None:
        """Of several outputs, where a bound by norms is as good as a search has to be; V has a row for each row of data."""
        if V.shape[1] == 1 or self.norm != 2.0 or self.bias == "free":
            return None
        if self._spectral_norm is None:
            self._spectral_norm = spectral_norm(self.data)
        upper = max(1.0, abs(self.kappa)) * self._spectral_norm * spectral_norm(V) / self.pool * (1.0 + 4.0 * _EPS)
        U, values = ascend(self.data, V / self.pool, self.kappa, self.data[:0].T if starts is None else starts, upper)
        best = float(values.max(initial=0.0))
        if upper > max(floor, best * (1.0 + tol)):
            return None
        kept = np.flatnonzero((values > floor) & (values >= keep * best))[:n_directions]
        return Pricing(upper, best, U[:, kept], values[kept], np.ones(len(kept), np.int8), True, 0)

    def pooled(self, H: FloatArray) -> FloatArray:
        """Means over the patches of each sample, shape (n_samples, ...), of what has one row for each patch."""
        return pooled(H, self.pool)

    def spread(self, v: FloatArray) -> FloatArray:
        """The entry of each sample repeated for its patches: `pool` times the transpose of `pooled`."""
        return v if self.pool == 1 else np.repeat(v, self.pool, axis=0)

    def _first(self, starts: FloatArray | None) -> FloatArray:
        """The starts in working coordinates, one a row; a free bias beyond the last breakpoint changes no price."""
        if starts is None:
            return np.zeros((0, self.dimension))
        first = np.ascontiguousarray((self._to_working @ starts).T)
        if self.bias == "free":
            most = weight_norm(starts[:-1], self.norm)
            first[:, -1] = np.clip(first[:, -1], -most, most)
        return first

    def _terms(self, V: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Weights of the bends, shape (m, C), the linear part, shape (C, dimension), in working coordinates; their unit.

        The unit is a power of two, so that the core may square what it gets.
        """
        # phi(x) = kappa x + (1 - kappa) max(0, x), and max(0, -x) = max(0, x) - x: one bend a hyperplane, the rest linear.
        slope = 1.0 - self.kappa
        bend = np.zeros((len(self._normals), V.shape[1]))
        np.add.at(bend, self.hyperplanes[self._used], slope * np.abs(self.factor[self._used, None]) * V[self._used])
        linear_rows = np.where(self.factor < 0.0, 1.0, self.kappa)[:, None] * V
        by_group = np.zeros_like(bend)
        np.add.at(by_group, self.hyperplanes[self._used], self.factor[self._used, None] * linear_rows[self._used])
        linear = np.ascontiguousarray(by_group.T @ self._normals)
        most = max(float(np.abs(bend).max(initial=0.0)), float(np.abs(linear).max(initial=0.0)))
        unit = math.ldexp(1.0, max(-1000, math.frexp(most)[1])) if most > 0.0 else 1.0
        return bend / unit, linear / unit, unit

    def cover(
        self,
        v: FloatArray,
        *,
        floor: float = 0.0,
        tol: float = 1e-9,
        starts: FloatArray | None = None,
        max_seconds: float | None = None,
        n_threads: int | None = None,
        workers: Workers | None = None,
    ) -> Cover:
        """Price a dual point and write down the cones that prove the bound, for a checker to walk.

        Parameters
        ----------
        v, floor, tol, starts, max_seconds, workers
            As for `price`: no cone need be bounded by less than `floor`, or by less than 1 + tol times the largest price.

        Returns
        -------
        Cover
        """
        r = self.dimension
        none = np.zeros(0, dtype=np.uint32)
        parts: Any = (np.zeros(0, np.uint8), np.zeros(0, np.uint16), np.zeros((0, r)), none, none, np.zeros(0))
        V = np.asarray(v, dtype=np.float64)
        V = self.spread(V[:, None] if V.ndim == 1 else V)
        # Without cones the bound by norms is meant.
        if self._space is not None and self._flat(V, floor, 1.0, tol, starts, 0) is None:
            bend, linear, unit = self._terms(V)
            first = self._first(starts)
            level = max(floor, 0.0) * self.pool / unit
            _, _, *parts = self._space.cover(
                bend,
                linear,
                first,
                level,
                tol,
                NO_LIMIT,
                _NO_SECONDS if max_seconds is None else max_seconds,
                thread_count(n_threads),
                None,
                self._elsewhere(workers, bend, linear, PricingOptions(level, 1.0, tol, 0, True, _SLICE), max_seconds),
            )
            parts[2] = parts[2] * unit
        return Cover(self._scale, self._to_working, self._normals, self.hyperplanes, self.factor, self._bias_reach, *parts)

    def pattern_of(self, side: Any) -> Any:
        """Pattern over the samples, shape (n,), bool, of the side of each hyperplane, shape (m,), bool; zero rows: True."""
        pattern = np.ones(len(self.data), dtype=bool)
        pattern[self._used] = side[self.hyperplanes[self._used]] == (self.factor[self._used] > 0.0)
        return pattern

    def hyperplane_of(self, samples: Any) -> Any:
        """Number of the hyperplane of each sample."""
        return self.hyperplanes[samples]

    def at(self, v: FloatArray, U: FloatArray) -> FloatArray:
        """Prices v'phi(X u) of the columns of U, shape (k,), or their 2-norms over several outputs, as they are: rounded."""
        sizes = np.maximum(weight_norm(penalised(U, self.bias), self.norm), 1e-300)
        prices = self.pooled(phi(self.data @ U, self.kappa)).T @ v
        return np.asarray((prices if prices.ndim == 1 else np.linalg.norm(prices, axis=1)) / sizes)
