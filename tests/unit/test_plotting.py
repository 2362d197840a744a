"""Pictures of arrangements, zonotopes and angles show the numbers they are given."""

from __future__ import annotations

import sys
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

import topes
from pictures import gaussian, saved
from topes import Arrangement, InputError, TopesError, TwoLayerNetwork, Zonotope, plotting
from topes.plotting import _canvas
from topes.plotting.arrangement_plane import clipped
from topes.plotting.arrangement_sphere import cell_corners, half_circle, rim, triangulated
from topes.plotting.zonotope import corner_pieces

FLAT = np.random.default_rng(1).integers(-5, 6, (6, 3)) @ np.random.default_rng(2).integers(-5, 6, (3, 5))  # of rank 3

FLATTER = FLAT[:, :2] @ [[1, 2, 0, 3], [0, 1, 1, -2]]  # of rank 2


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
    close.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in close.texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


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
