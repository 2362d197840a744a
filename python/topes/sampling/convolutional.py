"""Directions that live on one patch of an image: the sampling of Convex-Conv."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from .._support.limits import check_count
from .._support.validation import FloatArray
from ..errors import InputError

__all__ = ["ConvolutionalSampling"]


@dataclass(frozen=True)
class ConvolutionalSampling:
    """Directions that are zero outside one patch of an image, drawn anew for each direction.

    Parameters
    ----------
    shape : tuple of int
        Of an input: (length,), (height, width) or (height, width, channels); its product is the number of columns of X.
    patch : tuple of int
        Of the patch: as many entries as `shape`, or one less, where all channels are taken.

    Examples
    --------
    >>> from topes import ConvolutionalSampling
    >>> ConvolutionalSampling((8, 8), (3, 3))
    ConvolutionalSampling(shape=(8, 8), patch=(3, 3))
    """

    shape: tuple[int, ...]
    patch: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("shape", "patch"):
            value = getattr(self, name)
            if not isinstance(value, (tuple, list)) or not value:
                raise InputError(f"{name} must be a tuple of positive integers, got {value!r}")
            for entry in value:
                check_count(entry, name, 1)
            object.__setattr__(self, name, tuple(int(entry) for entry in value))
        if len(self.patch) not in (len(self.shape), len(self.shape) - 1):
            raise InputError(f"patch must have as many entries as shape {self.shape}, or one less, got {self.patch}")
        if any(p > s for p, s in zip(self.patch, self.shape, strict=False)):
            raise InputError(f"patch must fit into shape {self.shape}, got {self.patch}")

    @property
    def n_columns(self) -> int:
        """Columns of X: the numbers of one input."""
        return math.prod(self.shape)

    @property
    def n_places(self) -> int:
        """Places of the patch."""
        return math.prod(s - p + 1 for s, p in zip(self.shape, self._whole_patch, strict=True))

    @property
    def _whole_patch(self) -> tuple[int, ...]:
        return self.patch + self.shape[len(self.patch) :]

    def columns(self) -> tuple[list[int], list[int]]:
        """Columns of the patch at its first place, and for each place by how much they are moved there."""
        steps = [math.prod(self.shape[k + 1 :]) for k in range(len(self.shape))]

        def flat(sizes: list[int]) -> list[int]:
            return [sum(i * step for i, step in zip(where, steps, strict=True)) for where in product(*map(range, sizes))]

        patch = self._whole_patch
        return flat(list(patch)), flat([s - p + 1 for s, p in zip(self.shape, patch, strict=True)])

    def directions(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Columns of Gaussian entries on a patch whose place is uniform, shape (prod(shape), count)."""
        patch = self._whole_patch
        out = np.zeros((count, *self.shape))
        places = [rng.integers(0, s - p + 1, count) for s, p in zip(self.shape, patch, strict=True)]
        for j in range(count):
            where = tuple(slice(int(at[j]), int(at[j]) + p) for at, p in zip(places, patch, strict=True))
            out[j][where] = rng.standard_normal(patch)
        return np.ascontiguousarray(out.reshape(count, -1).T)
