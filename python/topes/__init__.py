"""Exact cells of hyperplane arrangements, and two-layer networks trained to their global optimum."""

from typing import TYPE_CHECKING

from . import programs, sampling, theory
from .arrangement import Arrangement
from .bounds import cell_bound, cell_bound_power
from .cells import CellBatch, Neighbors
from .certify import Assessment, certify
from .errors import (
    CellLimitError,
    FileFormatError,
    InputError,
    JobError,
    MemoryLimitError,
    NotInterpolable,
    RankLimitError,
    SolverError,
    TopesError,
)
from .full_program import solve_full
from .jobs import Patterns, open_patterns
from .linear_cnn import LinearConvolutionalNetwork, LinearSolution, train_linear_cnn
from .low_rank import Guarantee, LowRankSolution, train_low_rank
from .models import (
    ConvolutionalNetwork,
    Gauge,
    Interpolation,
    beta_max,
    gauge,
    interpolate,
    path,
    train,
    train_cnn,
    train_spike_free,
    train_whitened,
)
from .network import TwoLayerNetwork
from .patches import extract_patches
from .pricing import PricingCost, PricingCostWarning, pricing_cost
from .report import Report, report
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
from .theory import NotSpikeFree, SpikeFree, Stationarity, spike_free, stationarity
from .vector_network import VectorNetwork
from .verify import Verification, verify
from .zonotope import Edges, Face, Facets, Membership, NormalCone, Volume, Zonotope

if TYPE_CHECKING:
    from . import estimators as estimators
    from . import features as features
    from . import large as large
    from . import losses as losses
    from . import plotting as plotting
else:

    def __getattr__(name):
        """Modules that need an extra, or time to import, are imported when they are used."""
        if name in ("estimators", "features", "large", "losses", "plotting"):
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__version__ = "0.1.0"

__all__ = [
    "AngledCell",
    "Arrangement",
    "Assessment",
    "CellBatch",
    "CellLimitError",
    "ConvolutionalNetwork",
    "ConvolutionalSampling",
    "Edges",
    "Face",
    "Facets",
    "FileFormatError",
    "Gauge",
    "Guarantee",
    "InputError",
    "Interpolation",
    "JobError",
    "KKTResiduals",
    "LinearConvolutionalNetwork",
    "LinearSolution",
    "LowRankSolution",
    "Membership",
    "MemoryLimitError",
    "Neighbors",
    "NormalCone",
    "NotInterpolable",
    "NotSpikeFree",
    "Patterns",
    "PricingCost",
    "PricingCostWarning",
    "RankLimitError",
    "Report",
    "Round",
    "SolidAngle",
    "SolidAngleSummary",
    "SolidAngles",
    "Solution",
    "SolverError",
    "SpikeFree",
    "Stationarity",
    "Status",
    "TopesError",
    "TwoLayerNetwork",
    "VectorNetwork",
    "Verification",
    "Volume",
    "Zonotope",
    "beta_max",
    "cell_bound",
    "cell_bound_power",
    "certify",
    "extract_patches",
    "gauge",
    "interpolate",
    "open_patterns",
    "path",
    "pricing_cost",
    "programs",
    "report",
    "sample_patterns",
    "sampling",
    "solid_angle",
    "solid_angle_summary",
    "solid_angles",
    "solve_full",
    "spike_free",
    "stationarity",
    "theory",
    "train",
    "train_cnn",
    "train_linear_cnn",
    "train_low_rank",
    "train_spike_free",
    "train_whitened",
    "verify",
]
