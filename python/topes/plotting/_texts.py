"""Texts that fit: ticks, names of axes, legends."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ..errors import InputError

__all__ = [
    "as_names",
    "in_full",
    "legend_above",
    "log_ticks",
    "name_axes",
    "number_ticks",
    "points_of",
    "root_figure",
    "say",
    "whole_ticks",
    "widen",
    "wrapped",
]

# A letter is about so wide, as a share of the size of its font.
_LETTER = 0.6
# No name is broken into shorter lines, in letters.
_NARROWEST = 16
# A tick of more characters is written with a power of ten.
_LONGEST = 6
# Of the columns of its panel a legend takes at most this share.
_SHARE = 0.95
# Ticks are so far apart, but for powers of ten.
_STEPS = [1, 2, 5, 10]
# Values that differ by this share are one, up to rounding.
_ROUNDING = 1e-9
# Where the greatest value is less than this many times the least, a logarithmic axis has the ticks of a linear one.
_NARROW = 4.0
# From here on its ticks are powers of ten.
_WIDE = 100.0


def as_names(value: Any, argument: str, length: int, of: str) -> list[str]:
    """Names given by the caller, as str; `of` says what they are names of."""
    try:
        names = [str(name) for name in value]
    except TypeError:
        raise InputError(f"{argument} must be a sequence of str, got {value!r}") from None
    if len(names) != length:
        raise InputError(f"{argument} must have one entry for each of the {length} {of}, got {len(names)}")
    return names


def root_figure(ax: Any) -> Any:
    """The figure of the axes; where they are in a subfigure, the one that holds it."""
    figure = ax.figure
    while figure.figure is not figure:
        figure = figure.figure
    return figure


def points_of(ax: Any) -> FloatArray:
    """Width and height of the axes in points, before the layout of the figure is known."""
    return np.asarray(ax.bbox.size * 72.0 / ax.figure.dpi)


def wrapped(text: Any, points: float) -> str:
    """The text in as few lines of about that length as it takes, of one length if they can be.

    Examples
    --------
    >>> wrapped("mean length of the upper beak", 100.0)
    'mean length of\\nthe upper beak'
    """
    from matplotlib import rcParams

    if "$" in str(text):  # a formula cannot be broken
        return str(text)
    letters = max(_NARROWEST, int(points / (_LETTER * rcParams["font.size"])))
    return "\n".join(_even(part, letters) if len(part) > letters else part for part in str(text).split("\n"))


def _even(text: str, letters: int) -> str:
    found = textwrap.wrap(text, letters)
    for fewer in range(letters - 1, 0, -1):
        shorter = textwrap.wrap(text, fewer, break_long_words=False)
        if len(shorter) > len(found) or max(map(len, shorter), default=0) > fewer:
            break
        found = shorter
    return "\n".join(found)


def name_axes(ax: Any, x: Any, y: Any) -> None:
    """Name the axes of the plane, in lines that are no longer than they are."""
    width, height = 0.8 * points_of(ax)  # the layout will make room for what stands beside them
    ax.set_xlabel(wrapped(x, width))
    ax.set_ylabel(wrapped(y, height))


def legend_above(ax: Any, columns: int, **more: Any) -> Any:
    """The legend above the axes, in as many columns, at most those asked for, as there is room for."""
    for few in range(columns, 0, -1):
        legend = ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=few, frameon=False, **more)
        if legend.get_window_extent().width <= _room(ax):
            return legend
    for text in legend.get_texts():
        text.set_text(wrapped(text.get_text(), 0.8 * points_of(ax)[0]))
    return legend


def _room(ax: Any) -> float:
    """Width in pixels of what is above the axes: their share of the figure."""
    place = ax.get_subplotspec()
    if place is None:
        return float(ax.bbox.width)
    whole = place.get_topmost_subplotspec()
    return float(_SHARE * ax.figure.bbox.width * len(whole.colspan) / whole.get_gridspec().ncols)


def say(ax: Any, text: str) -> None:
    """Say why there is nothing to see, in axes without ticks."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
    ax.set(xticks=[], yticks=[])


def in_full(value: float, ticks: Any) -> str:
    """The text of a tick among the others of its axis: all with as many decimals, or all with a power of ten.

    Examples
    --------
    >>> [in_full(tick, [0.0, 0.5, 1.0]) for tick in (0.0, 0.5, 1.0)]
    ['0.0', '0.5', '1.0']
    >>> [in_full(tick, [0.0, 5e5, 1e6]) for tick in (0.0, 5e5, 1e6)]
    ['0', '5e5', '1e6']
    """
    plain = _with_decimals(ticks)
    longest = max(map(len, plain), default=0)
    if longest > _LONGEST and max(len(_with_power(tick)) for tick in ticks) < longest:
        return _with_power(value)
    return _with_decimals([*ticks, value])[-1]


def _with_decimals(ticks: Any) -> list[str]:
    exact = [np.format_float_positional(float(f"{tick:.12g}"), trim="-") for tick in ticks]
    decimals = max((len(text.partition(".")[2]) for text in exact), default=0)
    return [f"{tick + 0.0:.{decimals}f}" for tick in ticks]


def _with_power(tick: float) -> str:
    mantissa, exponent = f"{tick:.11e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if int(exponent) else mantissa


def number_ticks(*axes: Any) -> None:
    """Write each tick in full: matplotlib would put a power of ten, or a number to add, where other texts stand."""
    from matplotlib.ticker import FuncFormatter

    for axis in axes:
        formatter = FuncFormatter(lambda value, _, axis=axis: _tick(value, axis.get_majorticklocs()))
        axis.set_major_formatter(formatter)


def _tick(value: float, ticks: Any) -> str:
    from matplotlib.ticker import Formatter

    return str(Formatter.fix_minus(in_full(value, ticks)))


def whole_ticks(axis: Any, most: int = 9) -> None:
    """Ticks at whole numbers, even where there is but one."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most, steps=_STEPS, integer=True, min_n_ticks=1))
    number_ticks(axis)


def log_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks that stand apart on a logarithmic axis of little more than one power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if high >= _WIDE * low:
        return
    axis.set_minor_formatter(NullFormatter())
    if high < _NARROW * low:
        axis.set_major_locator(MaxNLocator(5, steps=_STEPS))
        number_ticks(axis)
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, [value])))


def widen(set_limits: Any, values: Any) -> None:
    """Set limits about values that are one but for rounding, so that no tick tells them apart."""
    low, high = float(np.min(values)), float(np.max(values))
    size = max(abs(low), abs(high))
    if size > 0.0 and math.isfinite(size) and high - low <= _ROUNDING * size:
        set_limits(low - 0.1 * size, high + 0.1 * size)
