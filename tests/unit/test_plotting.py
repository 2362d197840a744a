"""The pictures show the numbers they are given."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import topes
from topes import Arrangement, InputError, TopesError, TwoLayerNetwork, VectorNetwork, Zonotope, plotting
from topes.plotting import _canvas
from topes.plotting.arrangement_plane import clipped
from topes.plotting.arrangement_sphere import cell_corners, half_circle, rim, triangulated
from topes.plotting.zonotope import corner_pieces


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


FLAT = np.random.default_rng(1).integers(-5, 6, (6, 3)) @ np.random.default_rng(2).integers(-5, 6, (3, 5))  # of rank 3

FLATTER = FLAT[:, :2] @ [[1, 2, 0, 3], [0, 1, 1, -2]]  # of rank 2


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


def area(polygon):
    """Of a flat polygon in space or in the plane."""
    if polygon.shape[1] == 2:
        polygon = np.column_stack([polygon, np.zeros(len(polygon))])
    around = polygon - polygon[0]
    return np.linalg.norm(np.cross(around, np.roll(around, -1, axis=0)).sum(axis=0)) / 2


# --- zonotope


def test_zonotope_in_the_plane_has_its_corners_and_angles():
    Z = Zonotope(gaussian(9, 2))
    ax = saved(plotting.zonotope(Z))
    points = ax.collections[0]
    np.testing.assert_array_equal(points.get_offsets(), Z.vertices())
    np.testing.assert_array_equal(points.get_array(), topes.solid_angles(Z.arrangement).angles)
    np.testing.assert_allclose(ax.patches[0].get_xy()[:-1], Z.polygon())


@pytest.mark.parametrize("X", [gaussian(7, 3), np.eye(3), [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1000]], FLAT])
def test_zonotope_in_space_shows_each_vertex_in_its_colour(X):
    Z = Zonotope(X)
    ax = saved(plotting.zonotope(Z))
    angles, facets, basis = topes.solid_angles(Z.arrangement).angles, Z.facets(), _canvas.row_space(Z.arrangement)
    to_viewer = np.array([0.3, -0.5, 0.8])
    pieces, values, outlines = corner_pieces(Z, facets, basis, angles, to_viewer)
    # Of two opposite facets one is seen.
    assert len(outlines) == len(facets) / 2
    assert len(pieces) == len(facets.indices) / 2
    assert len(ax.collections[0].get_array()) == len(pieces)
    of_pattern = {tuple(pattern): angle for pattern, angle in zip(Z.arrangement.patterns().tolist(), angles, strict=True)}
    vertex_of = {pattern: np.asarray(pattern) @ Z.arrangement.normals @ basis.T for pattern in of_pattern}
    for piece, value in zip(pieces, values, strict=True):
        pattern = min(vertex_of, key=lambda p, corner=piece[1]: np.linalg.norm(vertex_of[p] - corner))
        np.testing.assert_allclose(vertex_of[pattern], piece[1], atol=1e-9)
        assert value == of_pattern[pattern]
    # What is seen is in front: no point of the body lies beyond a facet's middle towards the viewer.
    for outline in outlines:
        middle = outline[:-1].mean(axis=0)
        assert not any(inside(basis, Z, middle + step * to_viewer) for step in (1e-3, 0.1))


def inside(basis, Z, point):
    """By the support function in many directions: the facets' normals."""
    normals = Z.facets().normals.astype(float) @ basis.T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return (normals @ point <= Z.support(normals @ basis)).all()


