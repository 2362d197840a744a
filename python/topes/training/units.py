"""Data and targets far from one, and the same problem in units in which they are about one: powers of two, so exactly.

With X = 2^c X', y = 2^s y' and a loss of which L(t f, t y) = t^q L(f, y), outputs and gauge scale along: the problem of X',
y' and beta' = 2^-(c + (q - 1) s) beta has the optimum 2^-(q s) p*, and the dual points v' = 2^-((q - 1) s) v. Solvers meet
absolute accuracies and weigh a bias against the weights: units matter to them, and to nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss
from ..losses.base import degree
from ..network import TwoLayerNetwork
from ..pricing.oracle import Pricer

__all__ = ["Units"]

# Sizes from 2^-(_FAR + 1) to 2^_FAR are left as they are.
_FAR = 6
_Network = TypeVar("_Network", bound=TwoLayerNetwork)


@dataclass(frozen=True)
class Units:
    """Exponents of two: c, s and q of the module, and whether the last row of weights is a free bias."""

    data: int
    targets: int
    homogeneity: int
    free: bool

    @classmethod
    def of(cls, pricer: Pricer, y: FloatArray, beta: float, loss: Loss) -> Units:
        """Those in which data and targets are about one; a bias that is penalised has units of its own, the data's."""
        free, q = pricer.bias == "free", degree(loss)
        inputs = pricer.data[:, :-1] if free else pricer.data
        data = 0 if pricer.bias == "penalized" else _exponent(inputs)
        targets = 0 if q is None else _exponent(y)
        # Weights of both layers have one size where the exponent of their product is even.
        if (data + targets) % 2:
            data, targets = (data + 1, targets) if pricer.bias != "penalized" else (data, targets + 1)
        units = cls(data, targets, q or 0, free)
        exact = _is_exact(inputs, -data) and _is_exact(y, -targets) and _is_exact(np.array(beta), units._of_beta)
        return units if exact else cls(0, 0, q or 0, free)

    @property
    def _of_dual(self) -> int:
        return (self.homogeneity - 1) * self.targets

    @property
    def _of_beta(self) -> int:
        return -(self.data + self._of_dual)

    def problem(self, pricer: Pricer, y: FloatArray, beta: float) -> tuple[Pricer, FloatArray, float]:
        """Data, targets and regularisation in these units."""
        data = pricer if self.data == 0 else pricer.in_units(-self.data)
        return data, np.ldexp(y, -self.targets), float(np.ldexp(beta, self._of_beta))

    def neurons(self, U: FloatArray, w2: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights in these units, of neurons in the units given: each layer by itself."""
        exponents = np.full((len(U), 1), self.data)
        if self.free:
            exponents[-1] = 0
        return np.ldexp(U, exponents), np.ldexp(w2, -self.targets)

    def network(self, network: _Network) -> _Network:
        """The network in the units given."""
        if self.data == self.targets == 0:
            return network
        half = (self.data + self.targets) // 2
        return replace(
            network,
            W1=np.ldexp(network.W1, half - self.data),
            b1=None if network.b1 is None else np.ldexp(network.b1, half),
            w2=np.ldexp(network.w2, self.targets - half),
        )

    def value(self, x: float) -> float:
        """An objective in the units given."""
        return float(np.ldexp(x, self.homogeneity * self.targets))

    def bound(self, x: float) -> float:
        """A lower bound in the units given: where doubles end it may round, and not upwards."""
        value = self.value(x)
        with np.errstate(over="ignore"):
            rounded_up = np.ldexp(value, -self.homogeneity * self.targets) > x
        return float(np.nextafter(value, -np.inf)) if rounded_up else value

    def target(self, x: float) -> float:
        """A target, or an output, in the units given."""
        return float(np.ldexp(x, self.targets))

    def price(self, x: float) -> float:
        """A price, or beta, in the units given."""
        return float(np.ldexp(x, -self._of_beta))

    def dual(self, v: FloatArray) -> FloatArray:
        """A dual point in the units given."""
        return np.asarray(np.ldexp(v, self._of_dual))


def _exponent(values: FloatArray) -> int:
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    return exponent if abs(exponent) > _FAR else 0


def _is_exact(values: FloatArray, exponent: int) -> bool:
    """Whether the values times this power of two are doubles."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(np.ldexp(np.ldexp(values, exponent), -exponent), values))
