"""Argument checks shared by the float side of the library: one conversion, one message per requirement.

A message names the argument, what it must be and what it was: ``X[17, 3] is nan; X must be finite``.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = [
    "FloatArray", "as_beta", "as_labels", "as_matrix", "as_positive", "as_tolerance", "as_vector", "choice", "has_columns",
    "read_only", "refuse_masked",
]  # fmt: skip

FloatArray = npt.NDArray[np.float64]
_Choice = TypeVar("_Choice")


def refuse_masked(value: Any, name: str) -> None:
    """Require that no entry is masked: numpy's conversions would take what lies under the mask."""
    if isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any()):
        raise InputError(f"{name} has masked entries; {name} must be complete")


def _as_array(value: Any, name: str, ndim: int) -> npt.NDArray[Any]:
    """Convert to an array of `ndim` axes, or say in one line why that cannot be done."""
    refuse_masked(value, name)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:  # ragged lists
        raise InputError(f"{name} must be a rectangular array of numbers ({error})") from None
    if array.ndim != ndim:
        words = {1: "one-dimensional", 2: "two-dimensional"}[ndim]
        got = "None" if value is None else f"an array of shape {array.shape}"
        raise InputError(f"{name} must be {words}, got {got}")
    return array


def _as_float(array: npt.NDArray[Any], name: str) -> FloatArray:
    """Convert to float64, refusing what is no real number and what is not finite."""
    kind = array.dtype.kind
    if kind == "O":  # Python integers of any size, Fractions; anything else is refused by its position
        for index, entry in np.ndenumerate(array):
            if not isinstance(entry, numbers.Real):
                raise InputError(f"{_at(name, index)} is {entry!r}; {name} must hold real numbers")
    elif kind == "c":
        raise InputError(f"{name} is complex ({array.dtype}); {name} must be real")
    elif kind not in "biuf":
        raise InputError(f"{name} has dtype {array.dtype}; {name} must hold real numbers")
    try:
        # A float that is too large for float64 becomes inf and is reported below with its position.
        with np.errstate(over="ignore"):
            result = np.array(array, dtype=np.float64, order="C")
    except OverflowError:
        raise InputError(f"{name} has an entry beyond the range of float64") from None
    bad = ~np.isfinite(result)
    if bad.any():
        index = tuple(int(k) for k in np.argwhere(bad)[0])
        raise InputError(f"{_at(name, index)} is {result[index]}; {name} must be finite")
    return result


def _at(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(str(k) for k in index)}]"


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mark a freshly made array as not writeable, for the fields of frozen results."""
    array.setflags(write=False)
    return array


def as_matrix(value: Any, name: str = "X", *, min_rows: int = 1, min_columns: int = 1) -> FloatArray:
    """Check a data matrix and copy it to float64.

    Parameters
    ----------
    value : array_like, shape (n, d)
        Booleans, integers, floats, Python integers or Fractions.
    name : str
        The argument's name, for messages.
    min_rows, min_columns : int
        Least shape accepted.

    Returns
    -------
    ndarray, shape (n, d), float64
        A new C-contiguous array, all entries finite.

    Raises
    ------
    InputError
        Ragged, not two-dimensional, too small, complex, text, NaN or infinite.

    Examples
    --------
    >>> as_matrix([[1, 2], [3, float("nan")]])
    Traceback (most recent call last):
        ...
    topes.errors.InputError: X[1, 1] is nan; X must be finite
    """
    array = _as_array(value, name, 2)
    for axis, (least, word) in enumerate(((min_rows, "row"), (min_columns, "column"))):
        if array.shape[axis] < least:
            plural = "" if least == 1 else "s"
            raise InputError(f"{name} must have at least {least} {word}{plural}, got shape {array.shape}")
    return _as_float(array, name)


def as_vector(value: Any, name: str = "y", *, length: int | None = None, of: str = "rows of X") -> FloatArray:
    """Check a vector and copy it to float64, shape (length,); `of` names what it must be as long as.

    Raises
    ------
    InputError
        Not one-dimensional, of another length, not real, or not finite.
    """
    array = _as_array(value, name, 1)
    if length is not None and array.shape[0] != length:
        raise InputError(f"{name} must have one entry for each of the {length} {of}, got {array.shape[0]}")
    return _as_float(array, name)


def has_columns(y: Any) -> bool:
    """Whether targets are those of several outputs, shape (n, C), and not of one, shape (n,).

    Raises
    ------
    InputError
        Of another shape, or ragged.
    """
    try:
        shape = np.shape(y)
    except ValueError as error:
        raise InputError(f"y must be a rectangular array of numbers ({error})") from None
    if len(shape) not in (1, 2):
        got = "None" if y is None else f"an array of shape {shape}"
        raise InputError(f"y must have shape (n,), or (n, C) for several outputs, got {got}")
    return len(shape) == 2


def as_positive(value: Any, name: str) -> float:
    """Check that a number is positive and finite.

    Raises
    ------
    InputError
        Not a real number, not finite, or not above zero.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    # A bool is a Real in Python; as a weight or tolerance it is a mistake, most likely a shifted argument.
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise InputError(f"{name} must be a positive finite number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise InputError(f"{name} must be a positive finite number, got one beyond the range of doubles") from None
    if not (math.isfinite(number) and number > 0.0):
        raise InputError(f"{name} must be a positive finite number, got {value}")
    return number


def as_tolerance(value: Any, name: str = "tol") -> float:
    """Check a relative gap: positive, and below 1, which the network without neurons and the bound 0 have."""
    tol = as_positive(value, name)
    if tol >= 1.0:
        raise InputError(f"{name} must be below 1, got {tol:g}")
    return tol


def as_beta(value: Any) -> float:
    """Check the weight of the regulariser: a finite number > 0."""
    return as_positive(value, "beta")


def as_labels(y: FloatArray, loss: str, name: str = "y") -> FloatArray:
    """Check that every label is -1 or +1, as the margin losses need.

    Raises
    ------
    InputError
        Some entry is neither -1 nor +1; the message gives the first one.
    """
    bad = np.abs(y) != 1.0
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(f"{name}[{k}] is {y[k]:g}; the {loss} loss takes labels -1 and +1")
    return y


def choice(value: Any, name: str, accepted: Sequence[_Choice]) -> _Choice:
    """Return `value` when it is one of `accepted`, otherwise list them in the error."""
    for option in accepted:
        # `1 == True` must not let a bool through where a number is meant, nor the reverse.
        if isinstance(value, bool) == isinstance(option, bool) and bool(np.isscalar(value)) and value == option:
            return option
    shown = ", ".join("numpy.inf" if option == np.inf else repr(option) for option in accepted)
    raise InputError(f"{name} must be one of {shown}; got {value!r}")
