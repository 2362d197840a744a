"""Stochastic gradient descent on the non-convex problem (3), many runs at once, in PyTorch (extra `topes[torch]`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from _common import Progress, stop


@dataclass(frozen=True)
class Runs:
    """What R runs did.

    Attributes
    ----------
    epochs : ndarray, shape (E,), int64
        When (3) was taken over all samples; 0 is the start.
    objective : ndarray, shape (E, R), float64
        (3) then; inf where a run diverged.
    W : ndarray, shape (R, d, m); c : ndarray, shape (R, m, C)
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
        """Shape (n,), or (n, C) for several outputs; X as in training."""
        A = np.maximum(X @ self.W[run], 0.0)
        f = (A if X.ndim == 2 else A.mean(axis=1)) @ self.c[run]
        return f[:, 0] if f.shape[1] == 1 else f


def import_torch() -> Any:
    try:
        import torch
    except ImportError:
        stop("SGD needs PyTorch: pip install 'topes[torch]'")
    return torch


def loss_value(kind: str, f: Any, y: Any, torch: Any) -> Any:
    """The loss of each run, summed over samples and outputs; f and y have shape (R, n, C)."""
    if kind == "squared":
        return 0.5 * ((f - y) ** 2).sum(dim=(1, 2))
    if kind == "logistic":
        return torch.nn.functional.softplus(-y * f).sum(dim=(1, 2))
    return (f.logsumexp(dim=2) - (f * y).sum(dim=2)).sum(dim=1)


def loss_slope(kind: str, f: Any, y: Any, torch: Any) -> Any:
    """Its derivative in f."""
    if kind == "squared":
        return f - y
    if kind == "logistic":
        return -y * torch.sigmoid(-y * f)
    return torch.softmax(f, dim=2) - y


def sgd(
    X: Any,
    y: Any,
    beta: float,
    widths: Any,
    *,
    rates: Any,
    epochs: int,
    batch: int,
    seed: int,
    loss: str = "squared",
    momentum: float = 0.0,
    decay: bool = False,
    looks: int = 200,
    what: str = "SGD",
) -> Runs:
    """Train R networks of ReLU neurons at once, each with its own start, width, rate and order of samples.

    A step goes along the gradient of n / b times the loss of b samples plus the penalty, divided by n: a rate means what it
    does for the mean of the losses. Narrow networks are wide ones with neurons at zero, which stay there.

    Parameters
    ----------
    X : array_like, shape (n, d), or (n, K, d) for filters over K patches whose ReLUs are averaged, (13)
    y : array_like, shape (n,) or (n, C)
        For the cross entropy one column for each class, 0 or 1.
    beta : float
    widths : int or array_like of int, shape (R,)
    rates : array_like, shape (R,)
    epochs, batch : int
    seed : int
    loss : {"squared", "logistic", "cross_entropy"}
    momentum : float
    decay : bool
        The rate falls to zero like a cosine; else it stays.
    looks : int
        How often (3) is taken over all samples, at most: at epochs in a geometric series.
    what : str
        Name of this run in the line that tells how far it is.
    """
    torch = import_torch()
    generator = torch.Generator().manual_seed(seed)
    data = torch.as_tensor(np.asarray(X, dtype=np.float64))
    target = torch.as_tensor(np.asarray(y, dtype=np.float64).reshape(len(data), -1))
    rate = torch.as_tensor(np.asarray(rates, dtype=np.float64))[:, None, None]
    data = data[:, None, :] if data.ndim == 2 else data
    (n, K, d), C, R = data.shape, target.shape[1], len(rate)
    patches = data.reshape(n * K, d)
    size = np.broadcast_to(np.asarray(widths), R)
    there = torch.as_tensor(np.arange(size.max()) < size[:, None]).double()  # (R, m)
    W = torch.randn((R, d, there.shape[1]), generator=generator, dtype=torch.float64) / d**0.5 * there[:, None, :]
    c = torch.randn((R, there.shape[1], C), generator=generator, dtype=torch.float64)
    c *= (there / there.sum(dim=1, keepdim=True) ** 0.5)[:, :, None]
    pace_W, pace_c = torch.zeros_like(W), torch.zeros_like(c)

    def look() -> Any:
        penalty = 0.5 * beta * ((W**2).sum(dim=(1, 2)) + (c**2).sum(dim=(1, 2)))
        A = torch.relu(patches @ W).reshape(R, n, K, -1).mean(dim=2)
        value = loss_value(loss, A @ c, target[None], torch) + penalty
        return torch.nan_to_num(value, nan=float("inf"), posinf=float("inf")).numpy().copy()

    times = set(np.geomspace(1, epochs, looks).round().astype(int).tolist()) | {epochs}
    seen, found = [0], [look()]
    per_epoch = -(-n // batch)
    progress = Progress(what, epochs)
    for epoch in range(1, epochs + 1):
        if per_epoch > 1:
            order = torch.rand((R, n), generator=generator, dtype=torch.float64).argsort(dim=1)
        for k in range(per_epoch):
            if per_epoch > 1:
                rows = order[:, k * batch : (k + 1) * batch]
                x, t, b = data[rows].reshape(R, -1, d), target[rows], rows.shape[1]
            else:  # all samples, in one order for all
                x, t, b = patches[None], target[None], n
            H = (x @ W).reshape(R, b, K, -1)
            A = torch.relu(H).mean(dim=2) if K > 1 else torch.relu(H)[:, :, 0]
            v = loss_slope(loss, A @ c, t, torch) * (1.0 / b)
            slope_c = A.transpose(1, 2) @ v + (beta / n) * c
            slope_H = (v @ c.transpose(1, 2) / K)[:, :, None, :] * (H > 0)
            slope_W = x.transpose(1, 2) @ slope_H.reshape(R, b * K, -1) + (beta / n) * W
            share = (epoch - 1 + k / per_epoch) / epochs
            step = rate * (0.5 * (1.0 + np.cos(np.pi * share))) if decay else rate
            pace_W = pace_W.mul_(momentum).add_(slope_W)
            pace_c = pace_c.mul_(momentum).add_(slope_c)
            W -= step * pace_W
            c -= step * pace_c
        progress(epoch)
        if epoch in times:
            seen.append(epoch)
            found.append(look())
    return Runs(np.array(seen), np.array(found), W.numpy(), c.numpy())
