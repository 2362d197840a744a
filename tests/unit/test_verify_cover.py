"""The checker's own parts: arithmetic that errs on the safe side, fans, leaves, outputs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import exp, log, log1p

import numpy as np
import pytest

from certificates import claim
from topes import TwoLayerNetwork
from topes.certificate import _contents
from topes.verify._check import prove
from topes.verify._cover import fan
from topes.verify._file import checked, read
from topes.verify._network import outputs
from topes.verify._numbers import Interval, Refused, entropy_up, exact_dot, norms_up, softplus, sqrt_up

TOY = np.array([[x, 1.0] for x in (-2.0, -1.0, 0.0, 1.0, 2.0)]), np.array([1.0, -1.0, 1.0, 1.0, -1.0])


def test_outputs_are_enclosed_where_most_digits_cancel(tmp_path):
    rng = np.random.default_rng(5)
    X = 1e8 + rng.standard_normal((6, 3))
    W1, w2 = rng.standard_normal((3, 4)), rng.standard_normal(4)
    W1[2] = -W1[0] - W1[1]
    for kappa in (0.0, 0.5, -1.0):
        file = tmp_path / "proof.npz"
        claim(X, np.zeros(6), np.ones(6), TwoLayerNetwork(W1, None, w2, kappa), 1.0, kappa=kappa).save_certificate(file)
        k = read(file)
        f = outputs(k)
        for i, row in enumerate(X.tolist()):
            h = [sum(Fraction(a) * Fraction(b) for a, b in zip(row, column, strict=True)) for column in W1.T.tolist()]
            terms = [Fraction(w) * (t if t >= 0 else Fraction(kappa) * t) for w, t in zip(w2.tolist(), h, strict=True)]
            assert Fraction(float(f.low[i, 0])) < sum(terms) < Fraction(float(f.high[i, 0]))
            assert f.high[i] - f.low[i] < 1e-6


@pytest.mark.parametrize(("bias", "norm"), [(False, 2), ("penalized", 1), ("free", np.inf), ("free", 2), ("free", 1)])
def test_the_unit_of_the_working_coordinates_does_not_matter(tmp_path, bias, norm):
    X, y = TOY
    file = tmp_path / "proof.npz"
    v = np.array([1.0, -2.0, 0.0, 3.0, -2.0])
    empty = TwoLayerNetwork(np.zeros((2, 0)), None if bias is False else [], [])
    claim(X, y, v, empty, 1e-3, bias=bias, norm=norm, gap=1e-3).save_certificate(file)
    k = read(file)
    price = prove(k).price_bound
    for unit in (0.5, 4.0):
        other = replace(k, coordinates=k.coordinates * unit, normals=k.normals / unit, c=k.c / unit)
        assert prove(other).price_bound == pytest.approx(price, rel=1e-9)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_a_bend_inside_a_leaf_counts_in_full(tmp_path, norm):
    """max(0, w1 - w2) + max(0, w1 + w2) is 2 at e_1, on the boundary of two leaves that one of the hyperplanes cuts."""
    X, file = np.array([[1.0, -1.0], [1.0, 1.0]]), tmp_path / "proof.npz"
    empty = TwoLayerNetwork(np.zeros((2, 0)), None, [])
    claim(X, np.zeros(2), np.ones(2), empty, 1e6, norm=norm).save_certificate(file)
    k = read(file)
    roots = 2 * len(fan("cube" if norm == np.inf else "cross", 2))
    eye = np.eye(2)
    flat = {"coordinates": eye, "scale": np.ones(2), "normals": X, "group": np.arange(2), "factor": np.ones(2)}
    none = {"slope_leaf": k.slope_leaf[:0], "slope_row": k.slope_row[:0], "slope": k.slope[:0]}
    for size in (0.0, 0.5, 1.0, 1.5, 2.0):
        c = np.tile([size, 0.0], (roots if norm == 2 else 0, 1))
        coarse = replace(k, split=np.zeros(roots, dtype=np.uint8), c=c, **flat, **none)
        assert prove(coarse).price_bound >= 2.0
    if norm != 2:
        assert prove(coarse).price_bound == pytest.approx(2.0)


def test_more_than_fifty_halvings_are_refused():
    X, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2)
    solution = claim(X, y, np.ones(2), TwoLayerNetwork(np.zeros((2, 0)), None, []), 1.0)
    roots = len(fan("cross", 2)) * 2
    # one cone halved again and again beside the others
    split = np.concatenate([[1], np.zeros(roots - 1), *[[1, 0]] * 50, [0, 0]]).astype(np.uint8)
    leaves = int(np.count_nonzero(split == 0))
    cover = solution.problem.pricer.cover(solution.dual)
    header, arrays = _contents(solution.problem, solution.network, solution.dual[:, None], cover)
    none = {"slope_leaf": np.zeros(0, np.uint32), "slope_row": np.zeros(0, np.uint32), "slope": np.zeros(0)}
    k = checked(header, arrays | {"split": split, "c": np.ones((leaves, 2))} | none)
    with pytest.raises(Refused, match="halved more than 50"):
        prove(k)
    shorter = np.delete(split, [roots, roots + 1])
    assert prove(replace(k, split=shorter, c=np.ones((leaves - 1, 2)))).n_cones == len(shorter)


@pytest.mark.parametrize(("kind", "r"), [(k, r) for k in ("cross", "cube", "prism") for r in (1, 2, 3, 4)])
def test_fans_hold_each_direction_once_and_their_vertices_have_norm_one(kind, r):
    cones = fan(kind, r)
    rng = np.random.default_rng(r)
    for w in rng.standard_normal((40, r)):
        inside = 0
        for cone in cones:
            x = np.linalg.solve(cone.T, w)
            if (x >= 0).all():
                inside += 1
                others = np.abs(w[:-1]).sum()
                norm = {"cross": np.abs(w).sum(), "cube": np.abs(w).max(), "prism": max(others, abs(w[-1]))}[kind]
                assert x.sum() == pytest.approx(norm)
        assert inside == 1


def test_numbers_err_on_the_safe_side():
    rng = np.random.default_rng(1)
    for _ in range(50):
        x = rng.standard_normal(6) * 10.0 ** rng.integers(-200, 200, 6)
        y = rng.standard_normal(6)
        exact = sum((Fraction(a) * Fraction(b) for a, b in zip(x.tolist(), y.tolist(), strict=True)), Fraction(0))
        assert exact_dot(x, y) == exact
        square = sum((Fraction(a) ** 2 for a in x.tolist()), Fraction(0))
        assert Fraction(sqrt_up(square)) ** 2 >= square
        assert Fraction(float(norms_up(np.abs(x)[None], 2)[0])) ** 2 >= square
        assert Fraction(float(norms_up(np.abs(x)[None], 1)[0])) >= sum(map(Fraction, np.abs(x).tolist()), Fraction(0))
        a, b = Fraction(float(y[0])), Fraction(float(y[1]))
        for interval, true in (
            (Interval.of(y[0]) * Interval.of(y[1]), a * b),
            (Interval.of(y[0]) + Interval.of(y[1]), a + b),
            (Interval.of(y[0]) - Interval.of(y[1]), a - b),
        ):
            assert Fraction(float(interval.low)) <= true <= Fraction(float(interval.high))
    for x in (-1e308, -800.0, -1.0, 0.0, 1e-300, 3.0, 700.0, 1e308):
        low, high = softplus(x)
        assert low <= high <= low + Fraction(1, 10**49)
        assert float(high) == pytest.approx(max(x, 0.0) + log1p(exp(-abs(x))), rel=1e-15)
    assert entropy_up(Fraction(0)) == entropy_up(Fraction(1)) == 0
    for p in (1e-300, 0.1, 0.5, 1 - 2.0**-53):
        assert float(entropy_up(Fraction(p))) == pytest.approx(p * log(p) + (1 - p) * log1p(-p), rel=1e-13)
