"""What kind of point a network is: stationary or not, optimum of its own patterns or not, how far above the optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from .._support.exact_input import Values, as_exact_array, as_floats
from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_matrix, as_tolerance, as_vector, choice, read_only
from ..activation import kappa_of
from ..errors import InputError
from ..foreign import as_network
from ..losses import Loss, get_loss, is_own, loss_names
from ..low_rank.solution import LowRankSolution
from ..models import train
from ..network import Bias, TwoLayerNetwork, check_bias, penalised, weight_norm
from ..result import Solution, Status, relative_gap
from .kinked_loss import joint_descent, joint_distance
from .local_form import LocalForm, preactivation_signs
from .own_program import own_program
from .subdifferential import clarke_distance, steepest_descent

__all__ = ["Kind", "Stationarity", "balanced", "stationarity"]

_EPS = float(np.finfo(np.float64).eps)
# Above what conic solvers leave of zeros (1e-8), below what few of a million pre-activations come to by chance.
DEFAULT_ZERO_TOL = 1e-7
_MAX_CELLS = 4096


class Kind(str, Enum):
    """What a network is."""

    GLOBAL = "global optimum"  #: within `tol` of a proved lower bound on all networks
    ZERO = "zero network"  #: no neurons but zero ones: stationary whatever the data, its program has no patterns
    LOCAL = "stationary, optimum of its own patterns"  #: no direction leads down
    CONCAVE_KINK = "Clarke stationary at a concave kink"  #: optimum of its own patterns, yet a direction leads down
    NOT_STATIONARY = "not stationary"


@dataclass(frozen=True, repr=False)
class Stationarity:
    """A network as a point of the non-convex objective (3).

    Attributes
    ----------
    kind : Kind
    objective : float
        (3), in units of the loss.
    balanced_objective : float
        (3) once each neuron has its cheapest scaling, ||w1_j|| = abs(w2_j): the same network function. At a stationary
        point the same number.
    residual : float
        Distance of 0 to the subdifferential of (3) in all weights, divided by beta ||theta||, ||theta||^2 = sum ||w1_j||^2
        + w2_j^2, the size of the penalty's gradient; or by a thousandth of beta sqrt(2 L(0) / beta), the most it is at a
        network better than the empty one, where that is more. Dimensionless.
    neuron_residuals : ndarray, shape (m,), float64
        The parts of the neurons: their squares sum to residual^2.
    subdifferential : {"Clarke", "chain rule"}
        The set: Clarke's, or one that contains it (outputs on kinks of the loss; more than `max_cells` cells around a
        neuron), so that `residual` is a lower bound.
    descent : float or None
        The steepest slope down over directions of unit length, in the same unit; 0 at a d-stationary point, at least
        `residual`. None: not decided (more than `max_cells` cells, or too many choices of them where outputs are on kinks
        of the loss).
    direction : ndarray, shape (d + 1, m) or (d + 2, m), float64
        A direction of that slope, unit length; rows are input weights, bias if any, output weight. Zero where nothing
        leads down or nothing is known.
    sign_vectors : ndarray, shape (P, n), int8
        Distinct sign vectors of the neurons that are not zero: the trichotomies of (46).
    n_zeros : int
        Pre-activations of these neurons called zero, in rows of X that are not.
    nearest : float
        Smallest abs(x_i.w_j) / (||x_i|| ||w_j||) not called zero, dimensionless; inf where there is none.
    program_value, program_lower_bound, program_gap : float
        Of (46) over `sign_vectors`; the gap is that of the balanced objective, relative as in `Solution.gap`.
    lower_bound, gap : float or None
        No network of any width has a smaller objective, and the relative gap of this one; None where `compare` is False.
    optimum : Solution, LowRankSolution or None
        What the bound rests on.
    tol : float
        At which `kind` was decided.
    """

    kind: Kind
    objective: float
    balanced_objective: float
    residual: float
    neuron_residuals: FloatArray
    subdifferential: str
    descent: float | None
    direction: FloatArray
    sign_vectors: npt.NDArray[np.int8]
    n_zeros: int
    nearest: float
    program_value: float
    program_lower_bound: float
    program_gap: float
    lower_bound: float | None
    gap: float | None
    optimum: Solution | LowRankSolution | None
    tol: float

    @property
    def is_optimum_of_own_patterns(self) -> bool:
        """Whether the network is the optimum of (46) to `tol`."""
        return self.program_gap <= self.tol

    def __repr__(self) -> str:
        lines = [f"Stationarity({self.kind.value}{self._above()})"]
        down = "not decided" if self.descent is None else f"{self.descent:.3g}"
        lines.append(f"  objective {self.objective:.10g}, with balanced layers {self.balanced_objective:.10g}")
        lines.append(f"  residual {self.residual:.3g} ({self.subdifferential}), steepest descent {down}")
        lines.append(
            f"  program of its {len(self.sign_vectors)} sign vectors ({self.n_zeros} zeros): {self.program_value:.10g}, "
            f"gap {self.program_gap:.3g}"
        )
        if self.kind is Kind.NOT_STATIONARY and self.nearest < math.sqrt(self.tol):
            lines.append(f"  the nearest pre-activation not called zero is at {self.nearest:.3g}: see zero_tol")
        return "\n".join(lines)

    def _above(self) -> str:
        if self.gap is None or self.kind is Kind.GLOBAL:
            return ""
        return f"; at most {100.0 * self.gap:.3g} % of its objective lies above the global optimum"


def balanced(network: TwoLayerNetwork, *, bias: Any = None, norm: float = 2) -> TwoLayerNetwork:
    """The same function with ||w1_j||_p = abs(w2_j) in each neuron: its cheapest scaling in (3).

    Neurons that add nothing become zero. One of a free bias alone is left as it is: its cost has no least value.

    Examples
    --------
    >>> from topes import TwoLayerNetwork
    >>> from topes.theory import balanced
    >>> balanced(TwoLayerNetwork([[4.0]], None, [1.0])).w2
    array([2.])
    """
    bias = check_bias(bias) if bias is not None else False if network.b1 is None else "penalized"
    b1 = np.zeros(network.n_neurons) if network.b1 is None else network.b1
    W = network.W1 if bias is False else np.vstack([network.W1, b1])
    size = weight_norm(penalised(W, bias), norm)
    constant = (size == 0.0) & np.any(W != 0.0, axis=0) & (network.w2 != 0.0)
    dead = ((size == 0.0) & ~constant) | (network.w2 == 0.0)
    s = np.sqrt(np.abs(network.w2)) / np.sqrt(np.where(size > 0.0, size, 1.0))
    s = np.where(dead | constant | (s == 0.0), 1.0, s)
    keep = np.where(dead, 0.0, 1.0)
    new_bias = None if network.b1 is None else b1 * s * keep
    return TwoLayerNetwork(network.W1 * s * keep, new_bias, network.w2 / s * keep, network.activation)


def stationarity(
    network: Any,
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = None,
    norm: float = 2,
    values: Values = "binary",
    zero_tol: float = DEFAULT_ZERO_TOL,
    tol: float = 1e-6,
    balance: bool = False,
    compare: bool = True,
    optimum: Solution | LowRankSolution | None = None,
    max_time: float | None = None,
    max_cells: int = _MAX_CELLS,
    n_threads: int | None = None,
) -> Stationarity:
    """Say what kind of point of the non-convex objective (3) a network is, from any source (Theorem II.2).

    Parameters
    ----------
    network : TwoLayerNetwork, (W1, w2), (W1, b1, w2), state_dict or fitted scikit-learn MLP
        As for `topes.foreign.as_network`; one output.
    X : array_like, shape (n, d)
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser in (3), > 0.
    loss, values
        As for `train`.
    activation : {"relu", "abs"} or float
        Of a network that does not carry one.
    bias : {False, "penalized", "free"}, optional
        Default "penalized" where the network has biases, else False.
    norm : {2, 1}
        p of the input weights, eq. (23).
    zero_tol : float
        A pre-activation x_i.w_j with a cosine of at most so much is on its kink: dimensionless. 0 takes the doubles at
        their word: the sign of the exact sum. The default covers what solvers leave of zeros; local training, which does
        not end on kinks, may want more.
    tol : float
        At which residual, descent and gaps count as zero.
    balance : bool
        Judge the network of `balanced` in place of the one given. A network with ||w1_j|| != abs(w2_j) is never stationary.
    compare : bool
        Prove a lower bound on the objective of all networks, by `train`, whose rank limit holds.
    optimum : Solution or LowRankSolution, optional
        A solution of the same problem, whose bound is used.
    max_time : float, optional
        Seconds for that bound.
    max_cells : int
        Of the arrangement of the rows on their kinks at one neuron.
    n_threads : int, optional
        Of `train`.

    Returns
    -------
    Stationarity

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    SolverError
        A conic solver returned no point.

    Notes ----- With a free bias (3) need not have a minimum: a neuron of the bias alone costs less the more it is out of
    balance. What is called stationary then depends on how far that was taken; gaps do not.

    Examples
    --------
    A neuron on a concave kink: Clarke stationary, the optimum of its own program, far above the global optimum.

    >>> import topes
    >>> w = 0.9**0.5
    >>> s = topes.stationarity(([[w], [0.0]], [w]), [[0, 1], [1, -1]], [1, 1], beta=0.1)
    >>> s.kind.value, round(s.objective, 4), round(s.program_value, 4), round(s.lower_bound, 4)
    ('Clarke stationary at a concave kink', 0.595, 0.595, 0.1632)
    """
    beta, tol, the_loss = as_beta(beta), as_tolerance(tol), get_loss(loss)
    norm = choice(norm, "norm", (2, 1))
    if is_own(the_loss):
        raise InputError(f"loss must be one of {', '.join(loss_names())}: kinks of others are not known, got {the_loss!r}")
    if not (isinstance(zero_tol, (int, float)) and 0.0 <= zero_tol < 1.0):
        raise InputError(f"zero_tol must be a number in [0, 1), got {zero_tol!r}")
    check_count(max_cells, "max_cells", 1)
    net = as_network(network, activation)
    if type(net) is not TwoLayerNetwork:
        raise InputError(f"network must be fully connected with one output, got {net!r}")
    checked: Bias = check_bias(bias) if bias is not None else False if net.b1 is None else "penalized"
    if checked is False and net.b1 is not None and np.any(net.b1):
        raise InputError("bias must be 'penalized' or 'free' for a network with biases, got False")
    data = as_matrix(X, "X", min_rows=0)
    if data.shape[1] != net.W1.shape[0]:
        raise InputError(f"X must have the {net.W1.shape[0]} columns that the network takes, got {data.shape[1]}")
    y = the_loss.check_targets(as_vector(y, "y", length=len(data)))
    options: dict[str, Any] = {"loss": the_loss, "bias": checked or "penalized", "norm": norm}
    with np.errstate(over="ignore", invalid="ignore"):
        value = net.objective(data, y, beta, **options)
    if not math.isfinite(value):
        raise InputError(f"network must have a finite objective on X and y, got {value}")
    scaled = balanced(net, bias=checked, norm=norm)
    at_balanced = scaled.objective(data, y, beta, **options)
    judged, value = (scaled, at_balanced) if balance else (net, value)
    form, nearest = _local_form(judged, X, y, beta, the_loss, checked, norm, values, zero_tol)
    point, v, subdifferential, descending = _slopes(form, max_cells)
    unit = form.unit
    used = np.any(form.W != 0.0, axis=0) & (form.c != 0.0)
    own = own_program(form, v, tol, values)
    empty = the_loss.value(np.zeros_like(y), y)
    if optimum is not None:
        _check_optimum(optimum, form, values)
    elif compare:
        optimum = train(
            X, y, beta, loss=the_loss, activation=form.kappa, bias=checked, norm=norm, values=values, tol=min(tol, 1e-6),
            max_time=max_time, n_threads=n_threads,
        )  # fmt: skip
    bound = None if optimum is None else optimum.lower_bound
    gap = None if bound is None else relative_gap(value, bound, empty)
    residuals = np.linalg.norm(point, axis=0) / unit
    residual = float(np.linalg.norm(residuals))
    descent = None if descending is None else float(np.linalg.norm(descending)) / unit
    direction = np.zeros_like(point) if not descent or descending is None else -descending / np.linalg.norm(descending)
    program_gap = relative_gap(at_balanced, own.lower_bound, empty)
    zeros = (form.signs[used] == 0) & np.any(form.data != 0.0, axis=1)
    if gap is not None and gap <= tol:
        kind = Kind.GLOBAL
    elif residual > tol:
        kind = Kind.NOT_STATIONARY
    elif not used.any():
        kind = Kind.ZERO
    else:
        kind = Kind.CONCAVE_KINK if descent is not None and descent > tol else Kind.LOCAL
    return Stationarity(
        kind, value, at_balanced, residual, read_only(residuals), subdifferential, descent, read_only(direction),
        read_only(own.sign_vectors), int(zeros.sum()), nearest, own.value, own.lower_bound, program_gap, bound, gap,
        optimum, tol,
    )  # fmt: skip


def _local_form(
    network: TwoLayerNetwork,
    X: Any,
    y: FloatArray,
    beta: float,
    loss: Loss,
    bias: Bias,
    norm: float,
    values: Values,
    zero_tol: float,
) -> tuple[LocalForm, float]:
    exact = as_exact_array(X, "X", 2, values)
    W = network.W1
    if bias is not False:
        exact = np.hstack([exact, np.ones((len(exact), 1), dtype=exact.dtype)])  # of one dtype: nothing is rounded
        W = np.vstack([W, np.zeros(network.n_neurons) if network.b1 is None else network.b1])
    data = as_floats(exact)
    signs, nearest = preactivation_signs(exact, data, W, zero_tol)
    kappa = kappa_of(network.activation)
    form = LocalForm(
        data, exact, W, network.w2, signs, y, beta, loss, kappa, bias, float(norm), zero_tol, np.zeros(len(y), dtype=bool)
    )
    kink, has_kink = loss.kinks(y)
    size = np.abs(y) + max(1.0, abs(kappa)) * (np.abs(data) @ np.abs(W)) @ np.abs(network.w2)
    room = (zero_tol + (len(W) + len(network.w2) + 8) * _EPS) * size
    away = np.abs(form.outputs - kink)
    on = has_kink & (away <= room)
    if loss.kink_is_joint:
        on = np.full(len(y), bool(np.linalg.norm(away) <= np.linalg.norm(room)))
    object.__setattr__(form, "on_kink", on)
    return form, nearest


def _slopes(form: LocalForm, max_cells: int) -> tuple[FloatArray, FloatArray, str, FloatArray | None]:
    """The point of least norm, the slope of the loss it goes with, the name of the set, the steepest descent or None."""
    if form.on_kink.any():
        point, v = joint_distance(form)
        steepest_joint, convex = joint_descent(form, point)
        return point, v, "Clarke" if convex else "chain rule", steepest_joint
    v = form.loss.gradient(form.outputs, form.y)
    points, descents, exact = [], [], True
    for j in range(form.W.shape[1]):
        piece = form.piece(j, v)
        found = clarke_distance(piece, max_cells)
        steepest = steepest_descent(piece, max_cells)
        exact &= found.exact
        points.append(np.append(found.point, piece.output_slope))
        descents.append(None if steepest is None else np.append(steepest, piece.output_slope))
    nothing = np.zeros((len(form.W) + 1, 0))
    point = np.stack(points, axis=1) if points else nothing
    name = "Clarke" if exact else "chain rule"
    if any(g is None for g in descents):
        return point, v, name, None
    return point, v, name, np.stack([g for g in descents if g is not None], axis=1) if descents else nothing


def _check_optimum(optimum: Solution | LowRankSolution, form: LocalForm, values: Values) -> None:
    """It must be of the same problem, as far as it says, and its bound one on all networks."""
    if optimum.status is Status.GAP_ON_WORKING_SET:
        raise InputError("optimum must bound all networks; the bound of this one holds for its patterns only")
    problem = getattr(optimum, "problem", None)
    if problem is None:
        if optimum.dual.shape != form.y.shape:
            raise InputError(f"optimum must be of the same problem, got one of {len(optimum.dual)} samples")
        return
    pricer = problem.pricer
    same = {
        "X": pricer.data.shape == form.data.shape and np.array_equal(pricer.data, form.data),
        "y": np.array_equal(problem.y, form.y),
        "beta": problem.beta == form.beta,
        "loss": problem.loss == form.loss.name,
        "activation": pricer.kappa == form.kappa,
        "bias": pricer.bias == form.bias,
        "norm": pricer.norm == form.norm,
        "values": pricer.values == values,
    }
    for name, equal in same.items():
        if not equal:
            raise InputError(f"optimum must be of the same problem: its {name} is another")
