"""Certificates: the file, what is wrong with bad ones, and that the checker stands alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import topes
from certificates import claim, contents, put_together, random_network
from topes import InputError, TwoLayerNetwork, train, verify
from topes.verify import _cover
from topes.verify._file import seal

TOY = np.array([[x, 1.0] for x in (-2.0, -1.0, 0.0, 1.0, 2.0)]), np.array([1.0, -1.0, 1.0, 1.0, -1.0])


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The five points of Figure 7."""
    file = tmp_path_factory.mktemp("toy") / "proof.npz"
    solution = train(*TOY, 1e-3, tol=1e-8)
    solution.save_certificate(file)
    return file, solution


@pytest.fixture
def parts(toy, tmp_path):
    header, arrays = contents(toy[0])
    return tmp_path / "changed.npz", header, arrays


def reason(file, *data):
    found = verify(file, *data)
    assert not found.valid
    assert np.isnan([found.objective_upper, found.lower_bound, found.gap]).all()
    return found.reason


def test_the_toy_of_figure_7_is_proved_to_eight_digits(toy):
    file, solution = toy
    found = verify(file, *TOY)
    assert found.valid, found.reason
    assert found.gap <= 1e-8
    assert found.objective_upper == pytest.approx(solution.objective, rel=1e-12)
    assert found.lower_bound == pytest.approx(solution.lower_bound, rel=1e-9)
    assert found.n_cones > 8


def test_the_same_solution_gives_the_same_bytes(toy, tmp_path):
    file, solution = toy
    for threads in (1, 3):
        solution.save_certificate(tmp_path / "again.npz", n_threads=threads)
        assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_the_file_is_an_open_archive_without_pickles(toy):
    with np.load(toy[0], allow_pickle=False) as archive:
        assert archive["X"].tolist() == TOY[0].tolist()
        assert json.loads(archive["certificate.json"])["beta"] == 1e-3
    data = toy[0].read_bytes()
    assert data[-71:] == b"sha256:" + hashlib.sha256(data[:-71]).hexdigest().encode()


def test_the_hash_of_the_data_is_that_of_the_documented_bytes(toy):
    X, y = TOY
    layout = np.array([5, 2], dtype="<u8").tobytes() + X.astype("<f8").tobytes() + y.astype("<f8").tobytes()
    assert contents(toy[0])[0]["data_sha256"] == hashlib.sha256(layout).hexdigest()


