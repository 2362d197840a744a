"""Estimators in the manner of scikit-learn, trained to a certified optimum (extra ``topes[sklearn]``)."""

try:
    import sklearn  # noqa: F401
except ImportError as missing:
    raise ImportError("topes.estimators needs scikit-learn: pip install 'topes[sklearn]'") from missing

from .base import OptimalityWarning
from .classifier import ConvexReLUClassifier
from .cross_validation import ConvexReLUClassifierCV, ConvexReLURegressorCV
from .regressor import ConvexReLURegressor

__all__ = [
    "ConvexReLUClassifier",
    "ConvexReLUClassifierCV",
    "ConvexReLURegressor",
    "ConvexReLURegressorCV",
    "OptimalityWarning",
]
