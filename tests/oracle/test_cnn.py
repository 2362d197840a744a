"""Convolutional networks with a known optimum, on series and images, and arguments they cannot take."""

from __future__ import annotations

import numpy as np
import pytest

from topes import (
    ConvolutionalNetwork,
    FileFormatError,
    InputError,
    Status,
    TwoLayerNetwork,
    VectorNetwork,
    certify,
    train_cnn,
)

SERIES = [[0.0, 1.0, 2.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_one_sample_has_the_optimum_of_its_largest_feature():
    """min 0.5 (a c - y)^2 + beta c, a the largest mean of phi over the patches: c = (a y - beta) / a^2."""
    patches, y, beta = np.array([[[3.0, 0.0], [0.0, 4.0]]]), 2.0, 0.1
    a = 2.5  # at u = (3, 4) / 5, on which both patches are positive: ||mean of the patches||
    s = train_cnn(patches, [y], beta, tol=1e-8)
    assert s.objective == pytest.approx(beta * y / a - 0.5 * beta**2 / a**2, rel=1e-7)
    assert s.n_neurons == 1


def test_opposite_patches_leave_one_of_them():
    """Patches x and -x: the mean of phi is phi(x.u)/2 + phi(-x.u)/2 = |x.u|/2."""
    s = train_cnn([[[3.0, 4.0], [-3.0, -4.0]]], [2.0], 0.1, tol=1e-8)
    assert s.objective == pytest.approx(0.1 * 2.0 / 2.5 - 0.005 / 2.5**2, rel=1e-7)


def test_images_are_seen_through_filters_of_all_places():
    rng = np.random.default_rng(0)
    images, y = rng.standard_normal((8, 3, 5)), rng.choice([-1.0, 1.0], 8)
    s = train_cnn(images, y, 0.05, kernel_size=2, stride=(1, 2), loss="logistic", bias="penalized", max_time=60)
    assert s.status is Status.CERTIFIED
    assert isinstance(s.network, ConvolutionalNetwork)
    assert s.network.objective(images, y, 0.05, loss="logistic", bias="penalized") == pytest.approx(s.objective)
    assert s.network.W1.shape == (4, s.n_neurons)
    assert s.patterns.shape[1] == 8 * 2 * 2
    assert s.dual.shape == (8,)
    judged = certify(images, y, s.network, 0.05, loss="logistic")
    assert judged.gap <= 2e-6
    again = train_cnn(
        images, y, 0.05, kernel_size=2, stride=(1, 2), loss="logistic", bias="penalized", warm_start=s, max_time=60
    )
    assert again.objective == pytest.approx(s.objective, rel=2e-6)


def test_a_shift_that_pooling_does_not_see_changes_nothing():
    rng = np.random.default_rng(1)
    series, y = np.pad(rng.standard_normal((8, 3)), ((0, 0), (1, 3))), rng.standard_normal(8)
    values = [train_cnn(np.roll(series, k, axis=1), y, 0.05, kernel_size=2).objective for k in (0, 1, 2)]
    assert values == pytest.approx([values[0]] * 3, rel=2e-6)


def test_decimals_are_read_as_they_are_typed():
    s = train_cnn([[0.1, 0.3, 0.9], [0.2, 0.6, 0.1]], [1.0, -1.0], 1e-3, kernel_size=2, values="decimal")
    assert s.status is Status.CERTIFIED


def test_a_network_is_saved_and_read(tmp_path):
    s = train_cnn(SERIES, [1.0, -1.0, 1.0], 0.01, kernel_size=(2,), stride=(1,), bias="free")
    s.network.save(tmp_path / "net.json")
    again = ConvolutionalNetwork.load(tmp_path / "net.json")
    assert again.kernel_size == (2,)
    assert again.predict(SERIES).tolist() == s.network.predict(SERIES).tolist()
    assert isinstance(TwoLayerNetwork.load(tmp_path / "net.json"), ConvolutionalNetwork)  # never its filters as neurons
    with pytest.raises(FileFormatError):
        VectorNetwork.load(tmp_path / "net.json")
    TwoLayerNetwork([[1.0]], None, [1.0]).save(tmp_path / "plain.json")
    with pytest.raises(FileFormatError):
        ConvolutionalNetwork.load(tmp_path / "plain.json")


def test_nothing_to_train_on():
    assert train_cnn(np.zeros((0, 4)), [], 0.1, kernel_size=2).n_neurons == 0
    assert train_cnn(np.zeros((2, 4)), [1.0, 2.0], 0.1, kernel_size=2).objective == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": None}, r"X must have shape \(n, K, d\), its patches, or kernel_size must be given; got 2 axes"),
        ({"kernel_size": None, "X": np.zeros((3, 0, 2))}, "X must have at least one patch a sample"),
        ({"kernel_size": 5}, r"kernel_size must be at most the shape of a sample, \(4,\), got \(5,\)"),
        ({"kernel_size": 0}, "kernel_size must be a positive integer, or a tuple of 1 of them, got 0"),
        ({"kernel_size": 1.5}, "kernel_size must be an integer or a tuple of integers, got 1.5"),
        ({"kernel_size": True}, "kernel_size must be an integer or a tuple of integers, got True"),
        ({"kernel_size": (2, 2)}, "X must have shape"),
        ({"stride": -1}, "stride must be a positive integer"),
        ({"stride": (1, 1)}, "stride must be a positive integer, or a tuple of 1 of them"),
        ({"y": [1.0]}, "y must have one entry for each of the 3 samples of X, got 1"),
        ({"X": [[0.0, np.nan, 0.0, 0.0]] * 3}, r"X\[0, 1\] is nan; X must be finite"),
        ({"X": [[1.0], [1.0, 2.0]]}, "X must be an array of numbers"),
        ({"beta": 0.0}, "beta must be a positive finite number"),
        ({"X": np.random.default_rng(0).standard_normal((3, 20)), "kernel_size": 9}, "X has rank 9; pricing over all"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        train_cnn(**{"X": SERIES, "y": [1.0, -1.0, 1.0], "beta": 0.1, "kernel_size": 2, **arguments})