def test_the_checker_runs_without_the_rest_of_topes(toy):
    folder = Path(topes.__file__).parent
    code = (
        "import sys; sys.argv = ['verify', sys.argv[1]]; import runpy\n"
        "try: runpy.run_module('verify', run_name='__main__')\n"
        "except SystemExit as stop: assert stop.code == 0, stop.code\n"
        "loaded = [m for m in sys.modules if m.split('.')[0] in ('topes', 'scipy', 'cvxpy', 'clarabel')]\n"
        "assert not loaded, loaded"
    )
    # pytest's folders would lead to topes itself; -P keeps the working directory out as well
    done = subprocess.run(
        [sys.executable, "-c", code, str(toy[0])],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("valid")


def test_data_are_compared(toy):
    X, y = TOY
    assert "not those in the file" in reason(toy[0], X, -y)
    assert "not those in the file" in reason(toy[0], np.nextafter(X, 9.0))
    assert "shape (4, 2)" in reason(toy[0], X[:-1])
    assert "not numbers" in reason(toy[0], [["a"]])
    assert verify(toy[0], X.tolist()).valid
    assert verify(toy[0], y=y.astype(int)).valid


def test_files_that_are_none(tmp_path, toy):
    file = tmp_path / "bad.npz"
    assert "cannot be read" in reason(tmp_path)
    for data in (b"", b"PK", b"x" * 200):
        file.write_bytes(data)
        assert "checksum" in reason(file)
    file.write_bytes(b"no archive" + seal(b"no archive"))
    assert "archive" in reason(file)
    file.write_bytes(toy[0].read_bytes()[:-100])
    assert "checksum" in reason(file)


HEADERS = {
    "format": ("another", "format"),
    "version": (2, "version"),
    "loss": ("cubic", "loss"),
    "kappa": (1.0, "kappa"),
    "bias": (True, "bias"),
    "norm": (2, "norm"),
    "output_norm": (2, "output_norm"),
    "outputs": (0, "outputs"),
    "patches": (0, "patches"),
    "beta": (0.0, "beta"),
    "values": ("octal", "values"),
    "reach": (-1.0, "reach"),
    "claims": ({}, "claims"),
}


@pytest.mark.parametrize("field", HEADERS)
def test_a_header_that_does_not_fit_is_named(parts, field):
    file, header, arrays = parts
    value, word = HEADERS[field]
    put_together(file, header | {field: value}, arrays)
    assert word in reason(file)


def test_a_header_with_another_field_or_one_less(parts):
    file, header, arrays = parts
    put_together(file, header | {"note": 1}, arrays)
    assert "fields" in reason(file)
    del header["beta"]
    put_together(file, header, arrays)
    assert "fields" in reason(file)


@pytest.mark.parametrize("name", ["X", "Y", "W1", "W2", "V", "coordinates", "scale", "normals", "factor", "c"])
def test_a_nan_another_type_another_shape_are_named(parts, name):
    file, header, arrays = parts
    bad = arrays[name].copy()
    bad.flat[-1] = np.nan
    put_together(file, header, arrays | {name: bad})
    assert reason(file) == f"{name} has an entry that is not finite"
    put_together(file, header, arrays | {name: arrays[name].astype(np.float32)})
    assert name in reason(file)
    put_together(file, header, arrays | {name: arrays[name][..., None]})
    assert name in reason(file)


def test_members_missing_or_added(parts):
    file, header, arrays = parts
    put_together(file, header, arrays | {"more": np.zeros(1)})
    assert "more.npy" in reason(file)
    del arrays["slope"]
    put_together(file, header, arrays)
    assert "slope.npy" in reason(file)


def test_an_array_of_objects_is_not_unpickled(parts):
    file, header, arrays = parts
    with pytest.raises(ValueError, match="Object arrays"):  # the writer refuses; so does the reader, below
        put_together(file, header, arrays | {"V": np.array([None])})
    assert reason(file).startswith("the file cannot be read")


def test_trees_that_are_not_complete(parts):
    file, header, arrays = parts
    split = arrays["split"]
    arrays |= {name: arrays[name][:0] for name in ("slope_leaf", "slope_row", "slope")}  # of leaves that would not be there
    for bad in (split[:-1], split[1:], np.where(split > 0, 200, split), np.zeros_like(split)[:8]):
        leaves = int(np.count_nonzero(bad == 0))
        c = np.resize(arrays["c"], (leaves, 2))
        put_together(file, header, arrays | {"split": bad.astype(np.uint8), "c": c})
        assert any(word in reason(file) for word in ("complete", "edge", "not proved"))


def test_a_slope_outside_its_interval(tmp_path):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    file = tmp_path / "proof.npz"
    train(X, y, 0.5).save_certificate(file)
    header, arrays = contents(file)
    assert len(arrays["slope"])
    for value in (-1e-9, 1 + 1e-9):
        put_together(file, header, arrays | {"slope": np.full_like(arrays["slope"], value)})
        assert "slope" in reason(file)
    # any slopes in [0, 1] are sound, but others than the right ones do not prove as much
    put_together(file, header, arrays | {"slope": np.zeros_like(arrays["slope"])})
    assert "price_bound" in reason(file)


def test_a_smaller_c_only_weakens_the_bound(parts):
    file, header, arrays = parts
    put_together(file, header, arrays | {"c": 0.99 * arrays["c"]})
    assert "price_bound" in reason(file)


LARGE = {"absolute": 1.5, "huber": -1.5, "logistic": -1.5, "hinge": -1.5, "squared_hinge": 0.5}


@pytest.mark.parametrize("loss", LARGE)
def test_a_dual_point_outside_the_domain_is_refused(tmp_path, loss):
    y = np.array([1.0, -1.0])
    file = tmp_path / "proof.npz"
    empty = TwoLayerNetwork(np.zeros((1, 0)), None, [])
    claim(np.eye(2)[:, :1], y, np.array([-0.5, 0.5]), empty, 1.0, loss=loss).save_certificate(file)
    assert verify(file).valid
    header, arrays = contents(file)
    header["claims"]["price_bound"] = header["claims"]["gap"] = 1e9
    put_together(file, header, arrays | {"V": LARGE[loss] * y[:, None]})
    assert f"domain of the conjugate of the {loss} loss" in reason(file)


def test_a_dual_point_of_the_l2_loss_is_scaled_into_the_domain(tmp_path):
    file = tmp_path / "proof.npz"
    empty = TwoLayerNetwork(np.zeros((1, 0)), None, [])
    X, y = np.eye(2)[:, :1], np.array([0.0, 2.0])
    claim(X, y, np.array([0.0, -1.0]), empty, 1.0, loss="l2").save_certificate(file)
    header, arrays = contents(file)
    header["claims"]["price_bound"] = 1.0
    put_together(file, header, arrays | {"V": np.array([[0.0], [-7.0]])})
    found = verify(file)
    assert found.valid, found.reason
    assert 2.0 * (1 - 1e-12) <= found.lower_bound <= 2.0  # the loss without a network; unscaled it would be 14


def test_a_free_bias_needs_a_sum_of_zero_and_all_breakpoints(tmp_path):
    X, y = TOY
    file = tmp_path / "proof.npz"
    train(X, y, 0.1, bias="free").save_certificate(file)
    assert verify(file).valid
    header, arrays = contents(file)
    V = arrays["V"].copy()
    V[0] = np.nextafter(V[0], 9.0)
    put_together(file, header, arrays | {"V": V})
    assert "sum to zero" in reason(file)
    put_together(file, header | {"reach": 0.999 * header["reach"]}, arrays)
    assert "reach" in reason(file)


def test_any_network_can_be_held_against_the_bound(tmp_path):
    X, y = TOY
    solution = train(X, y, 1e-3)
    other = random_network(np.random.default_rng(0), 2, False, 0.0)
    solution.save_certificate(tmp_path / "other.npz", network=other)
    found = verify(tmp_path / "other.npz")
    assert found.valid, found.reason
    assert found.objective_upper == pytest.approx(other.objective(X, y, 1e-3), rel=1e-12)
    with pytest.raises(InputError, match="inputs"):
        solution.save_certificate(tmp_path / "other.npz", network=TwoLayerNetwork(np.zeros((3, 1)), None, [1.0]))
    with pytest.raises(InputError, match="activation"):
        solution.save_certificate(tmp_path / "other.npz", network=TwoLayerNetwork(np.zeros((2, 1)), None, [1.0], "abs"))
    with pytest.raises(InputError, match="biases"):
        solution.save_certificate(tmp_path / "other.npz", network=TwoLayerNetwork(np.zeros((2, 1)), [1.0], [1.0]))


def test_only_solutions_of_train_have_certificates(tmp_path):
    with pytest.raises(InputError, match="train"):
        topes.solve_full(*TOY, 1e-3).save_certificate(tmp_path / "proof.npz")


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e-30, 1e30])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_tiny_and_huge_data(tmp_path, scale, norm):
    X, y = TOY
    empty = TwoLayerNetwork(np.zeros((2, 0)), None, [])
    solution = claim(scale * X, y, np.arange(5.0) - 1.5, empty, scale, norm=norm, gap=1e-3)
    solution.save_certificate(tmp_path / "proof.npz")
    found = verify(tmp_path / "proof.npz")
    assert found.valid, found.reason
    claims = contents(tmp_path / "proof.npz")[0]["claims"]
    reference = solution.problem.pricer.price(solution.dual, tol=1e-6, max_nodes=10**5).upper_bound
    assert claims["price_bound"] <= max(reference, scale) * 1.01


