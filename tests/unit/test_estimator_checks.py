"""What scikit-learn asks of every estimator."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from topes.estimators import (
    ConvexReLUClassifier,
    ConvexReLUClassifierCV,
    ConvexReLURegressor,
    ConvexReLURegressorCV,
)

# Weights scale the rows, or repeat them: two formulations of one problem, whose optimum each fit reaches to its own gap.
# The check compares predictions to 1e-7. That the objectives agree is tested beside the other properties of weights.
_WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "predictions agree to the gap, not to 1e-7",
    "check_sample_weight_equivalence_on_sparse_data": "predictions agree to the gap, not to 1e-7",
}


_ESTIMATORS = [
    ConvexReLURegressor(5.0, tol=1e-2, max_time=1.0),
    ConvexReLUClassifier(tol=1e-2, max_time=1.0),
    ConvexReLURegressorCV([10.0, 5.0], cv=2, tol=1e-2, max_time=1.0),
    ConvexReLUClassifierCV([2.0, 1.0], cv=2, tol=1e-2, max_time=1.0),
]
_CHECKS = [
    pair
    for estimator in _ESTIMATORS
    for pair in estimator_checks_generator(estimator, expected_failed_checks=_WEIGHTS, mark="skip")
]


@pytest.mark.filterwarnings("ignore::topes.estimators.base.OptimalityWarning")
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{getattr(check, 'func', check).__name__}-{k}")
        for k, (estimator, check) in enumerate(_CHECKS)
    ],
)
def test_scikit_learn_accepts(estimator, check):
    check(estimator)
