"""What the checker accepts is true, whatever is in the file: against the twins, on changed and on damaged certificates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from certificates import claim, contents, put_together, random_network
from problems import BIASES, KAPPAS, NORMS, data
from topes import VectorNetwork, reference, train, train_cnn, verify
from topes.losses import get_loss, loss_names
from topes.verify._check import prove
from topes.verify._file import read
from topes.verify._numbers import Refused

LOSSES = st.sampled_from(loss_names())
BETAS = st.sampled_from([1e-3, 0.05, 1.0])
SEEDS = st.integers(0, 2**32 - 1)
# One conic program over all cells an example, or one training.
FEW = settings(max_examples=max(5, settings().max_examples // 5))
# Outputs None: a number for each sample.
ALL_MODELS = {"outputs": [None, None, 1, 2, 3], "patches": [1, 1, 1, 2, 3]}
ONE_OUTPUT = {"outputs": [None], "patches": [1]}


class PooledVectorNetwork(VectorNetwork):
    """Several outputs of pooled features: the format has it, training has not."""

    kernel_size = None


@st.composite
def claims(draw, norms=NORMS, biases=BIASES, models=ALL_MODELS):
    """A certificate to be: data, any dual point, any network, of one output or several, of rows or of patches."""
    loss = draw(LOSSES)
    X, y = draw(data(loss))
    kappa, bias, norm = draw(KAPPAS), draw(biases), draw(norms)
    rng = np.random.default_rng(draw(SEEDS))
    patches = min(len(X), draw(st.sampled_from(models["patches"])))
    n = len(X) // patches
    X, y = X[: n * patches], y[:n]
    outputs, output_norm = draw(st.sampled_from(models["outputs"])), draw(st.sampled_from([1, 2]))
    if outputs is not None:
        y = np.stack([y, *(rng.permutation(y) for _ in range(outputs - 1))], axis=1)
        output_norm = 2 if loss == "l2" else output_norm
    v = rng.standard_normal(y.shape) * draw(st.sampled_from([0.1, 1.0]))
    net = random_network(rng, X.shape[1], bias, kappa, outputs=outputs, patches=patches)
    if outputs is not None and patches > 1:
        net = PooledVectorNetwork(net.W1, net.b1, net.w2, kappa)
    alone = outputs is None or outputs == 1 or output_norm == 1
    gap = 1e-6 if norm == 2 and alone else 0.05  # bisection alone: see docs/training.md
    options = {"loss": loss, "kappa": kappa, "bias": bias, "norm": norm, "output_norm": output_norm, "patches": patches}
    return claim(X, y, v, net, draw(BETAS), gap=gap, **options)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates") / "proof.npz"


def exact_price(k, u):
    """||V'phi(Xu)|| / ||u||_p as a lower bound on the price, in rational arithmetic up to the norms."""
    features = exact_features(k, u)
    prices = [
        abs(sum((Fraction(v) * h for v, h in zip(column, features, strict=True)), Fraction(0))) for column in k.V.T.tolist()
    ]
    total = max(prices) if k.by_output else Fraction(np.linalg.norm([float(p) for p in prices]))
    size = np.linalg.norm(u[:-1] if k.bias == "free" else u, ord=k.norm)
    return float(total) / size * (1 - 1e-14) if size > 1e-9 else 0.0


def exact_features(k, u):
    """The mean of phi(x.u) over the patches x of each sample, in rational arithmetic."""
    point, features = [Fraction(x) for x in u], []
    for row in k.X.tolist():
        h = sum((Fraction(a) * b for a, b in zip([*row, 1.0] if k.bias else row, point, strict=True)), Fraction(0))
        features.append(h if h >= 0 else Fraction(k.kappa) * h)
    return [sum(features[i : i + k.patches], Fraction(0)) / k.patches for i in range(0, len(features), k.patches)]


def check_truth(k, proved, seed):
    """Every number of `proved` against slow routes: the price at directions and by the twin, the objective in rationals."""
    columns = k.X.shape[1] + (k.bias is not None)
    rng = np.random.default_rng(seed)
    data = k.X if k.bias is None else np.hstack([k.X, np.ones((len(k.X), 1))])
    directions = [*data, *-data, *rng.integers(-2, 3, (20, columns)).astype(float), *rng.standard_normal((20, columns))]
    if k.bias == "free":  # far out along the bias, and near the last breakpoint
        directions += [u * [*np.ones(columns - 1), s] for u in directions for s in (1e6, k.reach)]
    for u in directions:
        assert exact_price(k, u.tolist()) <= proved.price_bound
    if k.norm == 2 and k.bias != "free" and k.by_output:
        for v in k.V.T:
            price = reference.price(k.X, np.repeat(v / k.patches, k.patches), kappa=k.kappa, bias=k.bias or False)
            assert price * (1 - 1e-12) <= proved.price_bound
    assert exact_objective(k) * (1 - 1e-12) - 1e-300 <= proved.objective
    assert proved.lower_bound <= proved.objective
    assert proved.lower_bound <= get_loss(k.loss).value(np.zeros(k.Y.size), k.Y.ravel()) * (1 + 1e-12)
    assert proved.gap >= 0.0


