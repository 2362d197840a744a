"""Linear convolutional networks to their certified optimum: (15)-(17) over patches, (18)-(20) where filters go around.

The convex problem is a loss plus beta times a norm of the products Z of filters and weights. Where the loss is smooth it is
solved in the filters and weights themselves (`factors.py`): a stationary point whose dual point v is priced at beta is a
global optimum of the convex problem, and where the price is more, it comes with the filters to add. Losses with kinks go to
the convex program as it stands.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from .._support.exact_input import as_floats
from .._support.validation import FloatArray, as_beta, as_positive, as_vector
from ..dual import lower_bound
from ..errors import InputError, SolverError
from ..losses import Loss, get_loss
from ..patches import Size, as_samples, extract_patches
from ..programs.linear_convolutional import circular_convolutional, linear_convolutional
from ..result import Status, relative_gap
from .factors import FactorProblem
from .lifts import CircularLift, Lift, PatchLift
from .network import LinearConvolutionalNetwork
from .solution import LinearSolution

__all__ = ["train_linear_cnn"]

_SMOOTH = ("squared", "huber", "logistic", "squared_hinge")
# Steps of L-BFGS between two prices at first, doubled while nothing is left to add; rounds without progress before it ends.
_STEPS, _IDLE = 200, 8


def train_linear_cnn(
    X: Any,
    y: Any,
    beta: float,
    *,
    kernel_size: Size | None = None,
    stride: Size = 1,
    circular: bool = False,
    loss: str | Loss = "squared",
    tol: float = 1e-6,
    max_time: float | None = None,
) -> LinearSolution:
    """Train a linear convolutional network to its certified global optimum.

    Minimises (15), L(f, y) + beta/2 * sum of ||u_j||^2 + ||w_j||^2 over any number of filters u_j with weights w_j, one for
    each place, by (16): min L(sum_k X_k z_k, y) + beta * ||Z||_*. With `circular`, (18) by (20), an l1 norm of Fourier
    coefficients.

    Parameters
    ----------
    X : array_like
        Series (n, T), images (n, H, W) or (n, H, W, channels), or patches (n, K, h), as in `topes.extract_patches`. With
        `circular`, samples of any shape (n, ...), whose filters go around every axis.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    kernel_size, stride : int or tuple of ints, optional
        As in `topes.extract_patches`. Not with `circular`: its filters are as large as a sample.
    circular : bool
    loss : str or Loss
        A name of `topes.losses`.
    tol : float
        The `LinearSolution.gap` to reach.
    max_time : float, optional
        Seconds; beyond it the best network and the bound proved so far are returned. A loss with a kink is solved in one
        piece, which does not stop.

    Returns
    -------
    LinearSolution

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    SolverError
        For a loss with a kink, the conic solver gave no point.

    Notes
    -----
    The price of a dual point is the largest singular value of [X_1'v ... X_K'v], or the largest modulus of the discrete
    Fourier transform of X'v (unnormalised, in which (20) has the scale beta * ||z||_1). Bounds for the rounding of both are
    added: LAPACK's and the transform's backward errors, with constants of 10.

    Examples
    --------
    >>> from topes import train_linear_cnn
    >>> X, y = [[0, 1, 2, 0], [2, 1, 0, 0], [0, 0, 0, 1]], [1, -1, 1]
    >>> train_linear_cnn(X, y, beta=0.01, kernel_size=2).status.value
    'certified'
    >>> train_linear_cnn(X, y, beta=0.01, circular=True).n_filters
    1
    """
    start = time.perf_counter()
    the_loss, beta, tol = get_loss(loss), as_beta(beta), as_positive(tol, "tol")
    deadline = start + (math.inf if max_time is None else as_positive(max_time, "max_time"))
    if not isinstance(circular, (bool, np.bool_)):
        raise InputError(f"circular must be True or False, got {circular!r}")
    lift: Lift
    if circular:
        if kernel_size is not None or stride != 1:
            raise InputError("kernel_size and stride must be left out with circular=True: filters are as large as a sample")
        samples = as_samples(X)
        lift, shape = CircularLift(samples), samples.shape[1:]
    else:
        samples = as_floats(extract_patches(X, kernel_size, stride))
        lift, shape = PatchLift(samples), None
    targets = the_loss.check_targets(as_vector(y, "y", length=len(samples), of="samples of X"))
    run = _Run(lift, targets, beta, the_loss, tol, deadline)
    with threadpool_limits(limits=1, user_api="blas"):
        if the_loss.name in _SMOOTH:
            status = run.descend()
        else:
            status = run.solve(samples, circular)
    dual = run.dual
    dual.setflags(write=False)
    network = LinearConvolutionalNetwork(run.U, run.W, kernel_size, stride, shape)
    return LinearSolution(status, network, run.value, run.bound, run.gap, dual, time.perf_counter() - start)


class _Run:
    """The best of both sides so far, and the ways to better ones."""

    def __init__(self, lift: Lift, y: FloatArray, beta: float, loss: Loss, tol: float, deadline: float) -> None:
        self.lift, self.y, self.beta, self.loss, self.tol, self.deadline = lift, y, beta, loss, tol, deadline
        self.empty = loss.value(np.zeros_like(y), y)
        self.U, self.W = np.zeros((lift.h, 0)), np.zeros((lift.K, 0))
        self.value, self.bound, self.dual = math.inf, -math.inf, np.zeros_like(y)
        self.judge(self.U, self.W)

    @property
    def gap(self) -> float:
        return relative_gap(self.value, self.bound, self.empty)

    def judge(self, U: FloatArray, W: FloatArray, multiplier: FloatArray | None = None) -> FloatArray:
        """Hold both sides against the best; the dual point, before it is scaled."""
        balanced = self.lift.balanced(self.lift.products(U, W))
        f = self.lift.outputs(*balanced)
        value = self.loss.value(f, self.y) + 0.5 * self.beta * sum(float(np.sum(F**2)) for F in balanced)
        if value < self.value:
            self.value, (self.U, self.W) = value, balanced
        v = self.loss.gradient(f, self.y)
        for raw in (v,) if multiplier is None else (v, multiplier):
            point = self.loss.project_dual(raw, self.y)
            bound, scaled = lower_bound(self.loss, point, self.y, self.beta, self.lift.price(point))
            if bound > self.bound:
                self.bound, self.dual = bound, scaled
        return v

    def descend(self) -> Status:
        """L-BFGS in filters and weights, with new ones where the price is above beta."""
        U, W = self.U, self.W
        v = self.judge(U, W)
        steps, idle, least = _STEPS, 0, self.gap
        while self.gap > self.tol:
            if time.perf_counter() > self.deadline:
                return Status.TIME_LIMIT
            more = self.lift.descents(v, self.beta)
            if more[0].shape[1]:
                U, W = self.lift.joined(U, W, more, self._size(U, W, more))
            problem = FactorProblem(self.lift, self.loss, self.y, self.beta, self.empty)
            U, W = problem.polish(*self._rank(*problem.minimise(U, W, steps, self.deadline)), self.deadline)
            v = self.judge(U, W)
            # Rounding ends what L-BFGS can do: more steps at first, then none.
            progress = self.gap < 0.5 * least
            least = min(least, self.gap)
            idle = 0 if progress else idle + 1
            steps = min(2 * steps, 20_000)
            if idle > _IDLE:
                return Status.NUMERICAL_FAILURE
        return Status.CERTIFIED

    def _size(self, U: FloatArray, W: FloatArray, more: tuple[FloatArray, FloatArray]) -> float:
        """The size of new filters that is best for them alone; a step that is too long would lose what is known."""
        f, change = self.lift.outputs(U, W), self.lift.outputs(*more)
        cost = self.beta * 0.5 * sum(float(np.sum(F**2)) for F in more)
        reach = float(np.linalg.norm(self.loss.gradient(f, self.y))) / max(float(np.linalg.norm(change)), 1e-300)
        along = minimize_scalar(
            lambda t: self.loss.value(f + t * change, self.y) + t * cost, bounds=(0.0, max(reach, 1e-300)), method="bounded"
        )
        return math.sqrt(max(float(along.x), 1e-16 * reach))

    def _rank(self, U: FloatArray, W: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same products with as many filters as their rank, so that their number does not grow with the rounds."""
        return self.lift.balanced(self.lift.products(U, W))

    def solve(self, samples: FloatArray, circular: bool) -> Status:
        """The convex program, for a loss with a kink."""
        if not len(self.y) or self.gap <= self.tol:
            return Status.CERTIFIED
        build = circular_convolutional if circular else linear_convolutional
        program = build(samples, self.y, self.beta, loss=self.loss)
        for tolerance in (1e-9, 1e-12):
            try:
                program.solve(tolerance)
            except SolverError:
                if tolerance == 1e-12:
                    break
                raise
            self.judge(*self.lift.balanced(program.products()), multiplier=program.multiplier())
            if self.gap <= self.tol:
                return Status.CERTIFIED
        return Status.NUMERICAL_FAILURE