def test_zonotope_takes_arrangements_and_names():
    A = Arrangement([[1, 0], [0, 1], [1, 1]])
    ax = saved(plotting.zonotope(A, names=["length (m)", "mass (kg)"]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length (m)", "mass (kg)")
    own = Figure().add_subplot()
    assert plotting.zonotope(A, ax=own) is own
    assert "span" in plotting.zonotope(Arrangement([[1, 0, 0], [0, 1, 0]])).get_xlabel()


def test_zonotope_refuses_what_it_cannot_draw():
    with pytest.raises(InputError, match="needs rank 2 or 3 for a picture, this one has rank 4"):
        plotting.zonotope(Zonotope(np.eye(4)))
    with pytest.raises(InputError, match="central"):
        plotting.zonotope(Arrangement([[1, 0], [0, 1]], offsets=[1, 1]))
    with pytest.raises(InputError, match="Z must be a"):
        plotting.zonotope([[1, 0], [0, 1]])
    with pytest.raises(InputError, match="3-D axes"):
        plotting.zonotope(Zonotope(np.eye(3)), ax=Figure().add_subplot())
    with pytest.raises(InputError, match="axes of the plane"):
        plotting.zonotope(Zonotope(np.eye(2)), ax=Figure().add_subplot(projection="3d"))
    with pytest.raises(InputError, match="each of the 2 columns of X, got 1"):
        plotting.zonotope(Zonotope(np.eye(2)), names=["a"])
    with pytest.raises(topes.CellLimitError):
        plotting.zonotope(Zonotope(np.eye(3)), max_cells=7)


# --- arrangement on the sphere


@pytest.mark.parametrize("X", [np.eye(3), gaussian(6, 3), FLAT, [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]])
def test_pieces_of_the_sphere_have_the_area_of_their_cell(X):
    A = Arrangement(X)
    corners = cell_corners(A, _canvas.row_space(A))
    angles = topes.solid_angles(A).angles
    assert len(corners) == A.count()
    for rays, angle in zip(corners, angles, strict=True):
        # Chords lie inside the sphere: less area, by less than a share of about 0.12^2.
        found = sum(area(piece) for piece in triangulated(rays)) / (4 * np.pi)
        assert 0.985 * angle < found <= angle * (1 + 1e-9)


def test_arrangement_sphere_shows_the_angles_of_the_cells_in_front():
    A = Arrangement(gaussian(6, 3))
    ax = saved(plotting.arrangement_sphere(A))
    angles = topes.solid_angles(A).angles
    shown = np.unique(ax.collections[0].get_array())
    assert set(shown) == set(angles)  # antipodes have one angle, and of each pair some part is seen


@pytest.mark.parametrize("normal", [[1.0, 0, 0], [1e-300, 2e-300, 0], [0.2, -0.3, 0.9]])
def test_the_half_of_a_great_circle_that_faces_the_viewer(normal):
    to_viewer = np.array([0.2, -0.3, 0.9])
    points = half_circle(np.array(normal), to_viewer)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0)
    np.testing.assert_allclose(points @ (np.array(normal) / np.abs(normal).max()), 0.0, atol=1e-12)
    assert (points @ to_viewer > -1e-12).all()
    np.testing.assert_allclose(rim(to_viewer) @ to_viewer, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("A", "message"),
    [
        (Arrangement(np.eye(2)), "rank 2; arrangement_plane takes rank 2"),
        (Arrangement(np.eye(4)), "needs an arrangement of rank 3, this one has rank 4"),
        (Arrangement(np.eye(3), offsets=[1, 1, 1]), "must be central"),
        (np.eye(3), "must be a topes.Arrangement, got ndarray"),
    ],
)
def test_arrangement_sphere_names_what_it_needs(A, message):
    with pytest.raises(InputError, match=message):
        plotting.arrangement_sphere(A)


# --- arrangement in the plane


@pytest.mark.parametrize(
    ("X", "offsets"),
    [
        (gaussian(8, 2), None),
        (gaussian(6, 2), gaussian(6, 1)[:, 0]),
        ([[1, 0], [2, 0], [0, 1], [1, 1]], [0, 2, 0, 0]),  # parallel lines, three through a point
        ([[1, 0], [1, 0]], [0, 1]),  # of rank 1
        (FLATTER, None),
        (FLATTER, gaussian(6, 1)[:, 0]),
        (np.zeros((0, 2)), None),
    ],
)
def test_arrangement_plane_has_a_polygon_for_each_cell(X, offsets):
    A = Arrangement(X, offsets=offsets)
    ax = saved(plotting.arrangement_plane(A, witnesses=A.n > 0))
    polygons = [path.vertices[:-1] for path in ax.collections[0].get_paths()]
    assert len(polygons) == A.count()
    window = (ax.get_xlim()[1] - ax.get_xlim()[0]) * (ax.get_ylim()[1] - ax.get_ylim()[0])
    assert sum(area(polygon) for polygon in polygons) == pytest.approx(window, rel=1e-9)
    if A.dimension == 2:
        for polygon, pattern in zip(polygons, A.patterns(), strict=True):
            inside = A.normals @ polygon.mean(axis=0) - (0 if offsets is None else np.asarray(offsets))
            np.testing.assert_array_equal(inside >= 0, pattern)


def test_arrangement_plane_colours_by_angle_or_by_positive_sides():
    A = Arrangement(gaussian(5, 2))
    values = saved(plotting.arrangement_plane(A)).collections[0].get_array()
    np.testing.assert_array_equal(values, topes.solid_angles(A).angles)
    A = Arrangement(gaussian(5, 2), offsets=gaussian(5, 1)[:, 0])
    values = saved(plotting.arrangement_plane(A)).collections[0].get_array()
    np.testing.assert_array_equal(values, A.patterns().sum(axis=1))


def test_arrangement_plane_labels_lines_and_shows_a_window():
    A = Arrangement([[1, 0], [0, 1], [0, 2]], offsets=[0, 0, 0])
    ax = saved(plotting.arrangement_plane(A, labels=["first", "second", "third"], window=((-1, 1), (1, 2))))
    assert len(ax.collections[0].get_paths()) == 2  # those above the second line
    assert [text.get_text() for text in ax.texts] == ["first"]  # the second, of rows 1 and 2, is out of the window
    assert sorted(text.get_text() for text in plotting.arrangement_plane(A, labels=True).texts) == ["0", "1"]


@pytest.mark.parametrize(
    ("A", "more", "message"),
    [
        (Arrangement(np.eye(3)), {}, "rank 2, this one has rank 3; arrangement_sphere takes rank 3"),
        (Arrangement(np.eye(4)), {}, "needs an arrangement of rank 2, this one has rank 4"),
        (Arrangement(np.eye(2)), {"labels": ["a"]}, "labels must have one entry for each of the 2 rows of X, got 1"),
        (Arrangement(gaussian(41, 2)), {"labels": True}, "at most 40 lines, there are 41"),
        (Arrangement(np.eye(2)), {"window": (1, 2)}, "window must be two increasing pairs"),
        (Arrangement(np.eye(2)), {"window": ((1, 0), (0, 1))}, "window must be two increasing pairs"),
        (np.eye(2), {}, "must be a topes.Arrangement, got ndarray"),
    ],
)
def test_arrangement_plane_names_what_it_needs(A, more, message):
    with pytest.raises(InputError, match=message):
        plotting.arrangement_plane(A, **more)


def test_clipping_to_nothing():
    square = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    assert clipped(square, np.array([[1.0, 0.0]]), np.array([2.0])).shape == (0, 2)


def test_labels_stand_on_their_lines_and_apart():
    A = Arrangement(gaussian(20, 2), offsets=gaussian(20, 1)[:, 0])
    ax = plotting.arrangement_plane(A, labels=True, window=((-3, 3), (-3, 3)))
    places = np.array([text.get_position() for text in ax.texts])
    rows = [int(text.get_text()) for text in ax.texts]
    np.testing.assert_allclose((A.normals[rows] * places).sum(axis=1), gaussian(20, 1)[rows, 0], atol=1e-12)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[~np.eye(len(rows), dtype=bool)]
    assert apart.min() > 0.3  # a twentieth of the window
    close = plotting.arrangement_plane(Arrangement([[1000, k] for k in range(35)]), labels=True)
    heights = np.sort([text.get_position()[1] for text in close.texts])
    assert 10 < len(heights) < 35  # more would cover each other
    assert np.diff(heights).min() > 0.1


def test_colours_leave_out_what_is_hardly_seen():
    values = np.array([1e-9, 1e-3, 0.4, 0.599])
    assert _canvas.norm_of(values).vmin == 1e-9
    assert _canvas.norm_of(values, 1e-6).vmin == 1e-3
    assert _canvas.norm_of(np.full(8, 0.125)).vmin < 0.125


# --- solid angles


def test_histogram_shows_the_summary():
    A = Arrangement(gaussian(12, 3))
    summary = topes.solid_angle_summary(A)
    for given in (A, summary):
        ax = saved(plotting.solid_angle_histogram(given))
        counts, edges, _ = ax.patches[0].get_data()
        np.testing.assert_array_equal(counts, summary.histogram)
        np.testing.assert_allclose(np.log10(edges), summary.edges)
        assert ax.lines[0].get_xdata()[0] == summary.least.angle
        assert ax.lines[1].get_xdata()[0] == pytest.approx(1 / A.count())
        assert ax.get_xscale() == "log"
    with pytest.raises(InputError, match="got list"):
        plotting.solid_angle_histogram([1.0])


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


# --- without matplotlib


@pytest.mark.parametrize("name", plotting.__all__)
def test_every_picture_says_that_it_needs_matplotlib(monkeypatch, tmp_path, name):
    for module in [m for m in sys.modules if m.split(".")[0] in ("matplotlib", "mpl_toolkits")]:
        monkeypatch.setitem(sys.modules, module, None)
    net = TwoLayerNetwork([[1.0]], [0.0], [1.0])
    arguments = {
        "save_fit": (tmp_path / "fit.png", [1.0], [1.0], "title"),
        "zonotope": (Zonotope(np.eye(2)),),
        "arrangement_plane": (Arrangement(np.eye(2)),),
        "arrangement_sphere": (Arrangement(np.eye(3)),),
        "solid_angle_histogram": (Arrangement(np.eye(2)),),
        "fitted_function": (net, [[1.0]], [1.0]),
        "neurons": (net, [[1.0]]),
        "regularization_path": (topes.path([[1.0]], [1.0], betas=[0.1]),),
        "convergence": (topes.train([[1.0]], [1.0], beta=0.1),),
        "sgd_gap": ([[1.0]], 1.0),
    }[name]
    with pytest.raises(TopesError, match=r"pictures need matplotlib: pip install 'topes\[plot\]'"):
        getattr(plotting, name)(*arguments)
    assert not list(tmp_path.iterdir())
