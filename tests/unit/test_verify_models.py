"""Certificates of several outputs and of convolutional networks: what is particular to them."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from certificates import claim, contents, put_together, random_network
from topes import ConvolutionalNetwork, InputError, TwoLayerNetwork, VectorNetwork, extract_patches, train, train_cnn, verify
from topes.verify import _cover
from topes.verify._check import prove
from topes.verify._cover import fan
from topes.verify._file import read
from topes.verify._network import outputs

RNG = np.random.default_rng(7)
X, Y = RNG.standard_normal((12, 2)), RNG.standard_normal((12, 3))
SERIES, TARGETS = RNG.integers(-2, 3, (9, 7)).astype(float), RNG.standard_normal(9)

MODELS = {
    "weight decay": lambda: train(X, Y, 0.3),
    "free bias": lambda: train(X, Y, 0.3, bias="free"),
    "l2 loss": lambda: train(X, Y, 0.3, loss="l2", bias="penalized"),
    "labels": lambda: train(X, np.sign(Y), 0.1, loss="logistic"),
    "output by output": lambda: train(X, Y, 0.3, output_norm=1),
    "output by output, p = inf": lambda: train(X, Y, 0.3, output_norm=1, norm=np.inf, bias="free", tol=1e-3),
    "one column": lambda: train(X, Y[:, :1], 0.3),
    "convolution": lambda: train_cnn(SERIES, TARGETS, 0.05, kernel_size=3, stride=2),
    "convolution, free bias": lambda: train_cnn(SERIES, TARGETS, 0.05, kernel_size=2, bias="free"),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request, tmp_path_factory):
    file = tmp_path_factory.mktemp("models") / "proof.npz"
    solution = MODELS[request.param]()
    solution.save_certificate(file)
    return file, solution


@pytest.fixture
def changed(case, tmp_path):
    """A file to write to, and the parts of the true one."""
    return tmp_path / "changed.npz", *contents(case[0])


def test_what_training_proved_is_proved_again(case):
    file, solution = case
    found = verify(file)
    assert found.valid, found.reason
    assert found.objective_upper == pytest.approx(solution.objective, rel=1e-10)
    assert found.lower_bound >= solution.lower_bound - 0.03 * solution.gap * solution.objective - 1e-9
    assert found.gap <= 1.05 * solution.gap + 1e-9
    assert found.n_cones > 0


def test_threads_and_batches_change_nothing(case, tmp_path, monkeypatch):
    file, solution = case
    solution.save_certificate(tmp_path / "again.npz", n_threads=3)
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()
    bound = verify(file).lower_bound
    monkeypatch.setattr(_cover, "_ENTRIES", 7)
    assert verify(file).lower_bound == pytest.approx(bound, rel=1e-12)


CHANGES = {"X": 0.5, "Y": -1.0, "W1": 1.5, "W2": 1.5, "V": 1.5, "coordinates": 0.5, "normals": 0.5, "factor": 0.5}


@pytest.mark.parametrize("name", CHANGES)
def test_a_number_changed_is_a_claim_not_proved(changed, name):
    """Every hash is right again; the largest entry of the array is another number."""
    file, header, arrays = changed
    array = arrays[name].copy()
    place = np.unravel_index(np.argmax(np.abs(array)), array.shape)
    array[place] *= CHANGES[name]
    put_together(file, header, arrays | {name: array})
    found = verify(file)
    assert not found.valid
    assert found.reason


def test_stronger_claims_are_not_proved(changed):
    file, header, arrays = changed
    for name, factor in (("objective", 1 - 1e-9), ("price_bound", 1 - 1e-3), ("lower_bound", 1 + 1e-3)):
        put_together(file, header | {"claims": header["claims"] | {name: header["claims"][name] * factor}}, arrays)
        assert name in verify(file).reason


def test_a_cover_with_a_leaf_less_is_not_complete(changed):
    file, header, arrays = changed
    put_together(file, header, arrays | {"split": arrays["split"][:-1]})
    assert not verify(file).valid


def test_rows_in_another_order_are_other_data(case):
    k = read(case[0])
    assert verify(case[0], k.X, k.Y).valid
    assert "not those in the file" in verify(case[0], k.X[::-1], k.Y).reason


def test_targets_and_patches_are_compared_in_their_own_shapes(tmp_path):
    file = tmp_path / "proof.npz"
    MODELS["weight decay"]().save_certificate(file)
    assert verify(file, X, Y).valid
    assert "y given" in verify(file, X, Y[:, 0]).reason
    assert "not those" in verify(file, X, Y[:, ::-1]).reason
    MODELS["convolution"]().save_certificate(file)
    patches = extract_patches(SERIES, 3, 2)
    assert patches.shape == (9, 3, 3)
    assert verify(file, patches, TARGETS).valid
    assert verify(file, patches.reshape(27, 3), TARGETS[:, None]).valid
    assert "X given" in verify(file, SERIES, TARGETS).reason


def test_one_way_to_measure_outputs_is_not_taken_for_the_other(tmp_path):
    """The trees of three outputs cover six functions, those of their norm one; and l1 costs no less than l2."""
    file = tmp_path / "proof.npz"
    for model, other, word in (("weight decay", "1", "complete"), ("output by output", "2", "complete")):
        MODELS[model]().save_certificate(file)
        header, arrays = contents(file)
        put_together(file, header | {"output_norm": other}, arrays)
        assert word in verify(file).reason
    MODELS["one column"]().save_certificate(file)
    header, arrays = contents(file)
    put_together(file, header | {"output_norm": "1"}, arrays)
    assert verify(file).valid  # one output knows no difference


def test_patches_are_not_taken_for_samples(tmp_path):
    file = tmp_path / "proof.npz"
    MODELS["convolution"]().save_certificate(file)
    header, arrays = contents(file)
    put_together(file, header | {"patches": 1}, arrays)
    assert "Y must have shape" in verify(file).reason
    for bad in (0, True, 1.0, -3):
        put_together(file, header | {"patches": bad}, arrays)
        assert "patches" in verify(file).reason


def test_the_l2_loss_is_no_sum_over_outputs(tmp_path):
    file = tmp_path / "proof.npz"
    MODELS["output by output"]().save_certificate(file)
    header, arrays = contents(file)
    put_together(file, header | {"loss": "l2"}, arrays)
    assert "no sum" in verify(file).reason


def test_each_output_must_have_a_sum_of_zero_under_a_free_bias(tmp_path):
    file = tmp_path / "proof.npz"
    MODELS["free bias"]().save_certificate(file)
    header, arrays = contents(file)
    for c in range(3):
        V = arrays["V"].copy()
        V[0, c] = np.nextafter(V[0, c], 9.0)
        put_together(file, header, arrays | {"V": V})
        assert "sum to zero" in verify(file).reason


def test_a_network_of_another_kind_is_refused(tmp_path):
    file = tmp_path / "proof.npz"
    several, convolution = MODELS["weight decay"](), MODELS["convolution"]()
    one = TwoLayerNetwork(np.zeros((2, 1)), None, [1.0])
    with pytest.raises(InputError, match="3 outputs"):
        several.save_certificate(file, network=one)
    with pytest.raises(InputError, match="ConvolutionalNetwork"):
        convolution.save_certificate(file, network=TwoLayerNetwork(np.zeros((3, 1)), None, [1.0]))
    other = VectorNetwork(np.ones((2, 1)), None, [[1.0, 0.0, -2.0]])
    several.save_certificate(file, network=other)
    assert verify(file).objective_upper == pytest.approx(other.objective(X, Y, 0.3), rel=1e-12)
    other = ConvolutionalNetwork(np.ones((3, 1)), None, [1.0], kernel_size=3, stride=2)
    convolution.save_certificate(file, network=other)
    assert verify(file).objective_upper == pytest.approx(other.objective(SERIES, TARGETS, 0.05), rel=1e-12)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize(("V", "price"), [([[1.0, 0.0], [0.0, 2.0]], np.sqrt(5.0)), ([[3.0, 4.0], [6.0, 8.0]], 15.0)])
def test_bends_of_two_outputs_inside_a_leaf_count_in_full(tmp_path, norm, V, price):
    """max(0, w1 - w2) and max(0, w1 + w2) are both 1 at e_1, on the boundary of two leaves that one of them cuts.

    Where the rows of V are parallel and the slope is 0 the bound of a coarse leaf is the price itself, for p = 1 and inf.
    """
    file, A, V = tmp_path / "proof.npz", np.array([[1.0, -1.0], [1.0, 1.0]]), np.array(V)
    empty = VectorNetwork(np.zeros((2, 0)), None, np.zeros((0, 2)))
    claim(A, np.zeros((2, 2)), V, empty, 1e6, norm=norm).save_certificate(file)
    header, arrays = contents(file)
    roots = len(fan("cube" if norm == np.inf else "cross", 2))
    arrays |= {"coordinates": np.eye(2), "scale": np.ones(2), "normals": A, "group": np.arange(2, dtype=np.int32)}
    arrays |= {"factor": np.ones(2), "split": np.zeros(roots, dtype=np.uint8)}
    header["claims"] = {"objective": 1.0, "price_bound": 1e3, "lower_bound": 0.0, "gap": 1.0}
    coarse = tmp_path / "coarse.npz"
    for size, slope in itertools.product((0.0, 1.0, 2.5), (0.0, 0.3, 1.0)):
        arrays["c"] = np.tile([size, 0.0], (roots if norm == 2 else 0, 1))
        pairs = np.array([(leaf, row) for leaf in range(roots) for row in range(2)], dtype=np.uint32)
        arrays |= {"slope_leaf": pairs[:, 0].copy(), "slope_row": pairs[:, 1].copy(), "slope": np.full(len(pairs), slope)}
        put_together(coarse, header, arrays)
        assert prove(read(coarse)).price_bound >= price * (1 - 1e-15)


def test_a_price_that_is_known(tmp_path):
    file = tmp_path / "proof.npz"
    empty = VectorNetwork(np.zeros((2, 0)), None, np.zeros((0, 2)))
    row, V = np.array([[3.0, 4.0]]), np.array([[1.0, 2.0]])
    for output_norm, price in ((2, 5 * np.sqrt(5.0)), (1, 10.0)):
        claim(row, np.zeros((1, 2)), V, empty, 0.1, output_norm=output_norm).save_certificate(file)
        assert price <= prove(read(file)).price_bound <= price * (1 + 1e-6)
    # two patches for each of two samples, of which the second has no weight: the mean of the features of the first
    patches = np.array([[3.0, 4.0], [3.0, 4.0], [0.0, 9.0], [9.0, 0.0]])
    nothing = random_network(np.random.default_rng(0), 2, False, 0.0, patches=2)
    claim(patches, np.zeros(2), np.array([1.0, 0.0]), nothing, 0.1, patches=2).save_certificate(file)
    assert 5.0 <= prove(read(file)).price_bound <= 5.0 * (1 + 1e-6)


def test_outputs_of_patches_are_enclosed_where_most_digits_cancel(tmp_path):
    rng = np.random.default_rng(5)
    file, patches = tmp_path / "proof.npz", 1e8 + rng.standard_normal((18, 3))
    W1 = rng.standard_normal((3, 4))
    W1[2] = -W1[0] - W1[1]
    net = ConvolutionalNetwork(W1, None, rng.standard_normal(4), 0.5)
    claim(patches, np.zeros(6), np.ones(6), net, 1.0, kappa=0.5, patches=3).save_certificate(file)
    f = outputs(read(file))
    for i in range(6):
        total = Fraction(0)
        for row in patches[3 * i : 3 * i + 3].tolist():
            for column, w in zip(W1.T.tolist(), net.w2.tolist(), strict=True):
                h = sum(Fraction(a) * Fraction(b) for a, b in zip(row, column, strict=True))
                total += Fraction(w) * (h if h >= 0 else h / 2) / 3
        assert Fraction(float(f.low[i, 0])) < total < Fraction(float(f.high[i, 0]))
        assert f.high[i, 0] - f.low[i, 0] < 1e-6
