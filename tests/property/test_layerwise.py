"""Layerwise training: blocks against loops, `large.train` and `train_cnn`; feasible filters, seeds and resumed runs."""

from __future__ import annotations

import doctest
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import topes.large
from gated import check_objective, with_torch
from topes import FileFormatError, InputError, MemoryLimitError, SolverError, TopesError, VectorNetwork, reference
from topes.large.block import Geometry, LayerwiseBlock, moments, patches_of, strongest, with_ones
from topes.large.patch_model import PatchModel, region_outputs
from topes.large.reading import worth_keeping
from topes.sampling import sample_directions

FEW = settings(max_examples=max(10, settings().max_examples // 3), deadline=None)


@st.composite
def geometries(draw):
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = draw(st.sampled_from(["same", "valid"]))
    least = (1, 1) if padding == "same" else kernel
    shape = *(draw(st.integers(low, 6)) for low in least), draw(st.integers(1, 3))
    return Geometry(shape, kernel, padding, draw(st.integers(1, 4)), draw(st.integers(1, 4)))


@FEW
@given(geometries(), st.integers(0, 9999), st.sampled_from([0.0, -1.0, 0.3]), st.booleans())
def test_a_block_is_the_naive_loop(geometry, seed, kappa, bias):
    rng = np.random.default_rng(seed)
    maps = rng.integers(-3, 4, (3, *geometry.shape)) / 2.0
    if seed % 3 == 0:
        maps[..., 0] = 7.0  # a channel that is constant
    m, C = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    W1, W2 = rng.standard_normal((geometry.patch, m)), rng.standard_normal((m, len(geometry.regions) * C))
    W2[:, 0] = 0.0
    network = VectorNetwork(W1, rng.standard_normal(m) if bias else None, W2, kappa)
    mean, scale = moments(maps)
    block = LayerwiseBlock(
        network, geometry, mean, scale, np.arange(m), 0.0, 0.0, 0.0, 1.0, (), 1, np.zeros((2, 1, 1, 1))
    )  # fmt: skip
    outputs, features = block.outputs(maps), block.features(maps)
    assert features.shape == (3, *geometry.next_places, m)
    for k, image in enumerate(maps):
        f, pooled = reference.layerwise_block(
            image, W1, network.b1, W2, mean=mean, scale=scale, kernel_size=geometry.kernel_size,
            same=geometry.padding == "same", grid=geometry.grid, downsample=geometry.downsample, kappa=kappa,
        )  # fmt: skip
        np.testing.assert_allclose(outputs[k], f, rtol=0, atol=1e-12)
        np.testing.assert_allclose(features[k], pooled, rtol=0, atol=1e-12)


@FEW
@given(geometries(), st.integers(0, 9999), st.sampled_from([0.0, -1.0, 0.3]), st.sampled_from(["squared", "cross_entropy"]))
def test_the_program_is_the_loops_and_batches_add_up(geometry, seed, kappa, loss):
    """(32) over patches is (32) over rows x_k / |s|, region by region, summed over the patches of a sample."""
    torch = with_torch()
    rng = np.random.default_rng(seed)
    n, C, P = 3, int(rng.integers(1, 3)), int(rng.integers(1, 4))
    maps = rng.standard_normal((n, *geometry.shape))
    patches, regions = patches_of(maps, geometry, *moments(maps)), geometry.regions
    K, h = patches.shape[1:]
    patterns = rng.integers(0, 2, (P, n * K)).astype(np.uint8)
    weights = rng.integers(-4, 5, (2, P, len(regions) * C, h)) / 2.0
    Y = np.eye(C)[rng.integers(0, C, n)]
    model = PatchModel(patches, Y, patterns, regions, 0.7, kappa, loss, torch.device("cpu"), torch.float64)
    with torch.no_grad():
        model.weights.copy_(torch.as_tensor(weights))
    outputs, norms, wrong = np.zeros((n, C)), 0.0, 0.0
    for s, places in enumerate(regions):
        rows = patches[:, places].reshape(-1, h) / len(places)
        seen = patterns.reshape(P, n, K)[:, :, places].reshape(P, -1)
        f, a, b = reference.penalised_parts(rows, seen, weights[:, :, s * C : (s + 1) * C], kappa)
        outputs, norms, wrong = outputs + f.reshape(n, len(places), C).sum(axis=1), norms + a, wrong + b
    check_objective(torch, model, loss, Y, outputs, norms, wrong)
    slopes = np.where(patterns.reshape(P, n, K) == 1, 1.0, kappa)
    features = [
        (slopes[i, :, places][..., None] * np.swapaxes(patches, 0, 1)[places]).mean(axis=0)
        for i in range(P)
        for places in regions
    ]
    reach = np.sqrt(h) * sum(np.sqrt(np.mean(np.sum(M**2, axis=1))) for M in features)
    assert model.reach() == pytest.approx(reach, rel=1e-9, abs=1e-12)
    curvature = 2.0 * np.linalg.norm(np.hstack(features), 2) ** 2 / n
    assert model.largest_curvature() == pytest.approx(curvature, rel=1e-9, abs=1e-12)


@FEW
@given(geometries(), st.integers(0, 9999), st.sampled_from([0.0, -1.0, 0.3]), st.booleans())
def test_weights_in_their_cones_are_a_network_with_the_same_outputs(geometry, seed, kappa, bias):
    """A direction lies in the cone of its own pattern: filters made of directions cost what the program says."""
    torch = with_torch()
    rng = np.random.default_rng(seed)
    n, C = 3, 2
    maps = rng.standard_normal((n, *geometry.shape))
    plain, regions = patches_of(maps, geometry, *moments(maps)), geometry.regions
    K, h = plain.shape[1:]
    patches = with_ones(plain, bias)
    directions = sample_directions(h, 3, bias="penalized" if bias else False, seed=seed)
    patterns = (patches.reshape(n * K, -1) @ directions.T >= 0.0).T.astype(np.uint8)
    weights = rng.random((2, 3, len(regions) * C, 1)) * directions[None, :, None]
    weights[:, 0] = 0.0  # a pattern that is not used
    model = PatchModel(
        patches, np.zeros((n, C)), patterns, regions, 0.7, kappa, "squared", torch.device("cpu"), torch.float64
    )  # fmt: skip
    with torch.no_grad():
        model.weights.copy_(torch.as_tensor(weights))
    fit, norms, violation = model.whole(2)
    assert violation <= 1e-12

    seen = []

    def objective(W1, W2):
        seen.append((W1, W2))
        penalty = 0.5 * (np.sum(W1**2) + np.sum(np.abs(W2).sum(axis=1) ** 2))
        return 0.5 * np.sum(region_outputs(patches, W1, W2, regions, kappa) ** 2) + 0.7 * penalty

    value, W1, W2, of_all = worth_keeping(weights, objective)
    assert value <= of_all
    assert value <= (fit + 0.7 * norms) * (1 + 2e-6)  # what was left out is not worth more
    assert objective(W1, W2) == value
    assert objective(*seen[0]) == pytest.approx(fit + 0.7 * norms, rel=1e-12)  # all filters
    with torch.no_grad():
        H = (model.X @ model.weights.reshape(-1, model.d).T).reshape(n, K, 2, 3, -1)
        gates = model.gates(torch.arange(n * K)).reshape(n, K, 3)
        gated = torch.einsum("nkp,nkpc->nkc", gates + kappa * (1 - gates), H[:, :, 0] - H[:, :, 1]).numpy()
    for s, places in enumerate(regions):
        alone = np.zeros_like(seen[0][1])
        alone[:, s * C : (s + 1) * C] = seen[0][1][:, s * C : (s + 1) * C]
        expected = gated[:, places, s * C : (s + 1) * C].mean(axis=1)
        found = region_outputs(patches, seen[0][0], alone, regions, kappa)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


def test_filters_as_large_as_the_image_are_train():
    with_torch()
    rng = np.random.default_rng(1)
    images, y = rng.standard_normal((30, 2, 3)), rng.integers(0, 3, 30)
    options = {"n_patterns": 12, "loss": "cross_entropy", "epochs": 5, "batch_size": 7}
    options |= {"seed": 4, "dtype": "float64"}
    stack = topes.large.train_layerwise(
        images, y, 0.3, n_blocks=1, kernel_size=(2, 3), padding="valid", grid=1, learning_rate=0.02 * np.sqrt(6.0), **options
    )  # fmt: skip
    (block,) = stack.blocks
    patches = block.patches(images[..., None])
    assert patches.shape == (30, 1, 6)
    other = topes.large.train(patches[:, 0], y, 0.3, bias="penalized", learning_rate=0.02, **options)
    np.testing.assert_allclose(block.weights, other.weights, rtol=0, atol=1e-12)
    assert block.objective == pytest.approx(other.objective, rel=1e-12)
    assert block.convex_objective == pytest.approx(other.convex_objective, rel=1e-12)
    np.testing.assert_array_equal(stack.predict(images), other.predict(patches[:, 0]))


def test_over_all_cells_a_block_tends_to_the_certified_optimum():
    """Global average pooling and one output: (14), which `train_cnn` solves with a proof."""
    with_torch()
    rng = np.random.default_rng(2)
    images, y = rng.standard_normal((4, 2, 2)), np.array([1.0, -1.0, 2.0, 0.0])
    options = {"n_blocks": 1, "kernel_size": (1, 2), "padding": "valid", "grid": 1, "loss": "squared", "bias": False}
    options |= {"n_patterns": 1000, "batch_size": 4, "learning_rate": 0.14, "rho": 0.3, "dtype": "float64"}
    short = topes.large.train_layerwise(images, y, 0.05, epochs=20, **options).blocks[0]
    (block,) = topes.large.train_layerwise(images, y, 0.05, epochs=800, **options).blocks
    patches = block.patches(images[..., None])
    assert block.n_patterns == topes.Arrangement(patches.reshape(-1, 2)).count()
    exact = topes.train_cnn(patches, y, 0.05, tol=1e-8)
    error = block.objective / exact.objective - 1.0
    assert -1e-7 <= error <= 2e-2  # Adam on a subgradient of the norms
    assert error < 0.2 * (short.objective / exact.objective - 1.0)


def stripes(n=60, side=6):
    rng = np.random.default_rng(0)
    images, y = rng.random((n, side, side)), np.arange(n) % 2
    images[y == 1, ::2] += 0.7
    return images, np.where(y == 1, "striped", "plain")


OPTIONS = {"n_blocks": 3, "n_patterns": 8, "width": 4, "epochs": 6, "batch_size": 16, "seed": 3}


def test_a_stack_learns_and_is_the_same_for_the_same_seed():
    with_torch()
    images, y = stripes()
    stack = topes.large.train_layerwise(images, y, 0.05, **OPTIONS)
    again = topes.large.train_layerwise(images[..., None], y, 0.05, **OPTIONS)
    exact = topes.large.train_layerwise(images, y, 0.05, rho="exact", **OPTIONS)
    assert len(stack.blocks) == 3
    assert [block.geometry.shape for block in stack.blocks] == [(6, 6, 1), (3, 3, 4), (2, 2, 4)]
    for a, b in zip(stack.blocks, again.blocks, strict=True):
        assert a.weights.tobytes() == b.weights.tobytes()
        assert a.filters.tolist() == b.filters.tolist()
        assert len(a.filters) <= 4
    # Of the first block, which is the same problem for both: rho was raised until this holds, for "auto" not so far.
    assert exact.blocks[0].objective <= exact.blocks[0].convex_objective * 1.002
    assert stack.blocks[0].objective <= exact.blocks[0].objective
    assert stack.blocks[0].rho < exact.blocks[0].rho
    staged = stack.staged_predict(images)
    for k, said in enumerate(staged, 1):
        np.testing.assert_array_equal(said, stack.predict(images, block=k))
        assert np.mean(said == y) > 0.9
    assert "not certified" in repr(stack)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stack)).predict(images), staged[-1])
    other = topes.large.train_layerwise(images, y, 0.05, **OPTIONS | {"seed": 4})
    assert other.blocks[0].weights.tobytes() != stack.blocks[0].weights.tobytes()


