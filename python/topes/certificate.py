"""Writes what a solution rests on into a file that another program can check: docs/certificates.md is its format."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._support.files import check_writable, whole_file
from ._support.validation import FloatArray, as_positive
from .activation import kappa_of
from .dual import zero_sum
from .errors import InputError, SolverError
from .jobs.pricing import Workers, workers
from .jobs.supply import ExecutorLike
from .losses import loss_names
from .network import TwoLayerNetwork
from .pricing.found import Cover
from .pricing.oracle import Pricer
from .verify import _check as checker
from .verify import _file as form
from .verify._numbers import Refused

__all__ = ["Problem", "save"]

# No need to price more finely than this share of the gap.
_SHARE_OF_GAP = 0.02
_FINEST, _COARSEST = 1e-12, 1e-3
# Claims leave room for a checker that adds up in another order.
_ROOM = 2.0**-40


@dataclass(frozen=True, eq=False)
class Problem:
    """What was asked, as a certificate states it; y of shape (n,), or (n, C) for several outputs."""

    pricer: Pricer
    y: FloatArray
    beta: float
    loss: str
    output_norm: int = 2


def save(
    file: Any,
    problem: Problem,
    net: TwoLayerNetwork,
    dual: FloatArray,
    gap: float,
    *,
    max_time: float | None = None,
    n_threads: int | None = None,
    executor: ExecutorLike | Workers | None = None,
) -> None:
    """`Solution.save_certificate`: the dual point has the shape of the targets, and the gap says how finely it is priced."""
    pricer = problem.pricer
    if problem.loss not in (*loss_names(), *form.CONDITIONS):
        raise InputError(f"loss of a certificate must be one of {', '.join(loss_names())}, got {problem.loss!r}")
    _check_network(net, problem)
    check_writable(file)  # pricing takes long
    V = _columns(dual)
    if pricer.bias == "free":
        V = np.stack([zero_sum(v) for v in V.T], axis=1)
    U = net.W1 if net.b1 is None or pricer.bias is False else np.vstack([net.W1, net.b1])
    priced = list(V.T) if problem.output_norm == 1 else [V]  # what is priced together
    seconds = None if max_time is None else as_positive(max_time, "max_time") / len(priced)
    with workers(executor, n_threads) as at_work:
        covers = [
            pricer.cover(
                v,
                floor=problem.beta,
                tol=min(max(_FINEST, _SHARE_OF_GAP * abs(gap)), _COARSEST),
                starts=U[:, np.any(U != 0.0, axis=0)],
                max_seconds=seconds,
                n_threads=n_threads,
                workers=at_work,
            )
            for v in priced
        ]
    header, arrays = _contents(problem, net, V, _by_level(_joined(covers)))
    try:
        with np.errstate(all="ignore"):
            certificate = form.checked(header, arrays)
            proved = checker.prove(certificate)
    except Refused as refusal:
        raise SolverError(f"no certificate can be written: {refusal}") from None
    objective = float(np.nextafter(proved.objective * (1.0 + _ROOM), np.inf))
    bound = max(0.0, proved.lower_bound - _ROOM * (abs(proved.lower_bound) + objective))
    header["claims"] = {
        "objective": objective,
        "price_bound": float(np.nextafter(proved.price_bound * (1.0 + _ROOM), np.inf)),
        "lower_bound": bound,
        "gap": checker.relative_gap(certificate, objective, bound) + _ROOM,
    }
    if problem.loss in form.CONDITIONS:
        header["claims"]["residual"] = float(np.nextafter(proved.residual * (1.0 + _ROOM), np.inf))
    with whole_file(file) as archive:
        archive.write(_archive(header, arrays))


def _check_network(network: TwoLayerNetwork, problem: Problem) -> None:
    pricer = problem.pricer
    inputs = pricer.data.shape[1] - (pricer.bias is not False)
    if network.W1.shape[0] != inputs:
        raise InputError(f"network must take {inputs} inputs, got {network.W1.shape[0]}")
    if network.w2.shape[1:] != problem.y.shape[1:]:
        what = f"{problem.y.shape[1]} outputs, a VectorNetwork" if problem.y.ndim == 2 else "one output"
        raise InputError(f"network must have {what}, got w2 of shape {network.w2.shape}")
    if pricer.pool > 1 and not hasattr(network, "kernel_size"):
        raise InputError(f"network must be a ConvolutionalNetwork, got {type(network).__name__}")
    if kappa_of(network.activation) != pricer.kappa:
        raise InputError(f"network must have the activation of the problem, {pricer.kappa}, got {network.activation!r}")
    if pricer.bias is False and network.b1 is not None and np.any(network.b1):
        raise InputError("network must have no biases for a problem without")


def _columns(x: FloatArray) -> FloatArray:
    """One column for each output."""
    return x[:, None] if x.ndim == 1 else x


def _contents(
    problem: Problem, network: TwoLayerNetwork, V: FloatArray, cover: Cover
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The header, its claims void, and the arrays; the trees of the cover in the order of their levels."""
    pricer = problem.pricer
    has_bias = pricer.bias is not False
    X = pricer.data[:, :-1] if has_bias else pricer.data
    biases = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    arrays = {
        "X": X,
        "Y": _columns(problem.y),
        "W1": network.W1,
        "b1": biases if has_bias else biases[:0],
        "W2": _columns(network.w2),
        "V": V,
        "coordinates": cover.coordinates,
        "scale": cover.scale,
        "normals": cover.normals,
        "group": cover.group,
        "factor": cover.factor,
        "split": cover.split,
        "c": cover.c,
        "slope_leaf": cover.slope_leaf,
        "slope_row": cover.slope_row,
        "slope": cover.slope,
    }
    arrays = {name: np.ascontiguousarray(arrays[name], dtype=kind) for name, (kind, _) in form.ARRAYS.items()}
    header = {
        "format": form.FORMAT,
        "version": form.VERSION,
        "loss": problem.loss,
        "kappa": pricer.kappa,
        "bias": pricer.bias or None,
        "norm": {1.0: "1", 2.0: "2", np.inf: "inf"}[pricer.norm],
        "output_norm": str(problem.output_norm),
        "beta": problem.beta,
        "values": pricer.values,
        "n": len(V),
        "patches": pricer.pool,
        "d": X.shape[1],
        "outputs": V.shape[1],
        "reach": cover.reach,
        "data_sha256": form.data_sha256(arrays["X"], arrays["Y"]),
        "claims": dict.fromkeys(form.claims_of(problem.loss), 0.0),
    }
    return header, arrays


