"""Certificates for tests: of any network and any dual point, no training; taken apart, changed, and put together again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from topes import ConvolutionalNetwork, Solution, Status, TwoLayerNetwork, VectorNetwork
from topes.certificate import Problem, _archive
from topes.dual import zero_sum
from topes.losses import get_loss
from topes.pricing.oracle import Pricer
from topes.verify._file import data_sha256


def claim(
    X, y, v, net, beta, *, loss="squared", kappa=0.0, bias=False, norm=2, gap=1e-6, output_norm=2, patches=1
) -> Solution:
    """A `Solution` that nobody has optimised: the point next to v in the domain of the dual, and any network.

    y and v of shape (n,), or (n, C); X has `patches` rows for each sample.
    """
    the_loss, free = get_loss(loss), bias == "free"
    if loss == "l2" and y.ndim == 2:  # a ball of all outputs together
        v = the_loss.project_dual((v - v.mean(axis=0) if free else v).ravel(), y.ravel()).reshape(y.shape)
        v = np.stack([zero_sum(column) for column in v.T], axis=1) if free else v
    else:
        v = each_column(lambda a, b: the_loss.project_dual(a, b, zero_sum=free), v, y)
        v = each_column(lambda a, _: zero_sum(a), v, y) if free else v
    pricer = Pricer(X, activation=kappa, bias=bias, norm=norm, pool=patches)
    none: Any = None
    return Solution(
        Status.GAP_ON_WORKING_SET, net, np.nan, np.nan, gap, np.zeros((0, len(X)), np.uint8), v, np.nan, none, 0, "", {}, (),
        Problem(pricer, y, beta, loss, output_norm),
    )  # fmt: skip


def each_column(f: Callable[[Any, Any], Any], v: np.ndarray, y: np.ndarray) -> np.ndarray:
    return f(v, y) if v.ndim == 1 else np.stack([f(a, b) for a, b in zip(v.T, y.T, strict=True)], axis=1)


def random_network(
    rng: np.random.Generator, d: int, bias: Any, kappa: float, *, outputs: int | None = None, patches: int = 1
) -> TwoLayerNetwork:
    """Of one output, a number, where `outputs` is None."""
    m = int(rng.integers(0, 4))
    b1 = None if bias is False else rng.standard_normal(m)
    W1 = rng.standard_normal((d, m))
    if outputs is not None:
        return VectorNetwork(W1, b1, rng.standard_normal((m, outputs)), kappa)
    return (ConvolutionalNetwork if patches > 1 else TwoLayerNetwork)(W1, b1, rng.standard_normal(m), kappa)


def contents(path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file."""
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("certificate.json"))
        arrays = {
            name[:-4]: np.load(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".npy")
        }
    return header, arrays


def put_together(path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write them with every hash as it must be, as somebody would who wants to deceive."""
    if arrays["X"].ndim == 2:
        rows, d = arrays["X"].shape
        header = {**header, "n": rows // max(1, header["patches"]), "d": d}
    header["data_sha256"] = data_sha256(arrays["X"], arrays["Y"])
    path.write_bytes(_archive(header, arrays))