def test_a_shorter_stack_is_the_start_of_a_longer_one():
    with_torch()
    images, y = stripes()
    long = topes.large.train_layerwise(images, y, 0.05, **OPTIONS)
    short = topes.large.train_layerwise(images, y, 0.05, **OPTIONS | {"n_blocks": 2})
    np.testing.assert_array_equal(long.outputs(images, block=2), short.outputs(images))


def test_a_stack_that_was_broken_off_ends_where_it_would_have(tmp_path):
    with_torch()
    images, y = stripes()
    unbroken = topes.large.train_layerwise(images, y, 0.05, **OPTIONS)

    def interrupt(number, epoch):
        if number == 2 and epoch.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        topes.large.train_layerwise(images, y, 0.05, checkpoint=tmp_path, callback=interrupt, **OPTIONS)
    seen = []
    resumed = topes.large.train_layerwise(
        images, y, 0.05, checkpoint=tmp_path, callback=lambda number, epoch: seen.append((number, epoch.number)), **OPTIONS
    )  # fmt: skip
    assert seen[0] == (2, 3)  # the first block is not trained again; the third epoch had not been written
    for a, b in zip(resumed.blocks, unbroken.blocks, strict=True):
        assert a.weights.tobytes() == b.weights.tobytes()
        assert [(e.number, e.rho) for e in a.history] == [(e.number, e.rho) for e in b.history]
    with pytest.raises(InputError, match="belongs to another problem"):
        topes.large.train_layerwise(images, y, 0.06, checkpoint=tmp_path, **OPTIONS)
    (tmp_path / "block_1.pt").write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="is not a checkpoint"):
        topes.large.train_layerwise(images, y, 0.05, checkpoint=tmp_path, **OPTIONS)


