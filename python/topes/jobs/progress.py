"""How much of the work is done, in cells: those found, and those the other shares are expected to hold."""

from __future__ import annotations

import numpy as np

from .._support.validation import FloatArray

__all__ = ["Estimate"]


class Estimate:
    """Cells per weight, learnt from the shares that are done, one figure for each power of two of the weight.

    The weights are bounds: their ratio to the cells differs by much from one arrangement to another, and by little between
    shares of about one weight.
    """

    def __init__(self, weights: FloatArray) -> None:
        self._weights = weights
        exponents = np.frexp(np.maximum(weights, 1.0))[1]
        self._kind = exponents - exponents.min(initial=0)
        n = int(self._kind.max(initial=0)) + 1
        self._left = np.bincount(self._kind, weights, n)
        self._done = np.zeros(n)
        self._cells = np.zeros(n)
        self._shown = 0.0

    def add(self, share: int, n_cells: int) -> None:
        """A share is done, and has so many cells."""
        kind = self._kind[share]
        self._left[kind] -= self._weights[share]
        self._done[kind] += self._weights[share]
        self._cells[kind] += n_cells

    def fraction(self) -> float:
        """Share of the cells found so far, 0 to 1; never less than the last time."""
        cells = float(self._cells.sum())
        if cells > 0:
            everywhere = cells / self._done.sum()
            ratio = np.where(self._done > 0, self._cells / np.maximum(self._done, 1e-300), everywhere)
            left = float(np.maximum(self._left, 0.0) @ ratio)
            self._shown = max(self._shown, cells / (cells + left))
        return self._shown
