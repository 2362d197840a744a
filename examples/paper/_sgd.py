"""Stochastic gradient descent on the non-convex problem (3), many runs at once, in PyTorch (extra `topes[torch]`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from _common import stop


@dataclass(frozen=True)
class Runs:
    """What R runs did.

    Attributes
    ----------
    epochs : ndarray, shape (E,), int64
        When (3) was taken over all samples; 0 is the start.
    objective : ndarray, shape (E, R), float64
        (3) then; inf where a run diverged.
    W : ndarray, shape (R, d, m); c : ndarray, shape (R, m)
        Input and output weights at the end.
    """

    epochs: Any
    objective: Any
    W: Any
    c: Any

    @property
    def best(self) -> Any:
        """The least objective each run was seen at, shape (R,)."""
        return self.objective.min(axis=0)

    def outputs(self, run: int, X: Any) -> Any:
        return np.maximum(X @ self.W[run], 0.0) @ self.c[run]


def import_torch() -> Any:
    try:
        import torch
    except ImportError:
        stop("SGD needs PyTorch: pip install 'topes[torch]'")
    return torch


def losses(kind: str, f: Any, y: Any, torch: Any) -> Any:
    """The loss of each sample."""
    if kind == "squared":
        return 0.5 * (f - y) ** 2
    if kind == "logistic":
        return torch.nn.functional.softplus(-y * f)
    raise ValueError(f"loss must be 'squared' or 'logistic', got {kind!r}")


def sgd(
    X: Any,
    y: Any,
    beta: float,
    m: int,
    *,
    rates: Any,
    epochs: int,
    batch: int,
    seed: int,
    loss: str = "squared",
    decay: bool = False,
    every: int = 1,
    scale: float = 1.0,
) -> Runs:
    """Train networks of m ReLU neurons, one for each rate, all at once.

    Each has its own start and its own order of samples. A step goes along the gradient of n/b times the loss of b samples
    plus the penalty, divided by n, so a rate means what it does for the mean of the losses.

    Parameters
    ----------
    X : array_like, shape (n, d); y : array_like, shape (n,)
    beta : float
    m : int
    rates : array_like, shape (R,)
        The learning rate of each run.
    epochs, batch : int
    seed : int
    loss : {"squared", "logistic"}
    decay : bool
        The rate falls to zero like a cosine; else it stays.
    every : int
        Epochs between two looks at (3).
    scale : float
        Of the Gaussian starting weights: scale / sqrt(d) for the first layer, scale / sqrt(m) for the second.
    """
    torch = import_torch()
    generator = torch.Generator().manual_seed(seed)
    data, target = torch.as_tensor(np.asarray(X, dtype=np.float64)), torch.as_tensor(np.asarray(y, dtype=np.float64))
    rate = torch.as_tensor(np.asarray(rates, dtype=np.float64))
    (n, d), R = data.shape, len(rate)
    W = torch.randn((R, d, m), generator=generator, dtype=torch.float64) * scale / d**0.5
    c = torch.randn((R, m, 1), generator=generator, dtype=torch.float64) * scale / m**0.5
    W.requires_grad_(True)
    c.requires_grad_(True)

    def objective(x: Any, t: Any, factor: float) -> Any:
        f = (torch.relu(x @ W) @ c)[..., 0]
        penalty = 0.5 * beta * ((W**2).sum(dim=(1, 2)) + (c**2).sum(dim=(1, 2)))
        return factor * losses(loss, f, t, torch).sum(dim=1) + penalty

    def look() -> Any:
        with torch.no_grad():
            return torch.nan_to_num(objective(data, target, 1.0), nan=float("inf"), posinf=float("inf")).numpy().copy()

    seen, found = [0], [look()]
    per_epoch = -(-n // batch)
    for epoch in range(1, epochs + 1):
        order = torch.rand((R, n), generator=generator, dtype=torch.float64).argsort(dim=1)
        for k in range(per_epoch):
            rows = order[:, k * batch : (k + 1) * batch]
            value = objective(data[rows], target[rows], n / rows.shape[1]).sum()
            slopes = torch.autograd.grad(value, (W, c))
            share = (epoch - 1 + k / per_epoch) / epochs
            step = rate / n * (0.5 * (1.0 + np.cos(np.pi * share)) if decay else 1.0)
            with torch.no_grad():
                for weights, slope in zip((W, c), slopes, strict=True):
                    weights -= step[:, None, None] * slope
        if epoch % every == 0 or epoch == epochs:
            seen.append(epoch)
            found.append(look())
    return Runs(np.array(seen), np.array(found), W.detach().numpy().copy(), c.detach().numpy()[..., 0].copy())
