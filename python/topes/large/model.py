"""Problem (32) on mini-batches, in torch: outputs through fixed gates, and what lies on the wrong side of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import TopesError
from .losses import torch_loss

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
        squares = self._slopes(rows).square() * self.X[rows].double().square().sum(dim=1, keepdim=True)
        return math.sqrt(self.d) * float(squares.mean(dim=0).sqrt().sum())

    def largest_curvature(self) -> float:
        """Of half the mean square of an output, as a function of all weights; over some rows."""
        rows = self._torch.arange(min(_ROWS, len(self.X)), device=self.X.device)
        X, slopes = self.X[rows].double(), self._slopes(rows)
        products = (X @ X.T) * (slopes @ slopes.T) * (2.0 / len(rows))
        return float(self._torch.linalg.matrix_norm(products, 2))

    def _slopes(self, rows: Any) -> Any:
        gates = self.gates(rows).double()
        return gates + self.kappa * (1.0 - gates)

    def norms(self) -> Any:
        """sum of ||w||, a torch scalar."""
        return self._torch.linalg.vector_norm(self.weights, dim=-1).sum()

    def objective(self, rows: Any, rho: float) -> tuple[Any, float, float]:
        """(32) over n as these samples see it, unbiased for random ones; what is wrong and the sum it is a share of."""
        loss, wrong, total = self.parts(rows)
        value = (loss + rho * wrong) / len(rows) + self.beta / self.n * self.norms()
        return value, float(wrong.detach()), float(total)

    def gradient(self, rows: Any, rho: float) -> tuple[float, float, float]:
        """As `objective`, with its gradient in `weights.grad`; that of the norms without a copy of the weights."""
        torch = self._torch
        self.weights.grad = None
        loss, wrong, total = self.parts(rows)
        fit = (loss + rho * wrong) / len(rows)
        fit.backward()
        with torch.no_grad():
            lengths = torch.linalg.vector_norm(self.weights, dim=-1, keepdim=True)
            inverse = torch.where(lengths > 0.0, 1.0 / lengths, 0.0)
            self.weights.grad.addcmul_(self.weights, inverse, value=self.beta / self.n)
            value = float(fit.detach()) + self.beta / self.n * float(lengths.sum())
        return value, float(wrong.detach()), float(total)

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

    def memory(self, batch_size: int, states: int) -> int:
        """Bytes: data, gates, weights with their gradient and the optimiser's states, and what a mini-batch takes."""
        size = self.X.element_size()
        weights = size * self.weights.numel() * (2 + states)
        batch = size * min(batch_size, self.n) * (6 * 2 * self.P * self.C + 3 * self.P)
        return int(size * self.n * (self.d + self.C) + self._packed.numel() + weights + batch)
