"""Data whose rank is too high to price: rank-k arrangements (10), Theorem III.1, Algorithm 1, bounds at any rank."""

from .algorithm import train_low_rank
from .guarantee import Guarantee
from .solution import LowRankSolution

__all__ = ["Guarantee", "LowRankSolution", "train_low_rank"]
