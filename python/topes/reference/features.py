"""Slow twin of `topes.features`: Algorithm 2's encoding, one patch and one centroid at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["encode"]


def encode(
    image: npt.NDArray[Any],
    mean: npt.NDArray[np.float64],
    whitening: npt.NDArray[np.float64],
    centroids: npt.NDArray[np.float64],
    *,
    patch: int,
    pool: int,
    normalise: float,
    triangle: bool,
    average: bool,
) -> list[float]:
    """Features of one image, shape (height, width, channels), in the order of `PatchFeatures.transform`."""
    rows, columns = image.shape[0] - patch + 1, image.shape[1] - patch + 1
    features: list[float] = []
    for top in range(0, rows, pool):
        for left in range(0, columns, pool):
            places = [(i, j) for i in range(top, min(top + pool, rows)) for j in range(left, min(left + pool, columns))]
            total = [0.0] * len(centroids)
            for i, j in places:
                # Channel by channel, each row by row.
                window = image[i : i + patch, j : j + patch]
                p = [float(x) for c in range(image.shape[2]) for row in window[:, :, c] for x in row]
                middle = math.fsum(p) / len(p)
                scale = math.sqrt(math.fsum((x - middle) ** 2 for x in p) / len(p) + normalise)
                white = whitening @ (np.array([(x - middle) / scale for x in p]) - mean)
                z = [math.dist(white, centroid) for centroid in centroids]
                typical = math.fsum(z) / len(z)
                for k, distance in enumerate(z):
                    total[k] += max(typical - distance if triangle else distance - typical, 0.0)
            features += [t / len(places) if average else t for t in total]
    return features
