"""Reading a certificate: a zip archive of one JSON header and .npy arrays, closed by a SHA-256 of everything before it."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._numbers import FloatArray, Refused

__all__ = [
    "ARRAYS",
    "CLAIMS",
    "CONDITIONS",
    "FORMAT",
    "HEADER",
    "VERSION",
    "Certificate",
    "checked",
    "claims_of",
    "data_sha256",
    "read",
    "seal",
]

FORMAT, VERSION = "topes certificate", 1
HEADER = "certificate.json"
SEAL = b"sha256:"
#: Not losses but conditions, f = y and y f >= 1: met up to the claimed residual.
CONDITIONS = ("interpolation", "margin")
LOSSES = ("squared", "l2", "absolute", "huber", "logistic", "hinge", "squared_hinge", *CONDITIONS)
CLAIMS = ("objective", "price_bound", "lower_bound", "gap")
_FIELDS = {
    *("format", "version", "loss", "kappa", "bias", "norm", "output_norm", "beta", "values"),
    *("n", "patches", "d", "outputs", "reach", "data_sha256"),
}
_NORMS = {"1": 1.0, "2": 2.0, "inf": math.inf}
_LARGEST_DIMENSION = 8

#: name -> (little-endian type, number of axes)
ARRAYS: dict[str, tuple[str, int]] = {
    "X": ("<f8", 2),
    "Y": ("<f8", 2),
    "W1": ("<f8", 2),
    "b1": ("<f8", 1),
    "W2": ("<f8", 2),
    "V": ("<f8", 2),
    "coordinates": ("<f8", 2),
    "scale": ("<f8", 1),
    "normals": ("<f8", 2),
    "group": ("<i4", 1),
    "factor": ("<f8", 1),
    "split": ("|u1", 1),
    "c": ("<f8", 2),
    "slope_leaf": ("<u4", 1),
    "slope_row": ("<u4", 1),
    "slope": ("<f8", 1),
}


@dataclass(frozen=True)
class Certificate:
    """What a file says, its form checked and nothing else: see docs/certificates.md for every field."""

    loss: str
    kappa: float
    bias: str | None
    norm: float
    output_norm: int
    beta: float
    patches: int
    reach: float
    X: FloatArray
    Y: FloatArray
    W1: FloatArray
    b1: FloatArray
    W2: FloatArray
    V: FloatArray
    coordinates: FloatArray
    scale: FloatArray
    normals: FloatArray
    group: npt.NDArray[np.int32]
    factor: FloatArray
    split: npt.NDArray[np.uint8]
    c: FloatArray
    slope_leaf: npt.NDArray[np.uint32]
    slope_row: npt.NDArray[np.uint32]
    slope: FloatArray
    claims: dict[str, float]
    data_sha256: str

    @property
    def by_output(self) -> bool:
        """Whether each output is priced by itself, with both signs; else the price is the 2-norm over all of them."""
        return self.output_norm == 1 or self.Y.shape[1] == 1


def claims_of(loss: str) -> tuple[str, ...]:
    """What a file claims."""
    return (*CLAIMS, "residual") if loss in CONDITIONS else CLAIMS


def data_sha256(X: FloatArray, Y: FloatArray) -> str:
    """SHA-256 of the shape of X as little-endian uint64, the rows of X, then those of Y, as little-endian float64."""
    digest = hashlib.sha256(np.array(X.shape, dtype="<u8").tobytes())
    for array in (X, Y):
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def seal(archive: bytes) -> bytes:
    """The archive comment: SHA-256 of every byte before it."""
    return SEAL + hashlib.sha256(archive).hexdigest().encode()


def read(path: Any) -> Certificate:
    """Read and check the form; `Refused` says what is wrong."""
    try:
        data = Path(path).read_bytes()
    except (OSError, TypeError, ValueError) as error:
        raise Refused(f"the file cannot be read: {error}") from None
    size = len(SEAL) + 64
    if len(data) <= size or data[-size:] != seal(data[:-size]):
        raise Refused("the file is damaged, cut short or no certificate: its checksum is not that of its bytes")
    try:
        header, arrays = _members(data)
    except Refused:
        raise
    except Exception as error:  # whatever a hostile archive makes its readers raise
        raise Refused(f"the archive cannot be read: {type(error).__name__}: {error}") from None
    return checked(header, arrays)


def _members(data: bytes) -> tuple[Any, dict[str, npt.NDArray[Any]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        expected = {HEADER, *(f"{name}.npy" for name in ARRAYS)}
        if len(names) != len(set(names)) or set(names) != expected:
            wrong = sorted(set(names) ^ expected)
            raise Refused(f"the archive must hold each member once and no others; see {wrong or 'repeated names'}")
        header = json.loads(archive.read(HEADER), parse_constant=_no_constant, object_pairs_hook=_no_repeats)
        arrays = {}
        for name, (kind, axes) in ARRAYS.items():
            stream = io.BytesIO(archive.read(f"{name}.npy"))
            array = np.lib.format.read_array(stream, allow_pickle=False)
            if array.dtype.str != kind or array.ndim != axes or stream.read(1):
                raise Refused(f"{name} must be {kind} with {axes} axes, got {array.dtype.str} of shape {array.shape}")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise Refused(f"{name} has an entry that is not finite")
            arrays[name] = array.astype(array.dtype.newbyteorder("="), order="C")
    return header, arrays


def _no_constant(text: str) -> Any:
    raise Refused(f"the header holds {text}")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused("the header has a field twice")
    return dict(pairs)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused(message)


def _number(value: Any, name: str) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _require(is_number and abs(value) <= np.finfo(np.float64).max, f"{name} must be a finite number, got {value!r}")
    return float(value)


def _count(value: Any, name: str) -> int:
    _require(isinstance(value, int) and not isinstance(value, bool) and value >= 0, f"{name} must be a count, got {value!r}")
    return int(value)


def checked(header: Any, a: dict[str, npt.NDArray[Any]]) -> Certificate:
    """The certificate of a header and the arrays of `ARRAYS`, if shapes, ranges and the hash of the data are right."""
    _require(isinstance(header, dict), "the header must be an object")
    _require(set(header) == _FIELDS | {"claims"}, "the header must have the fields of the format, no others")
    _require(header["format"] == FORMAT, f"the format is {header['format']!r}, not {FORMAT!r}")
    _require(header["version"] is not True and header["version"] == VERSION, f"version {header['version']!r} is not known")
    _require(header["loss"] in LOSSES, f"the loss {header['loss']!r} is not known")
    _require(header["bias"] in (None, "penalized", "free"), f"bias must be null, penalized or free, got {header['bias']!r}")
    _require(header["values"] in ("binary", "decimal"), f"values must be binary or decimal, got {header['values']!r}")
    _require(header["norm"] in tuple(_NORMS), f"norm must be '1', '2' or 'inf', got {header['norm']!r}")
    _require(header["output_norm"] in ("1", "2"), f"output_norm must be '1' or '2', got {header['output_norm']!r}")
    kappa, beta, reach = (_number(header[name], name) for name in ("kappa", "beta", "reach"))
    _require(kappa < 1.0, f"kappa must be below 1, got {kappa}")
    _require(beta > 0.0, f"beta must be positive, got {beta}")
    _require(reach >= 0.0, f"reach must not be negative, got {reach}")
    claims = header["claims"]
    names = claims_of(header["loss"])
    _require(isinstance(claims, dict) and set(claims) == set(names), "the claims must be those of the format")
    claims = {name: _number(claims[name], name) for name in names}

    n, patches, d, outputs = (_count(header[name], name) for name in ("n", "patches", "d", "outputs"))
    _require(patches >= 1, "patches must be at least 1")
    _require(outputs >= 1, "outputs must be at least 1")
    rows = n * patches
    bias = header["bias"]
    neurons, rank, columns = len(a["W2"]), len(a["scale"]), d + (bias is not None)
    planes, slopes, splits = len(a["normals"]), len(a["slope"]), int(np.count_nonzero(a["split"]))
    leaves = len(a["split"]) - splits
    round_ball = header["norm"] == "2"
    shapes = {
        "X": (rows, d),
        "Y": (n, outputs),
        "V": (n, outputs),
        "W2": (neurons, outputs),
        "W1": (d, neurons),
        "b1": (neurons if bias is not None else 0,),
        "coordinates": (rank, columns),
        "normals": (planes, rank),
        "group": (rows,),
        "factor": (rows,),
        "c": (leaves if round_ball else 0, rank),
        "slope_leaf": (slopes,),
        "slope_row": (slopes,),
    }
    for name, shape in shapes.items():
        _require(a[name].shape == shape, f"{name} must have shape {shape}, got {a[name].shape}")
    _require(rank <= _LARGEST_DIMENSION, f"at most {_LARGEST_DIMENSION} working coordinates are known, got {rank}")
    _require(rank == 0 or bool((a["scale"] > 0.0).all()), "scale must be positive")
    if rows:
        _require(a["group"].min() >= -1 and a["group"].max() < planes, "group must number the rows of normals, or be -1")
    if slopes:
        _require(bool((a["slope"] >= 0.0).all() and (a["slope"] <= 1.0).all()), "a slope lies outside [0, 1]")
        there = a["slope_leaf"].max() < leaves and a["slope_row"].max() < planes
        _require(bool(there), "a slope is for a leaf or row that is not there")
        keys = a["slope_leaf"].astype(np.int64) * planes + a["slope_row"]
        _require(bool((np.diff(keys) > 0).all()), "slopes must be in the order of their leaves and rows, none twice")
    _require(header["data_sha256"] == data_sha256(a["X"], a["Y"]), "the data are not those that data_sha256 was taken of")
    if header["loss"] in ("logistic", "hinge", "squared_hinge", "margin"):
        _require(bool((np.abs(a["Y"]) == 1.0).all()), f"the {header['loss']} loss takes labels -1 and +1")
    of_outputs = int(header["output_norm"])
    alone = header["loss"] != "l2" or of_outputs == 2 or outputs == 1
    _require(alone, "the l2 loss is no sum over the outputs, which output_norm 1 needs")
    norm = _NORMS[header["norm"]]
    loss, data = header["loss"], header["data_sha256"]
    return Certificate(
        loss, kappa, bias, norm, of_outputs, beta, patches, reach, claims=claims, data_sha256=data, **a
    )
