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
from .guarantee import Guarantee
from .low_rank import train_low_rank
from .low_rank_solution import LowRankSolution
from .network import TwoLayerNetwork
from .path import beta_max, path
from .pricing_cost import PricingCost, PricingCostWarning, pricing_cost
from .result import KKTResiduals, Round, Solution, Status
from .sampling import ConvolutionalSampling, sample_patterns
from .training import train
from .zonotope import NormalCone, Zonotope

__version__ = "0.1.0"

__all__ = [
    "Arrangement",
    "Assessment",
    "CellBatch",
    "CellLimitError",
    "ConvolutionalSampling",
    "FileFormatError",
    "Guarantee",
    "InputError",
    "KKTResiduals",
    "LowRankSolution",
    "MemoryLimitError",
    "Neighbors",
    "NormalCone",
    "PricingCost",
    "PricingCostWarning",
    "Round",
    "Solution",
    "SolverError",
    "Status",
    "TopesError",
    "TwoLayerNetwork",
    "Zonotope",
    "beta_max",
    "certify",
    "path",
    "pricing_cost",
    "programs",
    "sample_patterns",
    "solve_full",
    "train",
    "train_low_rank",
]
