"""The pricing oracle: the largest price of a dual point over all cells, proved."""

from .cost import PricingCost, PricingCostWarning, pricing_cost, warn_if_costly
from .found import Pricing
from .oracle import Pricer

__all__ = ["Pricer", "Pricing", "PricingCost", "PricingCostWarning", "pricing_cost", "warn_if_costly"]
