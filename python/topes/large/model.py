"""Problem (32) on mini-batches, in torch: outputs through fixed gates, and what lies on the wrong side of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import TopesError
from .losses import torch_loss
from .reading import OUTPUT_BYTES

__all__ = ["GatedModel", "import_torch"]

_ROWS = 1024  # of the data, that tell the scale of outputs


def import_torch() -> Any:
    """The module, or one line that says how to install it."""
    try:
        import torch
    except ImportError:
        raise TopesError("topes.large needs PyTorch: pip install 'topes[torch]'") from None
    return torch


class GatedModel:
    """F = sum_i D_i X (w_i - w_i') for weights of shape (2, P, C, d), a filter of C outputs for each pattern and sign.

    The gates are kept as packed bits, n P / 8 bytes; no product D_i X is formed. A mini-batch of b samples takes one matrix
    product with all weights and 2 b P C numbers.

    Parameters
    ----------
    X : ndarray, shape (n, d), float64
    Y : ndarray, shape (n, C), float64
    patterns : ndarray, shape (P, n), uint8
    beta, kappa : float
    loss : str
    device, dtype : torch.device, torch.dtype
    """

    def __init__(
        self,
        X: Any,
        Y: Any,
        patterns: npt.NDArray[np.uint8],
        beta: float,
        kappa: float,
        loss: str,
        device: Any,
        dtype: Any,
    ) -> None:
        torch = import_torch()
        self._torch = torch
        self.X = torch.as_tensor(X, dtype=dtype, device=device)
        self.Y = torch.as_tensor(Y, dtype=dtype, device=device)
        self.beta, self.kappa, self.loss = beta, kappa, loss
        self.n, self.d = X.shape
        self.P, self.C = len(patterns), Y.shape[1]
        packed = np.packbits(np.ascontiguousarray(patterns.T), axis=1, bitorder="little")
        self._packed = torch.as_tensor(packed, device=device)
        self._bits = torch.arange(8, dtype=torch.uint8, device=device)
        self.weights = torch.zeros((2, self.P, self.C, self.d), dtype=dtype, device=device, requires_grad=True)

    def gates(self, rows: Any) -> Any:
        """1 where the pattern is on for the sample, else 0; shape (b, P)."""
        bits = (self._packed[rows][:, :, None] >> self._bits) & 1
        return bits.reshape(len(rows), -1)[:, : self.P].to(self.X.dtype)

    def parts(self, rows: Any) -> tuple[Any, Any, Any]:
        """Over these samples: the loss, what is on the wrong side, and the sum of all absolute pre-activations."""
        H = self.X[rows] @ self.weights.reshape(-1, self.d).T
        H = H.reshape(len(rows), 2, self.P, self.C)
        gates = self.gates(rows)
        slopes = gates + self.kappa * (1.0 - gates) if self.kappa else gates
        outputs = self._torch.einsum("bp,bpc->bc", slopes, H[:, 0] - H[:, 1])
        wrong = self._torch.relu((1.0 - 2.0 * gates)[:, None, :, None] * H).sum()
        return torch_loss(self.loss, outputs, self.Y[rows]), wrong, H.detach().abs().sum()

    def reach(self) -> float:
        """How far an output may move where each weight moves by one: sqrt(d) times the sum over patterns of rms |D_i x|."""
        rows = self._torch.arange(min(_ROWS, len(self.X)), device=self.X.device)
        squares = self._slopes(rows).square() * self.X[rows].cpu().double().square().sum(dim=1, keepdim=True)
        return math.sqrt(self.d) * float(squares.mean(dim=0).sqrt().sum())

    def largest_curvature(self) -> float:
        """Of half the mean square of an output, as a function of all weights; over some rows."""
        rows = self._torch.arange(min(_ROWS, len(self.X)), device=self.X.device)
        X, slopes = self.X[rows].cpu().double(), self._slopes(rows)
        products = (X @ X.T) * (slopes @ slopes.T) * (2.0 / len(rows))
        return float(self._torch.linalg.eigvalsh(products)[-1])

    def _slopes(self, rows: Any) -> Any:
        gates = self.gates(rows).cpu().double()  # not all devices have doubles
        return gates + self.kappa * (1.0 - gates)

    def at_zero(self, batch_size: int) -> tuple[float, float, float]:
        """While weights are zero: the loss, and rms its derivative in an output and the entries of its mean's gradient."""
        torch = self._torch
        outputs = torch.zeros_like(self.Y, requires_grad=True)
        loss = torch_loss(self.loss, outputs, self.Y)
        (slope,) = torch.autograd.grad(loss, outputs)
        self.gradient(torch.arange(min(batch_size, self.n), device=self.X.device), 0.0)
        scale = _rms(self.weights.grad)
        self.weights.grad = None
        return float(loss.detach()), _rms(slope), scale if math.isfinite(scale) else 1.0

    def norms(self) -> Any:
        """sum of ||w||, a torch scalar."""
        return self._torch.linalg.vector_norm(self.weights, dim=-1).sum()

    def gradient(self, rows: Any, rho: float) -> tuple[float, float, float]:
        """(32) over n as these samples see it, unbiased for random ones, what is wrong and the sum it is a share of.

        The gradient is left in `weights.grad`; that of the norms takes no copy of the weights.
        """
        torch = self._torch
        self.weights.grad = None
        loss, wrong, total = self.parts(rows)
        fit = (loss + rho * wrong) / len(rows)
        fit.backward()
        with torch.no_grad():
            lengths = torch.linalg.vector_norm(self.weights, dim=-1, keepdim=True)
            inverse = torch.where(lengths > 0.0, 1.0 / lengths, 0.0)
            self.weights.grad.addcmul_(self.weights, inverse, value=self.beta / self.n)
            value, wrong, total = torch.stack((fit + self.beta / self.n * lengths.sum(), wrong, total)).tolist()
        return value, wrong, total

    def whole(self, batch_size: int) -> tuple[float, float, float]:
        """Loss, sum of norms and violation over all samples."""
        loss, wrong, total = self._sums(batch_size)
        return loss, float(self.norms().detach()), wrong / total if total > 0.0 else 0.0

    def penalised(self, batch_size: int, rho: float) -> float:
        """(32) over all samples."""
        loss, wrong, _ = self._sums(batch_size)
        return loss + self.beta * float(self.norms().detach()) + rho * wrong

    def _sums(self, batch_size: int) -> tuple[float, float, float]:
        torch = self._torch
        loss = wrong = total = 0.0
        with torch.no_grad():
            for rows in torch.arange(self.n, device=self.X.device).split(batch_size):
                a, b, c = self.parts(rows)
                loss, wrong, total = loss + float(a), wrong + float(b), total + float(c)
        return loss, wrong, total

    @staticmethod
    def bytes_needed(n: int, d: int, P: int, C: int, batch: int, itemsize: int, states: int) -> int:
        """Data, gates, weights with their gradient and the optimiser's states, a mini-batch; in doubles, a network's check.

        `states` numbers are kept for a weight beside it and its gradient.
        """
        weights, rows = 2 * P * C * d, min(n, _ROWS)
        held = itemsize * (n * (d + C) + weights * (2 + states)) + n * P // 8 + 2 * n * P + 8 * 3 * n * d
        step = itemsize * min(batch, n) * (12 * P * C + 3 * P) + 2 * itemsize * weights
        check = 8 * 5 * weights + 3 * OUTPUT_BYTES
        scale = 8 * rows * (4 * P + 2 * rows)
        return held + max(step, check, scale)


def _rms(values: Any) -> float:
    most = values.abs().max()
    return float(most * (values / most).square().mean().sqrt()) if most > 0.0 else 0.0  # squares of small numbers are none
