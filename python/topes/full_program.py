"""Training by the full program: all cells, one conic solve, a lower bound from its dual."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from ._support.exact_input import Values
from ._support.later import cvxpy as cp
from ._support.progress import ProgressCallback
from ._support.validation import FloatArray, as_beta, as_positive, as_vector
from .activation import kappa_of
from .dual import lower_bound
from .errors import CellLimitError, SolverError
from .losses import Loss, get_loss
from .network import TwoLayerNetwork, check_bias, weight_norm
from .pricing.over_cells import price
from .programs.scalar_output import Cones, Rows, ScalarOutputProgram, scalar_output
from .result import KKTResiduals, Solution, Status, relative_gap
from .training.polish import on_the_kinks

__all__ = ["solve_full"]

DEFAULT_MAX_CELLS = 20_000  # about where Clarabel takes ten minutes and several gigabytes
# A constant this large is infinite to a logistic loss.
_FAR = 60.0
# Tolerances of Clarabel, and for where these leave a gap or a wide network. It is seldom better for the second alone.
_TOLERANCES = (1e-10, 1e-12)
_CLARABEL = ("tol_gap_abs", "tol_gap_rel", "tol_feas")


def solve_full(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    patterns: Any = None,
    rows: Rows = "facets",
    values: Values = "binary",
    tol: float = 1e-6,
    max_cells: int = DEFAULT_MAX_CELLS,
    solver: str = "CLARABEL",
    solver_options: dict[str, Any] | None = None,
    n_threads: int | None = None,
    progress: bool | ProgressCallback = False,
) -> Solution:
    """Train a two-layer network to its global optimum by problem (7) over all cells.

    Parameters
    ----------
    X, y, beta, loss, activation, bias, norm, patterns, rows, values
        As for `topes.programs.scalar_output`.
    tol : float
        The `Solution.gap` at which the result is called certified.
    max_cells : int
        Refuse beyond this number of cells: the time of the solver grows faster than their number.
    solver, solver_options
        For cvxpy; default Clarabel with tolerances 1e-10.
    n_threads, progress
        Of the enumeration.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    CellLimitError
        There are more than `max_cells` cells.
    SolverError
        The solver returned no point.

    Examples
    --------
    >>> from topes import solve_full
    >>> s = solve_full([[2, 2], [3, 3], [1, 0]], [1, -1, 1], beta=0.1)
    >>> s.status.value, round(s.objective, 5), s.gap < 1e-6
    ('certified', 1.10027, True)
    """
    bias, the_loss, tol = check_bias(bias), get_loss(loss), as_positive(tol, "tol")
    beta, kappa = as_beta(beta), kappa_of(activation)
    targets = the_loss.check_targets(as_vector(y, "y"))
    start = time.perf_counter()
    try:
        cones = Cones.of(
            X,
            bias=bias,
            patterns=patterns,
            rows=rows,
            values=values,
            max_cells=max_cells,
            n_threads=n_threads,
            progress=progress,
        )
    except CellLimitError as error:
        raise CellLimitError(
            f"{error}; the full program takes 2 d variables a cell: give fewer samples, patterns= or a larger max_cells",
            bound=error.bound,
        ) from None
    enumerated = time.perf_counter()
    program = scalar_output(X, targets, beta, loss=the_loss, activation=kappa, bias=bias, norm=norm, cones=cones)
    built = time.perf_counter()
    seconds = {"enumerate": enumerated - start, "build": built - enumerated, "solve": 0.0, "price": 0.0}
    data = cones.X if bias is False else cones.X[:, :-1]
    ours = solver_options is None and solver.upper() == "CLARABEL"
    best: tuple[Any, ...] | None = None
    for options in [dict.fromkeys(_CLARABEL, t) for t in _TOLERANCES] if ours else [solver_options or {}]:
        begin = time.perf_counter()
        V, W, f, multiplier, value, solver_status = _solve(program, targets, solver, options)
        seconds["solve"] += time.perf_counter() - begin
        begin = time.perf_counter()
        if bias == "free":
            V, W, f = _with_best_constant(the_loss, V, W, f, targets)
        network, objective = _best_network(program, data, targets, V, W, tol)
        bound, dual, feasibility, n_priced = _lower_bound(program, network.predict(data), multiplier, targets)
        gap = relative_gap(objective, bound, the_loss.value(np.zeros_like(targets), targets))
        enough = gap <= tol and network.n_neurons <= len(targets)
        seconds["price"] += time.perf_counter() - begin
        if best is None or enough or gap < best[0]:
            residuals = _residuals(program, V, W, f, dual, feasibility, targets)
            best = gap, network, objective, bound, dual, value, residuals, n_priced, solver_status
        if enough:
            break
    assert best is not None
    gap, network, objective, bound, dual, value, residuals, n_priced, solver_status = best
    if not cones.complete:
        status = Status.GAP_ON_WORKING_SET
    else:
        status = Status.CERTIFIED if gap <= tol else Status.NUMERICAL_FAILURE
    cones.patterns.setflags(write=False)
    dual.setflags(write=False)
    return Solution(
        status, network, objective, bound, gap, cones.patterns, dual, value, residuals, n_priced, solver_status, seconds
    )


def _solve(
    program: ScalarOutputProgram, y: FloatArray, solver: str, options: dict[str, Any]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float, str]:
    """Columns, outputs, multiplier of the outputs, value, status."""
    n, d = program.cones.X.shape
    if n == 0 or d == 0:  # nothing to fit, or nothing to fit it with
        zero = np.zeros((d, len(program.cones)))
        return zero, zero, np.zeros(n), program.loss.gradient(np.zeros(n), y), program.loss.value(np.zeros(n), y), "trivial"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an inaccurate solution is judged by its gap
            value = program.problem.solve(solver=solver, **options)
    except cp.SolverError as error:
        raise SolverError(f"{solver} failed: {error}") from None
    if program.output.value is None:
        raise SolverError(f"{solver} returned no point: status {program.problem.status}")
    multiplier = -np.asarray(program.output_constraint.dual_value, dtype=np.float64).reshape(n)
    return (
        np.asarray(program.positive.value),
        np.asarray(program.negative.value),
        np.asarray(program.output.value),
        multiplier,
        float(value),
        str(program.problem.status),
    )


def _with_best_constant(
    loss: Loss, V: FloatArray, W: FloatArray, f: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One more column, of the bias alone, where a constant lowers the loss: an infimum may lie at infinity."""
    if not len(y):
        return V, W, f
    c = float(minimize_scalar(lambda t: loss.value(f + t, y), bounds=(-_FAR, _FAR), method="bounded").x)
    if loss.value(f + c, y) >= loss.value(f, y):
        return V, W, f
    column = np.zeros((len(V), 1))
    column[-1] = abs(c)
    return (np.hstack([V, column]), W, f + c) if c > 0.0 else (V, np.hstack([W, column]), f + c)


