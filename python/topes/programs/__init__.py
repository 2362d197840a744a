"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .scalar_output import Cones, ScalarOutputProgram, scalar_output
from .stationary import StationaryProgram, stationary

__all__ = ["Cones", "ScalarOutputProgram", "StationaryProgram", "convolutional", "scalar_output", "stationary"]
