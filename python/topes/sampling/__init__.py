"""Patterns that sampled directions see, what they tell of the cells unseen, and Theorem III.2: how many samples see all."""

from .cells import SampledCells, sample_cells, sample_patterns
from .convolutional import ConvolutionalSampling
from .count_estimate import CellCountEstimate
from .coverage import Coverage, coverage, coverage_of_data
from .coverage_probability import coverage_probability, coverage_samples
from .directions import sample_directions
from .intervals import clopper_pearson
from .sample_sizes import SampleSizes, sample_sizes
from .sufficient import sufficient_samples
from .union_bound import union_bound, union_samples
from .unseen import UnseenMass

__all__ = [
    "CellCountEstimate",
    "ConvolutionalSampling",
    "Coverage",
    "SampleSizes",
    "SampledCells",
    "UnseenMass",
    "clopper_pearson",
    "coverage",
    "coverage_of_data",
    "coverage_probability",
    "coverage_samples",
    "sample_cells",
    "sample_directions",
    "sample_patterns",
    "sample_sizes",
    "sufficient_samples",
    "union_bound",
    "union_samples",
]
