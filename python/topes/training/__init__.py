"""Training to a certified optimum: a working set, a way to its optimum, and the judge that prices and proves."""

from .judge import Judge
from .loop import Training
from .path import beta_max, path

__all__ = ["Judge", "Training", "beta_max", "path"]
