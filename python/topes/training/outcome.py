"""From the blocks in use to the network of Proposition II.1, made small where that costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ..losses import Loss
from ..network import TwoLayerNetwork
from ..pricing.oracle import Pricer
from .blocks import Blocks
from .polish import on_the_kinks

__all__ = ["best_network"]


def best_network(
    pricer: Pricer,
    choices: list[Blocks],
    y: FloatArray,
    beta: float,
    loss: Loss,
    worth: float,
) -> tuple[TwoLayerNetwork, float]:
    """The network of the first of these solutions that is good enough, and its objective (3).

    Equal directions are merged and the rest is moved to a vertex of the set of solutions with these outputs, at most n
    neurons; the network without neurons is taken where it is no worse.

    Parameters
    ----------
    worth : float
        Share of the objective that the smaller network may cost.
    """
    none = np.zeros((pricer.data.shape[1], 0))
    data = pricer.data if pricer.bias is False else pricer.data[:, :-1]

    def network(parts: list[FloatArray], **how: Any) -> TwoLayerNetwork:
        options: dict[str, Any] = {"activation": pricer.kappa, "bias": pricer.bias, "norm": pricer.norm}
        return TwoLayerNetwork.from_convex(parts[0], parts[1], X=data, pool=pricer.pool, **how, **options)

    def outcomes(blocks: Blocks, **how: Any) -> list[tuple[TwoLayerNetwork, float]]:
        plain, found = network(blocks.by_sign(), **how), []
        for each in (plain, on_the_kinks(plain, data, y, loss, pricer.pool)):
            fit = loss.value(pricer.pooled(each.predict(data)), y)
            penalty = each.penalty(bias=pricer.bias or "penalized", norm=pricer.norm)
            found.append((each, fit + beta * penalty))
        return found

    known = [(blocks, outcomes(blocks), outcomes(blocks, reduce=False)) for blocks in choices]

    def smallest_first() -> Iterator[tuple[TwoLayerNetwork, float]]:
        for blocks, small, whole in known:
            yield from small
            yield from outcomes(blocks, angle=0.0)  # a vertex all the same, without what merging costs
            yield from whole

    empty = loss.value(np.zeros_like(y), y)
    least = min(value for _, small, whole in known for _, value in (*small, *whole))
    chosen = next(c for c in smallest_first() if c[1] <= least + worth * max(abs(least), 1e-3 * empty))
    return (network([none, none]), empty) if empty <= chosen[1] else chosen
