"""Patterns that sampled directions see: Gaussian, or Gaussian on one patch of the coordinates (convolutional).

Every pattern returned is that of a full-dimensional cell unless its direction lies exactly on a hyperplane, which happens
where a row vanishes on the patch: 0 counts as the positive side there, as in (5), and the pattern may then be that of a
boundary. Its cone is a part of a closed cell with the same features, so the program over it is a restriction of (7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._support.exact_input import as_exact_array, as_floats
from ._support.limits import check_count
from ._support.validation import FloatArray
from .errors import InputError
from .network import check_bias

__all__ = ["ConvolutionalSampling", "sample_patterns"]

_BATCH = 4096


@dataclass(frozen=True)
class ConvolutionalSampling:
    """Directions that are zero outside one patch of an image, drawn anew for each direction.

    Parameters
    ----------
    shape : tuple of int
        Of an input: (length,), (height, width) or (height, width, channels); its product is the number of columns of X.
    patch : tuple of int
        Of the patch: as many entries as `shape`, or one less, where all channels are taken.

    Examples
    --------
    >>> from topes import ConvolutionalSampling
    >>> ConvolutionalSampling((8, 8), (3, 3))
    ConvolutionalSampling(shape=(8, 8), patch=(3, 3))
    """

    shape: tuple[int, ...]
    patch: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("shape", "patch"):
            value = getattr(self, name)
            if not isinstance(value, (tuple, list)) or not value:
                raise InputError(f"{name} must be a tuple of positive integers, got {value!r}")
            for entry in value:
                check_count(entry, name, 1)
            object.__setattr__(self, name, tuple(int(entry) for entry in value))
        if len(self.patch) not in (len(self.shape), len(self.shape) - 1):
            raise InputError(f"patch must have as many entries as shape {self.shape}, or one less, got {self.patch}")
        if any(p > s for p, s in zip(self.patch, self.shape, strict=False)):
            raise InputError(f"patch must fit into shape {self.shape}, got {self.patch}")

    def directions(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Columns of Gaussian entries on a patch whose place is uniform, shape (prod(shape), count)."""
        patch = self.patch + self.shape[len(self.patch) :]
        out = np.zeros((count, *self.shape))
        places = [rng.integers(0, s - p + 1, count) for s, p in zip(self.shape, patch, strict=True)]
        for j in range(count):
            where = tuple(slice(int(at[j]), int(at[j]) + p) for at, p in zip(places, patch, strict=True))
            out[j][where] = rng.standard_normal(patch)
        return np.ascontiguousarray(out.reshape(count, -1).T)


def sample_patterns(
    X: Any,
    n_samples: int,
    *,
    method: str | ConvolutionalSampling = "gaussian",
    bias: Any = False,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """The distinct patterns 1[X g >= 0] of sampled directions g.

    Parameters
    ----------
    X : array_like, shape (n, d)
    n_samples : int
        Directions to draw.
    method : "gaussian" or ConvolutionalSampling
        g ~ N(0, I), so that a cell is seen with the probability of its solid angle; or Gaussian on patches of the inputs.
    bias : {False, "penalized", "free"}
        With one, g has one Gaussian entry more, for a column of ones.
    seed : int
        Patterns depend on it and on X alone.

    Returns
    -------
    ndarray, shape (N, n), uint8, read-only
        N <= n_samples, in the order in which they were first seen. Zero rows are 1.

    Raises
    ------
    InputError
        An argument does not meet its requirement.

    Notes
    -----
    Theorem III.2: log(P / eps) / theta_min draws see all P cells with probability 1 - eps, theta_min the least solid angle.
    It is not known beforehand and can be tiny (1e-7 for 100 Gaussian points in 3 dimensions): it tells no one when to stop.

    Examples
    --------
    >>> from topes import sample_patterns
    >>> sorted(map(tuple, sample_patterns([[1, 0], [0, 1]], 100).tolist()))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    data = as_floats(as_exact_array(X, "X", 2, "binary"))
    n, d = data.shape
    check_count(n_samples, "n_samples", 1)
    check_count(seed, "seed", 0)
    if not isinstance(method, ConvolutionalSampling) and method != "gaussian":
        raise InputError(f"method must be 'gaussian' or a ConvolutionalSampling, got {method!r}")
    if isinstance(method, ConvolutionalSampling) and math.prod(method.shape) != d:
        raise InputError(f"X must have {math.prod(method.shape)} columns for inputs of shape {method.shape}, got {d}")
    with_bias = check_bias(bias) is not False
    sizes = np.abs(data).max(axis=1, initial=0.0) if not with_bias else np.ones(n)
    scaled = data / np.where(sizes > 0.0, sizes, 1.0)[:, None]  # neither overflow nor underflow decides a sign
    rng = np.random.default_rng(seed)
    seen: dict[bytes, npt.NDArray[np.uint8]] = {}
    for begin in range(0, n_samples, _BATCH):
        count = min(_BATCH, n_samples - begin)
        G = rng.standard_normal((d, count)) if method == "gaussian" else method.directions(count, rng)  # type: ignore[union-attr]
        H = scaled @ G
        if with_bias:
            H += rng.standard_normal(count)
        for pattern in np.ascontiguousarray((H >= 0.0).T).view(np.uint8):
            seen.setdefault(np.packbits(pattern).tobytes(), pattern)
    out = np.array(list(seen.values()), dtype=np.uint8).reshape(len(seen), n)
    out.setflags(write=False)
    return out
