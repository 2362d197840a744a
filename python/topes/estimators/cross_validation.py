"""Beta by cross-validation, over a path from the least beta that gives the empty network downwards."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..jobs.calls import call_in_shares
from ..jobs.pricing import Workers
from ..jobs.supply import ExecutorLike
from ..jobs.worker import Hook
from ..losses import get_loss
from .base import positive
from .classifier import ClassifierBase, ConvexReLUClassifier, as_one_network, one_against_rest
from .problem import Settings, Sketch, Trained, solve
from .regressor import ConvexReLURegressor, RegressorBase

__all__ = ["ConvexReLUClassifierCV", "ConvexReLURegressorCV"]

_Floats = npt.NDArray[np.float64]


class _Path:
    """The path, its scores on the folds, and the choice; mixed into an estimator."""

    def _search(
        self, X: _Floats, problems: list[_Floats], y: Any, weights: _Floats, at_work: Workers | None
    ) -> list[Trained]:
        """Solutions of the problems, one for each vector of targets, at the best beta."""
        settings = self._settings()  # type: ignore[attr-defined]
        self.betas_ = self._path(X, problems, weights, settings)
        folds = list(check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y))  # type: ignore[attr-defined]
        common = (self._judge(), X, problems, y, weights, self.betas_, settings)
        if at_work is None:
            tasks = [delayed(_scores)(None, *common, *fold) for fold in folds]
            scores = Parallel(n_jobs=self.n_jobs)(tasks)  # type: ignore[attr-defined]
        else:
            scores = call_in_shares(_scores, common, folds, at_work.source)
        self.scores_ = np.column_stack(scores)
        self.beta_ = _best(self.betas_, self.scores_.mean(axis=1))
        return [solve(X, targets, self.beta_, settings, weights, at_work) for targets in problems]

    def _judge(self) -> Any:
        """A plain estimator to carry networks to the scorer, and the scorer."""
        kind = ConvexReLUClassifier if is_classifier(self) else ConvexReLURegressor
        plain = kind(loss=self.loss)  # type: ignore[attr-defined]
        return plain, check_scoring(plain, scoring=self.scoring)  # type: ignore[attr-defined]

    def _path(self, X: _Floats, problems: list[_Floats], weights: _Floats, settings: Settings) -> _Floats:
        betas = self.betas  # type: ignore[attr-defined]
        if not isinstance(betas, Integral):
            chosen = np.sort(np.array([positive("betas", b) for b in betas]))[::-1]
            if not len(chosen):
                raise InputError("betas must be a positive int or positive numbers, got none")
            return chosen
        if betas < 1 or isinstance(betas, bool):
            raise InputError(f"betas must be a positive int or positive numbers, got {betas!r}")
        least = positive("least", self.least)  # type: ignore[attr-defined]
        if least > 1.0:
            raise InputError(f"least must be at most 1, got {least:g}")
        return _largest(X, problems, weights, settings) * np.geomspace(1.0, least, int(betas) + 1)[1:]


def _best(betas: _Floats, means: _Floats) -> float:
    """The beta of the largest mean score, of equals the largest beta; scores that are not finite count for nothing."""
    finite = np.isfinite(means)
    if not finite.any():
        raise InputError(
            "scoring must give a finite score on every fold for some beta, got none; R^2, the default of a regressor, has "
            "none on one sample: give another scoring, 'neg_mean_squared_error' say, or larger folds"
        )
    if not finite.all():
        which = ", ".join(f"{beta:.3g}" for beta in betas[~finite])
        warnings.warn(f"scores of beta = {which} are not finite on every fold; they are left out", UserWarning, stacklevel=4)
    return float(betas[int(np.argmax(np.where(finite, means, -np.inf)))])


def _largest(X: _Floats, problems: list[_Floats], weights: _Floats, settings: Settings) -> float:
    """A bound on the least beta whose network is empty, ||v|| ||X|| for the slope v of the loss at 0.

    With a free bias the best network without neurons is a constant, and this no bound, but near it.
    """
    rows = np.hstack([X, np.ones((len(X), 1))]) if settings.bias else X
    loss, root = get_loss(settings.loss), np.sqrt(weights)
    slope = max(float(np.linalg.norm(loss.gradient(np.zeros(len(y)), y) * root)) for y in problems)
    bound = slope * float(np.linalg.norm(rows * root[:, None], 2))
    if settings.norm == np.inf:  # a ball that reaches out so far
        bound *= np.sqrt(rows.shape[1])
    return bound if np.isfinite(bound) and bound > 0 else 1.0


def _scores(
    hook: Hook | None, judge: Any, X: _Floats, problems: list[_Floats], y: Any, weights: _Floats, betas: _Floats,
    settings: Settings, train: npt.NDArray[np.intp], test: npt.NDArray[np.intp],
) -> _Floats:  # fmt: skip
    """Scores of one fold along the path, each network started from the last; the hook raises where nobody waits for them."""
    plain, scorer = judge
    plain = clone(plain)
    plain.n_features_in_ = X.shape[1]
    if is_classifier(plain):
        plain.classes_ = np.unique(y)
    counted = {} if np.all(weights == 1) else {"sample_weight": weights[test]}  # a scorer of one's own may not know them
    sketches = [Sketch(X[train], targets[train], settings, weights[train]) for targets in problems]
    found = []

    def go_on(_: Any = None) -> None:
        if hook is not None:
            hook(0.0, 0)

    with threadpool_limits(limits=1, user_api="blas"):  # their number would change the last bits
        for beta in betas:
            go_on()
            plain.network_ = as_one_network([sketch.network(float(beta), go_on) for sketch in sketches])
            found.append(float(scorer(plain, X[test], y[test], **counted)))
    return np.array(found)


_PARAMETERS = """
    Parameters
    ----------
    betas : int or array_like
        How many, or which. A number of them is spread geometrically below the bound ||L'(0)|| ||X||, above which networks
        are empty.
    least : float
        The smallest of them, relative to that bound.
    cv : int, splitter or iterable, optional
        As in `sklearn.model_selection.check_cv`; default 5 folds. Their
        networks are trained as well as it takes to compare them, with no proof, by a number of steps that no
        machine's speed decides; only the last one, on all samples, is certified.
    scoring : str or callable, optional
        As in scikit-learn; default the score of the estimator. Of equal scores the largest beta is taken; one
        whose mean is not finite is left out, with a warning.
    loss, activation, fit_intercept, norm, rank, tol, max_time, random_state, verbose
        As for `{plain}`; `max_time` is for each problem.
    n_jobs : int or None
        Processes for the folds, as in joblib, and threads of the last fit. For other machines see `fit(executor=)`.

    Attributes
    ----------
    beta_ : float
        The best; the other attributes are those of a `{plain}` fitted with it on all samples.
    betas_ : ndarray, shape (n_betas,)
        Decreasing.
    scores_ : ndarray, shape (n_betas, n_folds)
