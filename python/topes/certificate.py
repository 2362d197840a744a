"""Writes what a solution rests on into a file that another program can check: docs/certificates.md is its format."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._support.validation import FloatArray, as_positive
from .activation import kappa_of
from .dual import zero_sum
from .errors import InputError, SolverError
from .network import TwoLayerNetwork
from .pricing.oracle import Cover, Pricer
from .verify import _check as checker
from .verify import _file as form
from .verify._numbers import Refused

if TYPE_CHECKING:
    from .result import Solution

__all__ = ["Problem", "save"]

# No need to price more finely than this share of the gap.
_SHARE_OF_GAP = 0.02
_FINEST, _COARSEST = 1e-12, 1e-3
# Claims leave room for a checker that adds up in another order.
_ROOM = 2.0**-40


@dataclass(frozen=True, eq=False)
class Problem:
    """What `train` was asked, as a certificate states it."""

    pricer: Pricer
    y: FloatArray
    beta: float
    loss: str


def save(
    solution: Solution,
    file: Any,
    *,
    network: TwoLayerNetwork | None = None,
    max_time: float | None = None,
    n_threads: int | None = None,
) -> None:
    """`Solution.save_certificate`."""
    problem = solution.problem
    if problem is None:
        raise InputError("the solution must come from train: other programs do not price over all cells")
    if problem.pricer.pool > 1:
        raise InputError("certificates are for networks without pooling; this one is convolutional")
    if solution.dual.ndim != 1:
        raise InputError(f"certificates are for one output; the dual point has shape {solution.dual.shape}")
    net = solution.network if network is None else network
    pricer = problem.pricer
    _check_network(net, pricer)
    v = zero_sum(solution.dual) if pricer.bias == "free" else solution.dual
    U = net.W1 if net.b1 is None or pricer.bias is False else np.vstack([net.W1, net.b1])
    cover = pricer.cover(
        v,
        floor=problem.beta,
        tol=min(max(_FINEST, _SHARE_OF_GAP * abs(solution.gap)), _COARSEST),
        starts=U[:, np.any(U != 0.0, axis=0)],
        max_seconds=None if max_time is None else as_positive(max_time, "max_time"),
        n_threads=n_threads,
    )
    header, arrays = _contents(problem, net, v, cover)
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
    Path(file).write_bytes(_archive(header, arrays))


def _check_network(network: TwoLayerNetwork, pricer: Pricer) -> None:
    inputs = pricer.data.shape[1] - (pricer.bias is not False)
    if network.W1.shape[0] != inputs:
        raise InputError(f"network must take {inputs} inputs, got {network.W1.shape[0]}")
    if kappa_of(network.activation) != pricer.kappa:
        raise InputError(f"network must have the activation of the problem, {pricer.kappa}, got {network.activation!r}")
    if pricer.bias is False and network.b1 is not None and np.any(network.b1):
        raise InputError("network must have no biases for a problem without")


def _contents(
    problem: Problem, network: TwoLayerNetwork, v: FloatArray, cover: Cover
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The header, its claims void, and the arrays."""
    pricer = problem.pricer
    has_bias = pricer.bias is not False
    X = pricer.data[:, :-1] if has_bias else pricer.data
    biases = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    level = _by_level(cover)
    arrays = {
        "X": X,
        "y": problem.y,
        "W1": network.W1,
        "b1": biases if has_bias else biases[:0],
        "w2": network.w2,
        "v": v,
        "coordinates": cover.coordinates,
        "scale": cover.scale,
        "normals": cover.normals,
        "group": cover.group,
        "factor": cover.factor,
        "split": level.split,
        "c": level.c,
        "slope_leaf": level.slope_leaf,
        "slope_row": level.slope_row,
        "slope": level.slope,
    }
    arrays = {name: np.ascontiguousarray(arrays[name], dtype=kind) for name, (kind, _) in form.ARRAYS.items()}
    header = {
        "format": form.FORMAT,
        "version": form.VERSION,
        "loss": problem.loss,
        "kappa": pricer.kappa,
        "bias": pricer.bias or None,
        "norm": {1.0: "1", 2.0: "2", np.inf: "inf"}[pricer.norm],
        "beta": problem.beta,
        "values": pricer.values,
        "n": X.shape[0],
        "d": X.shape[1],
        "reach": cover.reach,
        "data_sha256": form.data_sha256(arrays["X"], arrays["y"]),
        "claims": dict.fromkeys(form.CLAIMS, 0.0),
    }
    return header, arrays


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