def _best_network(
    program: ScalarOutputProgram, data: FloatArray, y: FloatArray, V: FloatArray, W: FloatArray, tol: float
) -> tuple[TwoLayerNetwork, float]:
    """The small network of Proposition II.1, unless merging and reduction cost more than the plain one loses to rounding.

    The network without neurons is taken where it is no worse: what the solver leaves of zeros is not.
    """
    none = np.zeros((len(V), 0))
    empty = TwoLayerNetwork.from_convex(none, none, activation=program.kappa, bias=program.bias, norm=program.norm)
    at_empty = program.loss.value(np.zeros_like(y), y)
    candidates = []
    for reduce_on in (data, None):
        network = TwoLayerNetwork.from_convex(
            V, W, activation=program.kappa, bias=program.bias, norm=program.norm, X=reduce_on
        )
        choices = [network, on_the_kinks(network, data, y, program.loss)]
        values = [
            each.objective(data, y, program.beta, loss=program.loss, bias=program.bias or "penalized", norm=program.norm)
            for each in choices
        ]
        k = int(np.argmin(values))
        candidates.append((choices[k], values[k]))
    (small, at_small), (plain, at_plain) = candidates
    worth = 0.1 * tol * max(1e-3 * at_empty, abs(at_plain))  # for a network of at most n neurons
    best, value = (small, at_small) if at_small <= at_plain + worth else (plain, at_plain)
    return (empty, at_empty) if at_empty <= value else (best, value)


def _lower_bound(
    program: ScalarOutputProgram, f: FloatArray, multiplier: FloatArray, y: FloatArray
) -> tuple[float, FloatArray, float, int]:
    """The best -L*(t v) over dual feasible t v, for v the gradient at the network's output and the solver's multiplier."""
    the_loss, beta = program.loss, program.beta
    best = (-math.inf, np.zeros_like(y), 0.0, 0)
    total = 0
    for raw in (the_loss.gradient(f, y), multiplier):
        v = the_loss.project_dual(raw, y, zero_sum=program.bias == "free")
        worst, n_priced = price(program.cones, v, program.kappa, bias=program.bias, norm=program.norm, enough=1e-3 * beta)
        total += n_priced
        bound, scaled = lower_bound(the_loss, v, y, beta, worst)
        if bound > best[0]:
            best = (bound, scaled, max(0.0, worst / beta - 1.0), total)
    return best[0], best[1], best[2], total


def _residuals(
    program: ScalarOutputProgram,
    V: FloatArray,
    W: FloatArray,
    f: FloatArray,
    dual: FloatArray,
    feasibility: float,
    y: FloatArray,
) -> KKTResiduals:
    cones, the_loss = program.cones, program.loss
    at_f = the_loss.value(f, y)
    weights = slice(0, len(V) - 1) if program.bias == "free" else slice(None)
    penalty = float(np.sum(weight_norm(V[weights], program.norm)) + np.sum(weight_norm(W[weights], program.norm)))
    largest = max(float(np.abs(V).max(initial=0.0)), float(np.abs(W).max(initial=0.0)), 1e-12)
    outside = 0.0
    cell = np.repeat(np.arange(len(cones)), np.diff(cones.indptr))
    if len(cell):
        normals = cones.X[cones.rows] * (2.0 * cones.patterns[cell, cones.rows, None] - 1.0)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        for U in (V, W):
            outside = max(outside, float(-np.min(np.sum(normals * U.T[cell], axis=1))) / largest)
    return KKTResiduals(
        stationarity=max(0.0, at_f + the_loss.conjugate(dual, y) - float(dual @ f)) / (1.0 + at_f),
        primal_feasibility=outside,
        dual_feasibility=feasibility,
        complementarity=abs(program.beta * penalty + float(dual @ f)) / (1.0 + at_f),
    )
