"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .linear_convolutional import (
    LinearProgram,
    circular_convolutional,
    linear_convolutional,
    linear_convolutional_dual,
)
from .penalised import PenalisedProgram, penalised
from .scalar_output import Cones, ScalarOutputProgram, scalar_output

__all__ = [
    "Cones",
    "LinearProgram",
    "PenalisedProgram",
    "ScalarOutputProgram",
    "circular_convolutional",
    "convolutional",
    "linear_convolutional",
    "linear_convolutional_dual",
    "penalised",
    "scalar_output",
]
