"""Checkpoints from which training goes on to the same result, bound to their problem."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from .._support.files import whole_file
from ..errors import FileFormatError, InputError
from .model import import_torch

__all__ = ["fingerprint", "load", "save"]

_FORMAT = "topes.large checkpoint 2"


def fingerprint(arrays: list[Any], settings: dict[str, Any]) -> str:
    """A hash of the problem and of all that the steps depend on."""
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save(path: Path, problem: str, state: dict[str, Any]) -> None:
    """A stop while writing leaves the last one."""
    with whole_file(path) as file:
        import_torch().save({"format": _FORMAT, "problem": problem, **state}, file)


def load(path: Path, problem: str, device: Any) -> dict[str, Any]:
    """What `save` wrote; `InputError` for the checkpoint of another problem."""
    torch = import_torch()
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # what a broken file raises is torch's affair
        raise FileFormatError(f"{str(path)!r} is not a checkpoint: {error}") from None
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise FileFormatError(f"{str(path)!r} is not a {_FORMAT}")
    if state["problem"] != problem:
        raise InputError(f"checkpoint {str(path)!r} belongs to another problem: other data, patterns or settings")
    return state
