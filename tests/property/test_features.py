"""Algorithm 2: the transformer against its slow twin, and as scikit-learn uses it."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from topes.errors import InputError
from topes.features import PatchFeatures
from topes.reference.features import encode


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31), height=st.integers(3, 7), width=st.integers(3, 7), channels=st.integers(1, 3),
    patch=st.integers(1, 3), pool=st.integers(1, 8), code=st.sampled_from(["triangle", "paper"]),
    pooling=st.sampled_from(["average", "sum"]), kind=st.sampled_from(["floats", "bytes", "flat"]),
    memory=st.sampled_from([1, 20_000, 2**28]),
)  # fmt: skip
def test_the_twin_agrees(seed, height, width, channels, patch, pool, code, pooling, kind, memory):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (3, height, width, channels)).astype(np.uint8)
    if kind == "floats":
        images = images / 255.0
    if kind == "flat":
        images[1] = 7  # a patch without variance
    features = PatchFeatures(
        3, patch=patch, pool=pool, code=code, pooling=pooling, n_patches=60, memory=memory, minibatch=False, rng=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct patches than centroids
        fast = features.fit(images).transform(images)
    slow = [
        encode(image, features.mean_, features.whitening_, features.centroids_, patch=patch, pool=pool,
               normalise=features.normalise, triangle=code == "triangle", average=pooling == "average")
        for image in images
    ]  # fmt: skip
    # Squared distances by the expanded form: an error of 1e-16 in a square is 1e-8 in a distance of zero.
    np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-6)


def test_clone_pipeline_and_pickle():
    random = np.random.default_rng(0)
    y = np.arange(60) % 2
    images = random.random((60, 10, 10))
    images[y == 1, :, ::2] += 1.0  # stripes
    features = PatchFeatures(6, patch=3, pool=4, n_patches=600, rng=0)
    copy = clone(features)
    assert copy.get_params() == features.get_params()
    pipeline = make_pipeline(copy, LogisticRegression()).fit(images[:40], y[:40])
    assert pipeline.score(images[40:], y[40:]) == 1.0
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict_proba(images), pipeline.predict_proba(images))


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((4, 16)), {}, "X must have shape"),
        (np.zeros((0, 8, 8)), {}, "X must not be empty"),
        (np.full((2, 8, 8), np.nan), {}, "X must be finite"),
        (np.ma.masked_array(np.ones((2, 8, 8)), np.eye(8) * np.ones((2, 1, 1))), {}, "X has masked entries"),
        (np.zeros((2, 8, 8), dtype=complex), {}, "real numbers"),
        (np.zeros((2, 4, 8)), {"patch": 5}, "patch must be at most"),
        (np.zeros((2, 8, 8)), {"pool": 0}, "pool must be a positive integer"),
        (np.zeros((2, 8, 8)), {"whiten": 0.0}, "whiten must be positive"),
        (np.zeros((2, 8, 8)), {"code": "far"}, "code must be one of"),
        (np.zeros((2, 8, 8)), {"n_patches": 3}, "n_patches must be at least"),
    ],
)
def test_bad_input_is_named(images, options, message):
    with pytest.raises(InputError, match=message):
        PatchFeatures(5, **options).fit(images)


def test_images_of_another_shape_are_refused():
    features = PatchFeatures(2, patch=3, n_patches=50, rng=0).fit(np.random.default_rng(0).random((3, 8, 8)))
    with pytest.raises(InputError, match="as in fit"):
        features.transform(np.zeros((3, 9, 8)))
