"""Local minimisation of (3) over all neurons at once: Newton's method on the faces they lie on, across the walls between.

The work is done by `cpp/src/descent.cpp`; `topes.reference.Descent` is the same in numpy, to read and to check it against.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .. import _core
from .._support.validation import FloatArray
from ..activation import phi
from ..losses import Loss
from ..network import Bias
from .blocks import Blocks

__all__ = ["Descent", "Rows"]

# Blocks of which this share at most is penalised are a bias alone.
_NOTHING = 1e-9


class Rows(Protocol):
    """What descent must know of the data; a `Pricer` does."""

    @property
    def data(self) -> FloatArray:
        """Shape (n * pool, d), with a last column of ones where there is a bias."""

    @property
    def hyperplanes(self) -> npt.NDArray[np.int64]:
        """Shape (n * pool,): which hyperplane each row lies on; -1 for a zero row."""

    @property
    def reference(self) -> FloatArray:
        """Shape (m, d): the unit normal of each hyperplane."""

    @property
    def factor(self) -> FloatArray:
        """Shape (n * pool,): rows are factor * normal."""

    @property
    def span(self) -> FloatArray:
        """Shape (d, r): orthonormal directions that all rows lie in; a free bias is the last."""

    @property
    def bias(self) -> Bias: ...

    @property
    def kappa(self) -> float: ...

    @property
    def pool(self) -> int: ...


class Descent:
    """The neurons of one run, p = 2: blocks u_j = |w2_j| w1_j with the sign of their output weight.

    Parameters
    ----------
    rows : Rows
        The data, as of a `Pricer`.
    y : ndarray, shape (n,), float64
    beta : float
    loss : Loss
        With a `curvature`.
    deadline : float
        Of `time.perf_counter`.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.losses import get_loss
    >>> from topes.pricing.oracle import Pricer
    >>> descent = Descent(Pricer([[1.0], [-2.0]]), np.array([2.0, 0.0]), 0.5, get_loss("squared"))
    >>> descent.enter(np.array([[0.1]]), np.array([1.0]))
    >>> _ = descent.minimise(1e-9)
    >>> descent.outputs().round(9).tolist()  # the slope of the loss is beta
    [1.5, 0.0]
    """

    def __init__(self, rows: Rows, y: FloatArray, beta: float, loss: Loss, deadline: float = math.inf) -> None:
        self.rows, self.beta, self.deadline = rows, beta, deadline
        self.span, self.free = rows.span, rows.bias == "free"
        self._core = _core.Descent(
            np.ascontiguousarray(rows.data @ self.span),
            np.ascontiguousarray(rows.hyperplanes, dtype=np.int64),
            np.ascontiguousarray(rows.factor),
            np.ascontiguousarray(rows.reference @ self.span),
            np.ascontiguousarray(y, dtype=np.float64),
            loss.name,
            beta,
            rows.kappa,
            rows.pool,
            self.free,
        )

    def __len__(self) -> int:
        return self._core.size

    @property
    def constant(self) -> float:
        """What is added to all outputs; moves with a free bias."""
        return self._core.constant

    @constant.setter
    def constant(self, constant: float) -> None:
        self._core.constant = constant

    def enter(self, U: FloatArray, signs: FloatArray) -> None:
        """Add blocks, columns in the coordinates of the data."""
        Z = np.ascontiguousarray((self.span.T @ U).T)
        counted = Z[:, :-1] if self.free else Z
        some = np.linalg.norm(counted, axis=1) > _NOTHING * np.linalg.norm(Z, axis=1)
        if self.free:  # a bias alone is a constant
            self.constant += float(signs[~some] @ phi(Z[~some, -1], self.rows.kappa))
        self._core.enter(Z[some], np.ascontiguousarray(signs[some], dtype=np.float64))

    def minimise(self, accuracy: float, max_steps: int | None = None) -> int:
        """Descend until no gradient exceeds this share of beta: the error of a block's price; or nothing descends.

        Returns the number of steps, at most `max_steps`; the core has a limit of its own.
        """
        seconds = max(0.0, min(self.deadline - time.perf_counter(), 1e9))
        limit = {} if max_steps is None else {"max_steps": max_steps}
        return self._core.minimise(accuracy, seconds, None, **limit)

    def outputs(self) -> FloatArray:
        """Shape (n,)."""
        return self._core.outputs()

    def value(self) -> float:
        """The loss plus beta times the norms of the blocks."""
        return self._core.value()

    def blocks(self) -> Blocks:
        Z, signs = self._core.blocks()
        return Blocks(np.asarray(self.span @ Z.T), signs, self.constant)
