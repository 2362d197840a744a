"""Learning rates that suit the data: how far outputs move where all weights do, and how curved the loss is along a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .model import GatedModel

__all__ = ["automatic_rate"]

# Adam moves each weight by about the rate at each step, whatever the data. Outputs then move by at most rate * reach, and
# the best rate times reach was between 0.7 and 21 for digits, Fashion-MNIST, CIFAR-10 and two regressions, for 16 as for
# 128 patterns: the more steps, the smaller. docs/large.md has the figures. At most, and over the square root of the steps:
_ADAM = {"squared": (4.0, 60.0), "logistic": (14.0, 140.0), "cross_entropy": (14.0, 140.0)}
_ADAGRAD = 30.0
# Of the second derivative of a loss in an output.
_CURVATURE = {"squared": 1.0, "logistic": 0.25, "cross_entropy": 0.5}


def automatic_rate(model: GatedModel, settings: dict[str, Any]) -> Callable[[int], float]:
    """The largest rate worth a trial, as a function of the number of epochs."""
    name = settings["optimizer"]
    if name == "sgd":
        largest = model.largest_curvature() * _CURVATURE[settings["loss"]]
        rate = min((1.0 - settings["momentum"]) / largest, 1e30) if largest > 0.0 else 1.0
        return lambda epochs: rate
    reach, size = model.reach(), 1.0
    if settings["loss"] == "squared":  # outputs are to be as large as the targets
        size = float(model.Y.cpu().double().square().mean().sqrt()) or 1.0
    most, falling = (_ADAGRAD, math.inf) if name == "adagrad" else _ADAM[settings["loss"]]

    def rate_of(epochs: int) -> float:
        steps = epochs * math.ceil(model.n / settings["batch"])
        times = min(most, falling / math.sqrt(steps))
        return float(np.clip(times * size / reach, 1e-30, 1e30)) if reach > 0.0 else 1.0

    return rate_of
