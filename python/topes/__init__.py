"""Exact cells of hyperplane arrangements, and two-layer networks trained to their global optimum."""

from .arrangement import Arrangement
from .cells import CellBatch, Neighbors
from .errors import (
    CellLimitError,
    FileFormatError,
    InputError,
    MemoryLimitError,
    SolverError,
    TopesError,
)
from .zonotope import NormalCone, Zonotope

__version__ = "0.1.0"

__all__ = [
    "Arrangement",
    "CellBatch",
    "CellLimitError",
    "FileFormatError",
    "InputError",
    "MemoryLimitError",
    "Neighbors",
    "NormalCone",
    "SolverError",
    "TopesError",
    "Zonotope",
]
