"""The convex programs of the paper as cvxpy problems one can print and inspect, one file per equation family."""

from .convolutional import convolutional
from .scalar_output import Cones, ScalarOutputProgram, scalar_output

__all__ = ["Cones", "ScalarOutputProgram", "convolutional", "scalar_output"]
