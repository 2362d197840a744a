"""Layerwise training: a greedy stack of two-layer convolutional blocks, each trained by (32) over patterns of patches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .._support.limits import check_count
from .._support.memory import default_limit
from .._support.validation import FloatArray, choice
from ..errors import InputError, MemoryLimitError, SolverError
from ..losses import Loss
from ..patches import as_size
from ..sampling import sample_patterns
from ..vector_network import VectorNetwork
from .block import Geometry, LayerwiseBlock, moments, patches_of, strongest, with_ones
from .checkpoint import fingerprint
from .layerwise_solution import LayerwiseSolution, as_maps
from .losses import LARGE_LOSSES, as_outputs
from .model import import_torch
from .patch_model import PatchModel, region_outputs
from .reading import penalty, worth_keeping
from .run import Run
from .settings import device_of, settings_of, states_of
from .solution import Epoch

__all__ = ["train_layerwise"]


def train_layerwise(
    X: Any,
    y: Any,
    beta: float,
    *,
    n_blocks: int = 3,
    width: int = 32,
    kernel_size: int | tuple[int, int] = 3,
    padding: Literal["same", "valid"] = "same",
    downsample: int = 2,
    grid: int = 2,
    n_patterns: int = 32,
    loss: str = "cross_entropy",
    activation: str | float = "relu",
    bias: Any = "penalized",
    rho: float | Literal["auto", "exact"] = "auto",
    optimizer: str = "adam",
    learning_rate: float | Literal["auto"] = "auto",
    momentum: float = 0.0,
    schedule: str = "cosine",
    batch_size: int = 128,
    epochs: int = 20,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float32",
    checkpoint: Any = None,
    checkpoint_every: int = 1,
    max_bytes: int | None = None,
    callback: Callable[[int, Epoch], Any] | None = None,
) -> LayerwiseSolution:
    """Train a stack of two-layer convolutional networks, one after the other, each by the convex program (32).

    A block is a layer of filters with its activation, averaged over each region of a grid, and a linear classifier. It is
    trained over sampled patterns of the patches its filters see, as (14) is the program of (13); its filters, not the
    classifier, then make the map that the next block is trained on. Nothing is trained twice.

    Parameters
    ----------
    X : array_like, shape (n, height, width) or (n, height, width, channels)
        Images. Each channel of what a block takes is standardised by its mean and deviation in training.
    y : array_like, shape (n,) or (n, C)
        Classes (integers or text) for the cross entropy, targets, or labels -1 and +1 for the logistic loss.
    beta : float
        Weight of the regulariser in each block, > 0; losses are sums over the samples.
    n_blocks : int
    width : int
        Filters of a block whose maps are handed on: those of the largest ||w1|| ||w2||, one that is within 0.3 radians of a
        larger one only where there are no others. All filters classify.
    kernel_size : int or tuple of int
        Of the filters, (height, width), stride 1.
    padding : {"same", "valid"}
        "same": maps keep their size, what lies beyond the border is the channel's mean. "valid": filters stay inside.
    downsample : int
        Side of the windows a map is averaged over before it is handed on; 1 for none.
    grid : int
        The classifier takes averages over grid x grid regions of the map; 1 is global average pooling, (13).
    n_patterns : int
        Directions to sample in the space of filters; equal patterns count once.
    loss : {"cross_entropy", "squared", "logistic"}
    activation, bias, rho, optimizer, momentum, schedule, batch_size, epochs, device, dtype
        As for `train`, in each block. A bias belongs to a filter.
    learning_rate : float or "auto"
        As for `train`; a number is divided by the square root of the size of a patch, h: what a step of Adam may change the
        value of a filter by.
    seed : int
        Of patterns and of the order of samples; block k takes seed + k - 1.
    checkpoint : path-like, optional
        An existing folder, for a file for each block; training goes on from what is there, and ends where it would have
        ended without a break.
    checkpoint_every : int
        Epochs between two checkpoints.
    max_bytes : int, optional
        Refuse what needs more, before the first block is trained; default four fifths of what is free.
    callback : callable, optional
        Called with the number of the block, from 1, and an `Epoch` after each; a true result ends training, and the blocks
        so far, the one at hand included, are returned.

    Returns
    -------
    LayerwiseSolution

    Raises
    ------
    TopesError
        PyTorch is not installed.
    InputError
        An argument does not meet its requirement, a filter is larger than the map it should see, no filter of a block was
        worth its cost at this `beta`, or a checkpoint is one of another problem.
    SolverError
        The steps diverged; the message says in which block.
    MemoryLimitError
        A block would need more than `max_bytes`.

    Notes
    -----
    Each block's program is convex; that the blocks are trained greedily is not, and nothing is certified. Choices that the
    paper leaves open are listed in docs/large.md. Greedy stacks trained by gradients: [Belilovsky19]_.

    References
    ----------
    .. [Belilovsky19] E. Belilovsky, M. Eickenberg, E. Oyallon. Greedy layerwise learning can scale to ImageNet. ICML 2019.

    Examples
    --------
    Plain images and striped ones; skipped where PyTorch may be missing, run by tests/property/test_layerwise.

    >>> import numpy as np
    >>> import topes.large
    >>> images = np.random.default_rng(0).random((40, 6, 6))
    >>> y = np.arange(40) % 2
    >>> images[y == 1, ::2] += 1.0
    >>> stack = topes.large.train_layerwise(images, y, 0.1, n_blocks=2, n_patterns=8, width=4)  # doctest: +SKIP
    >>> float(np.mean(stack.predict(images) == y))  # doctest: +SKIP
    1.0
    """
    import_torch()
    maps = as_maps(X)
    if not len(maps):
        raise InputError(f"X must have at least one image, got shape {maps.shape}")
    Y, the_loss, classes = as_outputs(y, choice(loss, "loss", LARGE_LOSSES))
    if len(Y) != len(maps):
        raise InputError(f"y must have one entry for each of the {len(maps)} images of X, got {len(Y)}")
    counts = {"n_blocks": n_blocks, "width": width, "downsample": downsample, "grid": grid, "n_patterns": n_patterns}
    counts |= {"checkpoint_every": checkpoint_every}
    for name, value in counts.items():
        check_count(value, name, 1)
    if max_bytes is not None:
        check_count(max_bytes, "max_bytes", 1)
    settings = settings_of(
        beta=beta, activation=activation, loss=loss, rho=rho, optimizer=optimizer, learning_rate=learning_rate,
        momentum=momentum, schedule=schedule, batch_size=batch_size, epochs=epochs, seed=seed, dtype=dtype,
    )  # fmt: skip
    trainer = _Trainer(
        Y, the_loss, settings, choice(bias, "bias", (False, "penalized")) is not False, n_patterns,
        device_of(device), None if checkpoint is None else Path(checkpoint), checkpoint_every, callback,
    )  # fmt: skip
    if trainer.folder is not None and not trainer.folder.is_dir():
        raise InputError(f"checkpoint must be an existing folder, got {str(trainer.folder)!r}")
    choice(padding, "padding", ("same", "valid"))
    plan = _plan(maps.shape[1:], n_blocks, width, kernel_size, padding, downsample, grid)
    needed = max(trainer.memory(geometry) for geometry in plan)
    limit = default_limit() if max_bytes is None else int(max_bytes)
    if needed > limit:
        raise MemoryLimitError(
            f"{n_patterns} patterns, {Y.shape[1]} outputs and {len(maps)} images in batches of {batch_size} need {needed:,} "
            f"bytes; {limit:,} may be used. Give fewer images or patterns, smaller batches, a smaller width, or max_bytes",
            expected_cells=n_patterns, needed=needed, available=limit,
        )  # fmt: skip
    blocks: list[LayerwiseBlock] = []
    for k, geometry in enumerate(plan):
        found = replace(geometry, shape=maps.shape[1:])  # there may be fewer filters than width
        block, stopped = trainer.block(maps, found, k + 1, seed + k, width)
        blocks.append(block)
        if stopped:
            break
        if k + 1 < n_blocks:
            if not len(block.filters):
                what = f"no filter of block {k + 1} is worth its cost at beta = {beta:g}"
                raise InputError(f"beta (or learning_rate) must be smaller: {what}")
            maps = block.features(maps)
    return LayerwiseSolution(tuple(blocks), classes, needed)


def _plan(
    shape: tuple[int, ...], n_blocks: int, width: int, kernel_size: Any, padding: str, downsample: int, grid: int
) -> list[Geometry]:
    """Shapes of all blocks, as wide as they may get."""
    size = as_size(kernel_size, "kernel_size")
    sizes = (size, size) if isinstance(size, int) else size
    if len(sizes) != 2:
        raise InputError(f"kernel_size must be an integer or two of them, got {kernel_size!r}")
    height, wide, channels = shape
    found: list[Geometry] = []
    for k in range(n_blocks):
        if padding == "valid" and (sizes[0] > height or sizes[1] > wide):
            raise InputError(
                f"kernel_size must be at most the map that block {k + 1} takes, {(height, wide)}, got {sizes}: "
                "give fewer blocks, padding='same' or a smaller downsample"
            )
        found.append(Geometry((height, wide, channels), sizes, padding, grid, downsample))
        (height, wide), channels = found[-1].next_places, width
    return found


@dataclass(frozen=True)
class _Trainer:
    """What all blocks share."""

    Y: FloatArray
    loss: Loss
    settings: dict[str, Any]
    bias: bool
    n_patterns: int
    device: Any
    folder: Path | None
    every: int
    callback: Callable[[int, Epoch], Any] | None

    def memory(self, geometry: Geometry) -> int:
        itemsize = 4 if self.settings["dtype"] == "float32" else 8
        n, C = self.Y.shape
        return PatchModel.patch_bytes_needed(
            n, [len(places) for places in geometry.regions], geometry.patch + self.bias, self.n_patterns, C,
            min(n, self.settings["batch"]), itemsize, states_of(self.settings),
        )  # fmt: skip

    def block(self, maps: FloatArray, geometry: Geometry, number: int, seed: int, width: int) -> tuple[LayerwiseBlock, bool]:
        """Train one block on these maps; also whether the callback said to stop."""
        torch = import_torch()
        mean, scale = moments(maps)
        patches, regions = with_ones(patches_of(maps, geometry, mean, scale), self.bias), geometry.regions
        gates = sample_patterns(patches.reshape(-1, patches.shape[2]), self.n_patterns, seed=seed)
        beta, kappa, name = (self.settings[key] for key in ("beta", "kappa", "loss"))
        dtype = torch.float32 if self.settings["dtype"] == "float32" else torch.float64
        model = PatchModel(patches, self.Y, gates, regions, beta, kappa, name, self.device, dtype)
        settings = {**self.settings, "seed": seed, "block": number, "grid": len(regions)}
        # |x'dw| <= ||x||_1 max |dw|, at most the rate for a patch of length 1: blocks of small filters are no slower.
        if settings["rate"] != "auto":
            settings["rate"] = max(settings["rate"] / math.sqrt(geometry.patch), 5e-324)
        callback = None if self.callback is None else lambda epoch: self.callback(number, epoch)  # type: ignore[misc]
        run = Run(model, settings, callback)
        if self.folder is not None:
            problem = fingerprint([patches, self.Y, gates], settings)
            run.keep(self.folder / f"block_{number}.pt", problem, self.every)

        def objective(W1: FloatArray, W2: FloatArray) -> float:
            outputs = region_outputs(patches, W1, W2, regions, kappa)
            return self.loss.value(outputs.ravel(), self.Y.ravel()) + float(beta * penalty(W1, W2))

        try:
            found, weights, kept = run.all_rounds(lambda weights: worth_keeping(weights, objective))
        except SolverError as error:
            raise SolverError(f"block {number}: {error}") from None
        W1, W2 = kept.W1, kept.W2
        filters = strongest(W1, W2, width)
        network = VectorNetwork(W1[:-1], W1[-1], W2, kappa) if self.bias else VectorNetwork(W1, None, W2, kappa)
        block = LayerwiseBlock(
            network, geometry, mean, scale, filters, kept.objective, found.convex_objective, found.violation, found.rho,
            tuple(run.history), len(gates), weights,
        )  # fmt: skip
        return block, run.stopped
