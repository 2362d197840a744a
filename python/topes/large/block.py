"""A two-layer convolutional block: what it sees of a map, what it says of the classes, and the map it hands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..activation import kappa_of, phi
from ..patches import extract_patches
from ..vector_network import VectorNetwork
from .patch_model import Regions, region_outputs
from .solution import Epoch

__all__ = ["Geometry", "LayerwiseBlock", "averaged", "moments", "patches_of", "strongest", "with_ones"]

# Filters this close, in radians, say the same to the next block: one pattern has filters for many regions and classes.
_ALIKE = 0.3
_AT_A_TIME = 2**26  # bytes of patches and hidden layer


@dataclass(frozen=True)
class Geometry:
    """Shapes of a block.

    Attributes
    ----------
    shape : tuple of int, (height, width, channels)
        Of the map it takes.
    kernel_size : tuple of int, (height, width)
    padding : {"same", "valid"}
    grid, downsample : int
    """

    shape: tuple[int, int, int]
    kernel_size: tuple[int, int]
    padding: str
    grid: int
    downsample: int

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns of places of the filter."""
        if self.padding == "same":
            return self.shape[:2]
        rows, columns = (side - size + 1 for side, size in zip(self.shape[:2], self.kernel_size, strict=True))
        return rows, columns

    @property
    def patch(self) -> int:
        """Numbers in a patch."""
        return self.kernel_size[0] * self.kernel_size[1] * self.shape[2]

    @property
    def regions(self) -> Regions:
        """Places of each region the classifier averages over: a grid of them, of fewer where there are fewer places."""
        rows, columns = self.places
        numbers = np.arange(rows * columns).reshape(rows, columns)
        bands = np.array_split(numbers, min(self.grid, rows))
        return tuple(part.ravel() for band in bands for part in np.array_split(band, min(self.grid, columns), axis=1))

    @property
    def next_places(self) -> tuple[int, int]:
        """Rows and columns of the map handed on."""
        rows, columns = (-(-side // self.downsample) for side in self.places)
        return rows, columns


def moments(maps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each channel over samples and places; 1 for a channel that is constant."""
    mean, scale = maps.mean(axis=(0, 1, 2)), maps.std(axis=(0, 1, 2))
    return mean, np.where(scale > 1e-12 * (1.0 + np.abs(mean)), scale, 1.0)


@dataclass(frozen=True, repr=False)
class LayerwiseBlock:
    """One block of `LayerwiseSolution` and what is known of its training.

    It takes a map of shape (height, width, channels), standardises each channel by the moments of the training maps, and
    sees of it patches x_k, divided by the square root of their size. Its outputs are those of the network on patches,
    averaged over each region s: sum_s mean over k in s of phi(x_k'W1 + b1) W2_s.

    Attributes
    ----------
    network : VectorNetwork
        Of h inputs and S * C outputs, the classes fastest: each neuron is a filter for one region and one output.
    geometry : Geometry
    mean, scale : ndarray, shape (channels,), float64
    filters : ndarray, shape (at most width,), int
        The neurons whose maps are handed on.
    objective : float
        Of the block's network, non-convex: L(F, Y) + beta/2 * sum of ||w1_j||^2 + ||w2_j||_1^2.
    convex_objective : float
        L + beta * sum ||w|| of the weights as the patterns read them.
    violation, rho : float
        As in `LargeSolution`.
    history : tuple of Epoch
    n_patterns : int
    weights : ndarray, shape (2, P, S * C, h)
        w and w' of the convex program; with a bias one entry more.
    """

    network: VectorNetwork
    geometry: Geometry
    mean: FloatArray
    scale: FloatArray
    filters: npt.NDArray[np.intp]
    objective: float
    convex_objective: float
    violation: float
    rho: float
    history: tuple[Epoch, ...]
    n_patterns: int
    weights: FloatArray = field(compare=False)

    def patches(self, maps: FloatArray) -> FloatArray:
        """What the filters see, shape (n, K, h), without the one of a bias; maps of shape (n, height, width, channels)."""
        return patches_of(maps, self.geometry, self.mean, self.scale)

    def outputs(self, maps: FloatArray) -> FloatArray:
        """Outputs, shape (n, C)."""
        kappa, W1, W2 = kappa_of(self.network.activation), _with_bias(self.network), self.network.W2
        bias, regions = self.network.b1 is not None, self.geometry.regions
        parts = self._parts(maps, 0)
        return np.concatenate([region_outputs(with_ones(patches, bias), W1, W2, regions, kappa) for patches in parts])

    def features(self, maps: FloatArray) -> FloatArray:
        """The map handed on, shape (n, rows, columns, number of filters): phi of the filters, averaged over windows."""
        kappa, W1 = kappa_of(self.network.activation), _with_bias(self.network)[:, self.filters]
        found = []
        for patches in self._parts(maps, W1.shape[1]):
            hidden = phi(with_ones(patches, self.network.b1 is not None) @ W1, kappa)
            found.append(averaged(hidden.reshape(len(patches), *self.geometry.places, -1), self.geometry.downsample))
        return np.concatenate(found)

    def _parts(self, maps: FloatArray, m: int) -> Iterator[FloatArray]:
        rows, columns = self.geometry.places
        step = max(1, _AT_A_TIME // (8 * rows * columns * (2 * self.geometry.patch + 2 * m)))
        for begin in range(0, max(1, len(maps)), step):
            yield self.patches(maps[begin : begin + step])

    def __repr__(self) -> str:
        height, width, channels = self.geometry.shape
        return (
            f"LayerwiseBlock({height} x {width} x {channels}, objective {self.objective:.8g}, convex objective "
            f"{self.convex_objective:.8g}, violation {self.violation:.2g} at rho = {self.rho:.3g}, "
            f"{self.network.n_neurons} filters from {self.n_patterns} patterns, {len(self.filters)} handed on)"
        )


def with_ones(patches: FloatArray, bias: bool) -> FloatArray:
    """Patches, with a last entry that is one if there is a bias."""
    return np.concatenate([patches, np.ones((*patches.shape[:2], 1))], axis=2) if bias else patches


def patches_of(maps: FloatArray, geometry: Geometry, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Standardised patches over the square root of their size, shape (n, K, h); beyond the border there is the mean."""
    maps = (maps - mean) / (scale * np.sqrt(geometry.patch))
    if geometry.padding == "same":
        around = [((size - 1) // 2, size // 2) for size in geometry.kernel_size]
        maps = np.pad(maps, ((0, 0), *around, (0, 0)))
    return np.require(extract_patches(maps, geometry.kernel_size), np.float64, ["C", "W"])


def strongest(W1: FloatArray, W2: FloatArray, width: int) -> npt.NDArray[np.intp]:
    """Columns of W1 to hand on, the largest ||w1|| ||w2|| first; those within 0.3 radians of a larger one come last."""
    lengths = np.linalg.norm(W1, axis=0)
    order = np.argsort(-lengths * np.linalg.norm(W2, axis=1), kind="stable")
    units = (W1 / np.where(lengths > 0.0, lengths, 1.0))[:, order]
    chosen: list[int] = []
    alike: list[int] = []
    for k in range(len(order)):
        if len(chosen) == width:
            break
        near = len(chosen) > 0 and float(np.max(units[:, k] @ units[:, chosen])) > np.cos(_ALIKE)
        (alike if near else chosen).append(k)
    return np.asarray(order[(chosen + alike)[:width]], dtype=np.intp)


def averaged(maps: FloatArray, window: int) -> FloatArray:
    """Means over windows; the last of a row or column may be smaller."""
    if window == 1:
        return maps
    counts: Any = 1.0
    for axis in (1, 2):
        starts = np.arange(0, maps.shape[axis], window)
        sizes = np.diff(starts, append=maps.shape[axis])
        maps = np.add.reduceat(maps, starts, axis=axis)
        counts = counts * sizes.reshape([-1 if k == axis else 1 for k in range(4)])
    return np.asarray(maps / counts)


def _with_bias(network: Any) -> FloatArray:
    return network.W1 if network.b1 is None else np.vstack([network.W1, network.b1])