def test_a_callback_ends_training_with_the_blocks_so_far():
    with_torch()
    images, y = stripes()
    stack = topes.large.train_layerwise(images, y, 0.05, callback=lambda number, epoch: number == 2, **OPTIONS)
    assert len(stack.blocks) == 2
    assert len(stack.blocks[1].history) == 1
    assert stack.predict(images).shape == (60,)


def test_the_example_of_the_docstring_runs():
    with_torch()
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(topes.large.train_layerwise, "train_layerwise", globs={})
    for line in example.examples:
        line.options.pop(doctest.SKIP, None)
    assert doctest.DocTestRunner().run(example).failed == 0


def test_filters_that_are_alike_are_handed_on_last():
    W1 = np.array([[3.0, 0.0, 2.9, 0.0, 1.0], [0.0, 2.0, 0.1, 0.0, -1.0]])
    W2 = np.ones((5, 1))
    assert strongest(W1, W2, 3).tolist() == [0, 1, 4]
    assert strongest(W1, W2, 9).tolist() == [0, 1, 4, 3, 2]
    assert strongest(np.zeros((2, 0)), np.zeros((0, 1)), 4).tolist() == []


def test_numbers_as_targets():
    with_torch()
    images, _ = stripes()
    Y = np.column_stack([images.mean(axis=(1, 2)), images[:, 0, 0]])
    stack = topes.large.train_layerwise(images, Y, 0.01, loss="squared", learning_rate=0.1, **OPTIONS)
    assert stack.classes is None
    assert stack.predict(images).shape == (60, 2)


