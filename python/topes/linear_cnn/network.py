"""The linear convolutional network: a weight of its own for each filter at each place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._support.exact_input import as_floats
from .._support.validation import FloatArray, as_beta, as_matrix, as_vector
from ..errors import FileFormatError, InputError
from ..losses import Loss, get_loss
from ..patches import Size, as_samples, as_size, extract_patches

__all__ = ["LinearConvolutionalNetwork", "circular_convolution"]

_FORMAT = "topes.LinearConvolutionalNetwork"


def circular_convolution(U: FloatArray, W: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Cyclic convolution along all axes of `shape` of each column of U with that of W, both (prod(shape), m)."""
    axes = tuple(range(len(shape)))
    spectra = [np.fft.fftn(F.reshape(*shape, -1), axes=axes) for F in (U, W)]
    return np.asarray(np.fft.ifftn(spectra[0] * spectra[1], axes=axes).real.reshape(U.shape))


@dataclass(frozen=True, repr=False)
class LinearConvolutionalNetwork:
    """f(x) = sum_j sum_k w_jk (x_k'u_j), x_k the patches of x: eq. (15), or (18) where the filters go around.

    Parameters
    ----------
    filters : array_like, shape (h, m)
        u_j, one a column, each in the order of a patch of `topes.extract_patches`.
    weights : array_like, shape (K, m)
        w_j, one weight for each place.
    kernel_size, stride : int or tuple of ints
        How inputs become patches; None for a network whose inputs are patches.
    circular : tuple of int, optional
        The shape of a sample, for filters as large as the samples that go around their ends: patch k is the sample, shifted
        cyclically by the k-th place, and h = K = prod(circular).

    Raises
    ------
    InputError
        Shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> from topes import LinearConvolutionalNetwork
    >>> rises = LinearConvolutionalNetwork([[-1.0], [1.0]], [[1.0], [0.0], [2.0]], kernel_size=2)
    >>> rises.predict([[0.0, 1.0, 5.0, 4.0]])  # first rise, and twice the third
    array([-1.])
    """

    filters: FloatArray
    weights: FloatArray
    kernel_size: Size | None = None
    stride: Size = 1
    circular: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        U = as_matrix(self.filters, "filters", min_rows=0, min_columns=0)
        W = as_matrix(self.weights, "weights", min_rows=0, min_columns=0)
        if U.shape[1] != W.shape[1]:
            raise InputError(f"weights must have a column for each of the {U.shape[1]} filters, got {W.shape[1]}")
        if self.kernel_size is not None:
            object.__setattr__(self, "kernel_size", as_size(self.kernel_size, "kernel_size"))
        object.__setattr__(self, "stride", as_size(self.stride, "stride"))
        if self.circular is not None:
            shape = as_size(tuple(self.circular), "circular")
            object.__setattr__(self, "circular", shape)
            size = int(np.prod(shape))
            if len(U) != size or len(W) != size:
                raise InputError(f"filters and weights must have {size} rows for samples of shape {shape}, got {U.shape[0]} "
                                 f"and {W.shape[0]}")
        for name, array in (("filters", U), ("weights", W)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        if self.circular is not None:
            inputs = f"circular, samples of shape {self.circular}"
        elif self.kernel_size is None:
            inputs = "patches"
        else:
            inputs = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"LinearConvolutionalNetwork({inputs}, {self.n_filters} filters of {len(self.filters)})"

    @property
    def n_filters(self) -> int:
        return int(self.filters.shape[1])

    def coefficients(self) -> FloatArray:
        """What the network is as a linear map: Z = sum_j u_j w_j' of (16), shape (h, K); circular: theta, shape (d,)."""
        if self.circular is None:
            return np.asarray(self.filters @ self.weights.T)
        return np.asarray(circular_convolution(self.filters, self.weights, self.circular).sum(axis=1))

    def predict(self, X: Any) -> FloatArray:
        """Outputs, shape (n,), float64, for inputs as those of training."""
        if self.circular is not None:
            samples = as_samples(X)
            if samples.shape[1:] != self.circular:
                raise InputError(f"X must hold samples of shape {self.circular}, got {samples.shape[1:]}")
            return np.asarray(samples.reshape(len(samples), int(np.prod(self.circular))) @ self.coefficients())
        patches = as_floats(extract_patches(X, self.kernel_size, self.stride))
        n, K, h = patches.shape
        if (h, K) != (len(self.filters), len(self.weights)):
            raise InputError(
                f"X must give {len(self.weights)} patches of {len(self.filters)} entries a sample, got {K} of {h}"
            )
        return np.asarray(patches.reshape(n, K * h) @ self.coefficients().T.ravel())

    def objective(self, X: Any, y: Any, beta: float, *, loss: str | Loss = "squared") -> float:
        """The non-convex training objective (15), L(f, y) + beta/2 * sum of ||u_j||^2 + ||w_j||^2."""
        outputs = self.predict(X)
        targets = as_vector(y, "y", length=len(outputs), of="samples of X")
        return get_loss(loss).value(outputs, targets) + as_beta(beta) * self.penalty()

    def penalty(self) -> float:
        """The sum in the objective without its beta."""
        return 0.5 * float(np.sum(self.filters**2) + np.sum(self.weights**2))

    def save(self, path: Any) -> None:
        """Write JSON; every float is written so that it reads back the same."""
        fields = {"filters": self.filters.tolist(), "weights": self.weights.tolist()}
        fields |= {"kernel_size": self.kernel_size, "stride": self.stride, "circular": self.circular}
        text = json.dumps({"format": _FORMAT, "version": 1, "n_filters": self.n_filters, **fields}, indent=1)
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Any) -> LinearConvolutionalNetwork:
        """Read what `save` wrote; `FileFormatError` for anything else."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{str(path)!r} is not a network: {error}") from None
        if not isinstance(data, dict) or data.get("format") != _FORMAT or data.get("version") != 1:
            raise FileFormatError(f"{str(path)!r} is not a {_FORMAT} of version 1")
        try:
            m = int(data["n_filters"])
            U, W = (np.array(data[name], dtype=np.float64).reshape(len(data[name]), m) for name in ("filters", "weights"))
            shape = data["circular"]
            return cls(U, W, data["kernel_size"], data["stride"], None if shape is None else tuple(shape))
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{str(path)!r} is not a {_FORMAT}: {error}") from None
