"""The two-layer network with several outputs, and the way back from the convex program (29)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ._support.validation import FloatArray, as_beta, as_matrix, choice
from .activation import kappa_of, phi
from .errors import FileFormatError, InputError
from .losses import Loss, get_loss
from .network import Bias, TwoLayerNetwork, at_vertex, check_bias, groups, penalised

__all__ = ["VectorNetwork", "as_targets"]

# Neurons below this share of the largest are none.
_NEGLIGIBLE = 1e-9
# Atoms phi(Xu) g' this close (radians in u and in g) are one.
_SAME_DIRECTION = 1e-6
# A free bias alone is a neuron with no input weight; its cost, this share squared, is lost in rounding.
_CONSTANT_NEURON_WEIGHT = 2.0**-24


def as_targets(y: Any, loss: Loss, *, length: int | None = None) -> FloatArray:
    """Targets of shape (n, C), C >= 1, in float64, as the loss can take them."""
    Y = as_matrix(y, "y", min_rows=0)
    if length is not None and len(Y) != length:
        raise InputError(f"y must have one row for each of the {length} rows of X, got {len(Y)}")
    return loss.check_targets(Y.ravel()).reshape(Y.shape)


@dataclass(frozen=True, repr=False)
class VectorNetwork(TwoLayerNetwork):
    """f(x) = sum_j w2_j phi(x'w1_j + b1_j) with w2_j in R^C: F = phi(X W1) W2.

    Parameters
    ----------
    W1 : array_like, shape (d, m)
        Input weights, one neuron a column.
    b1 : array_like, shape (m,), or None
    w2 : array_like, shape (m, C)
        Output weights, one neuron a row; also `W2`.
    activation : {"relu", "abs"} or float

    Raises
    ------
    InputError
        Shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> from topes import VectorNetwork
    >>> VectorNetwork([[1.0, -1.0]], None, [[1.0, 1.0], [1.0, -1.0]]).predict([[-3.0], [2.0]])  # |x| and x
    array([[ 3., -3.],
           [ 2.,  2.]])
    """

    format_name: ClassVar[str] = "topes.VectorNetwork"

    def _output_weights(self, m: int) -> FloatArray:
        W2 = as_matrix(self.w2, "w2", min_rows=0)
        if len(W2) != m:
            raise InputError(f"w2 must have one row for each of the {m} columns of W1, got {len(W2)}")
        return W2

    def __repr__(self) -> str:
        bias = "no bias" if self.b1 is None else "bias"
        inputs, neurons = self.W1.shape
        return f"VectorNetwork({inputs} inputs, {neurons} neurons, {self.n_outputs} outputs, {self.activation!r}, {bias})"

    @property
    def W2(self) -> FloatArray:
        """Output weights, shape (m, C)."""
        return self.w2

    @property
    def n_outputs(self) -> int:
        return int(self.w2.shape[1])

    def objective(
        self,
        X: Any,
        y: Any,
        beta: float,
        *,
        loss: str | Loss = "squared",
        bias: Any = None,
        norm: float = 2,
        output_norm: float = 2,
    ) -> float:
        """L(F, Y) + beta/2 * sum of ||w1_j||_p^2 + ||w2_j||_q^2: (27) for q = 2, (30) for q = 1.

        Parameters
        ----------
        X : array_like, shape (n, d)
        y : array_like, shape (n, C)
            The loss is that of all n C entries as one vector: for "l2" the Frobenius norm of the difference.
        beta, loss, bias, norm
            As for `TwoLayerNetwork.objective`.
        output_norm : {2, 1}
            q of the output weights.
        """
        bias = "penalized" if bias is None or bias is False else check_bias(bias)
        the_loss = get_loss(loss)
        outputs = self.predict(X)
        targets = as_targets(y, the_loss, length=len(outputs))
        if targets.shape != outputs.shape:
            raise InputError(f"y must have {self.n_outputs} columns, got {targets.shape[1]}")
        penalty = self.penalty(bias=bias, norm=norm, output_norm=output_norm)
        return the_loss.value(outputs.ravel(), targets.ravel()) + as_beta(beta) * penalty

    def penalty(self, *, bias: Bias = "penalized", norm: float = 2, output_norm: float = 2) -> float:
        """The sum in (27) or (30) without its beta, halved."""
        first = super().penalty(bias=bias, norm=norm) - 0.5 * float(np.sum(self.w2**2))
        if choice(output_norm, "output_norm", (2, 1)) == 2:
            first, second = super().penalty(bias=bias, norm=norm), 0.0
        else:
            second = 0.5 * float(np.sum(np.abs(self.w2).sum(axis=1) ** 2))
        return first + second

    @classmethod
    def from_atoms(
        cls,
        U: FloatArray,
        G: FloatArray,
        constant: FloatArray,
        *,
        activation: str | float = "relu",
        bias: Bias = False,
        X: FloatArray | None = None,
    ) -> VectorNetwork:
        """The network of sum_j phi(X u_j) g_j' + 1 constant', each neuron's layers balanced, p = 2.

        Parameters
        ----------
        U : ndarray, shape (d, m), or (d + 1, m) with the bias last
        G : ndarray, shape (m, C)
        constant : ndarray, shape (C,)
            Zero but with a free bias.
        X : ndarray, shape (n, d), optional
            The training data, with it the atoms are reduced to at most n C that add up to the same outputs (Caratheodory).

        Returns
        -------
        VectorNetwork
            Its penalty is no more than sum_j ||u_j|| ||g_j||, but for what brings the outputs back to those of the atoms.
        """
        kappa = kappa_of(activation)
        sizes = np.linalg.norm(penalised(U, bias), axis=0) * np.linalg.norm(G, axis=1)
        kept = sizes > _NEGLIGIBLE * max(float(sizes.max(initial=0.0)), 1e-300)
        U, G, sizes = U[:, kept], G[kept], sizes[kept]
        U, G = U / np.linalg.norm(penalised(U, bias), axis=0), G / np.linalg.norm(G, axis=1, keepdims=True)
        if X is not None and len(sizes) + bool(np.any(constant)) > 1:
            data = X if bias is False else np.hstack([X, np.ones((len(X), 1))])
            target = (phi(data @ U, kappa) @ (G * sizes[:, None]) + constant).ravel()
            U, G, sizes = _merged(U, G, sizes)
            atoms = np.einsum("ij,jc->icj", phi(data @ U, kappa), G).reshape(-1, len(sizes))
            cost = np.ones(len(sizes))
            if np.any(constant):  # an atom that costs nothing
                atoms = np.column_stack([atoms, np.tile(constant, len(X))])
                sizes, cost = np.append(sizes, 1.0), np.append(cost, 0.0)
            sizes = at_vertex(atoms, cost, sizes, target)
            if np.any(constant):
                sizes, constant = sizes[:-1], sizes[-1] * constant
            U, G, sizes = U[:, sizes > 0.0], G[sizes > 0.0], sizes[sizes > 0.0]
        scale = np.sqrt(sizes)
        W1, W2 = U * scale, G * scale[:, None]
        size = float(np.linalg.norm(constant))
        if size > 0.0:
            W1 = np.column_stack([W1, np.append(np.zeros(len(W1) - 1), size / _CONSTANT_NEURON_WEIGHT)])
            W2 = np.vstack([W2, constant / size * _CONSTANT_NEURON_WEIGHT])
        return cls(W1, None, W2, activation) if bias is False else cls(W1[:-1], W1[-1], W2, activation)

    def to_dict(self) -> dict[str, Any]:
        """The network as plain lists: what `save` writes."""
        return {**super().to_dict(), "n_outputs": self.n_outputs}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VectorNetwork:
        """The network of `to_dict`; `FileFormatError` for anything else."""
        if not isinstance(data, dict) or data.get("format") != cls.format_name or data.get("version") != 1:
            raise FileFormatError(f"not a {cls.format_name} of version 1")
        try:
            m = len(data["w2"])
            W1 = np.array(data["W1"], dtype=np.float64).reshape(len(data["W1"]), m)
            W2 = np.array(data["w2"], dtype=np.float64).reshape(m, int(data["n_outputs"]))
            return cls(W1, data["b1"], W2, data["activation"])
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"not a {cls.format_name}: {error}") from None


def _merged(U: FloatArray, G: FloatArray, sizes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum atoms of one direction u and one g."""
    reach = np.maximum(1.0, np.linalg.norm(U, axis=0))  # a free bias is not of unit size

    def is_near(j: int) -> Any:
        near = np.linalg.norm(U - U[:, [j]], axis=0) <= _SAME_DIRECTION * reach
        return near & (np.linalg.norm(G - G[j], axis=1) <= _SAME_DIRECTION)

    found = list(groups(sizes, is_near))
    first = [j for j, _ in found]
    return U[:, first], G[first], np.array([float(sizes[same].sum()) for _, same in found])
