"""Classification by two-layer networks at their certified optimum, one against the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from ..errors import InputError
from ..jobs.supply import ExecutorLike
from ..network import TwoLayerNetwork
from ..vector_network import VectorNetwork
from .base import ConvexReLU, positive
from .problem import solve

__all__ = ["ConvexReLUClassifier"]

_Floats = npt.NDArray[np.float64]


class ClassifierBase(ClassifierMixin, ConvexReLU):  # type: ignore[misc]
    """Labels, one problem for each, and what networks say of new samples."""

    classes_: npt.NDArray[Any]
    network_: TwoLayerNetwork | VectorNetwork

    def _data(self, X: Any, y: Any, sample_weight: Any) -> tuple[_Floats, npt.NDArray[np.int64], _Floats]:
        X, y, weights = self._samples(X, y, sample_weight)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(np.unique(codes[weights > 0])) < 2:
            present = self.classes_[np.unique(codes[weights > 0])]
            raise InputError(f"y must have at least two classes (of positive weight), got {len(present)} class: {present}")
        return X, codes, weights

    def decision_function(self, X: Any) -> _Floats:
        """Outputs of the network.

        Parameters
        ----------
        X : array_like, shape (n, d)

        Returns
        -------
        ndarray, shape (n,) or (n, C), float64
            Two classes: positive for ``classes_[1]``. More: one column a class, its network against the rest.
        """
        X = self._features(X)
        return self.network_.predict(X)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Labels.

        Parameters
        ----------
        X : array_like, shape (n, d)

        Returns
        -------
        ndarray, shape (n,)
        """
        f = self.decision_function(X)
        return np.asarray(self.classes_[(f > 0).astype(np.intp) if f.ndim == 1 else f.argmax(axis=1)])

    @available_if(lambda self: self.loss == "logistic")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> _Floats:
        """Probabilities of the classes, for the logistic loss alone.

        Parameters
        ----------
        X : array_like, shape (n, d)

        Returns
        -------
        ndarray, shape (n, C), float64
            1 / (1 + exp(-f)); of more than two classes, those of the networks divided by their sum.
        """
        f = self.decision_function(X)
        p = 0.5 * (1.0 + np.tanh(0.5 * f))  # the logistic function, without overflow
        if f.ndim == 1:
            return np.column_stack([1.0 - p, p])
        total = p.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(p, total, out=np.full_like(p, 1.0 / p.shape[1]), where=total > 0))


def one_against_rest(codes: npt.NDArray[np.int64], n_classes: int) -> list[_Floats]:
    """Targets -1 and 1 of one problem for two classes, C for C > 2."""
    return [np.where(codes == c, 1.0, -1.0) for c in (range(n_classes) if n_classes > 2 else [1])]


def as_one_network(networks: list[TwoLayerNetwork]) -> TwoLayerNetwork | VectorNetwork:
    """Networks side by side: each neuron feeds the output of its own problem."""
    if len(networks) == 1:
        return networks[0]
    W2 = np.zeros((sum(g.n_neurons for g in networks), len(networks)))
    end = 0
    for c, g in enumerate(networks):
        W2[end : end + g.n_neurons, c] = g.w2
        end += g.n_neurons
    biases = [np.zeros(g.n_neurons) if g.b1 is None else g.b1 for g in networks]
    b1 = None if all(g.b1 is None for g in networks) else np.concatenate(biases)
    return VectorNetwork(np.hstack([g.W1 for g in networks]), b1, W2, networks[0].activation)


class ConvexReLUClassifier(ClassifierBase):
    """Two-layer network, trained to its global optimum and told how near it is; one against the rest.

    Two classes are one problem (3) with labels -1 and 1; C > 2 classes are C of them, which is the program (30) with l1
    regularised outputs: certificates add up. All else as for `ConvexReLURegressor`.

    Parameters
    ----------
    beta : float
        Weight of the regulariser, > 0.
    loss : {"logistic", "hinge", "squared_hinge", "squared", "l2", "absolute", "huber"}
        "logistic" gives `predict_proba`.
    activation, fit_intercept, norm, rank, tol, max_time, n_jobs, random_state, verbose
        As for `ConvexReLURegressor`; `max_time` is for each problem.

    Attributes
    ----------
    classes_ : ndarray, shape (C,)
    network_ : TwoLayerNetwork or VectorNetwork
        One output for two classes, C for more.
    objective_, lower_bound_ : float
        Sums over the problems.
    gap_ : float
        The largest of them.
    status_ : str
        That of the problem with the largest gap.
    n_neurons_, n_iter_ : int
    certificate_ : Solution or LowRankSolution, or a tuple of C
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> import numpy as np
    >>> from topes.estimators import ConvexReLUClassifier
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> model = ConvexReLUClassifier(beta=0.01, loss="hinge").fit(X, ["same", "other", "other", "same"])
    >>> model.predict(X).tolist(), model.status_
    (['same', 'other', 'other', 'same'], 'certified')
    """

    def __init__(
        self,
        beta: float = 1.0,
        *,
        loss: str = "logistic",
        activation: str | float = "relu",
        fit_intercept: bool | str = True,
        norm: float = 2,
        rank: int | str | None = "auto",
        tol: float = 1e-4,
        max_time: float | None = 10.0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self._keep(locals())

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, executor: ExecutorLike | None = None
    ) -> ConvexReLUClassifier:
        """Train.

        Parameters
        ----------
        X : array_like, shape (n, d)
        y : array_like, shape (n,)
            Labels of any kind.
        sample_weight, executor : optional
            As for `ConvexReLURegressor.fit`.

        Returns
        -------
        self
        """
        X, codes, weights = self._data(X, y, sample_weight)
        beta, settings = positive("beta", self.beta), self._settings()
        problems = one_against_rest(codes, len(self.classes_))
        with self._workers(executor) as at_work:
            parts = [solve(X, targets, beta, settings, weights, at_work) for targets in problems]
        self._publish(parts, as_one_network([part.network for part in parts]))
        return self