def exact_objective(k):
    F = [[Fraction(0)] * k.Y.shape[1] for _ in k.Y]
    for j, w2 in enumerate(k.W2.tolist()):
        for f, h in zip(F, exact_features(k, [*k.W1[:, j].tolist(), *k.b1[j : j + 1].tolist()]), strict=True):
            f[:] = [x + Fraction(w) * h for x, w in zip(f, w2, strict=True)]
    U = np.vstack([k.W1, k.b1]) if k.bias == "penalized" else k.W1
    penalty = sum(float(np.linalg.norm(u, ord=k.norm)) ** 2 for u in U.T)
    penalty += sum(float(np.linalg.norm(w, ord=k.output_norm)) ** 2 for w in k.W2)
    outputs = np.array([[float(x) for x in f] for f in F])
    return get_loss(k.loss).value(outputs.ravel(), k.Y.ravel()) + 0.5 * k.beta * penalty


@given(claims(), SEEDS)
def test_a_certificate_of_any_dual_point_is_accepted_and_true(file, solution, seed):
    solution.save_certificate(file)
    k = read(file)
    found = verify(file, k.X, k.Y)
    assert found.valid, found.reason
    check_truth(k, prove(k), seed)
    assert found.n_cones == len(k.split)
    assert k.claims["objective"] == pytest.approx(exact_objective(k), rel=1e-9, abs=1e-11)
    if k.norm == 2:  # not only true but sharp: no worse than the solver's own bound
        near = 1e-7 if k.by_output else 2e-3
        priced = list(k.V.T) if k.by_output else [k.V]
        mine = max(solution.problem.pricer.price(v, floor=k.beta, tol=0.2 * near).upper_bound for v in priced)
        of_rows = np.abs(np.repeat(k.V, k.patches, axis=0)).sum(axis=1)
        scale = float(of_rows @ np.abs(k.X).sum(axis=1)) + float(np.abs(k.V).sum())
        assert k.claims["price_bound"] <= max(mine, k.beta) * (1 + near) + 1e-11 * scale


@FEW
@given(claims(norms=st.just(2)))
def test_no_certified_bound_exceeds_what_training_reaches(file, solution):
    """Any dual point, several outputs and patches: the bound it proves is below the objective of a trained network."""
    problem = solution.problem
    X = problem.pricer.data[:, :-1] if problem.pricer.bias else problem.pricer.data
    K, options = problem.pricer.pool, {"loss": problem.loss, "bias": problem.pricer.bias, "activation": problem.pricer.kappa}
    options["max_time"] = 2.0
    if K > 1 and problem.y.ndim == 2:
        return
    if K > 1:
        trained = train_cnn(X.reshape(len(problem.y), K, -1), problem.y, problem.beta, **options)
    else:
        trained = train(X, problem.y, problem.beta, output_norm=problem.output_norm, **options)
    solution.save_certificate(file)
    assert verify(file).lower_bound <= trained.objective * (1 + 1e-9) + 1e-12
    trained.save_certificate(file)
    found = verify(file)
    assert found.valid, found.reason
    scale = max(trained.objective, 1e-3)
    assert found.objective_upper == pytest.approx(trained.objective, rel=1e-10, abs=1e-12)
    assert found.lower_bound >= trained.lower_bound - 1e-9 * scale - 0.03 * abs(trained.gap) * scale


@FEW
@given(claims(models=ONE_OUTPUT), st.sampled_from([False, True]))
def test_no_certified_bound_exceeds_the_optimum_over_all_cells(file, solution, trained):
    problem = solution.problem
    k_bias = problem.pricer.bias
    X = problem.pricer.data[:, :-1] if k_bias else problem.pricer.data
    options = {"loss": problem.loss, "bias": k_bias, "norm": problem.pricer.norm}
    if trained:
        solution = train(X, problem.y, problem.beta, activation=problem.pricer.kappa, max_time=2.0, **options)
    solution.save_certificate(file)
    found = verify(file)
    assert found.valid, found.reason
    optimum = reference.scalar_output_value(X, problem.y, problem.beta, kappa=problem.pricer.kappa, **options)
    scale = max(abs(optimum), 1e-3)
    assert found.lower_bound <= optimum + 1e-7 * scale
    assert found.objective_upper >= optimum - 1e-7 * scale
    if trained:
        assert found.lower_bound >= solution.lower_bound - 1e-9 * scale - 0.03 * abs(solution.gap) * scale
        assert found.objective_upper == pytest.approx(solution.objective, rel=1e-10, abs=1e-12)


KINDS = ["split", "drop", "group", "row", "header", "loss", "bias", "norm", "units", "sizes", "output_norm", "patches"]
NUMBERS = ("X", "Y", "W1", "b1", "W2", "V", "coordinates", "scale", "normals", "factor", "c", "slope")


