"""Every name of the compiled module: types in, types out, what it refuses, and that the stub tells the truth."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import topes
from topes import _core, reference

X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
ALL = 2**64 - 1


@pytest.fixture
def core():
    return _core.Arrangement.from_doubles(X, False, 0)


def _stub():
    tree = ast.parse(Path(topes.__file__).with_name("_core.pyi").read_text())
    names = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = {f.name for f in node.body if isinstance(f, ast.FunctionDef)} - {"__init__"}
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = None
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = ast.unparse(node.annotation)
    return names


def test_the_stub_names_what_the_module_holds():
    stub = _stub()
    public = {name for name in dir(_core) if not name.startswith("_")}
    assert public == set(stub)
    for name, members in stub.items():
        if isinstance(members, str):  # a constant's type
            value = getattr(_core, name)
            items = ", ".join(type(x).__name__ for x in value) if isinstance(value, tuple) else None
            assert members == (type(value).__name__ if items is None else f"tuple[{items}]")
        elif members is not None:
            assert {m for m in vars(getattr(_core, name)) if not m.startswith("_")} == members
        else:
            assert inspect.isbuiltin(getattr(_core, name))


def test_integers_and_doubles_make_the_same_arrangement(core):
    other = _core.Arrangement.from_int64(X.astype(np.int64), False, 0)
    assert (other.n_rows, other.rank, other.size) == (core.n_rows, core.rank, core.size) == (3, 2, 3)
    assert other.orientations.tolist() == core.orientations.tolist()
    assert other.hyperplanes.tolist() == core.hyperplanes.tolist()


def test_bytes_are_little_endian_twos_complement(core):
    text = b"".join(int(x).to_bytes(9, "little", signed=True) for x in (-X).ravel())
    data = np.frombuffer(text, np.uint8).reshape(3, 2, 9)
    other = _core.Arrangement.from_bytes(data, False, 0)
    assert other.count(ALL, 1, None)[0] == core.count(ALL, 1, None)[0] == 6


def test_counts_limits_and_estimates(core):
    n_cells, counters = core.count(ALL, 2, None)
    assert n_cells == 6
    assert set(counters) == {"signs", "exact_signs", "exact_rays"}
    with pytest.raises(topes.CellLimitError):
        core.count(5, 1, None)
    mean, error = core.estimate_count(50, 1, None)
    assert abs(mean - 6) <= 5 * error + 1e-9


def test_held_cells_unpack_and_insert(core):
    held = _core.hold(core, ALL, 2, None)
    assert held.n_found == 3
    out = np.empty((6, 3), np.uint8)
    _core.unpack(core, held, 0, 6, 1, 255, 0, out, 1, None)
    assert {tuple(r) for r in out.view(np.int8).tolist()} == reference.sign_vectors(X)
    larger = _core.Arrangement.from_doubles(np.vstack([X, [[1.0, -1.0]]]), False, 3)
    assert _core.insert(core, held, larger, ALL, None).n_found == 4


def test_streams_close_and_are_then_empty(core):
    stream = _core.CellStream(core, 4, True, 2, ALL)
    assert stream.next(3, None)[0] == 4
    stream.close()
    assert stream.next(3, None)[0] == 0
    assert set(stream.counters) == {"signs", "exact_signs", "exact_rays"}


def test_neighbors_vertices_and_exact_cones(core):
    held = _core.hold(core, ALL, 1, None)
    indptr, facets, cells = _core.neighbors(core, held, 2, None)
    assert indptr.tolist() == list(range(0, 13, 2))
    assert facets.shape == cells.shape == (12,)
    vertices = _core.vertices(core, held, X, 2, None)
    assert {tuple(v) for v in vertices.tolist()} == {(0, 0), (2, 2), (1, 0), (0, 1), (2, 1), (1, 2)}
    rays, rows = _core.find_cell(core, np.array([0b111], np.uint8))
    assert sorted(map(tuple, rays)) == [(0, 1), (1, 0)]
    assert sorted(rows) == [0, 1]
    assert _core.find_cell(core, np.array([0b100], np.uint8)) is None  # x < 0, y < 0 and x + y > 0


def test_exceptions_of_a_callback_come_out_as_they_are(core):
    class Stop(Exception):
        pass

    def stop(fraction, n_cells):
        raise Stop

    large = _core.Arrangement.from_doubles(np.random.default_rng(0).standard_normal((3000, 4)), False, 0)
    with pytest.raises(Stop):
        large.count(ALL, 2, stop)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((2, 2), np.float32), "text", None])
def test_wrong_types_are_refused(bad):
    with pytest.raises((TypeError, ValueError)):
        _core.Arrangement.from_int64(bad, False, 0)


def test_facets_alone(core):
    assert sorted(_core.find_facets(core, np.array([0b111], np.uint8)).tolist()) == [0, 1]
    assert _core.find_facets(core, np.array([0b100], np.uint8)) is None
    with pytest.raises(ValueError, match="packed must have"):
        _core.find_facets(core, np.zeros(2, np.uint8))


def test_pricing_returns_a_bound_and_directions():
    space = _core.PricingSpace(np.eye(2), "euclidean", np.ones(2))
    limits = (0.0, 0.5, 1e-9, ALL, 1e300, 8, 1, None)
    bend, none = np.array([[1.0], [1.0]]), np.zeros((0, 2))
    upper, best, complete, nodes, w, values, signs = space.price(bend, np.zeros((1, 2)), none, *limits)
    assert best == pytest.approx(2**0.5)
    assert best <= upper <= best * (1 + 1e-8)
    assert complete
    assert nodes > 0
    assert w.shape == (len(values), 2)
    assert signs.dtype == np.int8
    assert not w.flags.writeable
    with pytest.raises(topes.InputError, match="do not fit"):
        space.price(np.zeros((3, 1)), np.zeros((1, 2)), none, *limits)
    with pytest.raises(ValueError, match="ball must be"):
        _core.PricingSpace(np.eye(2), "round", np.ones(2))


def test_cover():
    space = _core.PricingSpace(np.eye(2), "euclidean", np.ones(2))
    bend, linear, none = np.array([[1.0], [-2.0]]), np.zeros((1, 2)), np.zeros((0, 2))
    limits = (0.0, 1e-9, ALL, 1e300, 1, None)
    upper, complete, split, depth, c, leaf, row, slope = space.cover(bend, linear, none, *limits)
    assert upper == pytest.approx(2.0)
    assert complete is True
    assert (split.dtype, depth.dtype, c.dtype) == (np.uint8, np.uint16, np.float64)
    assert (leaf.dtype, row.dtype, slope.dtype) == (np.uint32, np.uint32, np.float64)
    leaves = int(np.count_nonzero(split == 0))
    assert split.shape == depth.shape
    assert c.shape == (leaves, 2)
    assert leaf.shape == row.shape == slope.shape
    assert len(split) == 8 + 2 * (len(split) - leaves)  # four cones for each sign, two halves for each cut
    assert int(np.count_nonzero(depth == 0)) == 8
    assert not any(a.flags.writeable for a in (split, depth, c, leaf, row, slope))
    *_, flat, _, _, _ = _core.PricingSpace(np.eye(2), "cross", np.ones(2)).cover(bend, linear, none, *limits)
    assert flat.shape == (0, 2)
    upper, _, _, depth, *_ = space.cover(np.array([[3.0, 4.0], [0.0, 0.0]]), np.zeros((2, 2)), none, *limits)
    assert upper == pytest.approx(5.0)
    assert int(np.count_nonzero(depth == 0)) == 4  # several outputs have no sign
    with pytest.raises(ValueError, match="fit"):
        space.cover(np.zeros((3, 1)), linear, none, *limits)


def test_descent_takes_blocks_and_gives_them_back():
    group, factor, y = np.array([0, 1, 2]), np.linalg.norm(X, axis=1), np.array([1.0, 2.0, 3.0])
    arrays = X, group, factor, X / factor[:, None], y
    descent = _core.Descent(*arrays, "squared", 0.1, 0.0, 1, False)
    descent.enter(np.array([[0.1, 0.2]]), np.array([1.0]))
    assert descent.size == 1
    before = descent.value()
    assert descent.minimise(1e-9, 1e300, None) > 0
    blocks, signs = descent.blocks()
    assert blocks.shape == (1, 2)
    assert signs.tolist() == [1.0]
    assert not blocks.flags.writeable
    f = descent.outputs()
    assert f.shape == (3,)
    assert descent.value() == pytest.approx(0.5 * float(np.sum((f - y) ** 2)) + 0.1 * float(np.linalg.norm(blocks)))
    assert descent.value() < before
    descent.constant = 1.0
    assert descent.constant == 1.0
    assert descent.outputs() == pytest.approx(f + 1.0)
    steps = []
    descent.enter(np.array([[0.3, -0.2]]), np.array([-1.0]))
    descent.minimise(1e-9, 1e300, lambda share, _: steps.append(share))
    assert steps
    with pytest.raises(ZeroDivisionError):
        descent.minimise(-1.0, 1e300, lambda *_: 1 // 0)
    with pytest.raises(topes.InputError, match="smooth loss"):
        _core.Descent(*arrays, "hinge", 0.1, 0.0, 1, False)
    with pytest.raises(topes.InputError, match="do not fit"):
        _core.Descent(*arrays, "squared", 0.1, 0.0, 2, False)
    with pytest.raises(topes.InputError, match="coordinates"):
        descent.enter(np.zeros((1, 3)), np.ones(1))
    with pytest.raises(ValueError, match="a sign for each"):
        descent.enter(np.zeros((1, 2)), np.ones(2))


def test_plans_and_their_tasks(core):
    plan = _core.Plan(core, 100.0, 0.0)
    assert plan.n_tasks == len(plan.weights) > 1
    assert not plan.weights.flags.writeable
    assert plan.counters.keys() == {"signs", "exact_signs", "exact_rays"}
    n_cells, counters = _core.count_tasks(core, plan, 0, plan.n_tasks, ALL, None)
    assert (n_cells, counters.keys()) == (6, plan.counters.keys())
    assert _core.count_tasks(core, plan, 1, 1, ALL, None)[0] == 0
    parts = [_core.pack_tasks(core, plan, k, k + 1, ALL, None) for k in range(plan.n_tasks)]
    assert sum(n for n, _ in parts) == 6
    assert all(packed.shape == (n, 1) and packed.dtype == np.uint8 and not packed.flags.writeable for n, packed in parts)
    angles = _core.angle_parts(core, plan, 0, plan.n_tasks, 16, 0, ALL, None)
    assert [len(part) for part in angles] == [8] * plan.n_tasks
    summary = _core.summarise_parts(core, angles)
    assert summary[0] == 6
    assert summary[1] == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(ValueError, match="range"):
        _core.count_tasks(core, plan, 0, plan.n_tasks + 1, ALL, None)
    with pytest.raises(ValueError, match="range"):
        _core.pack_tasks(core, plan, 2, 1, ALL, None)
    with pytest.raises(ValueError, match="n_tasks"):
        _core.Plan(core, 0.0, 0.0)
    with pytest.raises(ValueError, match="hyperplane"):
        _core.Plan(_core.Arrangement.from_doubles(np.zeros((2, 2)), False, 0), 1.0, 0.0)
    with pytest.raises(ValueError, match="eight entries"):
        _core.summarise_parts(core, [(1, 2)])
    line = _core.Arrangement.from_doubles(np.ones((2, 1)), False, 0)
    with pytest.raises(ValueError, match="rank"):
        _core.angle_parts(line, _core.Plan(line, 1.0, 0.0), 0, 1, 16, 0, ALL, None)
