"""The pricing oracle: the largest price of a dual point over all cells, proved."""

from .cost import PricingCost, PricingCostWarning, pricing_cost, warn_if_costly
from .oracle import Pricer, Pricing

__all__ = ["Pricer", "Pricing", "PricingCost", "PricingCostWarning", "pricing_cost", "warn_if_costly"]