def test_without_torch_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TopesError, match=r"pip install 'topes\[torch\]'"):
        topes.large.train_layerwise(np.zeros((2, 3, 3)), [0, 1], 0.1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"X": np.zeros((4, 9))}, InputError, r"X must have shape \(n, height, width\)"),
        ({"X": np.full((4, 6, 6), np.nan)}, InputError, r"X\[0, 0, 0\] is nan"),
        ({"X": np.zeros((0, 6, 6)), "y": []}, InputError, "X must"),
        ({"y": [0, 1, 0]}, InputError, "y must have one entry for each of the 4 images of X, got 3"),
        ({"y": [0.5, 1.0, 0.0, 1.0]}, InputError, "y must hold a class for each sample"),
        ({"beta": 0.0}, InputError, "beta must be a positive finite number"),
        ({"n_blocks": 0}, InputError, "n_blocks must be an integer of at least 1, got 0"),
        ({"width": 1.5}, InputError, "width must be an integer of at least 1, got 1.5"),
        ({"downsample": 0}, InputError, "downsample must be an integer of at least 1"),
        ({"grid": -1}, InputError, "grid must be an integer of at least 1"),
        ({"kernel_size": (3, 3, 3)}, InputError, "kernel_size must be an integer or two of them"),
        ({"kernel_size": 7, "padding": "valid"}, InputError, r"at most the map that block 1 takes, \(6, 6\), got \(7, 7\)"),
        ({"padding": "valid", "n_blocks": 3}, InputError, r"at most the map that block 2 takes, \(2, 2\)"),
        ({"padding": "full"}, InputError, "padding must be one of 'same', 'valid'"),
        ({"loss": "absolute"}, InputError, "loss must be one of"),
        ({"optimizer": "lbfgs"}, InputError, "optimizer must be one of"),
        ({"bias": "free"}, InputError, "bias must be one of"),
        ({"rho": -1.0}, InputError, "rho must be a positive finite number"),
        ({"device": "abacus"}, InputError, "device must be one that torch has here"),
        ({"checkpoint": "/no/such/folder"}, InputError, "checkpoint must be an existing folder"),
        ({"max_bytes": 100}, MemoryLimitError, "bytes; 100 may be used"),
        ({"beta": 1e6}, InputError, r"beta \(or learning_rate\) must be smaller: no filter of block 1"),
        ({"loss": "squared", "optimizer": "sgd", "learning_rate": 1e18, "rho": 1.0}, SolverError, "block 1: the steps div"),
        ({"max_bytes": 0.5}, InputError, "max_bytes must be an integer of at least 1"),
    ],
)
def test_bad_input(options, error, words):
    with_torch()
    given = {"X": np.random.default_rng(0).random((4, 6, 6)), "y": [0, 1, 0, 1], "beta": 0.1, **options}
    X, y, beta = (given.pop(name) for name in ("X", "y", "beta"))
    with pytest.raises(error, match=words):
        topes.large.train_layerwise(X, y, beta, **{"n_patterns": 4, "epochs": 3, **given})


def test_images_of_another_shape_and_blocks_that_are_not_there():
    with_torch()
    images, y = stripes()
    stack = topes.large.train_layerwise(images, y, 0.05, **OPTIONS | {"n_blocks": 1, "epochs": 1})
    with pytest.raises(InputError, match=r"X must hold images of shape \(6, 6, 1\), as in training; theirs is \(6, 5, 1\)"):
        stack.predict(images[:, :, 1:])
    with pytest.raises(InputError, match="block must be at most 1, got 2"):
        stack.predict(images, block=2)
    with pytest.raises(InputError, match="block must be an integer of at least 1"):
        stack.predict(images, block=0)
