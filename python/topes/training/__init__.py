"""Training to a certified optimum: a working set, a way to its optimum, and the judge that prices and proves."""

from .judge import Judge
from .loop import Training

__all__ = ["Judge", "Training"]
