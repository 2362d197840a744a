"""Algorithm 2 of the paper: image features from patches, as a scikit-learn transformer (extra ``topes[sklearn]``)."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from topes._support.validation import refuse_masked
from topes.errors import InputError

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted
except ImportError as missing:
    raise ImportError("topes.features needs scikit-learn: pip install 'topes[sklearn]'") from missing

__all__ = ["PatchFeatures"]

_Floats = npt.NDArray[np.float64]


class PatchFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Patches, normalised and whitened, coded by their distances to k-means centroids and pooled (Algorithm 2).

    Encoding normalises and whitens with the mean and matrix found in `fit`. Where the patch positions do not divide by
    `pool`, the last windows are smaller; an average is over the positions a window has.

    Parameters
    ----------
    n_centroids : int
        Centroids m.
    patch : int
        Side h of the square patches, pixels.
    pool : int
        Side k of the pooling windows, patch positions.
    code : {"triangle", "paper"}
        With z the distances of a patch to the centroids: ``"triangle"`` is max(mean(z) - z, 0), of Coates and Ng;
        ``"paper"`` is max(z - mean(z), 0), the letter of Algorithm 2, which keeps the far centroids.
    pooling : {"average", "sum"}
        The paper does not say which.
    normalise, whiten : float
        Added to the variance of a patch (in pixels squared, so it depends on the pixels' scale) and to the eigenvalues
        of the covariance of the normalised patches. Both positive.
    n_patches : int
        Patches drawn for training (with replacement).
    minibatch : bool
        `sklearn.cluster.MiniBatchKMeans` instead of `sklearn.cluster.KMeans`.
    memory : int
        Bytes the patches and distances of a chunk may take; one image is always taken whole.
    rng : int, `numpy.random.RandomState` or None
        Seed, in scikit-learn's sense.

    Attributes
    ----------
    mean_ : ndarray, shape (h*h*channels,)
    whitening_ : ndarray, shape (h*h*channels, h*h*channels), symmetric
    centroids_ : ndarray, shape (m, h*h*channels)
    image_shape_ : tuple of int, (height, width, channels)

    Raises
    ------
    InputError
        A parameter or the images do not meet their requirement.

    Examples
    --------
    >>> import numpy as np
    >>> from topes.features import PatchFeatures
    >>> images = np.random.default_rng(0).random((20, 12, 12))
    >>> PatchFeatures(5, patch=4, pool=3, n_patches=500, rng=0).fit_transform(images).shape
    (20, 45)
    """

    def __init__(
        self,
        n_centroids: int = 100,
        *,
        patch: int = 6,
        pool: int = 9,
        code: Literal["triangle", "paper"] = "triangle",
        pooling: Literal["average", "sum"] = "average",
        normalise: float = 0.1,
        whiten: float = 0.1,
        n_patches: int = 100_000,
        minibatch: bool = True,
        memory: int = 2**28,
        rng: Any = None,
    ) -> None:
        self.n_centroids = n_centroids
        self.patch = patch
        self.pool = pool
        self.code = code
        self.pooling = pooling
        self.normalise = normalise
        self.whiten = whiten
        self.n_patches = n_patches
        self.minibatch = minibatch
        self.memory = memory
        self.rng = rng

    def fit(self, X: npt.ArrayLike, y: object = None) -> PatchFeatures:
        """Find the whitening and the centroids. X : shape (n, height, width) or (n, height, width, channels)."""
        self._check_parameters()
        images = _images(X)
        if min(images.shape[1:3]) < self.patch:
            raise InputError(f"patch must be at most the images' side, {min(images.shape[1:3])}; it is {self.patch}")
        random = check_random_state(self.rng)
        windows = self._windows(images)
        index = [random.randint(size, size=self.n_patches) for size in windows.shape[:3]]
        patches = self._normalised(windows[tuple(index)].reshape(self.n_patches, -1))
        mean = patches.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False, bias=True).reshape(mean.size, mean.size))
        # Rounding can leave an eigenvalue of a covariance a little below zero.
        whitening = (vectors / np.sqrt(np.maximum(values, 0.0) + self.whiten)) @ vectors.T
        kind = MiniBatchKMeans if self.minibatch else KMeans
        means = kind(self.n_centroids, n_init=1, random_state=random).fit((patches - mean) @ whitening)
        self.mean_, self.whitening_ = mean, whitening
        self.centroids_ = np.asarray(means.cluster_centers_, dtype=np.float64)
        self.image_shape_ = images.shape[1:]
        return self

    def transform(self, X: npt.ArrayLike) -> _Floats:
        """Features of the images, shape (n, rows of windows * columns of windows * m), the centroids fastest."""
        check_is_fitted(self, "centroids_")
        images = _images(X)
        if images.shape[1:] != self.image_shape_:
            raise InputError(f"X must hold images of shape {self.image_shape_}, as in fit; theirs is {images.shape[1:]}")
        rows, columns = (side - self.patch + 1 for side in self.image_shape_[:2])
        starts = [np.arange(0, side, self.pool) for side in (rows, columns)]
        m = len(self.centroids_)
        each = 8 * rows * columns * (3 * self.mean_.size + 3 * m)
        step = max(1, int(self.memory) // each)
        out = np.empty((len(images), len(starts[0]) * len(starts[1]) * m))
        sizes = np.outer(*(np.diff(s, append=side) for s, side in zip(starts, (rows, columns), strict=True)))
        for first in range(0, len(images), step):
            part = images[first : first + step]
            flat = self._normalised(self._windows(part).reshape(len(part) * rows * columns, -1))
            codes = self._codes((flat - self.mean_) @ self.whitening_).reshape(len(part), rows, columns, m)
            pooled = np.add.reduceat(np.add.reduceat(codes, starts[0], axis=1), starts[1], axis=2)
            if self.pooling == "average":
                pooled /= sizes[:, :, None]
            out[first : first + step] = pooled.reshape(len(part), -1)
        return out

    def _windows(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """View of shape (n, rows, columns, channels, h, h)."""
        return np.lib.stride_tricks.sliding_window_view(images, (self.patch, self.patch), axis=(1, 2))

    def _normalised(self, patches: npt.NDArray[Any]) -> _Floats:
        centred: _Floats = patches - patches.mean(axis=1, keepdims=True, dtype=np.float64)
        centred /= np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + self.normalise)
        return centred

    def _codes(self, patches: _Floats) -> _Floats:
        squares = np.sum(patches**2, axis=1)[:, None] - 2 * (patches @ self.centroids_.T)
        squares += np.sum(self.centroids_**2, axis=1)
        z = np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)
        z -= z.mean(axis=1, keepdims=True)
        if self.code == "triangle":
            np.negative(z, out=z)
        np.maximum(z, 0.0, out=z)
        codes: _Floats = z
        return codes

    def _check_parameters(self) -> None:
        for name in ("n_centroids", "patch", "pool", "n_patches", "memory"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} must be a positive integer; it is {value!r}")
        for name in ("normalise", "whiten"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 < float(value) < np.inf:
                raise InputError(f"{name} must be positive and finite; it is {value!r}")
        for name, choices in (("code", ("triangle", "paper")), ("pooling", ("average", "sum"))):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {choices}; it is {getattr(self, name)!r}")
        if self.n_patches < self.n_centroids:
            raise InputError(f"n_patches must be at least n_centroids, {self.n_centroids}; it is {self.n_patches}")


def _images(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """X as (n, height, width, channels), not copied where it is an array."""
    refuse_masked(X, "X")
    images = np.asarray(X)
    if images.ndim not in (3, 4):
        raise InputError(f"X must have shape (n, height, width) or (n, height, width, channels); it is {images.shape}")
    if images.dtype.kind not in "fiub":
        raise InputError(f"X must hold real numbers; its dtype is {images.dtype}")
    if 0 in images.shape:
        raise InputError(f"X must not be empty; its shape is {images.shape}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise InputError("X must be finite; it has a NaN or an infinity")
    return images.reshape(*images.shape, 1) if images.ndim == 3 else images
