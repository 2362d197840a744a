"""X = Z Q' + E: coordinates in a few directions, and all that the rest can add to a price.

The price m(v) is the largest abs(v'phi(Xu)) over unit u. With a = QQ'u and b = u - a, orthogonal to each other,

    v'phi(Xu) = v'phi(Z Q'u) + (v'phi(Z Q'u + E u) - v'phi(Z Q'u))  <=  m_k(v) ||a|| + c(v) ||b||,

where m_k prices the rows of Z and c(v) bounds the second term. As ||a||^2 + ||b||^2 = 1,

    m(v) <= sqrt(m_k(v)^2 + c(v)^2),

for every v, any rank and any choice of Q. With phi(t) = mid t + half abs(t), mid = (1 + kappa) / 2, half = (1 - kappa) / 2,

    c(v) = max over unit b of  abs(mid v'E b) + half sum_i abs(v_i) abs(e_i.b),

which is at most R ||v||_2 sigma_(k+1), R = max(1, abs(kappa)), and usually well below it (`topes.norm_bound`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._support.validation import FloatArray
from .norm_bound import bound_absolute_sum

__all__ = ["LowRankSplit"]

_EPS = float(np.finfo(np.float64).eps)
_ADAPTATIONS = 5
_TINY = 1e-150  # above what underflow can lose; its square is a normal number


@dataclass(frozen=True, repr=False)
class LowRankSplit:
    """X = Z Q' + E, E exactly what is left; see the module.

    Attributes
    ----------
    data : ndarray, shape (n, d), float64
        X, with a last column of ones where the bias is penalised; its largest entry about 1, so that squares neither
        overflow nor vanish.
    basis : ndarray, shape (d, k), float64
        Q, orthonormal up to rounding, which `stretch` and `slack` cover.
    coordinates : ndarray, shape (n, k), float64
        Z: what is priced.
    residual : ndarray, shape (n, d), float64
        E, up to rounding.
    residual_norm : float
        At least ||E||_2: sigma_(k+1) of X where Q is that of the best rank-k approximation. Units of X.
    stretch : float
        At least sqrt(||Q'u||^2 + ||u - QQ'u||^2) over unit u: 1 up to rounding.
    slack : ndarray, shape (n,), float64
        At least abs(e_i.QQ'u) and what rounding left out of the computed e_i, over unit u.
    """

    data: FloatArray
    basis: FloatArray
    coordinates: FloatArray
    residual: FloatArray
    residual_norm: float
    stretch: float
    slack: FloatArray

    @property
    def rank(self) -> int:
        """k."""
        return int(self.basis.shape[1])

    @classmethod
    def of(cls, data: FloatArray, rank: int, weights: FloatArray | None = None) -> LowRankSplit:
        """Split along the leading right singular vectors of the rows, each times its weight.

        Parameters
        ----------
        data : ndarray, shape (n, d), float64
        rank : int
            k, at least 1 and at most d.
        weights : ndarray, shape (n,), optional
            None: the best approximation of rank k in the 2-norm, X_k of eq. (10).

        Examples
        --------
        >>> import numpy as np
        >>> split = LowRankSplit.of(np.array([[3.0, 0.0], [0.0, 1.0]]), 1)
        >>> round(split.residual_norm, 9), split.coordinates.round(9).tolist() in ([[3.0], [0.0]], [[-3.0], [0.0]])
        (1.0, True)
        """
        n, d = data.shape
        rows = data if weights is None else data * (weights / max(float(weights.max(initial=0.0)), 1e-300))[:, None]
        if rank == d or n == 0 or not np.any(rows):
            return cls.along(data, np.eye(d)[:, :rank])
        return cls.along(data, _leading(rows, rank))

    @classmethod
    def adapted(cls, data: FloatArray, rank: int, v: FloatArray, kappa: float) -> LowRankSplit:
        """Split along directions that make the tail of v small: a row that v hardly sees may be left out further.

        The tail is at most sqrt(sum s) sqrt(lambda_max(M(s))) of what is left (`topes.norm_bound`), so the leading
        eigenvectors of M(s) of the whole data are taken out, and s found anew. A heuristic: the bound holds for any split.
        """
        best = cls.of(data, rank)
        lengths = np.linalg.norm(data, axis=1)
        sizes = np.abs(v)
        if rank == data.shape[1] or not np.any(sizes * lengths) or best.residual_norm <= 1e-12 * float(lengths.max()):
            return best
        mid, half = 0.5 * (1.0 + kappa), 0.5 * (1.0 - kappa)
        least, _, _ = best.tail(v, kappa)
        split = cls.of(data, rank, np.sqrt(sizes / np.maximum(lengths, 1e-12 * lengths.max())))
        lean = mid * (v @ data)
        for _ in range(_ADAPTATIONS):
            tail, _, B = split._tail(v, kappa)
            if tail < least:
                best, least = split, tail
            seen = np.linalg.norm(split.residual @ B, axis=1)
            seen = np.maximum(seen, 0.02 * np.linalg.norm(split.residual, axis=1))
            used = (seen > 1e-12 * lengths.max()) & (sizes > 0.0)
            drift = max(float(np.linalg.norm(mid * (v @ split.residual) @ B)), 1e-9 * float(np.linalg.norm(lean)), 1e-300)
            rows = np.vstack([data[used] * np.sqrt(half * sizes[used] / seen[used])[:, None], lean / np.sqrt(drift)])
            split = cls.of(data, rank) if not np.any(rows) else cls.along(data, _leading(rows, rank))
        return split if split.tail(v, kappa)[0] < least else best

    @classmethod
    def along(cls, data: FloatArray, basis: FloatArray) -> LowRankSplit:
        """Split along the columns of `basis`, shape (d, k), which are orthonormal up to rounding."""
        n, d = data.shape
        rank = basis.shape[1]
        Q = np.ascontiguousarray(basis)
        exact = rank == d  # Q = I: nothing is left
        Z = np.ascontiguousarray(data @ Q) if not exact else data.copy()
        E = data - Z @ Q.T if not exact else np.zeros_like(data)
        # E is exactly X - Z Q', computed with k + 2 roundings an entry.
        left_out = (rank + 2) * _EPS * (np.abs(data) + np.abs(Z) @ np.abs(Q.T)) + _TINY
        skew = float(np.linalg.norm(np.eye(rank) - Q.T @ Q)) + (d + 2) * rank * _EPS * 2.0
        along = np.linalg.norm(E @ Q, axis=1) + (d + 2) * _EPS * np.linalg.norm(np.abs(E) @ np.abs(Q), axis=1)
        slack = (1.0 + skew) * (along + 2.0 * np.linalg.norm(left_out, axis=1))
        if exact:
            skew, slack = 0.0, np.zeros(n)
        sigma = float(np.linalg.norm(E, 2)) * (1.0 + (n + d + 8) * _EPS) if E.size else 0.0
        stretch = float(np.sqrt(1.0 + 2.0 * skew)) * (1.0 + 4.0 * _EPS)
        return cls(data, Q, Z, E, sigma + float(np.linalg.norm(slack)), stretch, slack)

    def tail(self, v: FloatArray, kappa: float) -> tuple[float, float, FloatArray]:
        """The bound c(v) on what E adds to the price of v, and what rounding may add beside it.

        Parameters
        ----------
        v : ndarray, shape (n,), float64
        kappa : float

        Returns
        -------
        tail, slack : float
            m(v) <= stretch * sqrt(m_k^2 + tail^2) + slack.
        slope : ndarray, shape (n,), float64
            slope'w <= c(w) for all w, c the relaxation that `tail` bounds, and slope'v is near `tail`.
        """
        tail, slack, B = self._tail(v, kappa)
        mid, half = 0.5 * abs(1.0 + kappa), 0.5 * (1.0 - kappa)
        along = self.residual @ B
        drift = v @ along
        slope = half * np.sign(v) * np.linalg.norm(along, axis=1)
        slope += mid * (along @ drift) / max(float(np.linalg.norm(drift)), 1e-300)
        return tail, slack, slope

    def _tail(self, v: FloatArray, kappa: float) -> tuple[float, float, FloatArray]:
        """`tail` and `slack`, and the B of `topes.norm_bound`."""
        mid, half = 0.5 * abs(1.0 + kappa), 0.5 * (1.0 - kappa)
        sizes = np.abs(v)
        slack = max(1.0, abs(kappa)) * float(sizes @ self.slack) * (1.0 + (len(v) + 4) * _EPS)
        lean = mid * (v @ self.residual)
        slack += mid * (len(v) + 4) * _EPS * float(np.linalg.norm(sizes @ np.abs(self.residual)))
        rows = np.vstack([half * sizes[:, None] * self.residual, lean])
        # One choice that makes the bound R ||v|| ||E|| at most; others are better.
        spread = np.append(half * sizes * sizes, mid * float(sizes @ sizes))
        tail, B = bound_absolute_sum(rows, spread)
        return tail, slack + _TINY, B

    def bound(self, v: FloatArray, price: float, kappa: float) -> float:
        """An upper bound on m(v), from one on the price of the coordinates."""
        tail, slack, _ = self.tail(v, kappa)
        return self.combined(price, tail, slack)

    def combined(self, price: float, tail: float, slack: float) -> float:
        """The same, `tail` known."""
        return float(np.hypot(price, tail)) * self.stretch * (1.0 + 8.0 * _EPS) + slack


def _leading(rows: FloatArray, rank: int) -> FloatArray:
    """The leading right singular vectors, shape (d, rank)."""
    return np.asarray(np.linalg.svd(rows, full_matrices=rank > len(rows))[2][:rank].T)