@st.composite
def changes(draw):
    """A change of one field: (name, what to do with its value)."""
    factor = draw(st.sampled_from([0.0, -1.0, 0.5, 2.0, 1 + 1e-9, 1 - 1e-6, 1e-3, 1e200]))
    shift = draw(st.sampled_from([0.0, 0.0, 1e-9, 0.5, -1.0]))
    kind = draw(st.sampled_from(["number"] * 6 + KINDS))
    return kind, draw(st.sampled_from(NUMBERS)), draw(st.integers(0, 10**6)), factor, shift


def changed(k, change):
    """The certificate with that change made in memory: what a file with all its hashes recomputed says."""
    kind, name, at, factor, shift = change
    if kind == "loss":
        return replace(k, loss=loss_names()[at % 7])
    if kind == "bias" and (k.bias is not None):
        return replace(k, bias="free" if k.bias == "penalized" else "penalized")
    if kind == "units":  # another unit of length in the working coordinates: what is proved must not depend on it
        unit = [0.25, 0.5, 2.0, 64.0][at % 4]
        return replace(k, coordinates=k.coordinates * unit, normals=k.normals / unit, c=k.c / unit)
    if kind == "sizes":
        return replace(k, V=k.V * factor, c=k.c * factor)
    if kind == "output_norm":
        return replace(k, output_norm=1 + at % 2)
    if kind == "patches":
        return replace(k, patches=1 + at % 4)
    if kind == "norm":
        return replace(k, norm=[1.0, 2.0, np.inf][at % 3])
    if kind == "header":
        which = ["kappa", "beta", "reach"][at % 3]
        value = getattr(k, which) * factor + shift
        return replace(k, **{which: value}) if np.isfinite(value) else k
    if kind in ("split", "drop"):
        split = k.split.copy()
        if kind == "drop" or not len(split):
            return replace(k, split=split[: len(split) - at % 4])
        split[at % len(split)] = at % 4
        return replace(k, split=split)
    name = {"group": "group", "row": "slope_row"}.get(kind, name)
    array = getattr(k, name).copy()
    if not array.size:
        return k
    place = np.unravel_index(at % array.size, array.shape)
    array[place] = at % max(1, len(k.normals)) if kind in ("group", "row") else array[place] * factor + shift
    return replace(k, **{name: array})


@given(claims(), st.lists(changes(), min_size=1, max_size=2), SEEDS)
def test_a_changed_certificate_makes_no_false_claim(file, solution, what, seed):
    """The hashes are right again, the claims as strong as the checker lets them be: what it accepts must still be true."""
    solution.save_certificate(file)
    header, arrays = contents(file)
    k = read(file)
    with np.errstate(over="ignore"):
        for change in what:
            k = changed(k, change)
    norms = {1.0: "1", 2.0: "2", np.inf: "inf"}
    header |= {"loss": k.loss, "bias": k.bias, "norm": norms[k.norm], "kappa": k.kappa, "beta": k.beta, "reach": k.reach}
    header |= {"output_norm": str(k.output_norm), "patches": k.patches}
    arrays = {name: getattr(k, name) for name in arrays}
    put_together(file, header, arrays)
    weak = {"objective": 1e300, "price_bound": 1e300, "lower_bound": -1e300, "gap": 1e300}
    if not verify(file).valid:
        header["claims"] = weak
        put_together(file, header, arrays)
    try:
        k = read(file)
        with np.errstate(all="ignore"):
            proved = prove(k)
    except Refused:
        event("refused")
        assert not verify(file).valid
        return
    event("proves something")
    if float(np.abs(np.concatenate([x.ravel() for x in (k.X, k.V, k.W2, k.W1)])).max(initial=0.0)) < 1e100:
        check_truth(k, proved, seed)
    strongest = {
        "objective": proved.objective,
        "price_bound": proved.price_bound,
        "lower_bound": proved.lower_bound,
        "gap": proved.gap,
    }
    put_together(file, header | {"claims": strongest}, arrays)
    assert verify(file).valid
    for name, value in strongest.items():
        beyond = np.nextafter(value, np.inf if name == "lower_bound" else -np.inf)
        put_together(file, header | {"claims": strongest | {name: float(beyond)}}, arrays)
        found = verify(file)
        assert not found.valid
        assert name in found.reason


@given(claims(), st.integers(0, 10**9), st.integers(1, 255), st.booleans())
def test_any_changed_byte_and_any_cut_is_refused(file, solution, at, bits, cut):
    solution.save_certificate(file)
    whole = bytearray(file.read_bytes())
    at %= len(whole)
    if cut:
        whole = whole[:at]
    else:
        whole[at] ^= bits
    file.write_bytes(bytes(whole))
    found = verify(file)
    assert not found.valid
    assert found.reason
    assert np.isnan(found.lower_bound)