@pytest.mark.parametrize(("X", "bias"), [(np.zeros((2, 2)), False), (np.zeros((2, 1)), "free"), (np.ones((1, 1)), "free")])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_nothing_to_cover(tmp_path, X, bias, norm):
    y = np.ones(len(X))
    train(X, y, 0.1, bias=bias, norm=norm).save_certificate(tmp_path / "proof.npz")
    found = verify(tmp_path / "proof.npz", X, y)
    assert found.valid, found.reason
    assert found.gap <= 2e-6


@pytest.mark.parametrize("loss", ["squared", "l2", "logistic", "hinge"])
@pytest.mark.parametrize("name", ["X", "Y", "W1", "W2", "V", "normals", "factor", "coordinates", "c"])
def test_numbers_too_large_for_doubles_are_refused(tmp_path, loss, name):
    X, y = TOY
    file = tmp_path / "proof.npz"
    claim(X, y, -0.5 * y, TwoLayerNetwork(np.ones((2, 2)), None, [1.0, -1.0]), 1e-3, loss=loss).save_certificate(file)
    header, arrays = contents(file)
    for factor in (1e200, -1e307):
        if name == "Y" and loss in ("logistic", "hinge"):
            return
        put_together(file, header, arrays | {name: arrays[name] * factor})
        assert reason(file)


def test_small_batches_of_cones_change_nothing(toy, monkeypatch):
    whole = verify(toy[0])
    monkeypatch.setattr(_cover, "_ENTRIES", 7)
    again = verify(toy[0])
    assert again.valid
    assert again.lower_bound == pytest.approx(whole.lower_bound, rel=1e-12)
