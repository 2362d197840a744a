"""What train_linear_cnn and its network refuse, and what they say of little."""

from __future__ import annotations

import numpy as np
import pytest

from topes import FileFormatError, InputError, LinearConvolutionalNetwork, Status, train_linear_cnn

X, Y = [[0.0, 1.0, 2.0, 0.0], [2.0, 1.0, 0.0, 0.0]], [1.0, -1.0]


@pytest.mark.parametrize(
    ("data", "targets", "options", "words"),
    [
        (X, Y, {"kernel_size": 5}, "kernel_size must be at most the shape of a sample"),
        (X, Y, {}, "kernel_size must be given"),
        (X, [1.0], {"kernel_size": 2}, "y must have one entry for each of the 2 samples of X"),
        (X, Y, {"kernel_size": 2, "circular": True}, "left out with circular=True"),
        (X, Y, {"stride": 2, "circular": True}, "left out with circular=True"),
        (X, Y, {"circular": 1}, "circular must be True or False"),
        ([1.0, 2.0], Y, {"circular": True}, "at least one axis more"),
        (np.zeros((2, 0)), Y, {"circular": True}, "not empty"),
        ([[np.nan, 1.0], [0.0, 1.0]], Y, {"circular": True}, "X"),
        (X, Y, {"circular": True, "beta": 0.0}, "beta must be a positive finite number"),
        (X, Y, {"circular": True, "tol": -1.0}, "tol must be a positive finite number"),
        (X, Y, {"circular": True, "loss": "cubic"}, "loss"),
        (X, [0.5, 1.0], {"circular": True, "loss": "hinge"}, "takes labels -1"),
    ],
)
def test_bad_input(data, targets, options, words):
    options = {"beta": 0.1} | options
    with pytest.raises(InputError, match=words):
        train_linear_cnn(data, targets, options.pop("beta"), **options)


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"circular": True}])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_nothing_to_learn(options, loss):
    for targets, beta in ((Y, 1e6), ([0.0, 0.0], 0.1)):
        solution = train_linear_cnn(X, targets, beta, loss=loss, **options)
        assert solution.status is Status.CERTIFIED
        assert solution.n_filters == 0
        assert solution.network.predict(X).tolist() == [0.0, 0.0]
    empty = train_linear_cnn(np.zeros((0, 4)), [], 0.1, loss=loss, **options)
    assert (empty.status, empty.objective, empty.n_filters) == (Status.CERTIFIED, 0.0, 0)


def test_time_is_kept_to():
    rng = np.random.default_rng(0)
    solution = train_linear_cnn(rng.standard_normal((40, 20, 10)), rng.standard_normal(40), 1e-3, tol=1e-14, max_time=0.05)
    assert solution.status is Status.TIME_LIMIT
    assert solution.lower_bound <= solution.objective


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"circular": True}])
def test_saved_networks_read_back_the_same(tmp_path, options):
    network = train_linear_cnn(X, Y, 0.01, **options).network
    network.save(tmp_path / "net.json")
    again = LinearConvolutionalNetwork.load(tmp_path / "net.json")
    assert again.predict(X).tolist() == network.predict(X).tolist()
    assert repr(again) == repr(network)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"not a topes\.LinearConvolutionalNetwork"):
        LinearConvolutionalNetwork.load(tmp_path / "bad.json")


def test_networks_refuse_what_does_not_fit():
    with pytest.raises(InputError, match="weights must have a column for each of the 1 filters"):
        LinearConvolutionalNetwork([[1.0], [2.0]], [[1.0, 2.0]])
    with pytest.raises(InputError, match="must have 3 rows for samples of shape"):
        LinearConvolutionalNetwork([[1.0], [2.0]], [[1.0], [2.0]], circular=(3,))
    network = LinearConvolutionalNetwork([[1.0], [2.0]], [[1.0], [2.0]], circular=(2,))
    with pytest.raises(InputError, match=r"samples of shape \(2,\), got \(3,\)"):
        network.predict([[1.0, 2.0, 3.0]])
    with pytest.raises(InputError, match="must give 2 patches of 2 entries"):
        LinearConvolutionalNetwork([[1.0], [2.0]], [[1.0], [2.0]], kernel_size=2).predict(X)
