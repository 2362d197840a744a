"""Regression by a two-layer network at its certified optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin

from ..errors import InputError
from ..jobs.supply import ExecutorLike
from ..losses import Loss, get_loss, loss_choice, loss_names
from .base import ConvexReLU, positive
from .problem import solve

__all__ = ["ConvexReLURegressor"]


class RegressorBase(RegressorMixin, ConvexReLU):  # type: ignore[misc]
    """Data of a regression and the prediction."""

    def _data(self, X: Any, y: Any, sample_weight: Any) -> tuple[npt.NDArray[np.float64], ...]:
        for_labels = [name for name in loss_names() if get_loss(name).needs_labels]
        if isinstance(self.loss, str) and self.loss in for_labels:
            raise InputError(f"loss must be one for numbers, not for labels, got {self.loss!r}; see ConvexReLUClassifier")
        if not isinstance(self.loss, Loss):
            loss_choice(self.loss, [name for name in loss_names() if name not in for_labels])
        X, y, weights = self._samples(X, y, sample_weight, y_numeric=True)
        return X, np.asarray(y, dtype=np.float64), weights

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Outputs of the network.

        Parameters
        ----------
        X : array_like, shape (n, d)

        Returns
        -------
        ndarray, shape (n,), float64
        """
        X = self._features(X)
        return np.asarray(self.network_.predict(X))


class ConvexReLURegressor(RegressorBase):
    """Two-layer network, trained to its global optimum and told how near it is.

    Minimises L(f, y) + beta/2 * (sum of ||w1_j||^2 + w2_j^2), eq. (3), over networks of any width: by pricing all cells
    (`topes.train`) where the rank of the data allows, else by `topes.train_low_rank`, with a lower bound in either case. The
    loss is a sum over the samples, not a mean. Columns should be of comparable size
    (`sklearn.preprocessing.StandardScaler`).

    Parameters
    ----------
    beta : float
        Weight of the regulariser, > 0.
    loss : {"squared", "l2", "absolute", "huber"} or Loss
        As in `topes.losses`; or one of one's own, see `topes.losses.Loss`.
    activation : {"relu", "abs"} or float
        Slope kappa < 1 on the negative side.
    fit_intercept : bool, "penalized" or "free"
        The bias of the neurons; True is "penalized", a column of ones. "free" leaves its coefficient out of the norm.
    norm : {1, 2, inf}
        p of the input weights, eq. (23).
    rank : "auto", int or None
        "auto": all cells where the bound (6) allows at most 10^10 of them at rank 8 or less, else the best rank found in
        time. An int: the program of the best approximation of that rank. None: all cells whatever it costs.
    tol : float
        Relative gap to prove, < 1; `OptimalityWarning` where it was not.
    max_time : float or None
        Seconds, about: turned into counts of steps and of cones before it begins, so that networks depend on no clock. Only
        the lower bound where not all cells are priced has a clock; None is a minute there.
    n_jobs : int or None
        Threads; None is 1, -1 all. Nothing depends on it.
    random_state : int, RandomState or None
        Of the programs for high rank only, where random directions are drawn. None is 0: two fits are equal.
    verbose : int
        Prints bounds as they are found.

    Attributes
    ----------
    network_ : TwoLayerNetwork
    objective_, lower_bound_, gap_ : float
        (3) of the network (weighted by `sample_weight`), what no network goes below, and their relative difference.
    status_ : str
        Value of a `topes.Status`.
    n_neurons_, n_iter_ : int
        Neurons; rounds of the working set (1 for programs of low rank).
    certificate_ : Solution or LowRankSolution
        What was proved; `certificate_.save_certificate(file)` of the former writes it for `topes.verify`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.estimators import ConvexReLURegressor
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> model = ConvexReLURegressor(beta=1e-3).fit(x, np.abs(x[:, 0]))
    >>> model.status_, model.n_neurons_, round(model.score(x, np.abs(x[:, 0])), 3)
    ('certified', 2, 1.0)
    """

    def __init__(
        self,
        beta: float = 1.0,
        *,
        loss: str = "squared",
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, executor: ExecutorLike | None = None) -> ConvexReLURegressor:
        """Train.

        Parameters
        ----------
        X : array_like, shape (n, d)
        y : array_like, shape (n,)
        sample_weight : array_like, shape (n,), optional
            Weights of the terms of the loss, >= 0. Any for the squared, l2 and absolute losses (unless the bias is free),
            whole numbers for the others.
        executor : concurrent.futures.Executor or callable, optional
            Does pricing that takes long, as for `topes.train`; `n_jobs` must be None then. What is fitted does not depend on
            it. An argument here, because parameters are copied by `clone` and an executor cannot be.

        Returns
        -------
        self
        """
        X, y, weights = self._data(X, y, sample_weight)
        with self._workers(executor) as at_work:
            trained = solve(X, y, positive("beta", self.beta), self._settings(), weights, at_work)
        self._publish([trained], trained.network)
        return self
