"""What layerwise training returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.limits import check_count
from .._support.validation import FloatArray
from ..errors import InputError
from ..patches import as_samples
from .block import LayerwiseBlock

__all__ = ["LayerwiseSolution", "as_maps"]


@dataclass(frozen=True, repr=False)
class LayerwiseSolution:
    """A stack of two-layer convolutional blocks, each trained on what the one before handed on.

    Attributes
    ----------
    blocks : tuple of LayerwiseBlock
    classes : ndarray or None
        The label of each output, for the cross entropy.
    memory : int
        Bytes that training was expected to take.
    """

    blocks: tuple[LayerwiseBlock, ...]
    classes: npt.NDArray[Any] | None
    memory: int

    def outputs(self, X: Any, *, block: int | None = None) -> FloatArray:
        """Outputs of a block's classifier, shape (n, C).

        Parameters
        ----------
        X : array_like, shape (n, height, width) or (n, height, width, channels)
            Images of the shape of those in training.
        block : int, optional
            Number of the block, from 1; the last one if left out.

        Raises
        ------
        InputError
            X has another shape or is not finite, or there is no such block.
        """
        number = len(self.blocks) if block is None else block
        check_count(number, "block", 1)
        if number > len(self.blocks):
            raise InputError(f"block must be at most {len(self.blocks)}, got {number}")
        maps = self._maps(X)
        for before in self.blocks[: number - 1]:
            maps = before.features(maps)
        return self.blocks[number - 1].outputs(maps)

    def predict(self, X: Any, *, block: int | None = None) -> npt.NDArray[Any]:
        """The class with the largest output, shape (n,); the outputs, (n, C), where training was on numbers.

        Parameters are those of `outputs`.
        """
        return self._decided(self.outputs(X, block=block))

    def staged_predict(self, X: Any) -> list[npt.NDArray[Any]]:
        """What `predict` says at each block, the first one first, in one pass."""
        maps, found = self._maps(X), []
        for k, block in enumerate(self.blocks):
            found.append(self._decided(block.outputs(maps)))
            if k + 1 < len(self.blocks):
                maps = block.features(maps)
        return found

    def _maps(self, X: Any) -> FloatArray:
        maps = as_maps(X)
        if maps.shape[1:] != self.blocks[0].geometry.shape:
            raise InputError(
                f"X must hold images of shape {self.blocks[0].geometry.shape}, as in training; theirs is {maps.shape[1:]}"
            )
        return maps

    def _decided(self, outputs: FloatArray) -> npt.NDArray[Any]:
        return outputs if self.classes is None else np.asarray(self.classes[np.argmax(outputs, axis=1)])

    def __repr__(self) -> str:
        lines = "".join(f"\n  {block!r}" for block in self.blocks)
        return f"LayerwiseSolution({len(self.blocks)} blocks, not certified:{lines})"


def as_maps(X: Any) -> FloatArray:
    """Images as float64, shape (n, height, width, channels); `InputError` where they are none."""
    maps = as_samples(X)
    if maps.ndim not in (3, 4):
        raise InputError(f"X must have shape (n, height, width) or (n, height, width, channels), got {maps.shape}")
    return maps[..., None] if maps.ndim == 3 else maps
