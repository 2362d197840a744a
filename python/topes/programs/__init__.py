"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .linear_convolutional import (
    LinearProgram,
    circular_convolutional,
    linear_convolutional,
    linear_convolutional_dual,
)
from .scalar_output import Cones, ScalarOutputProgram, scalar_output

__all__ = [
    "Cones",
    "LinearProgram",
    "ScalarOutputProgram",
    "circular_convolutional",
    "convolutional",
    "linear_convolutional",
    "linear_convolutional_dual",
    "scalar_output",
]
