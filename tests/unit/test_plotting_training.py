"""Pictures of networks and of training show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

import topes
from pictures import gaussian, line, saved
from topes import InputError, TwoLayerNetwork, VectorNetwork, plotting

# --- networks


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, (25, 1))
    y = np.abs(X[:, 0]) + 0.05 * rng.standard_normal(25)
    return X, y, topes.train(X, y, beta=0.01, bias="penalized")


def test_a_curve_bends_at_the_kinks_of_the_neurons(curve):
    X, y, solution = curve
    net = solution.network
    ax = saved(plotting.fitted_function(net, X, y, names=["x (m)"], target="y (N)"))
    kink, drawn = line(ax, "kink"), line(ax, "network")
    expected = np.sort(-net.b1 / net.W1[0])
    expected = expected[(expected > X.min()) & (expected < X.max())]
    assert len(expected)
    np.testing.assert_allclose(kink.get_xdata(), np.unique(expected), rtol=1e-12)
    np.testing.assert_allclose(kink.get_ydata(), net.predict(kink.get_xdata()[:, None]))
    # Straight between the points that are drawn: the curve is the network everywhere.
    at = np.linspace(X.min(), X.max(), 500)
    np.testing.assert_allclose(np.interp(at, *drawn.get_data()), net.predict(at[:, None]), atol=1e-9)
    np.testing.assert_array_equal(line(ax, "data").get_xydata(), np.column_stack([X[:, 0], y]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (m)", "y (N)")


def test_a_classifier_shows_its_zero_level():
    X = gaussian(40, 2)
    y = np.where(X[:, 0] + X[:, 1] > 0, 1.0, -1.0)
    net = TwoLayerNetwork([[1.0, -1.0], [1.0, -1.0]], None, [1.0, -1.0])  # x1 + x2
    ax = saved(plotting.fitted_function(net, X, y))
    level, *_ = [c for c in ax.collections if hasattr(c, "levels") and list(c.levels) == [0.0]]
    points = np.vstack([path.vertices for path in level.get_paths()])
    np.testing.assert_allclose(points.sum(axis=1), 0.0, atol=1e-9)
    assert "zero level" in [text.get_text() for text in ax.get_legend().get_texts()]
    net = TwoLayerNetwork([[1.0, -1.0]], None, [1.0, -1.0])
    assert line(saved(plotting.fitted_function(net, X[:, :1], y)), "zero level").get_ydata()[0] == 0.0


def test_a_map_has_the_kink_lines():
    X = gaussian(30, 2)
    net = TwoLayerNetwork([[1.0, 0.0, 5.0], [1.0, 1.0, 0.0]], [0.5, 0.0, 1e3], [1.0, -2.0, 1.0])
    ax = saved(plotting.fitted_function(net, X, net.predict(X)))
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    ends = lines.get_segments()
    assert len(ends) == 2  # the third is far outside
    for w, b, segment in zip(net.W1.T[:2], net.b1[:2], ends, strict=True):
        np.testing.assert_allclose(segment @ w + b, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (TwoLayerNetwork(np.ones((3, 1)), None, [1.0]), "one or two inputs for this picture, got 3"),
        (VectorNetwork([[1.0]], None, [[1.0, 2.0]]), "one output for this picture, got 2"),
        (topes.ConvolutionalNetwork([[1.0], [1.0]], None, [1.0], kernel_size=2), "got a ConvolutionalNetwork"),
        (TwoLayerNetwork([[1.0], [1.0]], None, [1.0]), "X must have 2 columns"),
        ("net.json", "got str"),
    ],
)
def test_fitted_function_names_what_it_needs(network, message):
    with pytest.raises(InputError, match=message):
        plotting.fitted_function(network, [[1.0], [2.0]], [1.0, 2.0])


def test_neurons_are_drawn_by_size_with_their_patterns(curve):
    X, _, solution = curve
    net = solution.network
    left, right = saved(plotting.neurons(net, X))
    U = np.vstack([net.W1, net.b1])
    sizes = np.linalg.norm(U, axis=0) * np.abs(net.w2)
    order = np.argsort(-sizes, kind="stable")
    drawn = np.vstack([left_line.get_xydata() for left_line in left.lines])
    expected = np.column_stack([np.degrees(np.arctan2(U[1], U[0])), sizes])
    np.testing.assert_allclose(drawn[np.argsort(-drawn[:, 1], kind="stable")], expected[order])
    image = np.asarray(right.images[0].get_array())
    products = (X @ net.W1 + net.b1)[:, order]
    decided = image != 0.5
    np.testing.assert_array_equal(image[decided], (products > 0)[decided])
    lengths = np.linalg.norm(np.hstack([X, np.ones_like(X)]), axis=1)[:, None] * np.linalg.norm(U, axis=0)[order]
    np.testing.assert_array_equal(~decided, np.abs(products) <= 1e-7 * lengths)


def test_neurons_of_more_inputs_and_outputs():
    X = gaussian(10, 4) * [10.0, 5.0, 1.0, 1.0]
    plane = np.linalg.svd(X)[2][:2]
    plane *= np.sign(plane[np.arange(2), np.abs(plane).argmax(axis=1)])[:, None]
    net = VectorNetwork((plane[:1] + plane[1:]).T, None, [[3.0, 4.0]])
    left, right = saved(plotting.neurons(net, X))
    np.testing.assert_allclose(left.lines[0].get_xydata(), [[45.0, 5 * np.sqrt(2)]])
    assert right.images[0].get_array().shape == (10, 1)
    saved(plotting.neurons(TwoLayerNetwork(np.zeros((4, 0)), None, []), X))
    with pytest.raises(InputError, match="two weights or more"):
        plotting.neurons(TwoLayerNetwork([[1.0]], None, [1.0]), [[1.0]])
    with pytest.raises(InputError, match="X must have 4 columns"):
        plotting.neurons(TwoLayerNetwork(np.zeros((4, 0)), None, []), [[1.0]])


# --- training


@pytest.mark.parametrize("bias", [False, "penalized", "free"])
def test_a_path_shows_what_the_solutions_hold(bias):
    X, y = gaussian(15, 2), gaussian(15, 1, 1)[:, 0]
    found = topes.path(X, y, betas=[2.0, 0.5, 0.1], bias=bias)
    top, middle, bottom = saved(plotting.regularization_path(found))
    np.testing.assert_array_equal(line(top, "objective").get_xydata(), [[s.problem.beta, s.objective] for s in found[::-1]])
    np.testing.assert_array_equal(line(top, "lower bound").get_ydata(), [s.lower_bound for s in found[::-1]])
    losses = [0.5 * np.sum((s.network.predict(X) - y) ** 2) for s in found[::-1]]
    np.testing.assert_allclose(line(top, "loss").get_ydata(), losses, rtol=1e-9)
    np.testing.assert_array_equal(middle.lines[0].get_ydata(), [s.n_neurons for s in found[::-1]])
    assert bottom.get_xscale() == "log"
    assert (np.diff(bottom.lines[0].get_ydata()) <= 0).all()


@pytest.mark.parametrize("output_norm", [1, 2])
def test_a_path_of_several_outputs(output_norm):
    X, Y = gaussian(8, 2), gaussian(8, 2, 1)
    found = topes.path(X, Y, betas=[0.5, 0.1], output_norm=output_norm)
    top, _, _ = plotting.regularization_path(found)
    losses = [0.5 * np.sum((s.network.predict(X) - Y) ** 2) for s in found[::-1]]
    np.testing.assert_allclose(line(top, "loss").get_ydata(), losses, rtol=1e-9)


def test_a_path_must_hold_solutions_that_know_their_beta(curve):
    X, y, _ = curve
    for path, message in (([], "at least one"), ([1.0], r"path\[0\] is of type float")):
        with pytest.raises(InputError, match=message):
            plotting.regularization_path(path)
    full = topes.solve_full(X, y, 0.1)
    if full.problem is None:
        with pytest.raises(InputError, match="does not know its beta"):
            plotting.regularization_path([full])


def test_convergence_shows_the_history(curve):
    X, _, solution = curve
    assert len(solution.history) > 1
    top, bottom = saved(plotting.convergence(solution))
    assert line(top, "objective").get_ydata().tolist() == [r.objective for r in solution.history]
    assert line(top, "lower bound").get_ydata().tolist() == [r.lower_bound for r in solution.history]
    assert bottom.lines[0].get_ydata().tolist() == [r.gap for r in solution.history]
    assert bottom.get_yscale() == "log"
    assert "certified" in bottom.get_title()
    top, _ = saved(plotting.convergence(solution, against="seconds"))
    assert line(top, "objective").get_xdata().tolist() == [r.seconds for r in solution.history]
    with pytest.raises(InputError, match="against must be one of"):
        plotting.convergence(solution, against="days")
    with pytest.raises(InputError, match="must have an objective"):
        plotting.convergence(X)


def test_convergence_of_the_full_program_shows_its_end():
    solution = topes.solve_full([[1.0, 1.0], [-2.0, 1.0]], [1.0, 3.0], 0.1)
    assert solution.history == ()
    top, bottom = saved(plotting.convergence(solution))
    assert line(top, "objective").get_ydata().tolist() == [solution.objective]
    assert bottom.lines[0].get_ydata().tolist() == [solution.gap]
    assert "no rounds kept" in bottom.get_title()


def test_sgd_gap_draws_each_run_above_the_bound(curve):
    _, _, solution = curve
    scale = solution.objective
    runs = [scale * np.array([3.0, 2.0, 1.5]), scale * np.array([4.0, 1.2])]
    ax = saved(plotting.sgd_gap(runs, solution, labels=["slow", "fast"]))
    for label, run in zip(["slow", "fast"], runs, strict=True):
        np.testing.assert_allclose(line(ax, label).get_ydata(), (run - solution.lower_bound) / solution.objective)
    assert line(ax, "slow").get_xdata().tolist() == [1, 2, 3]
    assert ax.get_yscale() == "log"
    ax = saved(plotting.sgd_gap({"a": [3.0, 2.5]}, 2.0, lower_bound=1.0, epochs=[[10, 20]]))
    assert line(ax, "a").get_xydata().tolist() == [[10, 1.0], [20, 0.75]]
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert band.y1 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (([[1.0, 0.5]], 1.0), {"lower_bound": 0.9}, r"histories\[0\]\[1\] is 0.5, below the lower bound 0.9"),
        (([[1.0]], 1.0), {}, "lower_bound must be given"),
        (([[1.0]], 1.0), {"lower_bound": 2.0}, "lower_bound must be at most"),
        (([], 1.0), {"lower_bound": 0.9}, "at least one run"),
        (([[]], 1.0), {"lower_bound": 0.9}, r"histories\[0\] must hold at least one"),
        (([[1.0]], 1.0), {"lower_bound": 0.9, "labels": ["a", "b"]}, "each of the 1 histories, got 2"),
        (([[1.0]], 1.0), {"lower_bound": 0.9, "epochs": [[1, 2]]}, r"epochs\[0\] must have one entry for each of the 1"),
        (([[1.0, np.nan]], 1.0), {"lower_bound": 0.9}, r"histories\[0\]\[1\] is nan"),
    ],
)
def test_sgd_gap_names_what_it_needs(arguments, more, message):
    with pytest.raises(InputError, match=message):
        plotting.sgd_gap(*arguments, **more)
