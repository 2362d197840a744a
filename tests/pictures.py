"""What the tests of the pictures share."""

from __future__ import annotations

import io

import numpy as np


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def saved(axes):
    """It can be drawn, without a warning."""
    figure = (axes.flat[0] if isinstance(axes, np.ndarray) else axes).figure
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=40)
    assert picture.getvalue().startswith(b"\x89PNG")
    return axes


def line(ax, label):
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found
