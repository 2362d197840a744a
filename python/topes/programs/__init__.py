"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .scalar_output import Cones, ScalarOutputProgram, scalar_output
from .spike_free import spike_free

__all__ = ["Cones", "ScalarOutputProgram", "convolutional", "scalar_output", "spike_free"]
