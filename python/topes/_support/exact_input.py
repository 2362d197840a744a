"""From what a user gives (floats, integers of any size, fractions) to rows the core takes exactly."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .validation import refuse_masked

Values = Literal["binary", "decimal"]
VALUES: tuple[Values, ...] = ("binary", "decimal")

_INT64 = np.iinfo(np.int64)


def as_exact_array(value: Any, name: str, ndim: int, values: Values) -> npt.NDArray[Any]:
    """Return an array of float64, int64 or exact Python numbers (dtype object) with `ndim` dimensions.

    Parameters
    ----------
    value : array_like
        Booleans, integers of any size, floats, `fractions.Fraction` or `decimal.Decimal`.
    name : str
        Name of the argument, for the messages.
    ndim : int
        1 or 2.
    values : {"binary", "decimal"}
        "binary" takes each float as the dyadic rational it is; "decimal" as its shortest decimal, 0.1 as 1/10.

    Raises
    ------
    InputError
        Ragged, not numbers, complex, the wrong number of dimensions, NaN or infinity; the message says which and where.
    """
    if values not in VALUES:
        raise InputError(f"values must be 'binary' or 'decimal', got {values!r}")
    refuse_masked(value, name)
    try:
        array = np.asarray(value)
        if array.dtype.kind == "f" and not isinstance(value, np.ndarray) and _holds_python_integers(value):
            array = np.asarray(value, dtype=object)  # numpy turns integers beyond 64 bits, or mixed with floats, into floats
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name} must be a {ndim}-dimensional array of numbers: {error}") from None
    if array.ndim != ndim:
        raise InputError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.int64)
    if kind == "i" or (kind == "u" and (array.dtype.itemsize < 8 or array.size == 0 or int(array.max()) <= _INT64.max)):
        return np.ascontiguousarray(array, dtype=np.int64)
    if kind == "u":
        return array.astype(object)
    if kind == "f":
        if array.dtype.itemsize > 8:
            raise InputError(f"{name} has dtype {array.dtype}; give float64, integers or fractions, which are taken exactly")
        _require_finite(array, name)
        if values == "decimal":
            return _decimals(array)
        return np.ascontiguousarray(array, dtype=np.float64)
    if kind == "O":
        return _python_numbers(array, name, values)
    raise InputError(f"{name} has dtype {array.dtype}; it must hold real numbers")


def as_rows(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What the core takes: float64, int64, or two's complement bytes of integers after a scaling of each row.

    A row of fractions is multiplied by its least common denominator, which moves no hyperplane.
    """
    if array.dtype.kind in "fi":
        return np.ascontiguousarray(array)
    n, d = array.shape
    rows = [_integral(row) for row in array]
    width = max((x.bit_length() // 8 + 1 for row in rows for x in row), default=1)
    data = b"".join(x.to_bytes(width, "little", signed=True) for row in rows for x in row)
    return np.frombuffer(data, dtype=np.uint8).reshape(n, d, width)


def homogenised(array: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows (a_i, -b_i): the affine hyperplane a_i.w = b_i at height 1 of a space with one dimension more."""
    exact = array.dtype.kind == "O" or offsets.dtype.kind == "O" or array.dtype != offsets.dtype
    if not exact and array.dtype.kind == "i" and offsets.size and int(offsets.min()) == _INT64.min:
        exact = True  # its negative has no int64
    if exact:
        array, offsets = exact_objects(array), exact_objects(offsets)
    return np.concatenate([array, -offsets[:, None]], axis=1)


def exact_objects(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same numbers as `fractions.Fraction` or int, dtype object."""
    if array.dtype.kind == "O":
        return array
    out = np.empty(array.shape, dtype=object)
    convert = Fraction if array.dtype.kind == "f" else int
    flat = out.reshape(-1)
    for k, x in enumerate(array.reshape(-1).tolist()):
        flat[k] = convert(x)
    return out


def as_floats(array: npt.NDArray[Any], name: str | None = None) -> npt.NDArray[np.float64]:
    """The nearest doubles; `name` is for the message where one has none, by default X of a matrix and y of a vector."""
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array, dtype=np.float64)
    out = np.empty(array.shape)
    for where, x in np.ndenumerate(array):
        try:
            out[where] = float(x)
        except OverflowError:
            name = name or ("y" if array.ndim == 1 else "X")
            place = f"{name}[{', '.join(map(str, where))}]"
            raise InputError(f"{place} is beyond the range of doubles; {name} must lie within it here, 1.8e308") from None
    return out


def _holds_python_integers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_python_integers(x) for x in value)
    return isinstance(value, int) and not isinstance(value, bool)


def _require_finite(array: npt.NDArray[Any], name: str) -> None:
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        raise InputError(f"{name}[{', '.join(map(str, where))}] is {array[where]}; {name} must be finite")


def _decimals(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(array.shape, dtype=object)
    flat = out.reshape(-1)
    for k, x in enumerate(array.reshape(-1)):  # numpy scalars: float32 prints its own shortest decimal
        flat[k] = Fraction(np.format_float_positional(x, unique=True, trim="-"))
    return out


def _python_numbers(array: npt.NDArray[Any], name: str, values: Values) -> npt.NDArray[Any]:
    out = np.empty(array.shape, dtype=object)
    for where in np.ndindex(array.shape):
        x = array[where]
        place = f"{name}[{', '.join(map(str, where))}]"
        if isinstance(x, (bool, np.bool_, int, np.integer)):
            out[where] = int(x)
        elif isinstance(x, Fraction):
            out[where] = x
        elif isinstance(x, (float, np.floating, Decimal)):
            if not math.isfinite(x):
                raise InputError(f"{place} is {x}; {name} must be finite")
            if isinstance(x, Decimal):
                out[where] = Fraction(x)
            elif values == "decimal":
                out[where] = Fraction(np.format_float_positional(x, unique=True, trim="-"))
            else:
                out[where] = Fraction(float(x))
        else:
            raise InputError(f"{place} is {x!r}; {name} must hold real numbers")
    return out


def _integral(row: npt.NDArray[Any]) -> list[int]:
    scale = math.lcm(*(x.denominator for x in row)) if len(row) else 1
    return [int(x.numerator) * (scale // x.denominator) for x in row]


def appended(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One array after the other, as exact objects where their types differ."""
    if a.dtype == b.dtype:
        return np.concatenate([a, b])
    return np.concatenate([exact_objects(a), exact_objects(b)])


def exact_sides(rows: npt.NDArray[Any], offsets: npt.NDArray[Any] | None, point: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Signs of x_i.w - b_i, shape (n,), in rational arithmetic."""
    shifts = [Fraction(0)] * len(rows) if offsets is None else exact_objects(offsets)
    sides = np.zeros(len(rows), dtype=np.int8)
    for i, (row, b) in enumerate(zip(exact_objects(rows), shifts, strict=True)):
        height = sum((x * y for x, y in zip(row, point, strict=True)), Fraction(0)) - b
        sides[i] = (height > 0) - (height < 0)
    return sides
