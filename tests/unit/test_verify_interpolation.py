"""Certificates of interpolation: a condition instead of a loss, met up to a residual that is proved as well."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from certificates import contents, put_together
from topes import InputError, interpolate, verify
from topes.verify._check import prove
from topes.verify._file import read

RNG = np.random.default_rng(11)
X, Y = RNG.standard_normal((9, 2)), RNG.standard_normal(9)
OPTIONS = [
    {},
    {"bias": "free"},
    {"bias": "penalized", "norm": np.inf, "tol": 1e-3},
    {"bias": "penalized", "activation": "abs"},
]


@pytest.fixture(scope="module", params=[(margin, k) for margin in (False, True) for k in range(len(OPTIONS))])
def case(request, tmp_path_factory):
    margin, k = request.param
    file = tmp_path_factory.mktemp("interpolation") / "proof.npz"
    found = interpolate(X, np.sign(Y) if margin else Y, margin=margin, **OPTIONS[k])
    found.save_certificate(file)
    return file, found, margin


def test_both_sides_and_the_residual_are_proved(case):
    file, found, margin = case
    checked = verify(file, X, np.sign(Y) if margin else Y)
    assert checked.valid, checked.reason
    assert checked.objective_upper == pytest.approx(found.objective, rel=1e-10)
    assert checked.lower_bound >= found.lower_bound * (1 - 1e-9) - 0.03 * abs(found.gap) * found.objective
    assert checked.lower_bound <= found.lower_bound * (1 + 1e-6) + 0.03 * abs(found.gap) * found.objective
    assert found.residual <= checked.residual <= max(1e-11, 2 * found.residual)


def test_the_residual_is_no_less_than_in_rational_arithmetic(case):
    k = read(case[0])
    worst = Fraction(0)
    for row, (y,) in zip(k.X.tolist(), k.Y.tolist(), strict=True):
        f = Fraction(0)
        for j, (w2,) in enumerate(k.W2.tolist()):
            h = sum((Fraction(a) * Fraction(b) for a, b in zip(row, k.W1[:, j].tolist(), strict=True)), Fraction(0))
            h += Fraction(float(k.b1[j])) if k.bias else 0
            f += Fraction(w2) * (h if h >= 0 else Fraction(k.kappa) * h)
        worst = max(worst, 1 - Fraction(y) * f if case[2] else abs(f - Fraction(y)))
    assert worst <= Fraction(prove(k).residual)


CHANGES = {"X": 0.5, "Y": -1.0, "W1": 1.5, "W2": 0.5, "V": 1.5, "coordinates": 0.5, "normals": 0.5, "factor": 0.5}


@pytest.mark.parametrize("name", CHANGES)
def test_a_number_changed_is_a_claim_not_proved(case, tmp_path, name):
    header, arrays = contents(case[0])
    array = arrays[name].copy()
    sizes = np.abs(array)
    weights = np.abs(arrays["V"])
    active = np.flatnonzero(weights > 1e-6 * weights.max())  # the others may be changed by much and all stays true
    rows = {"X": active, "factor": active, "normals": arrays["group"][active]}.get(name, np.arange(len(array)))
    sizes[~np.isin(np.arange(len(array)), rows)] = 0.0
    array[np.unravel_index(np.argmax(sizes), array.shape)] *= CHANGES[name]
    put_together(tmp_path / "changed.npz", header, arrays | {name: array})
    found = verify(tmp_path / "changed.npz")
    assert not found.valid
    assert found.reason


def test_stronger_claims_and_other_sets_of_claims_are_refused(case, tmp_path):
    file, (header, arrays) = tmp_path / "changed.npz", contents(case[0])
    for name, factor in (("objective", 1 - 1e-9), ("residual", 0.0), ("lower_bound", 1 + 2e-3), ("price_bound", 0.99)):
        if name == "residual" and case[2] and case[1].residual == 0.0:
            continue  # margins can be met in full
        put_together(file, header | {"claims": header["claims"] | {name: header["claims"][name] * factor}}, arrays)
        assert name in verify(file).reason
    less = {name: value for name, value in header["claims"].items() if name != "residual"}
    put_together(file, header | {"claims": less}, arrays)
    assert "claims" in verify(file).reason
    put_together(file, header | {"loss": "squared"}, arrays)
    assert "claims" in verify(file).reason


def test_a_condition_is_not_taken_for_the_other(tmp_path):
    file = tmp_path / "proof.npz"
    interpolate(X, Y).save_certificate(file)
    header, arrays = contents(file)
    put_together(file, header | {"loss": "margin"}, arrays)
    assert "labels" in verify(file).reason
    interpolate(X, np.sign(Y)).save_certificate(file)  # the least norm with f = y is no bound for y f >= 1
    header, arrays = contents(file)
    put_together(file, header | {"loss": "margin"}, arrays)
    assert not verify(file).valid
    interpolate(X, np.sign(Y), margin=True).save_certificate(file)  # but the least norm with y f >= 1 is one for f = y
    header, arrays = contents(file)
    header["claims"]["residual"] = 1e3
    put_together(file, header | {"loss": "interpolation"}, arrays)
    assert verify(file).valid


def test_nothing_to_reach_and_nothing_found(tmp_path):
    interpolate(X, np.zeros(9)).save_certificate(tmp_path / "proof.npz")
    found = verify(tmp_path / "proof.npz")
    assert found.valid, found.reason
    assert (found.objective_upper, found.lower_bound, found.gap) == (pytest.approx(0.0, abs=1e-300), 0.0, found.gap)
    stopped = interpolate(X, Y, callback=lambda _: True)
    assert np.isinf(stopped.objective)
    with pytest.raises(InputError, match="found a network"):
        stopped.save_certificate(tmp_path / "proof.npz")
