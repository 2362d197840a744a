"""The theorems as tools: stationary points (II.2), the rank-k program beside the optimum (III.1), spike-free data."""

from .rank_k import RankKRatio, decaying_data, rank_k_ratio
from .spike_free import NotSpikeFree, SpikeFree, spike_free
from .stationarity import Kind, Stationarity, balanced, stationarity

__all__ = [
    "Kind",
    "NotSpikeFree",
    "RankKRatio",
    "SpikeFree",
    "Stationarity",
    "balanced",
    "decaying_data",
    "rank_k_ratio",
    "spike_free",
    "stationarity",
]
