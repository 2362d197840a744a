"""Convolutional stacks trained by SGD, block by block or all at once: what layerwise convex training is held against."""

from __future__ import annotations

from typing import Any

import numpy as np
from _sgd import import_torch


class Stack:
    """Blocks of filters, ReLU and average pooling, the classifier on averages over a grid; in PyTorch.

    Parameters
    ----------
    images : Images
    beta : float
        Weight decay as in (27): beta / 2 times the squares of all weights, losses summed over the samples.
    width, kernel, downsample, grid : int
        As for `topes.large.train_layerwise`.
    epochs, batch, seed : int
    rates : sequence of float
        Learning rates to try; the one with the least objective at the end is kept.
    """

    def __init__(
        self, images: Any, beta: float, *, width: int, kernel: int, downsample: int, grid: int, epochs: int, batch: int,
        seed: int, rates: Any,
    ) -> None:  # fmt: skip
        self.torch = import_torch()
        self.images, self.beta, self.epochs, self.batch, self.seed, self.rates = images, beta, epochs, batch, seed, rates
        self.width, self.kernel, self.downsample, self.grid = width, kernel, downsample, grid
        self.y = self.torch.as_tensor(images.y_train)
        self.classes = int(images.y_train.max()) + 1

    def layerwise(self, n_blocks: int) -> dict[str, Any]:
        """Each block with a classifier of its own, on what the one before hands on: accuracies and objectives by block."""
        nn = self.torch.nn
        train, test = self._standardised(*self._images())
        found: dict[str, Any] = {"accuracy": [], "train_accuracy": [], "objective": []}
        for k in range(n_blocks):
            channels, side = train.shape[1], train.shape[2]

            def fresh(channels: int = channels, side: int = side) -> Any:
                return nn.Sequential(self._filters(channels), *self._classifier(side))

            objective, network = self._best(fresh, train, self.epochs, self.seed + k)
            found["objective"].append(objective)
            found["accuracy"].append(self._accuracy(network, test, self.images.y_test))
            found["train_accuracy"].append(self._accuracy(network, train, self.images.y_train))
            with self.torch.no_grad():
                parts = [self.torch.cat([self._pool()(network[0](x)) for x in part.split(200)]) for part in (train, test)]
            train, test = self._standardised(*parts)
        return found

    def jointly(self, n_blocks: int) -> dict[str, Any]:
        """The same filters with one classifier behind the last, trained end to end for as many epochs in all."""
        nn = self.torch.nn
        train, test = self._standardised(*self._images())

        def fresh() -> Any:
            layers, channels, side = [], train.shape[1], train.shape[2]
            for k in range(n_blocks):
                layers.append(self._filters(channels))
                channels = self.width
                if k + 1 < n_blocks:
                    layers.append(self._pool())
                    side = -(-side // self.downsample)
            return nn.Sequential(*layers, *self._classifier(side))

        objective, network = self._best(fresh, train, self.epochs * n_blocks, self.seed)
        return {
            "accuracy": self._accuracy(network, test, self.images.y_test),
            "train_accuracy": self._accuracy(network, train, self.images.y_train), "objective": objective,
        }  # fmt: skip

    def _images(self) -> Any:
        for part in (self.images.train, self.images.test):
            whole = part[..., None] if part.ndim == 3 else part
            yield self.torch.as_tensor(np.ascontiguousarray(np.moveaxis(whole, 3, 1)), dtype=self.torch.float32)

    def _standardised(self, train: Any, test: Any) -> tuple[Any, Any]:
        mean, scale = train.mean(dim=(0, 2, 3), keepdim=True), train.std(dim=(0, 2, 3), keepdim=True)
        scale[scale < 1e-6] = 1.0
        return (train - mean) / scale, (test - mean) / scale

    def _filters(self, channels: int) -> Any:
        nn = self.torch.nn
        return nn.Sequential(nn.Conv2d(channels, self.width, self.kernel, padding="same"), nn.ReLU())

    def _pool(self) -> Any:
        return self.torch.nn.AvgPool2d(self.downsample, ceil_mode=True)

    def _classifier(self, side: int) -> list[Any]:
        nn, regions = self.torch.nn, min(self.grid, side)
        return [nn.AdaptiveAvgPool2d(regions), nn.Flatten(), nn.Linear(self.width * regions**2, self.classes)]

    def _best(self, fresh: Any, X: Any, epochs: int, seed: int) -> tuple[float, Any]:
        tried = [self._trained(fresh, X, epochs, seed, rate) for rate in self.rates]
        return min(tried, key=lambda pair: pair[0])

    def _trained(self, fresh: Any, X: Any, epochs: int, seed: int, rate: float) -> tuple[float, Any]:
        torch = self.torch
        torch.manual_seed(seed)
        network, n = fresh(), len(X)
        optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=self.beta / n)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
        for _ in range(epochs):
            for rows in torch.randperm(n).split(self.batch):
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(network(X[rows]), self.y[rows]).backward()
                optimiser.step()
            schedule.step()
        with torch.no_grad():
            pairs = zip(X.split(200), self.y.split(200), strict=True)
            fit = sum(float(torch.nn.functional.cross_entropy(network(x), t, reduction="sum")) for x, t in pairs)
            decay = sum(float((p**2).sum()) for p in network.parameters())
        objective = fit + 0.5 * self.beta * decay
        return (objective if np.isfinite(objective) else np.inf), network

    def _accuracy(self, network: Any, X: Any, y: Any) -> float:
        with self.torch.no_grad():
            said = self.torch.cat([network(x).argmax(dim=1) for x in X.split(200)]).numpy()
        return float(np.mean(said == y))
