"""The rows of a data matrix of any rank as `training.descent` wants them: up to roundings, where a `Pricer` is exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag

from .._support.validation import FloatArray
from ..network import Bias, penalised
from ..pricing.normals import unit_normals

__all__ = ["LocalRows"]

_DIGITS = 12  # rows that agree to so many, up to a factor, share a hyperplane
_RANK = 1e-12  # singular values below this share of the largest are zero


@dataclass(frozen=True)
class LocalRows:
    """`training.descent.Rows` of `data`; nothing that is proved may rest on them."""

    data: FloatArray
    hyperplanes: npt.NDArray[np.int64]
    reference: FloatArray
    factor: FloatArray
    span: FloatArray
    bias: Bias
    kappa: float
    pool: int = 1

    @classmethod
    def of(cls, data: FloatArray, bias: Bias, kappa: float) -> LocalRows:
        n, d = data.shape
        hyperplanes = np.full(n, -1, dtype=np.int64)
        largest = np.abs(data).argmax(axis=1) if d else np.zeros(n, dtype=np.intp)
        pivot = data[np.arange(n), largest] if d else np.zeros(n)
        used = np.flatnonzero(pivot)
        shapes = np.round(data[used] / pivot[used, None], _DIGITS) + 0.0
        hyperplanes[used] = np.unique(shapes, axis=0, return_inverse=True)[1].ravel()
        reference, factor = unit_normals(data, hyperplanes)
        _, s, basis = np.linalg.svd(penalised(data.T, bias).T, full_matrices=False)
        span = basis[s > _RANK * s.max(initial=0.0)].T
        if bias == "free":
            span = block_diag(span, 1.0)
        return cls(data, hyperplanes, reference, factor, np.ascontiguousarray(span), bias, kappa)
