"""Certificates for tests: of any network and any dual point, no training; taken apart, changed, and put together again."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from topes import Solution, Status, TwoLayerNetwork
from topes.certificate import Problem, _archive
from topes.dual import zero_sum
from topes.losses import get_loss
from topes.pricing.oracle import Pricer
from topes.verify._file import data_sha256


def claim(X, y, v, net, beta, *, loss="squared", kappa=0.0, bias=False, norm=2, gap=1e-6) -> Solution:
    """A `Solution` that nobody has optimised: the point next to v in the domain of the dual, and any network."""
    the_loss = get_loss(loss)
    free = bias == "free"
    v = the_loss.project_dual(v, y, zero_sum=free)
    v = zero_sum(v) if free else v
    pricer = Pricer(X, activation=kappa, bias=bias, norm=norm)
    none: Any = None
    return Solution(
        Status.GAP_ON_WORKING_SET, net, np.nan, np.nan, gap, np.zeros((0, len(X)), np.uint8), v, np.nan, none, 0, "", {}, (),
        Problem(pricer, y, beta, loss),
    )  # fmt: skip


def random_network(rng: np.random.Generator, d: int, bias: Any, kappa: float) -> TwoLayerNetwork:
    m = int(rng.integers(0, 4))
    b1 = None if bias is False else rng.standard_normal(m)
    return TwoLayerNetwork(rng.standard_normal((d, m)), b1, rng.standard_normal(m), kappa)


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
        header = {**header, "n": arrays["X"].shape[0], "d": arrays["X"].shape[1]}
    header["data_sha256"] = data_sha256(arrays["X"], arrays["y"])
    path.write_bytes(_archive(header, arrays))
