"""The paper's theorems as tools: stationary points (Theorem II.2), the rank-k program beside the optimum (Theorem III.1)."""

from .rank_k import RankKRatio, decaying_data, rank_k_ratio
from .stationarity import Kind, Stationarity, balanced, stationarity

__all__ = ["Kind", "RankKRatio", "Stationarity", "balanced", "decaying_data", "rank_k_ratio", "stationarity"]
