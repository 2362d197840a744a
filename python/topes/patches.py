"""From series and images to patches: what each place of a filter sees, a row for each place."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from ._support.exact_input import Values, as_exact_array, as_floats
from ._support.validation import FloatArray
from .errors import InputError

__all__ = ["Size", "as_samples", "as_size", "extract_patches"]

#: One number for all axes, or one for each.
Size = int | tuple[int, ...]


def extract_patches(
    X: Any, kernel_size: Size | None = None, stride: Size = 1, *, values: Values = "binary"
) -> npt.NDArray[Any]:
    """The patches that a filter sees, without padding.

    Parameters
    ----------
    X : array_like
        Series, shape (n, T); images, (n, H, W) or (n, H, W, channels); for a `kernel_size` that is a tuple of one entry
        also series of several channels, (n, T, channels). Without `kernel_size`: patches, (n, K, d), returned as they are.
    kernel_size : int or tuple of ints, optional
        Size of the filter along each axis. An int is a square for images.
    stride : int or tuple of ints
        Steps between places, along each axis. What lies beyond the last whole step is not seen.
    values : {"binary", "decimal"}
        How floats are read, as in `topes.Arrangement`.

    Returns
    -------
    ndarray, shape (n, K, d)
        float64, int64 or exact Python numbers, as X is. Entries of a patch run over the axes of the filter, the channel
        last.

    Raises
    ------
    InputError
        X, `kernel_size` or `stride` is not as above, or the filter is larger than X.

    Examples
    --------
    >>> from topes import extract_patches
    >>> extract_patches([[1, 2, 3, 4, 5]], 3, stride=2).tolist()
    [[[1, 2, 3], [3, 4, 5]]]
    """
    ndim = _number_of_axes(X)
    if kernel_size is None:
        if ndim != 3:
            raise InputError(f"X must have shape (n, K, d), its patches, or kernel_size must be given; got {ndim} axes")
        patches = as_exact_array(X, "X", 3, values)
        if patches.shape[1] == 0:
            raise InputError(f"X must have at least one patch a sample, got shape {patches.shape}")
        return patches
    if _is_integer(kernel_size):
        axes = 1 if ndim == 2 else 2
    else:
        axes = len(_tuple(kernel_size, "kernel_size"))
    if axes not in (1, 2) or ndim not in (axes + 1, axes + 2):
        raise InputError(
            f"X must have shape (n, T) or (n, T, channels) for a kernel_size of one entry, (n, H, W) or (n, H, W, channels) "
            f"for one of two; got {ndim} axes and kernel_size {kernel_size!r}"
        )
    sizes, steps = _sizes(kernel_size, "kernel_size", axes), _sizes(stride, "stride", axes)
    array = as_exact_array(X, "X", ndim, values)
    if ndim == axes + 1:
        array = array[..., None]
    for k, size in enumerate(sizes):
        if array.shape[1 + k] < size:
            raise InputError(f"kernel_size must be at most the shape of a sample, {array.shape[1 : 1 + axes]}, got {sizes}")
    windows = np.lib.stride_tricks.sliding_window_view(array, sizes, axis=tuple(range(1, 1 + axes)))
    places = (slice(None), *(slice(None, None, step) for step in steps))
    windows = windows[places]
    windows = np.moveaxis(windows, 1 + axes, -1)  # the channel behind the axes of the filter
    n_patches, size = int(np.prod(windows.shape[1 : 1 + axes])), int(np.prod(windows.shape[1 + axes :]))
    return np.ascontiguousarray(windows).reshape(len(array), n_patches, size)


def _number_of_axes(X: Any) -> int:
    try:
        return int(np.ndim(X))
    except ValueError as error:
        raise InputError(f"X must be an array of numbers: {error}") from None


def as_samples(X: Any) -> FloatArray:
    """Samples of any number of axes as float64, shape (n, ...); `InputError` where they are not finite numbers."""
    ndim = _number_of_axes(X)
    if ndim < 2:
        raise InputError(f"X must have samples along its first axis and at least one axis more, got {ndim} axes")
    samples = as_floats(as_exact_array(X, "X", ndim, "binary"))
    if 0 in samples.shape[1:]:
        raise InputError(f"X must have samples that are not empty, got shape {samples.shape}")
    return samples


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def as_size(value: Any, name: str) -> Size:
    """A positive integer or a tuple of them, as Python integers."""
    if _is_integer(value):
        return _sizes(value, name, 1)[0]
    return _sizes(value, name, len(_tuple(value, name)))


def _tuple(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise InputError(f"{name} must be an integer or a tuple of integers, got {value!r}")
    return tuple(value)


def _sizes(value: Any, name: str, axes: int) -> tuple[int, ...]:
    """One positive integer for each axis."""
    sizes = (value,) * axes if _is_integer(value) else _tuple(value, name)
    if len(sizes) != axes or not all(_is_integer(size) and size > 0 for size in sizes):
        raise InputError(f"{name} must be a positive integer, or a tuple of {axes} of them, got {value!r}")
    return tuple(int(size) for size in sizes)
