"""What a file must hold to be that of a network: said of the lists in it, before they are arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import FileFormatError

__all__ = ["read_network"]

_FIELDS = ("activation", "W1", "b1", "w2")
_WORDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def read_network(path: Any, formats: Sequence[str]) -> dict[str, Any]:
    """What a JSON file holds, its weights lists of numbers that fit each other.

    Parameters
    ----------
    path : path-like
    formats : sequence of str
        What the file may call its format.

    Raises
    ------
    FileFormatError
        Not there, no JSON, or not such a network; the message names the field, what it must be and what it is.
    """
    try:
        content = Path(path).read_bytes()
        if content.startswith(b"PK"):
            raise ValueError("it must be JSON, it is an archive such as a certificate or an .npz file of arrays")
        data = json.loads(_text(content), parse_float=_double, parse_int=_integer, parse_constant=_no_number)
        if not isinstance(data, dict) or data.get("format") not in formats:
            raise ValueError(f"not a {formats[0]} of version 1")
        _check_form(data)
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{str(path)!r} is not a network: {error}") from None
    except RecursionError:
        raise FileFormatError(f"{str(path)!r} is not a network: its lists lie in each other too deeply") from None
    return data


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it must be JSON, it is no text") from None


def _double(spelt: str) -> float:
    value = float(spelt)
    if math.isinf(value):
        raise ValueError(f"{spelt[:40]} is too large: the largest double is 1.8e308")
    return value


def _integer(spelt: str) -> int:
    _double(spelt)
    return int(spelt)


def _no_number(spelt: str) -> NoReturn:
    raise ValueError(f"{spelt} is not a finite number")


def _check_form(data: dict[str, Any]) -> None:
    missing = [name for name in _FIELDS if name not in data]
    if missing:
        raise ValueError(f"it must have {', '.join(_FIELDS)}; it has no {', '.join(missing)}")
    W1, b1, w2 = data["W1"], data["b1"], data["w2"]
    _check_list(W1, "W1", "a list of rows, one for each input")
    for row in W1:
        _check_list(row, "W1", "a list of rows, one for each input, each a list of numbers")
        if len(row) != len(W1[0]):
            raise ValueError(f"W1 must have rows of one length, got {len(W1[0])} numbers and {len(row)}")
    _check_list(w2, "w2", "a list, an entry for each neuron")
    m = len(W1[0]) if W1 else len(w2)
    for name, weights in (("w2", w2), ("b1", b1)):
        if weights is None and name == "b1":
            continue
        _check_list(weights, name, "a list, an entry for each neuron")
        if len(weights) != m:
            raise ValueError(f"{name} must have an entry for each of the {m} neurons, the columns of W1, got {len(weights)}")
    outputs = [entry if isinstance(entry, list) else [entry] for entry in w2]
    for name, rows in (("W1", W1), ("b1", [b1 or []]), ("w2", outputs)):
        _check_numbers(rows, name)


def _check_list(value: Any, name: str, what: str) -> None:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be {what}, got {_word(value)}")


def _check_numbers(rows: list[list[Any]], name: str) -> None:
    for entry in (entry for row in rows for entry in row):
        if isinstance(entry, bool) or not isinstance(entry, (int, float)):
            raise ValueError(f"{name} must hold numbers, got {_word(entry)}")


def _word(value: Any) -> str:
    return "null" if value is None else _WORDS.get(type(value), type(value).__name__)
