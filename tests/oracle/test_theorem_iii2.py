"""Theorem III.2 and Remark III.2 against arrangements whose solid angles have closed forms, and against measured coverage.

Experiments run with fixed seeds. Their intervals have a confidence of 0.9999, so that all of them hold at once with a
probability of 0.99 over the choice of the seeds.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from oracles import braid, type_b
from topes import Arrangement, InputError
from topes.sampling import (
    clopper_pearson,
    coverage,
    coverage_of_data,
    coverage_probability,
    coverage_samples,
    sample_cells,
    sample_sizes,
    sufficient_samples,
    union_samples,
)

CONFIDENCE = 0.9999

EXAMPLE_II1 = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 0.0]])
EXAMPLE_II1_ANGLES = [3 / 8, 1 / 8, 1 / 8, 3 / 8]


def polygon(n_cells: int) -> np.ndarray:
    """Lines that cut the plane into equal angles, up to the rounding of their normals."""
    turns = 2 * np.pi * np.arange(n_cells // 2) / n_cells
    return np.column_stack([np.cos(turns), np.sin(turns)])


def planar_angles(X: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of each cell of distinct lines in the plane, from the directions of the lines."""
    turns = np.sort(np.concatenate([np.arctan2(X[:, 1], X[:, 0]) + s * np.pi / 2 for s in (1, -1)]) % (2 * np.pi))
    widths = np.diff(np.append(turns, turns[0] + 2 * np.pi))
    middles = turns + widths / 2
    patterns = (X @ np.stack([np.cos(middles), np.sin(middles)]) >= 0).T.astype(int)
    return {tuple(p): w / (2 * np.pi) for p, w in zip(patterns.tolist(), widths.tolist(), strict=True)}


def planar(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 2))


