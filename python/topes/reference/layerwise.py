"""A block of the layerwise stack by loops over places, filters and regions: one image."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

__all__ = ["layerwise_block"]


def layerwise_block(
    image: Any,
    W1: Any,
    b1: Any,
    W2: Any,
    *,
    mean: Any,
    scale: Any,
    kernel_size: tuple[int, int],
    same: bool,
    grid: int,
    downsample: int,
    kappa: float,
) -> tuple[list[float], list[list[list[float]]]]:
    """Outputs of a block, and the map of all its filters after averaging; slow.

    Parameters
    ----------
    image : array_like, shape (height, width, channels)
    W1 : array_like, shape (h, m)
        A filter a column, entries row by row, the channel fastest.
    b1 : array_like, shape (m,), or None
    W2 : array_like, shape (m, S * C)
        The outputs of a region side by side.
    mean, scale : array_like, shape (channels,)
    kernel_size : tuple of int
    same : bool
        Zeros, after standardising, around the image: as many as keep its size.
    grid, downsample : int
    kappa : float

    Returns
    -------
    outputs : list of float, length C
    map : list, shape (rows, columns, m)

    Examples
    --------
    >>> from topes.reference import layerwise_block
    >>> one = {"mean": [0.0], "scale": [1.0], "kernel_size": (1, 1), "same": True, "grid": 1, "downsample": 2}
    >>> layerwise_block([[[1.0], [-3.0]]], [[1.0]], None, [[2.0]], **one, kappa=0.0)
    ([1.0], [[[0.5]]])
    """
    height, width, channels = len(image), len(image[0]), len(image[0][0])
    tall, wide = kernel_size
    top, left = ((tall - 1) // 2, (wide - 1) // 2) if same else (0, 0)
    rows, columns = (height, width) if same else (height - tall + 1, width - wide + 1)
    m = len(W1[0]) if len(W1) else 0
    size = math.sqrt(tall * wide * channels)

    def pixel(i: int, j: int, c: int) -> float:
        if not (0 <= i < height and 0 <= j < width):
            return 0.0
        return (float(image[i][j][c]) - float(mean[c])) / (float(scale[c]) * size)

    hidden = [[[0.0] * m for _ in range(columns)] for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            for f in range(m):
                total = 0.0 if b1 is None else float(b1[f])
                for a in range(tall):
                    for b in range(wide):
                        for c in range(channels):
                            total += pixel(i - top + a, j - left + b, c) * float(W1[(a * wide + b) * channels + c][f])
                hidden[i][j][f] = total if total >= 0.0 else kappa * total

    def mean_over(where_i: range, where_j: range, f: int) -> float:
        return math.fsum(hidden[i][j][f] for i in where_i for j in where_j) / (len(where_i) * len(where_j))

    bands, cuts = _parts(rows, min(grid, rows)), _parts(columns, min(grid, columns))
    C = len(W2[0]) // (len(bands) * len(cuts)) if m else 0
    outputs = [0.0] * C
    for s, (band, cut) in enumerate((band, cut) for band in bands for cut in cuts):
        for f in range(m):
            for c in range(C):
                outputs[c] += mean_over(band, cut, f) * float(W2[f][s * C + c])
    pooled = [
        [
            [
                mean_over(range(i, min(i + downsample, rows)), range(j, min(j + downsample, columns)), f)
                for f in range(m)
            ]
            for j in range(0, columns, downsample)
        ]
        for i in range(0, rows, downsample)
    ]  # fmt: skip
    return outputs, pooled


def _parts(length: int, count: int) -> list[range]:
    """Consecutive ranges, the first ones longer by one where the length does not divide."""
    short, more = divmod(length, count)
    starts = [k * short + min(k, more) for k in range(count + 1)]
    return [range(a, b) for a, b in pairwise(starts)]
