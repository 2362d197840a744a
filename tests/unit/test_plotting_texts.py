"""Texts of pictures: none covers another or is cut off, ticks are what they count, names are those of what is there."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import topes
from pictures import gaussian, line, saved
from topes import Arrangement, InputError, TwoLayerNetwork, Zonotope, plotting
from topes.plotting import _texts
from topes.plotting._space_texts import outline

LONG = "mean mass of the whole animal after a winter at sea (grams)"


def drawn(axes):
    (axes.flat[0] if isinstance(axes, np.ndarray) else axes).figure.draw_without_rendering()
    return axes


def covered(texts):
    """Pairs of texts whose outlines have a point in common."""
    outlines = [outline(text) for text in texts]
    sides = [side for corners in outlines for side in np.diff(corners[:3], axis=0)]
    found = []
    for k, one in enumerate(outlines):
        for j in range(k):
            other = outlines[j]
            if not any((one @ s).max() < (other @ s).min() or (other @ s).max() < (one @ s).min() for s in sides):
                found.append((texts[j].get_text(), texts[k].get_text()))
    return found


def ticks(axis):
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high and tick.label1.get_text()]


def within(texts, box):
    corners = np.vstack([outline(text) for text in texts])
    return (corners >= box.min).all() and (corners <= box.max).all()


def whole(axis):
    low, high = sorted(axis.get_view_interval())
    shown = [place for place in axis.get_majorticklocs() if low <= place <= high]
    return len(shown) > 0 and all(place == round(place) for place in shown)


# --- ticks and names in space

GENERAL = gaussian(7, 3, 2)
BEAKS = ["mean length of the upper beak (millimetres)"] * 3
PENGUINS = 3 * [[40, 18, 190], [46, 15, 210], [38, 19, 181], [50, 16, 225]]
FLAT = np.random.default_rng(1).integers(-5, 6, (6, 3)) @ np.random.default_rng(2).integers(-5, 6, (3, 6))  # of rank 3


@pytest.mark.parametrize(
    ("X", "names", "view"),
    [
        (GENERAL, None, (30, -60)),
        (GENERAL, BEAKS, (30, -60)),
        (GENERAL * [1e6, 1.0, 1e-6], None, (30, -60)),
        (GENERAL * 1e-6, None, (20, 60)),
        (GENERAL * 1e3, None, (10, -85)),
        (GENERAL * 1e3, None, (90, -90)),  # one axis is seen from its end
        ([[1, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -2]], None, (30, -60)),
        (PENGUINS, ["bill_length", "bill_depth", "flipper_length"], (30, -60)),
        (FLAT, None, (30, -60)),
        (FLAT, "sphere", (30, -60)),
        (GENERAL, "sphere", (10, -85)),
    ],
)
def test_texts_in_space_stand_apart(X, names, view):
    ax = Figure(figsize=(6.5, 5.0), layout="compressed").add_subplot(projection="3d")
    ax.view_init(*view)
    if names == "sphere":
        plotting.arrangement_sphere(Arrangement(X), ax=ax)
    else:
        plotting.zonotope(Zonotope(X), ax=ax, names=names)
    drawn(saved(ax))
    axes = [axis for axis in (ax.xaxis, ax.yaxis, ax.zaxis) if ticks(axis)]
    assert len(axes) == (2 if view == (90, -90) else 3)
    texts = [text for axis in axes for text in (axis.label, *ticks(axis))]
    assert covered(texts) == []
    assert within(texts, ax.figure.bbox)
    assert all(len(ticks(axis)) >= 2 and axis.get_offset_text().get_text() == "" for axis in axes)


def test_texts_in_space_are_left_alone_where_the_axes_are_off():
    ax = Figure().add_subplot(projection="3d")
    ax.set_axis_off()
    assert plotting.zonotope(Zonotope(np.eye(3)), ax=ax).get_xlabel() == "column 1 of X"


# --- labels of lines


@pytest.mark.parametrize("name", ["{}", "measurement number {}", "a name that is wider than all of the picture, {}"])
def test_labels_of_lines_stand_apart_within_the_axes(name):
    rng = np.random.default_rng(3)
    A = Arrangement(rng.standard_normal((12, 2)), offsets=rng.standard_normal(12) * 0.5)
    ax = drawn(plotting.arrangement_plane(A, labels=[name.format(k) for k in range(12)]))
    frames = [text.get_bbox_patch().get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for k, one in enumerate(frames) for other in frames[:k])
    assert all((frame.min >= ax.bbox.min).all() and (frame.max <= ax.bbox.max).all() for frame in frames)
    assert (len(frames) == 12) == (len(name) < 30)


# --- ticks


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([0.0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
        ([-0.0, 20000.0, 40000.0], ["0", "20000", "40000"]),
        ([-1e6, 0.0, 1e6], ["-1e6", "0", "1e6"]),
        ([0.0, 1.5e-6], ["0", "1.5e-6"]),
        ([1.0, 1.000005, 1.00001], ["1.000000", "1.000005", "1.000010"]),
    ],
)
def test_ticks_are_written_in_full(ticks, texts):
    assert [_texts.in_full(tick, ticks) for tick in ticks] == texts


def test_ticks_that_count_are_whole():
    net = TwoLayerNetwork([[1.0], [0.5]], [0.0], [1.0])
    right = drawn(plotting.neurons(net, gaussian(1, 2)))[1]
    assert whole(right.xaxis)
    assert whole(right.yaxis)
    X, y = gaussian(12, 2), gaussian(12, 1, 1)[:, 0]
    empty = topes.train(X, y, 100.0)
    assert len(empty.history) == 1
    assert whole(drawn(plotting.convergence(empty))[1].xaxis)
    assert whole(drawn(plotting.regularization_path([empty]))[1].yaxis)
    assert whole(drawn(plotting.solid_angle_histogram(Arrangement(np.eye(2)))).yaxis)
    assert whole(drawn(plotting.sgd_gap([[3.0, 2.5]], 2.0, lower_bound=1.0)).xaxis)
    fractions = drawn(plotting.sgd_gap([[3.0, 2.5]], 2.0, lower_bound=1.0, epochs=[[0.1, 0.2]]))
    assert len(ticks(fractions.xaxis)) > 1


def test_values_that_are_one_but_for_rounding_look_so():
    X, y = gaussian(12, 2), 1e4 * gaussian(12, 1, 1)[:, 0]
    empty = topes.train(X, y, 1e6, bias="penalized")
    assert empty.n_neurons == 0
    for top in (drawn(plotting.convergence(empty))[0], drawn(plotting.regularization_path([empty]))[0]):
        assert top.yaxis.get_offset_text().get_text() == ""
        assert np.diff(top.get_ylim()) > 0.1 * empty.objective


@pytest.mark.parametrize("betas", [[1.0, 1.01, 1.02, 1.03], [1.0, 1.00001], [1.0], [0.3, 1.0, 5.0], [0.01, 1.0]])
def test_ticks_of_close_betas_stand_apart(betas):
    found = topes.path(gaussian(8, 2), gaussian(8, 1, 1)[:, 0], betas=betas)
    axis = drawn(plotting.regularization_path(found))[2].xaxis
    shown = [*ticks(axis), *(tick.label1 for tick in axis.get_minor_ticks() if tick.label1.get_text())]
    assert len(ticks(axis)) > 1
    assert covered(shown) == []


# --- long texts


def test_a_legend_of_long_names_fits():
    for name in ("a run of SGD with momentum and step {}", LONG + ", and more of it in run {}"):
        runs = {name.format(k): [9.0, 8.0, 7.0 + k] for k in range(6)}
        ax = drawn(saved(plotting.sgd_gap(runs, 2.0, lower_bound=1.9)))
        assert within(ax.get_legend().get_texts(), ax.figure.bbox)
        assert ax.bbox.height > 0.25 * ax.figure.bbox.height


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("classes", [False, True])
def test_long_names_of_columns_are_wrapped(d, classes):
    X = gaussian(20, d)
    y = np.sign(X[:, 0]) if classes else X[:, 0]
    net = TwoLayerNetwork(np.ones((d, 1)), [0.1], [1.0])
    ax = drawn(saved(plotting.fitted_function(net, X, y, names=[f"{LONG} in the north"] * d, target=LONG)))
    texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_legend().get_texts()]
    texts += [axes.yaxis.label for axes in ax.figure.axes]
    assert within(texts, ax.figure.bbox)
    assert " ".join(ax.get_xlabel().split()) == f"{LONG} in the north"


def test_lines_of_a_text_are_even_and_formulas_whole():
    assert _texts.wrapped("coordinate 1, span of the rows", 150.0) == "coordinate 1,\nspan of the rows"
    assert _texts.wrapped("one\ntwo", 150.0) == "one\ntwo"
    assert _texts.wrapped("a-word-longer-than-a-line b", 50.0) == "a-word-longer-\nthan-a-line b"
    assert _texts.wrapped("x" * 20 + " y", 130.0) == "x" * 20 + "\ny"
    assert _texts.wrapped(" " * 40, 50.0) == ""
    assert _texts.wrapped(r"$\sum_j w_j x_j + \sum_k v_k x_k$", 50.0) == r"$\sum_j w_j x_j + \sum_k v_k x_k$"


# --- many things, and none


def test_many_lines_and_vertices_are_finer():
    def widths(n):
        plane = plotting.arrangement_plane(Arrangement(gaussian(n, 2)))
        polygon = plotting.zonotope(Zonotope(gaussian(n, 2)))
        (rim,), (size,) = (polygon.collections[0].get_linewidths(), polygon.collections[0].get_sizes())
        return plane.lines[0].get_linewidth(), size**0.5, rim

    few, many = widths(9), widths(300)
    assert few[0] == 1.0
    assert 300 * many[0] < 40  # points, of an axis of some 300
    assert many[1] < few[1] / 2
    assert many[2] < few[2] / 4


def test_points_on_a_map_have_a_dark_rim_and_many_kinks_are_fine():
    X = gaussian(30, 2)
    widths = []
    for m in (5, 100):
        net = TwoLayerNetwork(gaussian(2, m), None, gaussian(m, 1)[:, 0])
        lines, points = saved(plotting.fitted_function(net, X, net.predict(X))).collections[-2:]
        assert points.get_edgecolors()[0, :3].tolist() == [0.0, 0.0, 0.0]
        assert points.get_path_effects()  # the light rim about it
        widths.append(lines.get_linewidths()[0])
    assert widths[1] < widths[0] / 2


def test_a_run_of_one_entry_is_seen():
    ax = plotting.sgd_gap({"one": [3.0], "two": [3.0, 2.5]}, 2.0, lower_bound=1.0)
    assert line(ax, "one").get_marker() == "o"
    assert not line(ax, "two").get_marker()


def test_legends_name_what_is_there():
    X = gaussian(9, 2)
    zero = TwoLayerNetwork(np.zeros((2, 0)), None, [])
    net = TwoLayerNetwork([[1.0], [1.0]], None, [1.0])
    for picture, names in (
        (plotting.fitted_function(zero, X, X[:, 0]), ["data"]),
        (plotting.fitted_function(net, X, np.ones(9)), ["kink", "y = +1"]),
        (plotting.fitted_function(TwoLayerNetwork(np.zeros((1, 0)), None, []), X[:, :1], X[:, 0]), ["data", "network"]),
        (plotting.neurons(net, X)[0], ["output weight > 0"]),
    ):
        assert [text.get_text() for text in saved(picture).get_legend().get_texts()] == names


def test_neurons_at_half_a_turn_and_none():
    left, _ = saved(plotting.neurons(TwoLayerNetwork([[-1.0]], [0.0], [1.0]), [[1.0]]))
    assert left.lines[0].get_xdata()[0] == 180.0 < left.get_xlim()[1]
    assert saved(plotting.neurons(TwoLayerNetwork([[-1.0]], [0.0], [0.0]), [[1.0]]))[0].get_legend() is None
    for panel in saved(plotting.neurons(TwoLayerNetwork(np.zeros((4, 0)), None, []), gaussian(5, 4))):
        assert [text.get_text() for text in panel.texts] == ["no neuron"]
        assert len(panel.get_xticks()) == len(panel.get_yticks()) == 0
        assert panel.get_legend() is None


def test_a_fit_names_its_targets(monkeypatch):
    kept = []
    monkeypatch.setattr("topes.plotting.fit.save_figure", lambda figure, *_: kept.append(figure))
    plotting.save_fit("fit.png", gaussian(9, 2), gaussian(9, 2, 1), "title", names=["mass (g)", "length (mm)"])
    assert [axes.get_ylabel() for axes in kept[0].axes[:2]] == ["mass (g)", "length (mm)"]
    plotting.save_fit("fit.png", gaussian(9, 2), gaussian(9, 2, 1), "title")
    assert [axes.get_ylabel() for axes in kept[1].axes[:2]] == ["output 1", "output 2"]
    plotting.save_fit("fit.png", [1.0], [2.0], "title")
    top, bottom = kept[2].axes
    assert top.get_ylabel() == "target"
    assert line(top, "network").get_marker() == bottom.lines[1].get_marker() == "o"
    kept[2].draw_without_rendering()
    assert whole(bottom.xaxis)
    with pytest.raises(InputError, match="each of the 1 targets, got 2"):
        plotting.save_fit("fit.png", [1.0], [2.0], "title", names=["a", "b"])


# --- what is refused


def test_labels_may_be_none_or_of_numpy():
    A = Arrangement(np.eye(2))
    for labels, shown in ((None, []), (np.False_, []), (np.True_, ["0", "1"])):
        assert sorted(text.get_text() for text in plotting.arrangement_plane(A, labels=labels).texts) == shown


NET = TwoLayerNetwork([[1.0], [1.0]], None, [1.0])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.arrangement_plane(Arrangement(np.eye(2)), labels=5), "labels must be a sequence of str, got 5"),
        (lambda: plotting.zonotope(Zonotope(np.eye(2)), names=5), "names must be a sequence of str, got 5"),
        (lambda: plotting.fitted_function(NET, np.eye(2), [1.0, 2.0], names=5), "names must be a sequence of str, got 5"),
        (lambda: plotting.sgd_gap(5, 2.0, lower_bound=1.0), "histories must be a sequence of runs, .* got 5"),
        (lambda: plotting.sgd_gap([[3.0]], 2.0, lower_bound=1.0, labels=5), "labels must be a sequence of str, got 5"),
        (lambda: plotting.sgd_gap([[3.0]], 2.0, lower_bound=1.0, epochs=5), "epochs must be a sequence .* got 5"),
        (lambda: plotting.regularization_path(None), "path must be a sequence of solutions, got NoneType"),
        (lambda: plotting.regularization_path(topes.train([[1.0]], [1.0], 0.1)), "sequence of solutions, got Solution"),
        (lambda: plotting.neurons(NET, np.eye(2), zero_tol=float("nan")), r"zero_tol must be a number in \[0, 1\), got nan"),
        (lambda: plotting.neurons(NET, np.eye(2), zero_tol=-1), r"zero_tol must be a number in \[0, 1\), got -1"),
    ],
)
def test_what_is_no_sequence_or_no_cosine_is_refused(draw, message):
    with pytest.raises(InputError, match=message):
        draw()
