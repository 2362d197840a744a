"""The large-scale form (32): a penalty in place of the cones, sampled patterns, mini-batches. Needs PyTorch.

Where the rank is low, `topes.train` finds the optimum over all cells with a proof; this is for data it cannot take.
"""

from .block import LayerwiseBlock
from .gated_network import GatedNetwork
from .layerwise import train_layerwise
from .layerwise_solution import LayerwiseSolution
from .losses import CrossEntropyLoss
from .solution import Epoch, LargeSolution, Round
from .training import train

__all__ = [
    "CrossEntropyLoss",
    "Epoch",
    "GatedNetwork",
    "LargeSolution",
    "LayerwiseBlock",
    "LayerwiseSolution",
    "Round",
    "train",
    "train_layerwise",
]
