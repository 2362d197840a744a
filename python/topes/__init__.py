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
    NotInterpolable,
    SolverError,
    TopesError,
)
from .full_program import solve_full
from .low_rank import Guarantee, LowRankSolution, train_low_rank
from .models import ConvolutionalNetwork, Gauge, Interpolation, gauge, interpolate, train, train_cnn
from .network import TwoLayerNetwork
from .patches import extract_patches
from .pricing import PricingCost, PricingCostWarning, pricing_cost
from .result import KKTResiduals, Round, Solution, Status
from .sampling import ConvolutionalSampling, sample_patterns
from .solid_angle import (
    AngledCell,
    SolidAngle,
    SolidAngles,
    SolidAngleSummary,
    solid_angle,
    solid_angle_summary,
    solid_angles,
)
from .training import beta_max, path
from .vector_network import VectorNetwork
from .verify import Verification, verify
from .zonotope import NormalCone, Zonotope

__version__ = "0.1.0"

__all__ = [
    "AngledCell",
    "Arrangement",
    "Assessment",
    "CellBatch",
    "CellLimitError",
    "ConvolutionalNetwork",
    "ConvolutionalSampling",
    "FileFormatError",
    "Gauge",
    "Guarantee",
    "InputError",
    "Interpolation",
    "KKTResiduals",
    "LowRankSolution",
    "MemoryLimitError",
    "Neighbors",
    "NormalCone",
    "NotInterpolable",
    "PricingCost",
    "PricingCostWarning",
    "Round",
    "SolidAngle",
    "SolidAngleSummary",
    "SolidAngles",
    "Solution",
    "SolverError",
    "Status",
    "TopesError",
    "TwoLayerNetwork",
    "VectorNetwork",
    "Verification",
    "Zonotope",
    "beta_max",
    "certify",
    "extract_patches",
    "gauge",
    "interpolate",
    "path",
    "pricing_cost",
    "programs",
    "sample_patterns",
    "solid_angle",
    "solid_angle_summary",
    "solid_angles",
    "solve_full",
    "train",
    "train_cnn",
    "train_low_rank",
    "verify",
]
