"""Spike-free data, Section VII-B: is {(Xu)_+ : ||u|| <= 1} within {Xz : ||z|| <= 1}? Decided exactly, at any rank.

No cell is looked at. Let L be the range of X.

*Range.* (Xu)_+ in L for all u says that L holds the positive part of each of its vectors. Such subspaces have a basis of
non-negative vectors with disjoint supports, so X = E B with E >= 0, one non-zero entry in each non-zero row, and the rows
of B independent: every row is zero or a positive multiple of one of r independent directions. Where the directions
depend, sum_k l_k b_k = 0, two of the l_k have one sign, say j and k: b_j.u = 1, b_k.u = -l_j / l_k, 0 for the others,
has a solution, and sum l_k (b_k.u)_+ = l_j is not 0, as it would be in L.

*Length.* Let M = (BB')^-1. The shortest z with Bz = t has ||z||^2 = t'Mt. So X is spike-free exactly if
t_+'M t_+ <= t'Mt for all t. With t = p - s q, p and q >= 0 of disjoint supports, the difference is s^2 q'Mq - 2 s p'Mq:
not negative for all s > 0 exactly if p'Mq <= 0, which unit vectors decide. So:

    X is spike-free if and only if its non-zero rows are positive multiples of r independent directions b_1, ..., b_r, and
    no entry of (BB')^-1 off its diagonal is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values, as_exact_array
from .._support.integers import Integers, as_integers, independent_rows, primitive_rows, solve
from .._support.validation import FloatArray
from ..errors import InputError
from .inverse import enclosed_inverse, least_eigenvalue, unit_scaled

__all__ = ["NotSpikeFree", "SpikeFree", "spike_free"]

_U = 2.0**-53
_BITS = (128, 512)
_LARGE = 10**300  # what a double still holds
_MOST_ENCLOSED = 64  # directions for which the better bound on the ratio takes a second at most


@dataclass(frozen=True, repr=False)
class SpikeFree:
    """Whether X is spike-free, and why.

    Attributes
    ----------
    spike_free : bool
    reason : str
    n_directions : int
        The number of non-zero rows up to positive factors.
    ratio : tuple of two floats
        Proved bounds on the least rho with (Xu)_+ in {Xz : ||z|| <= rho} for all ||u|| <= 1: (1, 1) for spike-free data that
        are not 0; infinite where the directions depend.
    witness : ndarray, shape (d,), object, or None
        Where X is not spike-free, a u that shows it, of any length; `fractions.Fraction`.
    functional : ndarray, shape (n,), object, or None
        The proof: an l with l'(Xu)_+ > ||X'l|| ||u||, exactly. For every z no longer than u, l'Xz is at most the right side.
    """

    spike_free: bool
    reason: str
    n_directions: int
    ratio: tuple[float, float]
    witness: npt.NDArray[np.object_] | None = None
    functional: npt.NDArray[np.object_] | None = None

    def __bool__(self) -> bool:
        return self.spike_free

    def __repr__(self) -> str:
        low, high = (f"{x:.10g}" for x in self.ratio)
        return f"SpikeFree({self.spike_free}: {self.reason}; ratio {low if low == high else f'{low} to {high}'})"

    def within(self, tol: float) -> bool:
        """Whether (Xu)_+ is in {Xz : ||z|| <= 1 + tol} for all ||u|| <= 1, proved.

        Doubles are seldom spike-free exactly: whitening leaves XX' off the identity by some 1e-16, entries of both signs.
        The ratio moves by the square of that. The optimum of (26) is then at most 1 + tol times that of (7).
        """
        return self.ratio[1] <= 1.0 + tol


class NotSpikeFree(InputError):
    """The data are not spike-free; `result` holds the witness."""

    def __init__(self, result: SpikeFree) -> None:
        u = [] if result.witness is None else [float(f"{float(x):.6g}") for x in result.witness]
        super().__init__(f"X must be spike-free for (26) to be the network's problem, but {result.reason}; witness u = {u}")
        self.result = result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.result,)


def spike_free(X: Any, *, values: Values = "binary") -> SpikeFree:
    """Decide exactly whether X is spike-free for the ReLU: {(Xu)_+ : ||u|| <= 1} within {Xz : ||z|| <= 1}.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `topes.Arrangement`; a bias is a column of ones.
    values : {"binary", "decimal"}
        How floats are read.

    Returns
    -------
    SpikeFree
        Always decided; a refutation comes with a witness in fractions.

    Raises
    ------
    InputError
        X is not an array of finite real numbers.

    Notes
    -----
    The criterion is proved at the top of the module. A refutation is looked for in doubles and checked exactly. What doubles
    leave open is decided with 128 and 512 bits, and then by elimination in integers, O(n^3) operations on numbers of up to
    n times the digits of the data: a few seconds for 50 rows, but needed only where an entry of (BB')^-1 is 0 or nearly so.

    Spike-free data have no more distinct directions than their rank: never n > d samples in general position, always
    whitened ones (XX' = c I).

    Examples
    --------
    >>> from topes import spike_free
    >>> spike_free([[1, 0, 0], [0, 2, 0], [0, 1, 0]])
    SpikeFree(True: its 2 directions are independent, and no entry of (BB')^-1 off the diagonal is positive; ratio 1)
    >>> result = spike_free([[1, 0], [-1, 1]])
    >>> result
    SpikeFree(False: between the directions of rows 0 and 1 (BB')^-1 is positive; ratio 1.414213562)
    >>> spike_free([[1], [-1]]).reason
    'the directions of rows 0, 1 depend'
    """
    A, scale = as_integers(as_exact_array(X, "X", 2, values))
    B, first = _directions(A)
    k, d = B.shape
    if k == 0:
        return SpikeFree(True, "X is zero", 0, (0.0, 0.0))
    found = _refuted_in_doubles(A, scale, B, first)
    if found is not None:
        return found
    gram = B @ B.T
    for bits in _BITS if k <= d else ():
        enclosed = enclosed_inverse(gram, bits)  # which exists only where the directions are independent
        if enclosed is None:
            continue
        signs = {(i, j): enclosed.sign(i, j) for i in range(k) for j in range(k) if i != j}
        if all(x == -1 for x in signs.values()):
            return _held(k)
        positive = [at for at, x in signs.items() if x == 1]
        if positive:
            return _too_long(A, scale, B, first, enclosed.R, enclosed.exponents, positive)
    rows, columns = independent_rows(B[: d + 1])
    if len(rows) < k:
        return _out_of_range(A, scale, B, first, rows, columns)
    solved = solve(gram, np.eye(k, dtype=np.int64).astype(object))
    assert solved is not None  # directions are independent
    positive = [(i, j) for i in range(k) for j in range(k) if i != j and solved[0][i, j] > 0]
    return _too_long(A, scale, B, first, solved[0], [0] * k, positive) if positive else _held(k)


def _held(k: int) -> SpikeFree:
    reason = f"its {k} directions are independent, and no entry of (BB')^-1 off the diagonal is positive"
    return SpikeFree(True, reason, k, (1.0, 1.0))


def _directions(A: Integers) -> tuple[Integers, list[int]]:
    """Primitive integer directions of the non-zero rows, and the first row of each."""
    first: dict[tuple[int, ...], int] = {}
    for i, row in enumerate(primitive_rows(A)):
        if row.any():
            first.setdefault(tuple(row), i)
    return np.array([list(key) for key in first], dtype=object).reshape(len(first), A.shape[1]), list(first.values())


@dataclass(frozen=True)
class _Proof:
    witness: npt.NDArray[np.object_]
    functional: npt.NDArray[np.object_]
    ratio: float  # at most l'(Xu)_+ / (||X'l|| ||u||), infinite where X'l = 0


def _proof(
    A: Integers, scale: int, B: Integers, first: list[int], u: npt.NDArray[np.object_], weight: dict[int, Fraction]
) -> _Proof | None:
    """Witness and functional from u and the weights of directions, if they prove it, exactly."""
    chosen = list(weight)
    l = np.array([weight[k] for k in chosen], dtype=object)
    reach = sum(x * h for x, h in zip(l, B[chosen] @ u, strict=True) if h > 0)
    across = l @ B[chosen]
    square, most = reach * reach, (across @ across) * (u @ u)
    if not (reach > 0 and square > most):
        return None
    functional = np.full(len(A), Fraction(0), dtype=object)
    for k in chosen:
        at = int(np.flatnonzero(B[k])[0])
        functional[first[k]] = weight[k] * Fraction(B[k, at] * scale, A[first[k], at])
    ratio = math.inf
    if most:
        ratio = max(1.0, math.sqrt(min(Fraction(square) / most, _LARGE)) * (1.0 - 4.0 * _U))
    most_of_u = max(abs(Fraction(x)) for x in u)
    unit = Fraction(2) ** (most_of_u.denominator.bit_length() - most_of_u.numerator.bit_length())  # of any length: about one
    return _Proof(np.array([x * unit for x in u], dtype=object), functional, ratio)


def _refuted_in_doubles(A: Integers, scale: int, B: Integers, first: list[int]) -> SpikeFree | None:
    """A refutation found by floating-point linear algebra and checked exactly, or None."""
    d = B.shape[1]
    k = min(len(B), d + 1)
    sizes = [max(abs(x) for x in row) for row in B[:k]]
    F = np.array([[x / size for x in row] for row, size in zip(B[:k], sizes, strict=True)])
    length = np.linalg.norm(F, axis=1)
    F /= length[:, None]
    try:
        with np.errstate(all="ignore"):  # what is no number is no refutation
            l, u, pair = _dependence(F) if k > d else _positive_entry(F)
    except np.linalg.LinAlgError:
        return None
    if not (np.isfinite(l).all() and np.isfinite(u).all()):
        return None
    weight = {h: Fraction(float(l[h] / length[h])) / sizes[h] for h in range(k) if l[h] != 0.0}
    proof = _proof(A, scale, B, first, np.array([Fraction(x) for x in u.tolist()], dtype=object), weight)
    if proof is None:
        return None
    if k > d:
        reason = f"its {len(B)} directions depend, being more than the {d} columns"
        return SpikeFree(False, reason, len(B), (math.inf, math.inf), proof.witness, proof.functional)
    return _with_ratio(B, first, pair, proof)


def _dependence(F: FloatArray) -> tuple[FloatArray, FloatArray, tuple[int, int]]:
    """l and u for d + 1 directions, as at the top of the module."""
    l = np.linalg.svd(F.T)[2][-1]
    if np.sort(-l)[1] < np.sort(l)[1]:  # the second largest of one sign is larger than that of the other
        l = -l
    i, j = (int(h) for h in np.argsort(-l)[:2])
    right = np.zeros(len(F))
    right[i], right[j] = 1.0, -l[i] / l[j]
    return l, np.asarray(np.linalg.lstsq(F, right, rcond=None)[0], dtype=np.float64), (i, j)


def _positive_entry(F: FloatArray) -> tuple[FloatArray, FloatArray, tuple[int, int]]:
    """l and u for the largest entry of (FF')^-1 off the diagonal, as a cosine."""
    M = np.linalg.inv(F @ F.T)
    cosine = M / np.sqrt(np.abs(np.outer(np.diagonal(M), np.diagonal(M))))
    np.fill_diagonal(cosine, -1.0)
    i, j = (int(h) for h in np.unravel_index(int(np.argmax(cosine)), cosine.shape))
    return M[i], F.T @ (M[i] - M[i, j] / M[j, j] * M[j]), (i, j)


def _out_of_range(
    A: Integers, scale: int, B: Integers, first: list[int], rows: list[int], columns: list[int]
) -> SpikeFree:
    """The refutation where the directions depend: a least dependent set, and the u of the module's first paragraph."""
    e = next(k for k in range(len(B)) if k >= len(rows) or rows[k] != k)  # the first that depends on those before it
    weight = {e: Fraction(-1)}
    if e:
        solved = solve(B[:e][:, columns[:e]].T, B[[e]][:, columns[:e]].T)
        assert solved is not None
        weight |= {k: Fraction(x, solved[1]) for k, x in enumerate(solved[0][:, 0]) if x}
    if sum(x > 0 for x in weight.values()) < 2:
        weight = {k: -x for k, x in weight.items()}
    i, j = sorted(k for k, x in weight.items() if x > 0)[:2]
    others = [h for h in weight if h not in (i, j)]
    chosen = [i, j, *others[1:]] if others else [i]  # independent: all but one of a least dependent set
    right = [Fraction(1), -weight[i] / weight[j], *[Fraction(0)] * (len(others) - 1)][: len(chosen)]
    common = math.lcm(*(x.denominator for x in right))
    _, at = independent_rows(B[chosen])
    solved = solve(B[chosen][:, at], np.array([[int(x * common)] for x in right], dtype=object))
    assert solved is not None
    u = np.zeros(B.shape[1], dtype=object)
    u[at] = solved[0][:, 0]
    proof = _proof(A, scale, B, first, u, weight)
    assert proof is not None  # X'l is 0
    reason = f"the directions of rows {', '.join(str(first[h]) for h in sorted(weight))} depend"
    return SpikeFree(False, reason, len(B), (math.inf, math.inf), proof.witness, proof.functional)


def _too_long(
    A: Integers,
    scale: int,
    B: Integers,
    first: list[int],
    M: Integers,
    exponents: list[int],
    positive: list[tuple[int, int]],
) -> SpikeFree:
    """The refutation from an inverse, exact or of many digits, of the Gram matrix scaled by powers of two."""
    i, j = max(positive, key=lambda at: Fraction(M[at] ** 2, M[at[0], at[0]] * M[at[1], at[1]]))
    down = [Fraction(1, 2**e) for e in exponents]
    pull = Fraction(M[i, j], M[j, j])
    t = np.array([(x - pull * y) * f for x, y, f in zip(M[i], M[j], down, strict=True)], dtype=object)
    proof = _proof(A, scale, B, first, t @ B, {h: x * down[h] for h, x in enumerate(M[i]) if x})
    assert proof is not None  # there are digits enough
    return _with_ratio(B, first, (i, j), proof)


def _with_ratio(B: Integers, first: list[int], pair: tuple[int, int], proof: _Proof) -> SpikeFree:
    i, j = sorted(first[h] for h in pair)
    reason = f"between the directions of rows {i} and {j} (BB')^-1 is positive"
    ratio = (proof.ratio, max(proof.ratio, _greatest_ratio(B @ B.T)))
    return SpikeFree(False, reason, len(B), ratio, proof.witness, proof.functional)


def _greatest_ratio(G: Integers) -> float:
    """An upper bound on max over t of sqrt(t_+'M t_+ / t'Mt), M the inverse of G; inf where doubles cannot tell.

    It is at most the root of the condition number of G, whatever its scaling. Better, scale M to a unit diagonal,
    M = I + P - N, P and N >= 0. For p, q >= 0 of disjoint supports p'Mq <= p'Pq <= |P| |p| |q| and p'Mp >= p'(I - N)p, so
    their cosine in M is at most m = |P| / least eigenvalue of I - N, and the ratio at most 1 / sqrt(1 - m^2). P and N come
    from the inverse up to 64 rows. Where G, scaled to a unit diagonal, is near I, off by row sums of at most e, its inverse
    is off by f = e / (1 - e), P and N by h = f / (1 - f), and m <= h / (1 - h).
    """
    k = len(G)
    found = [math.inf]
    A, _ = unit_scaled(G, _BITS[0])
    C = np.array([[x / (1 << _BITS[0]) for x in row] for row in A])
    root = np.sqrt(np.diagonal(C))
    C /= np.outer(root, root)
    np.fill_diagonal(C, 1.0)
    low, high = least_eigenvalue(C, 8.0 * _U), -least_eigenvalue(-C, 8.0 * _U)
    if low > 0.0:
        found.append(math.sqrt(high / low) * (1.0 + 8.0 * _U))
    e = float(np.abs(C - np.eye(k)).sum(axis=1).max()) * (1.0 + (k + 16.0) * _U) + k * 2.0**-120
    if e < 0.125:
        f = e / (1.0 - e)
        h = f / (1.0 - f)
        m = h / (1.0 - h) * (1.0 + 16.0 * _U)
        found.append(1.0 / math.sqrt((1.0 - m) * (1.0 + m)) * (1.0 + 8.0 * _U))
    enclosed = enclosed_inverse(G, _BITS[0]) if k <= _MOST_ENCLOSED else None
    if enclosed is not None:
        M, error = enclosed.doubles()
        least = float(np.diagonal(M).min())
        if least > 8.0 * error:
            root = np.sqrt(np.diagonal(M))
            M /= np.outer(root, root)
            # An entry is a cosine: off by 2 error / least, and by a few roundings.
            error = 4.0 * error / least + 8.0 * _U
            np.fill_diagonal(M, 1.0)
            P, N = np.maximum(M - np.eye(k), 0.0), np.maximum(np.eye(k) - M, 0.0)
            np.fill_diagonal(N, 0.0)
            bottom = least_eigenvalue(np.eye(k) - N, error)
            top = min(-least_eigenvalue(-P, error), float(P.sum(axis=1).max()) * (1.0 + k * _U) + k * error)
            if 0.0 <= top < bottom and (m := top / bottom * (1.0 + 4.0 * _U)) < 1.0:
                found.append(1.0 / math.sqrt((1.0 - m) * (1.0 + m)) * (1.0 + 16.0 * _U))
    return min(found)
