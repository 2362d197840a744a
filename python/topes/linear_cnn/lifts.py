"""How filters and weights reach the outputs, and what a dual point costs: (16) over patches, (20) in the Fourier basis.

Both are linear maps of the products of filters and weights, so the training problem is convex in a norm of the products,
and a dual point v is priced in closed form: no arrangement, no search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from .network import circular_convolution

__all__ = ["CircularLift", "Lift", "PatchLift"]

_EPS = float(np.finfo(np.float64).eps)
# Singular values, and moduli of a spectrum, below this share of the largest are what a solver leaves of zeros.
_NEGLIGIBLE = 1e-9


class Lift(ABC):
    """Outputs of filters U, (h, m), and weights W, (K, m), and the norm of their products that weight decay becomes."""

    h: int
    K: int
    n: int

    @abstractmethod
    def outputs(self, U: FloatArray, W: FloatArray) -> FloatArray:
        """f, shape (n,)."""

    @abstractmethod
    def slopes(self, v: FloatArray, U: FloatArray, W: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients of v'f in U and W."""

    @abstractmethod
    def price(self, v: FloatArray) -> float:
        """max v'f over one filter and its weights of norm at most 1, roundings added: an upper bound."""

    @abstractmethod
    def descents(self, v: FloatArray, beta: float) -> tuple[FloatArray, FloatArray]:
        """Filters and weights of norm 1, columns, along which v'f falls faster than beta."""

    @abstractmethod
    def joined(self, U: FloatArray, W: FloatArray, more: tuple[FloatArray, FloatArray], size: float) -> Any:
        """U and W with the descents of `more` in them, of that size."""

    @abstractmethod
    def balanced(self, Z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The U and W of least norm whose products are Z, and the fewest columns of these."""

    @abstractmethod
    def products(self, U: FloatArray, W: FloatArray) -> FloatArray:
        """Z: sum_j u_j w_j', shape (h, K), or the sum of the convolutions, shape (d, 1)."""


class PatchLift(Lift):
    """f = sum_k X_k z_k for Z = sum_j u_j w_j'; weight decay becomes the nuclear norm of Z, the price sigma_max."""

    def __init__(self, patches: FloatArray) -> None:
        self.n, self.K, self.h = patches.shape
        self._A = np.ascontiguousarray(patches.reshape(self.n, self.K * self.h))
        self._size = np.abs(self._A)

    def outputs(self, U: FloatArray, W: FloatArray) -> FloatArray:
        return np.asarray(self._A @ (W @ U.T).ravel())

    def _matrix(self, v: FloatArray) -> FloatArray:
        """[X_1'v ... X_K'v]', shape (K, h)."""
        return np.asarray((v @ self._A).reshape(self.K, self.h))

    def slopes(self, v: FloatArray, U: FloatArray, W: FloatArray) -> tuple[FloatArray, FloatArray]:
        M = self._matrix(v)
        return M.T @ W, M @ U

    def price(self, v: FloatArray) -> float:
        M = self._matrix(v)
        if not M.size:
            return 0.0
        # The matrix carries n roundings an entry; its singular values those of an orthogonal reduction.
        rounding = (self.n + 2) * _EPS * float(np.linalg.norm(np.abs(v) @ self._size))
        rounding += 10.0 * (self.K + self.h) * _EPS * float(np.linalg.norm(M))
        return float(np.linalg.norm(M, 2)) + rounding

    def descents(self, v: FloatArray, beta: float) -> tuple[FloatArray, FloatArray]:
        left, singular, right = np.linalg.svd(self._matrix(v), full_matrices=False)
        steep = singular > beta
        return -right[steep].T, left[:, steep]

    def joined(self, U: FloatArray, W: FloatArray, more: tuple[FloatArray, FloatArray], size: float) -> Any:
        return np.hstack([U, size * more[0]]), np.hstack([W, size * more[1]])

    def balanced(self, Z: FloatArray) -> tuple[FloatArray, FloatArray]:
        if not Z.size:
            return np.zeros((self.h, 0)), np.zeros((self.K, 0))
        left, singular, right = np.linalg.svd(Z, full_matrices=False)
        kept = singular > _NEGLIGIBLE * singular[0]
        root = np.sqrt(singular[kept])
        return left[:, kept] * root, right[kept].T * root

    def products(self, U: FloatArray, W: FloatArray) -> FloatArray:
        return np.asarray(U @ W.T)


class CircularLift(Lift):
    """f = X theta for the cyclic convolution theta of filter and weights: weight decay is ||F theta||_1 / d.

    F is the unnormalised Fourier matrix. With z = F theta / d it is (20), and the price the largest modulus of F X'v. One
    filter is enough: each frequency of the products is a product of two numbers.
    """

    def __init__(self, samples: FloatArray) -> None:
        self.n = len(samples)
        self.shape = samples.shape[1:]
        self._X = np.ascontiguousarray(samples.reshape(self.n, int(np.prod(self.shape))))
        self._size = np.abs(self._X)
        self.h = self.K = self._X.shape[1]

    def _spectrum(self, column: FloatArray) -> Any:
        return np.fft.fftn(column.reshape(self.shape))

    def _back(self, spectrum: Any) -> FloatArray:
        return np.asarray(np.fft.ifftn(spectrum).real.reshape(-1, 1))

    def outputs(self, U: FloatArray, W: FloatArray) -> FloatArray:
        return np.asarray(self._X @ self.products(U, W)[:, 0])

    def slopes(self, v: FloatArray, U: FloatArray, W: FloatArray) -> tuple[FloatArray, FloatArray]:
        if not U.shape[1]:
            return np.zeros_like(U), np.zeros_like(W)
        g = self._spectrum(v @ self._X)
        return self._back(g * self._spectrum(W).conj()), self._back(g * self._spectrum(U).conj())

    def price(self, v: FloatArray) -> float:
        g = v @ self._X
        # The Fourier transform is an orthogonal matrix times sqrt(d); a fast one makes a few roundings a level.
        size = np.sqrt(self.h) * float(np.linalg.norm(np.abs(v) @ self._size))
        rounding = (self.n + 10.0 * np.log2(2.0 * self.h) + 10.0) * _EPS * size
        return float(np.abs(self._spectrum(g)).max()) + float(rounding)

    def descents(self, v: FloatArray, beta: float) -> tuple[FloatArray, FloatArray]:
        g = self._spectrum(v @ self._X)
        modulus = np.abs(g)
        steep = modulus > beta
        if not steep.any():
            return np.zeros((self.h, 0)), np.zeros((self.h, 0))
        # v'(u * w) = Re sum conj(g) u^ w^ / d, least for w^ = -g / |g| on the frequencies at hand.
        even = self._back(steep.astype(np.float64))
        odd = self._back(np.where(steep, -g / np.where(steep, modulus, 1.0), 0.0))
        size = float(np.linalg.norm(even))
        return even / size, odd / size

    def joined(self, U: FloatArray, W: FloatArray, more: tuple[FloatArray, FloatArray], size: float) -> Any:
        if not U.shape[1]:
            return size * more[0], size * more[1]
        # Frequencies that are in use stay as they are.
        u, w, u_new, w_new = (self._spectrum(F) for F in (U, W, *more))
        used = np.abs(u) * np.abs(w)
        idle = used <= _NEGLIGIBLE * float(used.max())
        return self._back(np.where(idle, size * u_new, u)), self._back(np.where(idle, size * w_new, w))

    def balanced(self, Z: FloatArray) -> tuple[FloatArray, FloatArray]:
        spectrum = self._spectrum(Z)
        modulus = np.abs(spectrum)
        kept = modulus > _NEGLIGIBLE * max(float(modulus.max()), 1e-300)
        if not kept.any():
            return np.zeros((self.h, 0)), np.zeros((self.h, 0))
        root = np.sqrt(np.where(kept, modulus, 0.0))
        return self._back(root), self._back(np.where(kept, spectrum / np.where(kept, root, 1.0), 0.0))

    def products(self, U: FloatArray, W: FloatArray) -> FloatArray:
        if not U.shape[1]:
            return np.zeros((self.h, 1))
        return np.asarray(circular_convolution(U, W, self.shape).sum(axis=1, keepdims=True))
