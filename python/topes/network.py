"""The two-layer network: forward pass, non-convex objective (3), and the way back from the convex program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ._support.files import whole_file
from ._support.network_form import read_network
from ._support.nonnegative import nonnegative_least_squares
from ._support.validation import FloatArray, as_beta, as_matrix, as_vector, choice
from .activation import activation_name, kappa_of, phi
from .errors import FileFormatError, InputError
from .losses import Loss, get_loss

__all__ = [
    "Bias",
    "TwoLayerNetwork",
    "at_vertex",
    "check_bias",
    "groups",
    "merged",
    "penalised",
    "pooled",
    "reach_of",
    "weight_norm",
]

Bias = Literal[False, "penalized", "free"]

# Blocks below this share of the largest are what an interior-point solver leaves of zeros.
_NEGLIGIBLE = 1e-9
# Directions this close (radians) are one direction on a wall, split over the cells around it.
_SAME_DIRECTION = 1e-6
# Singular values below this share of the largest mean dependent columns.
_DEPENDENT = 1e-12
# A step of the reduction may change the outputs by this share of them.
_DRIFT = 1e-10
# A free bias alone is a neuron with no input weight; its cost, this share squared, is lost in rounding.
_CONSTANT_NEURON_WEIGHT = 2.0**-24


def check_bias(bias: Any) -> Bias:
    """Return `bias` if it is False, "penalized" or "free"; raise `InputError` otherwise."""
    return choice(bias, "bias", (False, "penalized", "free"))


def penalised(U: FloatArray, bias: Bias) -> FloatArray:
    """The rows of U, input weights with the bias last, whose norm counts: a free bias is left out."""
    return U[:-1] if bias == "free" else U


def weight_norm(U: FloatArray, norm: float) -> FloatArray:
    """The p-norm of each column, shape (m,); p is 1, 2 or inf."""
    return np.asarray(np.linalg.norm(U, ord=norm, axis=0)) if U.shape[0] else np.zeros(U.shape[1])


def pooled(H: FloatArray, pool: int) -> FloatArray:
    """Means over each `pool` consecutive rows: from the patches to the samples, (13)."""
    return H if pool == 1 else np.asarray(H.reshape(len(H) // pool, pool, *H.shape[1:]).mean(axis=1))


@dataclass(frozen=True, repr=False)
class TwoLayerNetwork:
    """f(x) = sum_j w2_j phi(x'w1_j + b1_j), phi(t) = t for t >= 0 and kappa t below.

    Parameters
    ----------
    W1 : array_like, shape (d, m)
        Input weights, one neuron a column.
    b1 : array_like, shape (m,), or None
        Biases; None for a network without.
    w2 : array_like, shape (m,)
        Output weights.
    activation : {"relu", "abs"} or float
        As for `topes.activation.kappa_of`.

    Raises
    ------
    InputError
        Shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> from topes import TwoLayerNetwork
    >>> net = TwoLayerNetwork([[1.0, -1.0]], None, [1.0, 1.0])  # |x|
    >>> net.predict([[-3.0], [2.0]])
    array([3., 2.])
    """

    W1: FloatArray
    b1: FloatArray | None
    w2: FloatArray
    activation: str | float = "relu"
    format_name: ClassVar[str] = "topes.TwoLayerNetwork"  #: as files say

    def __post_init__(self) -> None:
        W1 = as_matrix(self.W1, "W1", min_rows=0, min_columns=0)
        m = W1.shape[1]
        object.__setattr__(self, "W1", W1)
        object.__setattr__(self, "w2", self._output_weights(m))
        if self.b1 is not None:
            object.__setattr__(self, "b1", as_vector(self.b1, "b1", length=m, of="columns of W1"))
        object.__setattr__(self, "activation", activation_name(kappa_of(self.activation)))
        for array in (self.W1, self.b1, self.w2):
            if array is not None:
                array.setflags(write=False)

    def _output_weights(self, m: int) -> FloatArray:
        """The output weights of m neurons, checked."""
        return as_vector(self.w2, "w2", length=m, of="columns of W1")

    def __repr__(self) -> str:
        bias = "no bias" if self.b1 is None else "bias"
        return f"TwoLayerNetwork({self.W1.shape[0]} inputs, {self.n_neurons} neurons, {self.activation!r}, {bias})"

    @property
    def n_neurons(self) -> int:
        return int(self.W1.shape[1])

    def predict(self, X: Any) -> FloatArray:
        """Outputs for the rows of X, shape (n,), float64."""
        X = as_matrix(X, "X", min_rows=0, min_columns=0)
        if X.shape[1] != self.W1.shape[0]:
            raise InputError(f"X must have {self.W1.shape[0]} columns, got {X.shape[1]}")
        h = X @ self.W1
        if self.b1 is not None:
            h = h + self.b1
        return np.asarray(phi(h, kappa_of(self.activation)) @ self.w2)

    def objective(
        self, X: Any, y: Any, beta: float, *, loss: str | Loss = "squared", bias: Any = None, norm: float = 2
    ) -> float:
        """The non-convex training objective (3): L(f, y) + beta/2 * sum of ||w1_j||_p^2 + w2_j^2.

        Parameters
        ----------
        X : array_like, shape (n, d)
        y : array_like, shape (n,)
        beta : float
            Weight of the regulariser, > 0.
        loss : str or Loss
            A name of `topes.losses`; losses are sums over the samples.
        bias : {"penalized", "free"}, optional
            Whether b1_j counts as an entry of w1_j (Corollary II.1), or not at all. Default "penalized".
        norm : {1, 2, inf}
            p of the input weights, eq. (23).
        """
        bias = "penalized" if bias is None or bias is False else check_bias(bias)
        X = as_matrix(X, "X", min_rows=0, min_columns=0)
        y = as_vector(y, "y", length=len(X), of="rows of X")
        return get_loss(loss).value(self.predict(X), y) + as_beta(beta) * self.penalty(bias=bias, norm=norm)

    def penalty(self, *, bias: Bias = "penalized", norm: float = 2) -> float:
        """The sum in (3) without its beta: half the sum of ||w1_j||_p^2 + w2_j^2, biases counted unless they are free."""
        U = self.W1 if self.b1 is None or bias == "free" else np.vstack([self.W1, self.b1])
        return 0.5 * float(np.sum(weight_norm(U, norm) ** 2) + np.sum(self.w2**2))

    @classmethod
    def from_convex(
        cls,
        positive: Any,
        negative: Any,
        *,
        activation: str | float = "relu",
        bias: Bias = False,
        norm: float = 2,
        X: Any = None,
        pool: int = 1,
        reduce: bool = True,
        angle: float = _SAME_DIRECTION,
    ) -> TwoLayerNetwork:
        """The network of a solution of (7), by Proposition II.1.

        Parameters
        ----------
        positive, negative : array_like, shape (d, P), or (d + 1, P) with the bias last
            Columns w_i and w_i' of (7). Each non-zero one becomes a neuron u sqrt(||u||) with output weight
            +-sqrt(||u||), where u is its direction.
        bias, norm
            Those of the program.
        X : array_like, shape (n, d), optional
            The training data. With it, equal directions are merged and the rest is reduced to a vertex of the set of
            solutions with the same outputs: at most n neurons. It also says in which units a weight is negligible.
        pool : int
            The outputs are means over so many consecutive rows of X.
        reduce : bool
            False takes the units only.
        angle : float
            Directions this close (radians), >= 0, are equal where X is given and `reduce`. Merging them raises the cost a
            little; with 0 only rounding does.

        Returns
        -------
        TwoLayerNetwork
            Its objective (3) is the value of (7) where the columns lie in their cones.
        """
        if not (isinstance(angle, (int, float)) and 0.0 <= angle < np.inf):
            raise InputError(f"angle must be a number >= 0, got {angle!r}")
        V = np.asarray(positive, dtype=np.float64)
        W = np.asarray(negative, dtype=np.float64)
        U = np.hstack([V, W])
        c = np.concatenate([np.ones(V.shape[1]), -np.ones(W.shape[1])])
        # What is negligible is so beside the data, whatever their units.
        data = np.ones((1, len(U) - (bias is not False))) if X is None else as_matrix(X, "X", min_rows=0, min_columns=0)
        reach = reach_of(data, bias)
        sizes = np.linalg.norm(U * reach[:, None], axis=0) if U.size else np.zeros(U.shape[1])
        kept = sizes > _NEGLIGIBLE * max(float(sizes.max(initial=0.0)), 1e-300)
        U, c = U[:, kept], c[kept]
        if bias == "free":
            U, c = _one_constant(U, c, kappa_of(activation), reach)
        if X is not None and reduce:
            U, c = _at_vertex(U, c, data, kappa_of(activation), bias, norm, pool, angle)
        return cls._from_columns(U, c, activation, bias, norm, reach)

    @classmethod
    def _from_columns(
        cls, U: FloatArray, c: FloatArray, activation: str | float, bias: Bias, norm: float, reach: FloatArray
    ) -> TwoLayerNetwork:
        sizes = weight_norm(penalised(U, bias), norm)
        constant = _is_constant(U, reach) if bias == "free" else np.zeros(U.shape[1], dtype=bool)
        scale = np.where(constant, _CONSTANT_NEURON_WEIGHT, np.sqrt(sizes))
        U = np.where(constant[None, :], np.vstack([0 * U[:-1], U[-1:]]) if len(U) else U, U) / scale
        if bias is False:
            return cls(U, None, c * scale, activation)
        return cls(U[:-1], U[-1], c * scale, activation)

    def to_dict(self) -> dict[str, Any]:
        """The network as plain lists: what `save` writes."""
        return {
            "format": self.format_name,
            "version": 1,
            "activation": self.activation,
            "W1": self.W1.tolist(),
            "b1": None if self.b1 is None else self.b1.tolist(),
            "w2": self.w2.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TwoLayerNetwork:
        """The network of `to_dict`; `FileFormatError` for anything else."""
        if not isinstance(data, dict) or data.get("format") != cls.format_name or data.get("version") != 1:
            raise FileFormatError(f"not a {cls.format_name} of version 1")
        try:
            m = len(data["w2"])
            W1 = np.array(data["W1"], dtype=np.float64).reshape(len(data["W1"]), m)
            return cls(W1, data["b1"], data["w2"], data["activation"])
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"not a {cls.format_name}: {error}") from None

    def save(self, path: Any) -> None:
        """Write JSON, whole or not at all; every float reads back the same. `InputError` where no file can be made."""
        with whole_file(path) as file:
            file.write((json.dumps(self.to_dict(), indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Any) -> TwoLayerNetwork:
        """Read what `save` wrote: a network of this class or of one derived from it, as the file says."""
        kinds = {kind.format_name: kind for kind in (cls, *cls.__subclasses__())}
        data = read_network(path, list(kinds))
        return kinds[data["format"]].from_dict(data)


def reach_of(X: FloatArray, bias: Bias) -> FloatArray:
    """The size of what each row of U meets: of the columns of X, then of the ones of a bias."""
    return np.append(np.abs(X).max(axis=0, initial=0.0), [] if bias is False else [1.0])


def _is_constant(U: FloatArray, reach: FloatArray) -> Any:
    """Which columns are a free bias alone, up to the solver's accuracy, on data of this size."""
    heights = U * reach[:, None]
    return np.linalg.norm(heights[:-1], axis=0) <= _NEGLIGIBLE * np.linalg.norm(heights, axis=0)


def _one_constant(U: FloatArray, c: FloatArray, kappa: float, reach: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Columns of a free bias alone, which cost nothing whatever they are, as one."""
    alone = _is_constant(U, reach)
    if not alone.any():
        return U, c
    constant = float(c[alone] @ phi(U[-1, alone], kappa))
    if constant == 0.0:
        return U[:, ~alone], c[~alone]
    column = np.append(np.zeros(len(U) - 1), abs(constant))
    return np.column_stack([U[:, ~alone], column]), np.append(c[~alone], np.sign(constant))


def groups(sizes: FloatArray, is_near: Callable[[int], Any], share: float = 0.0) -> Iterator[tuple[int, Any]]:
    """The largest that is in no group yet, and its group: all such that are near it. Those below `share` are in none.

    Parameters
    ----------
    sizes : ndarray, shape (m,)
    is_near : callable
        Of a number, which are near it, shape (m,), bool.
    share : float
        Of the largest size.
    """
    left = sizes > share * sizes.max(initial=0.0)
    for j in np.argsort(-sizes, kind="stable"):
        if left[j]:
            same = left & is_near(int(j))
            left &= ~same
            yield int(j), same


def merged(
    U: FloatArray, signs: FloatArray, angle: float, share: float = 0.0, *, reach: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Columns of one sign within `angle` (radians) become their sum; those below `share` of the largest are left out.

    Parameters
    ----------
    reach : ndarray, shape (d,), optional
        Units in which the angle is measured: the size of the data that each row of U meets.
    """
    scaled = U if reach is None else U * reach[:, None]
    sizes = np.linalg.norm(scaled, axis=0)
    units = scaled / np.maximum(sizes, 1e-300)
    found = list(groups(
        sizes, lambda j: (signs == signs[j]) & (np.linalg.norm(units - units[:, [j]], axis=0) <= angle), share
    ))
    columns = np.array([U[:, same].sum(axis=1) for _, same in found]).reshape(len(found), len(U)).T
    return columns, signs[[j for j, _ in found]]


def _at_vertex(
    U: FloatArray, c: FloatArray, X: FloatArray, kappa: float, bias: Bias, norm: float, pool: int, angle: float
) -> tuple[FloatArray, FloatArray]:
    """Move to a vertex of {lambda >= 0 : sum lambda_j c_j phi(X u_j) = f}, at most n columns but for rounding.

    Caratheodory's argument: while columns depend on each other, walk along a dependence that does not raise the penalty
    until a coefficient is zero. Columns within `angle` are merged first, the pieces of a direction that lies on a wall; what
    that takes from the outputs is made up for.
    """
    if U.shape[1] <= 1:
        return U, c
    data = X if bias is False else np.hstack([X, np.ones((len(X), 1))])
    f = pooled(phi(data @ U, kappa), pool) @ c
    U, c = merged(U, c, angle, reach=reach_of(X, bias))
    sizes = np.linalg.norm(U, axis=0)
    if bias == "free":  # a constant up to the solver's accuracy is a constant, whatever the units: no cost, no slope
        heights = np.abs(U) * np.abs(data).max(axis=0, initial=0.0)[:, None]
        U = U * np.vstack([heights[:-1] > _NEGLIGIBLE * heights.max(axis=0), np.ones((1, U.shape[1]))])
    A = pooled(phi(data @ (U / sizes), kappa), pool) * c
    lam = at_vertex(A, weight_norm(penalised(U / sizes, bias), norm), sizes, f)
    active = lam > 0.0
    return (U / sizes)[:, active] * lam[active], c[active]


def at_vertex(A: FloatArray, cost: FloatArray, lam: FloatArray, target: FloatArray | None = None) -> FloatArray:
    """A vertex of {lambda >= 0 : A lambda = A lam} with cost @ lambda no more than cost @ lam, but for the last correction.

    Parameters
    ----------
    target : ndarray, optional
        What A lam stands for; the outcome is brought nearer to it where that is possible.
    """
    target = A @ lam if target is None else target
    full = A
    if len(A) > A.shape[1]:  # the same dependences and lengths in fewer rows
        A = np.asarray(np.linalg.qr(A, mode="r"))
    lam = lam.copy()
    scale = float(np.linalg.norm(target))
    active = np.flatnonzero(lam > 0.0)
    n = len(A)
    while len(active):
        some = active[np.argsort(lam[active])][: n + 1]  # the smallest: they are the ones to go
        _, singular, rotation = np.linalg.svd(A[:, some], full_matrices=True)
        if len(some) <= n and singular[-1] > _DEPENDENT * singular[0]:
            break  # independent columns: a vertex
        z = np.where(np.abs(rotation[-1]) > _DEPENDENT, rotation[-1], 0.0)  # rounding is no dependence
        if cost[some] @ z > 0.0 or np.all(z >= 0.0):  # z >= 0 costs nothing, so its negative does not either
            z = -z
        shrinking = z < 0.0
        ratios = lam[some][shrinking] / -z[shrinking]
        first = some[shrinking][int(np.argmin(ratios))]
        step = float(ratios.min())
        if step * float(np.linalg.norm(A[:, some] @ z)) > _DRIFT * scale:
            break  # a dependence only up to rounding, followed too far
        lam[some] = np.maximum(lam[some] + step * z, 0.0)
        lam[first] = 0.0
        active = active[lam[active] > 0.0]
    return _on_target(full, target, lam, active)


def _on_target(A: FloatArray, target: FloatArray, lam: FloatArray, active: Any) -> FloatArray:
    """The same columns without what following dependences, or merging, has added up to."""
    rest = target - A @ lam
    if not rest.any():
        return lam
    refined = lam.copy()
    refined[active] += np.linalg.lstsq(A[:, active], rest, rcond=None)[0]
    if np.any(refined[active] < 0.0):
        refined[active] = nonnegative_least_squares(A[:, active], target)
    return refined if float(np.linalg.norm(target - A @ refined)) < float(np.linalg.norm(rest)) else lam
