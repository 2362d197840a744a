"""Exact cells of hyperplane arrangements, and two-layer networks trained to their global optimum."""

from . import programs
from .arrangement import Arrangement
from .cells import CellBatch, Neighbors
from .certify import Assessment, certify
from .errors import (
    CellLimitError,
    FileFormatError,
    InputError,
    MemoryLimitError,
    SolverError,
    TopesError,
)
from .full_program import solve_full
from .network import TwoLayerNetwork
from .path import beta_max, path
from .result import KKTResiduals, Round, Solution, Status
from .training import train
from .verify import Verification, verify
from .zonotope import NormalCone, Zonotope

__version__ = "0.1.0"

__all__ = [
    "Arrangement",
    "Assessment",
    "CellBatch",
    "CellLimitError",
    "FileFormatError",
    "InputError",
    "KKTResiduals",
    "MemoryLimitError",
    "Neighbors",
    "NormalCone",
    "Round",
    "Solution",
    "SolverError",
    "Status",
    "TopesError",
    "TwoLayerNetwork",
    "Verification",
    "Zonotope",
    "beta_max",
    "certify",
    "path",
    "programs",
    "solve_full",
    "train",
    "verify",
]