"""


class ConvexReLURegressorCV(_Path, RegressorBase):
    __doc__ = (
        "`ConvexReLURegressor` with beta by cross-validation.\n"
        + _PARAMETERS.format(plain="ConvexReLURegressor")
        + """
    Examples
    --------
    >>> import numpy as np
    >>> from topes.estimators import ConvexReLURegressorCV
    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> y = np.abs(x[:, 0]) + 0.01 * np.cos(50 * x[:, 0])
    >>> model = ConvexReLURegressorCV(betas=6, cv=3).fit(x, y)
    >>> model.scores_.shape, model.score(x, y) > 0.95
    ((6, 3), True)
    """
    )

    def __init__(
        self,
        betas: Any = 12,
        *,
        least: float = 1e-3,
        cv: Any = None,
        scoring: Any = None,
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

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, executor: ExecutorLike | None = None
    ) -> ConvexReLURegressorCV:
        """Choose beta and train with it; parameters as for `ConvexReLURegressor.fit`. An executor takes the folds too."""
        X, y, weights = self._data(X, y, sample_weight)
        with self._workers(executor) as at_work:
            parts = self._search(X, [y], y, weights, at_work)
        self._publish(parts, parts[0].network)
        return self


class ConvexReLUClassifierCV(_Path, ClassifierBase):
    __doc__ = (
        "`ConvexReLUClassifier` with beta by cross-validation.\n"
        + _PARAMETERS.format(plain="ConvexReLUClassifier")
        + """
    Examples
    --------
    >>> import numpy as np
    >>> from topes.estimators import ConvexReLUClassifierCV
    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> model = ConvexReLUClassifierCV(betas=4, cv=3).fit(x, np.abs(x[:, 0]) > 0.5)
    >>> model.scores_.shape, model.score(x, np.abs(x[:, 0]) > 0.5)
    ((4, 3), 1.0)
    """
    )

    def __init__(
        self,
        betas: Any = 12,
        *,
        least: float = 1e-3,
        cv: Any = None,
        scoring: Any = None,
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
    ) -> ConvexReLUClassifierCV:
        """Choose beta and train with it; parameters as for `ConvexReLUClassifier.fit`. An executor takes the folds too."""
        X, codes, weights = self._data(X, y, sample_weight)
        problems = one_against_rest(codes, len(self.classes_))
        with self._workers(executor) as at_work:
            parts = self._search(X, problems, self.classes_[codes], weights, at_work)
        self._publish(parts, as_one_network([part.network for part in parts]))
        return self
