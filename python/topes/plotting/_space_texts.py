"""Texts at the axes of a picture in space: matplotlib does not look how large they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.validation import FloatArray
from ._texts import number_ticks, root_figure, wrapped

__all__ = ["outline", "settle_texts"]

# Between two texts, in points.
_GAP = 4.0
# Texts move at most so often: each place depends a little on the others.
_ROUNDS = 5
# Sideways from this share on a text stands beside its tick, not above or below.
_BESIDE = 0.38


def settle_texts(ax: Any, shape: FloatArray, zoom: float) -> None:
    """Turn tick texts of 3-D axes outwards, thin them out, and move the axes' names until no text covers another.

    The view, the limits, the names and the colour bar must be there. The box has this shape; it gets smaller than by `zoom`
    where the texts need more room.
    """
    names = {axis: axis.get_label_text() for axis in (ax.xaxis, ax.yaxis, ax.zaxis)}
    number_ticks(*names)
    for _ in range(_ROUNDS):
        root_figure(ax).draw_without_rendering()
        axes = [axis for axis in names if np.linalg.norm(np.diff(_ends(ax, axis), axis=0)) >= 1.0]
        if not axes:  # they are turned off
            return
        for axis in names.keys() - axes:  # seen from its end
            axis.set_ticks([])
            axis.set_label_text("")
        moved = [_settle(ax, axis, names[axis]) for axis in axes]
        beyond = _beyond(ax, axes)
        if beyond > 0.0:
            zoom *= 1.0 - min(0.3, 2.0 * beyond / ax.bbox.width)
            ax.set_box_aspect(shape, zoom=zoom)
        if not any(moved) and beyond <= 0.0:
            return


def outline(text: Any) -> FloatArray:
    """The corners of a text that may be turned, shape (4, 2), in pixels."""
    angle = text.get_rotation()
    box = text.get_window_extent()
    centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2.0
    text.set_rotation(0.0)
    flat = text.get_window_extent()
    text.set_rotation(angle)
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * flat.width / 2.0
    across = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))]) * flat.height / 2.0
    return np.array([centre + a * along + b * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _ends(ax: Any, axis: Any) -> FloatArray:
    """Where the line of an axis begins and ends, in pixels; one point where the axis is seen from its end."""
    return np.asarray(ax.transData.transform(axis.line.get_xydata()))


def _ticks(axis: Any) -> list[Any]:
    """The texts of the ticks that are seen; to ask the axis for them would move them."""
    low, high = axis.get_view_interval()
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def _settle(ax: Any, axis: Any, name: str) -> bool:
    """Arrange the texts of one axis; whether one of them moved."""
    pixel = ax.figure.dpi / 72.0  # of a point
    ends = _ends(ax, axis)
    along = ends[1] - ends[0]
    length = float(np.linalg.norm(along))
    texts = _ticks(axis)
    outwards = np.array([-along[1], along[0]]) / length
    middle, label = ends.mean(axis=0), axis.label
    if outwards @ (ax.transData.transform(texts[0].get_position()) - middle) < 0.0:
        outwards = -outwards
    moved = _turned(texts, outwards) | _thinned(axis, texts, along, _GAP * pixel)
    text = wrapped(name, length / pixel)
    if text != label.get_text():
        label.set_text(text)
        moved = True
    reach = max(float((outline(tick) - middle).dot(outwards).max()) for tick in texts)
    short = (reach + _GAP * pixel - float((outline(label) - middle).dot(outwards).min())) / pixel
    if text and abs(short) > 1.0:
        axis.labelpad += short
        moved = True
    return moved


def _turned(texts: list[Any], outwards: FloatArray) -> bool:
    """Let each tick text begin at its tick and run outwards."""
    ha = ("right", "center", "left")[1 + int(outwards[0] > _BESIDE) - int(outwards[0] < -_BESIDE)]
    va = ("top", "center", "bottom")[1 + int(outwards[1] > _BESIDE) - int(outwards[1] < -_BESIDE)]
    moved = any((text.get_ha(), text.get_va()) != (ha, va) for text in texts)
    for text in texts:
        text.set(ha=ha, va=va)
    return moved


def _thinned(axis: Any, texts: list[Any], along: FloatArray, gap: float) -> bool:
    """Fewer ticks, until their texts stand apart; of those that were set, every second one."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    room = np.max([text.get_window_extent().size for text in texts], axis=0) + gap
    low, high = axis.get_view_interval()
    before = axis.get_majorticklocs()
    choices: list[Any] = [MaxNLocator(most, steps=[1, 2, 5, 10]) for most in (4, 3, 2)]
    if isinstance(axis.get_major_locator(), FixedLocator):
        choices = [FixedLocator(before), FixedLocator(before[::2])]
    for locator in choices:
        axis.set_major_locator(locator)
        places = axis.get_majorticklocs()
        apart = np.abs(along) * np.diff(places[:2]) / (high - low)
        if (apart >= room).any():
            break
    return not np.array_equal(places, before)


def _beyond(ax: Any, axes: list[Any]) -> float:
    """By how many pixels the texts reach beyond the axes."""
    texts = [text for axis in axes for text in (*_ticks(axis), axis.label)]
    corners = np.vstack([outline(text) for text in texts])
    box = ax.bbox
    return float(max((box.min - corners).max(), (corners - box.max).max()))
