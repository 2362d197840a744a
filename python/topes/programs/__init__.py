"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .linear_convolutional import LinearProgram, circular_convolutional, linear_convolutional, linear_convolutional_dual
from .penalised import PenalisedProgram, penalised
from .scalar_output import Cones, ScalarOutputProgram, scalar_output
from .spike_free import spike_free
from .stationary import StationaryProgram, stationary

__all__ = [
    "Cones",
    "LinearProgram",
    "PenalisedProgram",
    "ScalarOutputProgram",
    "StationaryProgram",
    "circular_convolutional",
    "convolutional",
    "linear_convolutional",
    "linear_convolutional_dual",
    "penalised",
    "scalar_output",
    "spike_free",
    "stationary",
]
