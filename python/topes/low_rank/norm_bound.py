"""An upper bound on max over unit b of sum_i abs(r_i.b): the norm of a matrix from the 2-norm to the 1-norm.

The maximum itself is NP-hard. For any s_i > 0, by Cauchy and Schwarz,

    sum_i abs(r_i.b)  <=  sqrt(sum_i s_i) * sqrt(b' (sum_i r_i r_i' / s_i) b)  <=  sqrt(sum_i s_i * lambda_max(M(s))),

and the best s gives the semidefinite relaxation, at most sqrt(pi / 2) = 1.25 times the maximum [Nesterov98]_. At its
optimum s_i = ||B'r_i|| for the B that maximises sum_i ||B'r_i|| over ||B||_F = 1. This is a convex function of B, so
that the power iteration B <- normalised sum_i r_i r_i'B / ||B'r_i|| never lowers it [JNRS10]_. It need not be run to the
end, as every s is valid.

.. [Nesterov98] Y. Nesterov. Semidefinite relaxation and nonconvex quadratic optimization. Optim. Methods Softw. 9 (1998).
.. [JNRS10] M. Journee, Y. Nesterov, P. Richtarik, R. Sepulchre. Generalized power method for sparse principal component
   analysis. JMLR 11 (2010).
"""

from __future__ import annotations

import math

import numpy as np

from .._support.validation import FloatArray

__all__ = ["bound_absolute_sum"]

_EPS = float(np.finfo(np.float64).eps)
_STEPS, _COLUMNS = 40, 8
# Shares of the row lengths mixed into s: a row that B hardly sees must not weigh without end.
_MIXED = (1e-4, 0.02, 0.2)


def bound_absolute_sum(rows: FloatArray, spread: FloatArray | None = None) -> tuple[float, FloatArray]:
    """Bound max over unit b of sum_i abs(r_i.b) from above, roundings included.

    Parameters
    ----------
    rows : ndarray, shape (n, d), float64
    spread : ndarray, shape (n,), optional
        One more s to try. For r_i = w_i e_i, s_i = w_i^2 gives ||w||_2 ||E||_2; s_i = ||r_i||, always tried, gives at most
        sum_i ||r_i||.

    Returns
    -------
    bound : float
    B : ndarray, shape (d, q), float64
        ||B||_F = 1, and sum_i ||B'r_i|| is near the bound: it is a lower bound on the relaxation.

    Examples
    --------
    >>> import numpy as np
    >>> round(bound_absolute_sum(np.array([[3.0, 0.0], [0.0, 4.0]]))[0], 3)  # 5: b = (0.6, 0.8)
    5.0
    """
    lengths = np.linalg.norm(rows, axis=1)
    largest = float(lengths.max(initial=0.0))
    if largest == 0.0:
        return 0.0, np.zeros((rows.shape[1], 1))
    used = lengths > 0.0
    R, lengths = rows[used] / largest, lengths[used] / largest
    n, d = R.shape
    rng = np.random.default_rng(0)
    B = R.T @ rng.standard_normal((n, min(_COLUMNS, d, n)))
    for _ in range(_STEPS):
        B /= np.linalg.norm(B)
        H = R @ B
        B = R.T @ (H / np.maximum(np.linalg.norm(H, axis=1), 1e-12 * lengths)[:, None])
    B /= np.linalg.norm(B)
    seen = np.linalg.norm(R @ B, axis=1)
    candidates = [lengths]
    candidates += [(1.0 - share) * seen + share * lengths * (seen.sum() / lengths.sum()) for share in _MIXED]
    if spread is not None:
        most = float(spread[used].max(initial=0.0))
        candidates.append(np.maximum(spread[used] / most, 1e-30) if most > 0.0 else lengths)
    return largest * min(_value(R, s) for s in candidates), B


def _value(R: FloatArray, s: FloatArray) -> float:
    scaled = R / np.sqrt(s)[:, None]
    n, d = R.shape
    gram = scaled.T @ scaled if d <= n else scaled @ scaled.T
    # Rounding: of the products at most (n + d) ulps of the trace, of the eigenvalues a few times their number.
    trace = float(np.trace(gram))
    top = float(np.linalg.eigvalsh(gram)[-1]) + (n + d + 16 * len(gram) + 64) * _EPS * trace
    return math.sqrt(float(s.sum()) * max(top, 0.0)) * (1.0 + float(n + 16) * _EPS)
