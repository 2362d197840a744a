"""Problem (32) for a two-layer convolutional block: patterns over patches, outputs pooled over regions of the map."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.validation import FloatArray
from ..activation import phi
from .losses import torch_loss
from .model import GatedModel
from .reading import OUTPUT_BYTES

__all__ = ["PatchModel", "Regions", "region_outputs"]

#: For each region of a map the numbers of its places, row by row.
Regions = tuple[npt.NDArray[np.intp], ...]

_SAMPLES = 32  # that tell the scale of outputs


class PatchModel(GatedModel):
    """F_c = sum over regions s and patterns i of the mean over the patches x_k of s of D_i(k) x_k'(w_isc - w'_isc).

    One region is global average pooling, (13) and (14); each region and output has weights of its own, (31). The penalty on
    what is on the wrong side is over the same means, so that its multipliers are those of rows x_k / |s|.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h), float64
        With an entry that is one, if there is a bias.
    Y : ndarray, shape (n, C), float64
    patterns : ndarray, shape (P, n * K), uint8
    regions : tuple of ndarray
        A partition of range(K).
    beta, kappa, loss, device, dtype
        As for `GatedModel`.

    Attributes
    ----------
    weights : tensor, shape (2, P, S * C, h)
        Outputs fastest.
    """

    def __init__(
        self,
        patches: FloatArray,
        Y: FloatArray,
        patterns: npt.NDArray[np.uint8],
        regions: Regions,
        beta: float,
        kappa: float,
        loss: str,
        device: Any,
        dtype: Any,
    ) -> None:
        n, self.K, h = patches.shape
        super().__init__(patches.reshape(n * self.K, h), Y, patterns, beta, kappa, loss, device, dtype)
        torch = self._torch
        self.n = n
        self._regions = [torch.as_tensor(places, device=device) for places in regions]
        self.weights = torch.zeros(
            (2, self.P, len(regions) * self.C, h), dtype=dtype, device=device, requires_grad=True
        )  # fmt: skip

    def parts(self, rows: Any) -> tuple[Any, Any, Any]:
        """Over these samples: the loss, what is on the wrong side, and the sum of all absolute pre-activations."""
        torch, outputs, wrong, total = self._torch, 0.0, 0.0, 0.0
        for s, places in enumerate(self._regions):
            at = (rows[:, None] * self.K + places).reshape(-1)
            weights = self.weights[:, :, s * self.C : (s + 1) * self.C].reshape(-1, self.d)
            share = 1.0 / len(places)
            H = ((share * self.X[at]) @ weights.T).reshape(len(rows), len(places), 2, self.P, self.C)
            gates = self.gates(at).reshape(len(rows), len(places), self.P)
            slopes = gates + self.kappa * (1.0 - gates) if self.kappa else gates
            outputs = outputs + torch.einsum("bkp,bkpc->bc", slopes, H[:, :, 0] - H[:, :, 1])
            wrong = wrong + torch.relu((1.0 - 2.0 * gates)[:, :, None, :, None] * H).sum()
            total = total + H.detach().abs().sum()
        return torch_loss(self.loss, outputs, self.Y[rows]), wrong, total

    def reach(self) -> float:
        """As of `GatedModel`, of what is averaged over regions, from some samples."""
        return math.sqrt(self.d) * sum(float(M.square().sum(dim=1).mean().sqrt()) for M in self._pooled())

    def largest_curvature(self) -> float:
        """As of `GatedModel`, of what is averaged over regions, from some samples."""
        found: Any = 0.0
        for M in self._pooled():
            found = found + M @ M.T * (2.0 / len(M))
        return float(self._torch.linalg.eigvalsh(found)[-1])

    def _pooled(self) -> Iterator[Any]:
        """mean over k in s of D_i(k) x_k, a pattern and a region at a time, shape (samples, h)."""
        rows = self._torch.arange(min(_SAMPLES, self.n), device=self.X.device)
        for places in self._regions:
            at = (rows[:, None] * self.K + places).reshape(-1)
            X = self.X[at].cpu().double().reshape(len(rows), len(places), self.d)
            slopes = self._slopes(at).reshape(len(rows), len(places), self.P)
            for i in range(self.P):
                yield (slopes[:, :, i, None] * X).mean(dim=1)

    @staticmethod
    def patch_bytes_needed(
        n: int, regions: list[int], h: int, P: int, C: int, batch: int, itemsize: int, states: int
    ) -> int:  # fmt: skip
        """What a block takes: patches here and in torch, gates, weights with gradient and states, and a mini-batch.

        `regions` holds the number of places of each region. Patches are counted twice in float64, as their signs are taken.
        """
        K = sum(regions)
        data = n * K * ((16 + itemsize) * h + P // 8 + 1 + 2 * P)
        weights = 2 * P * len(regions) * C * h * (itemsize * (2 + states) + 8 * 5)
        # 3 P C numbers a place are kept for the gradient, the others for one region at a time.
        step = itemsize * batch * (K * (4 * P * C + 4 * P + 2 * h) + 8 * max(regions) * P * C)
        return int(data + weights + step)


def region_outputs(patches: FloatArray, W1: FloatArray, W2: FloatArray, regions: Regions, kappa: float) -> FloatArray:
    """Outputs of a block, shape (n, C): for each region the mean of phi(patches W1) over it, times its columns of W2.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h), float64
    W1 : ndarray, shape (h, m), float64
    W2 : ndarray, shape (m, S * C), float64
    """
    n, C = len(patches), W2.shape[1] // len(regions)
    out = np.zeros((n, C))
    for s, places in enumerate(regions):
        columns = W2[:, s * C : (s + 1) * C]
        used = columns.any(axis=1)
        first, second = W1[:, used], columns[used]
        step = max(1, OUTPUT_BYTES // (8 * len(places) * max(1, len(second))))
        for begin in range(0, n, step):
            hidden = phi(patches[begin : begin + step][:, places] @ first, kappa).mean(axis=1)
            out[begin : begin + step] += hidden @ second
    return out
