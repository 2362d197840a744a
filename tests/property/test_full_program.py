"""Training against the loops of the twin, and against what any certificate must satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kkt import check_solution
from problems import BIASES, KAPPAS, NORMS, data
from topes import Status, programs, reference, solve_full
from topes.losses import loss_names
from topes.pricing.over_cells import price
from topes.programs.scalar_output import Cones

# A conic solve of the twin takes a tenth of a second.
FEW = settings(max_examples=max(10, settings().max_examples // 4))


@FEW
@given(st.data(), st.sampled_from(loss_names()), KAPPAS, BIASES, NORMS, st.sampled_from([1e-3, 0.05, 1.0]))
def test_training_is_certified_and_agrees_with_the_twin(draw, loss, kappa, bias, norm, beta):
    X, y = draw.draw(data(loss))
    solution = solve_full(X, y, beta, loss=loss, activation=kappa, bias=bias, norm=norm)
    assert solution.status is Status.CERTIFIED
    check_solution(solution, X, y, beta, loss=loss, kappa=kappa, bias=bias, norm=norm)
    expected = reference.scalar_output_value(X, y, beta, loss=loss, kappa=kappa, bias=bias, norm=norm)
    assert solution.objective == pytest.approx(expected, rel=1e-5, abs=1e-6)


@FEW
@given(data(), KAPPAS)
def test_facets_describe_the_same_cones_as_all_rows(sample, kappa):
    X, y = sample
    values = [solve_full(X, y, 0.05, activation=kappa, rows=rows).objective for rows in ("facets", "all")]
    assert values[0] == pytest.approx(values[1], rel=1e-6, abs=1e-8)


@given(data(), KAPPAS, st.sampled_from([False, "penalized"]), st.integers(0, 2**32 - 1))
def test_the_price_of_a_dual_point_is_the_twins(sample, kappa, bias, seed):
    X, _ = sample
    v = np.random.default_rng(seed).standard_normal(len(X))
    bound, _ = price(Cones.of(X, bias=bias), v, kappa)
    expected = reference.price(X, v, kappa=kappa, bias=bias)
    assert expected <= bound * (1 + 1e-14)
    assert bound == pytest.approx(expected, rel=1e-9, abs=1e-12)


@FEW
@given(data(), NORMS, BIASES)
def test_more_regularisation_never_lowers_the_optimum(sample, norm, bias):
    X, y = sample
    small, large = (solve_full(X, y, beta, norm=norm, bias=bias) for beta in (0.05, 0.1))
    assert small.lower_bound <= large.objective
    assert large.lower_bound <= 2 * small.objective + 1e-12  # the penalty at most doubles


@FEW
@given(data(), st.integers(0, 2**32 - 1))
def test_the_order_and_scale_of_the_samples_do_not_matter(sample, seed):
    X, y = sample
    order = np.random.default_rng(seed).permutation(len(X))
    value = solve_full(X, y, 0.1).objective
    assert solve_full(X[order], y[order], 0.1).objective == pytest.approx(value, rel=1e-6, abs=1e-9)
    # X -> 4 X lets weights shrink by 4, so beta -> 4 beta gives the same optimum.
    assert solve_full(4 * X, y, 0.4).objective == pytest.approx(value, rel=1e-6, abs=1e-9)


@FEW
@given(data(), BIASES)
def test_the_program_can_be_inspected_and_solved_by_hand(sample, bias):
    X, y = sample
    program = programs.scalar_output(X, y, 0.1, bias=bias)
    assert program.problem.is_dcp()
    value = program.problem.solve(solver="CLARABEL")
    assert value == pytest.approx(solve_full(X, y, 0.1, bias=bias).objective, rel=1e-5, abs=1e-6)