# (X, angles): orthants, and reflection arrangements, whose cells are congruent.
CLOSED_FORMS = {
    "II.1": (EXAMPLE_II1, EXAMPLE_II1_ANGLES),
    "16-gon": (polygon(16), [1 / 16] * 16),
    "3 lines": (planar(3), list(planar_angles(planar(3)).values())),
    "10 lines": (planar(10), list(planar_angles(planar(10)).values())),
    "octants": (np.eye(3), [1 / 8] * 8),
    "A3": (braid(4), [1 / 24] * 24),
    "B3": (type_b(3), [1 / 48] * 48),
    "orthants of rank 5": (np.eye(5), [1 / 32] * 32),
    "A4": (braid(5), [1 / 120] * 120),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_the_sampler_sees_each_cell_as_often_as_its_angle_says(name):
    X, theta = CLOSED_FORMS[name]
    found = sample_cells(X, 200_000, seed=11)
    assert len(found) == len(theta) == Arrangement(X).count()
    if name.endswith("lines"):
        by_pattern = planar_angles(X)
        expected = np.array([by_pattern[tuple(p)] for p in found.patterns.tolist()])
    elif name == "II.1":
        expected = np.array([1 / 8 if p[0] != p[2] else 3 / 8 for p in found.patterns.tolist()])
    else:
        expected = np.array(theta)
    expected *= found.n_samples
    statistic = float(((found.counts - expected) ** 2 / expected).sum())
    assert chi2.cdf(statistic, len(theta) - 1) < CONFIDENCE
    low, high = found.intervals(confidence=CONFIDENCE, simultaneous=True).T
    assert ((low <= expected / found.n_samples) & (expected / found.n_samples <= high)).all()


@pytest.mark.parametrize("eps", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_the_theorem_holds_and_the_two_experiments_agree(name, eps):
    X, theta = CLOSED_FORMS[name]
    n = sufficient_samples(len(theta), min(theta), eps)
    drawn = coverage(theta, eps=eps, repetitions=4000, confidence=CONFIDENCE, rng=3)
    assert drawn.n_samples == n
    assert drawn.held
    assert drawn.probability >= 1 - eps
    assert drawn.low <= drawn.probability <= drawn.high
    if n < 2000:
        real = coverage_of_data(X, eps=eps, theta=theta, repetitions=400, confidence=CONFIDENCE, n_threads=1)
        assert (real.n_samples, real.n_cells) == (n, len(theta))
        assert real.held
        assert real.probability == drawn.probability
        assert real.low <= drawn.high
        assert drawn.low <= real.high


@pytest.mark.parametrize("name", ["II.1", "16-gon", "3 lines", "B3"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_measured_coverage_is_the_exact_one_at_any_number(name, share):
    X, theta = CLOSED_FORMS[name]
    n = coverage_samples(theta, 1 - share)
    exact = coverage_probability(theta, n)
    for found in (
        coverage(theta, n, repetitions=4000, confidence=CONFIDENCE, rng=5),
        coverage_of_data(X, n, repetitions=500, confidence=CONFIDENCE, seed=5, n_threads=1),
    ):
        assert found.low <= exact <= found.high
        assert found.held is None


def test_remark_iii2_counts_probabilities_not_radians():
    """With radians the theorem's N is 2 pi times too small: 15 samples cannot see 16 cells."""
    gon = sample_sizes([1 / 16] * 16, eps=0.05)
    assert (gon.theorem, gon.radians) == (93, 15)
    assert gon.reached["radians"] == 0.0
    assert gon.reached["theorem"] == pytest.approx(0.960905, abs=1e-6)
    two = sample_sizes(EXAMPLE_II1_ANGLES, eps=0.05)
    assert (two.theorem, two.radians) == (36, 6)
    # 1 - 2 (7/8)^6 - 2 (5/8)^6 + ... by inclusion and exclusion over 1/8, 1/8, 3/8, 3/8.
    parts = [Fraction(k, 8) for k in (1, 1, 3, 3)]

    def covered(n):
        subsets = range(1 << 4)
        return sum(
            (-1) ** s.bit_count() * (1 - sum(parts[i] for i in range(4) if s >> i & 1)) ** n for s in subsets
        )

    assert two.reached["radians"] == pytest.approx(float(covered(6)), abs=1e-12) == pytest.approx(0.2184, abs=1e-4)
    assert two.reached["theorem"] == pytest.approx(float(covered(36)), abs=1e-12) == pytest.approx(0.9837, abs=1e-4)
    for X, sizes in ((polygon(16), gon), (EXAMPLE_II1, two)):
        for name in ("theorem", "radians"):
            n = getattr(sizes, name)
            found = coverage_of_data(X, n, eps=0.05, repetitions=1000, confidence=CONFIDENCE, n_threads=1)
            assert found.low <= sizes.reached[name] <= found.high
            assert found.held == (name == "theorem")


def test_numbers_beyond_any_machine_word():
    theta = 1e-24
    n = sufficient_samples(10**6, theta, 0.05)
    assert n > 2**63
    rest = (1 - 2 * theta) / 2
    assert union_samples([theta, rest], 0.05, multiplicity=[2, 2]) <= n
    assert coverage_probability([theta, rest], n, multiplicity=[2, 2]) > 0.95
    with pytest.raises(InputError, match=r"the theorem's number of samples must be at most 2\*\*63 - 1 to be drawn"):
        coverage([theta, rest], multiplicity=[2, 2], eps=0.05)
    assert sufficient_samples(1, 5e-324, 0.5) > 10**323
    assert sufficient_samples(10, 5e-324, 0.5, form="sharper") > 10**323
    assert sufficient_samples(10**400, Fraction(1, 10**401), 0.5, form="sharper") > 10**403


@pytest.mark.parametrize("scale", [1e-6, 1e-12, 1e-17])
def test_a_rare_pair_among_sure_cells_is_a_poisson_matter(scale):
    """Two cells of angle `scale` and N = 3 / scale: seen with probability 1 - e^-3 each, as good as independently."""
    rest = (1 - 2 * scale) / 2
    n = round(3 / scale)
    exact = coverage_probability([scale, rest], n, multiplicity=[2, 2])
    assert exact == pytest.approx((1 - math.exp(-3)) ** 2, abs=max(1e-12, 10 * scale))
    found = coverage([scale, rest], n, multiplicity=[2, 2], repetitions=4000, confidence=CONFIDENCE, rng=1)
    assert found.low <= exact <= found.high


DISTRIBUTIONS = {
    "few": np.full(10, 0.1),
    "equal": np.full(300, 1 / 300),
    "many": np.full(20000, 1 / 20000),
    "geometric": 0.9 ** np.arange(200) / sum(0.9 ** np.arange(200)),
    "heavy tail": 1 / np.arange(1, 3001) ** 1.2 / sum(1 / np.arange(1, 3001) ** 1.2),
}


@pytest.mark.parametrize("n", [20, 400, 5000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_interval_of_the_unseen_mass_holds(name, n):
    """Misses in 300 experiments must not refute a confidence of 0.9."""
    from topes.sampling.unseen import unseen_mass

    p, rng = DISTRIBUTIONS[name], np.random.default_rng(2)
    missed = 0
    for _ in range(300):
        drawn = rng.choice(len(p), n, p=p)
        counts = np.bincount(drawn, minlength=len(p))
        seen_first = np.bincount(drawn[: n // 2], minlength=len(p)) > 0
        once, new = int((counts == 1).sum()), int(counts[~seen_first].sum())
        mass = unseen_mass(once, new, n, 0.9)
        truth = float(p[counts == 0].sum())
        missed += not mass.low <= truth <= mass.high
        assert mass.low <= mass.estimate <= 1
    assert clopper_pearson(missed, 300, confidence=CONFIDENCE)[0] <= 0.1


def test_the_variance_proxy_of_the_unseen_mass():
    """x (1 - 2 e^-x) / (4 log(e^x - 1)) <= 1/4 for x > 0, which is what its bound rests on."""
    x = np.concatenate([np.geomspace(1e-9, 0.69, 5000), np.geomspace(0.6932, 700, 5000)])
    proxy = x * (1 - 2 * np.exp(-x)) / (4 * np.log(np.expm1(x)))
    assert proxy.max() <= 0.25 * (1 + 1e-9)
    assert proxy.max() > 0.2499


def test_chao_finds_equal_cells():
    X = type_b(4)  # 384 congruent cells
    found = sample_cells(X, 400, seed=1)
    estimate = found.estimate_n_cells(confidence=CONFIDENCE)
    assert len(found) < 300
    assert estimate.low <= 384 <= estimate.high
    assert found.n_known > len(found)
