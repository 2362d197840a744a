"""What large-scale training returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..errors import InputError
from ..network import TwoLayerNetwork
from .gated_network import GatedNetwork

__all__ = ["Epoch", "LargeSolution", "Round"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the data, as seen while the weights moved.

    Attributes
    ----------
    number : int
        From 1, over all rounds.
    rho : float
    penalised : float
        (32), loss and penalties summed over the mini-batches.
    violation : float
        Share of the pre-activations that lies on the wrong side of its pattern, by absolute value; dimensionless.
    seconds : float
        Since the start, those before a checkpoint included.
    """

    number: int
    rho: float
    penalised: float
    violation: float
    seconds: float


@dataclass(frozen=True)
class Round:
    """What training for one rho ended with.

    Attributes
    ----------
    rho : float
    objective : float
        Of the network that the weights are, non-convex.
    convex_objective : float
        L + beta * sum ||w|| of the weights as the patterns read them.
    violation : float
        As in `Epoch`, over all samples.
    is_feasible : bool
        Whether at most 0.1 % is on the wrong side and the network of all weights costs at most 0.1 % more than the program
        says.
    """

    rho: float
    objective: float
    convex_objective: float
    violation: float
    is_feasible: bool


@dataclass(frozen=True, repr=False)
class LargeSolution:
    """A network trained by (32), and what is known of it.

    Attributes
    ----------
    network : TwoLayerNetwork or VectorNetwork
        A neuron for each pattern, output and sign that is in use.
    objective : float
        Its non-convex objective, (3) or with several outputs (30), L(F, Y) + beta/2 * sum of ||w1_j||^2 + ||w2_j||_1^2.
    convex_objective : float
        L + beta * sum ||w|| of the weights as the patterns read them: equal to `objective` where they lie in their cones,
        and below the optimum of (7) only where they do not. It is the objective (3) or (30) of `gated`, not of a network.
    lower_bound : float or None
        No network of any width has a smaller objective; None where no bound was asked for.
    gap : float or None
        (objective - lower_bound) / objective.
    violation : float
        As in `Epoch`, over all samples at the end.
    rho : float
        Weight of the penalty in the round these weights are of.
    learning_rate : float
        Of the first step of each round.
    rounds : tuple of Round
        What each rho led to, in the order they were tried.
    history : tuple of Epoch
    gated : GatedNetwork or None
        The same weights read by the gates of the sampled patterns; None where `patterns` were given, as their directions are
        not known.
    n_patterns : int
    classes : ndarray or None
        The label of each output, for the cross entropy.
    memory : int
        Bytes that training was expected to take.
    """

    network: TwoLayerNetwork
    objective: float
    convex_objective: float
    lower_bound: float | None
    gap: float | None
    violation: float
    rho: float
    learning_rate: float
    rounds: tuple[Round, ...]
    history: tuple[Epoch, ...]
    gated: GatedNetwork | None
    n_patterns: int
    classes: npt.NDArray[Any] | None
    memory: int
    weights: FloatArray = field(compare=False)  #: w and w' of (32), shape (2, P, C, d)

    def predict(self, X: Any, *, gated: bool = False) -> npt.NDArray[Any]:
        """Outputs of the network, shape (n,) or (n, C); for classes that with the largest, shape (n,).

        Parameters
        ----------
        X : array_like, shape (n, d)
        gated : bool
            Of `gated` in place of the network.

        Raises
        ------
        InputError
            `gated` where patterns were given, or X does not fit.
        """
        if gated and self.gated is None:
            raise InputError("gated must be False where training was given patterns: their directions are not known")
        outputs = self.gated.predict(X) if gated and self.gated is not None else self.network.predict(X)
        return outputs if self.classes is None else np.asarray(self.classes[np.argmax(outputs, axis=1)])

    def __repr__(self) -> str:
        known = "not certified" if self.lower_bound is None else f"lower bound {self.lower_bound:.8g}, gap {self.gap:.2g}"
        return (
            f"LargeSolution({known}; objective {self.objective:.8g}, convex objective {self.convex_objective:.8g}, "
            f"violation {self.violation:.2g} at rho = {self.rho:.3g}, {self.network.n_neurons} neurons from "
            f"{self.n_patterns} patterns, {len(self.history)} epochs)"
        )
