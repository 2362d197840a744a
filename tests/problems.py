"""Hypothesis inputs for training: small data with zero, repeated, parallel and opposite rows, targets or labels."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from topes.losses import get_loss

ENTRY = st.one_of(
    st.integers(-3, 3).map(float), st.integers(-30, 30).map(lambda k: k / 10), st.floats(-4, 4).map(lambda x: round(x, 3))
)
KAPPAS = st.sampled_from([0.0, -1.0, 0.5, 0.6, 0.9, -0.3, -2.5])
BIASES = st.sampled_from([False, "penalized", "free"])
NORMS = st.sampled_from([2, 1, np.inf])


@st.composite
def data(draw, loss=None):
    d, most = draw(st.sampled_from([(1, 5), (2, 5), (3, 4)]))
    n = draw(st.integers(1, most))
    X = np.array(draw(st.lists(st.lists(ENTRY, min_size=d, max_size=d), min_size=n, max_size=n)))
    for i in draw(st.lists(st.integers(0, n - 1), max_size=2)):
        X[i] = draw(st.sampled_from([0.0, 1.0, -1.0, 2.0])) * X[draw(st.integers(0, n - 1))]
    labels = loss is not None and get_loss(loss).needs_labels
    y = draw(st.lists(st.sampled_from([-1.0, 1.0]) if labels else ENTRY, min_size=n, max_size=n))
    return X, np.array(y)