def _joined(covers: list[Cover]) -> Cover:
    """The trees of one cover after those of another; all else they have in common."""
    if len(covers) == 1:
        return covers[0]
    leaves = np.cumsum([0, *(np.count_nonzero(cover.split == 0) for cover in covers)])
    names = ("split", "depth", "c", "slope_row", "slope")
    parts: dict[str, Any] = {name: np.concatenate([getattr(k, name) for k in covers]) for name in names}
    slope_leaf = np.concatenate([k.slope_leaf + np.uint32(first) for k, first in zip(covers, leaves, strict=False)])
    return replace(covers[0], slope_leaf=slope_leaf, **parts)


def _by_level(cover: Cover) -> Cover:
    """The same trees in the order of their levels, from preorder: within a level the order is the same."""
    order = np.argsort(cover.depth, kind="stable")
    is_leaf = cover.split == 0
    leaves = (np.cumsum(is_leaf) - 1)[order][is_leaf[order]]  # which leaf of the old order each new one is
    new = np.empty_like(leaves)
    new[leaves] = np.arange(len(leaves))
    leaf = new[cover.slope_leaf]
    by_leaf = np.lexsort((cover.slope_row, leaf))
    return replace(
        cover,
        split=cover.split[order],
        depth=cover.depth[order],
        c=cover.c[leaves] if len(cover.c) else cover.c,
        slope_leaf=leaf[by_leaf],
        slope_row=cover.slope_row[by_leaf],
        slope=cover.slope[by_leaf],
    )


def _archive(header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """The file; the same bytes for the same contents."""
    members = {form.HEADER: (json.dumps(header, indent=1, allow_nan=False) + "\n").encode()}
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.lib.format.write_array(stream, array, allow_pickle=False)
        members[f"{name}.npy"] = stream.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        archive.comment = form.seal(b"")  # of the right length, which is part of what is sealed
    plain = out.getvalue()[: -len(form.seal(b""))]
    return plain + form.seal(plain)
