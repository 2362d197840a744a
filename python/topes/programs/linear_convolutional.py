"""Problems (16), (17) and (20): linear convolutional networks as a nuclear norm, its dual, and an l1 norm of frequencies."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._support.exact_input import as_floats
from .._support.later import cvxpy as cp
from .._support.validation import FloatArray, as_beta, as_vector, choice
from ..errors import SolverError
from ..losses import Loss, get_loss
from ..patches import Size, as_samples, extract_patches

__all__ = ["LinearProgram", "circular_convolutional", "linear_convolutional", "linear_convolutional_dual"]


@dataclass(frozen=True, repr=False)
class LinearProgram:
    """A cvxpy problem of (16) or (20) and its parts.

    Attributes
    ----------
    problem : cvxpy.Problem
    variable : cvxpy.Variable
        Z, shape (h, K), of (16); z, complex, shape (d,), of (20).
    output : cvxpy.Variable, shape (n,)
        Tied to the variable by `output_constraint`, whose dual is the dual point.
    """

    problem: Any
    variable: Any
    output: Any
    output_constraint: Any
    shape: tuple[int, ...] | None
    fourier_scale: float

    def __repr__(self) -> str:
        what = "(16)" if self.shape is None else f"(20), samples of shape {self.shape}"
        return f"LinearProgram({what}, n={self.output.shape[0]}, variable of shape {self.variable.shape})"

    def solve(self, tolerance: float = 1e-9) -> float:
        """Solve with Clarabel to this tolerance, or the best it reaches; the value."""
        options = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an inaccurate solution is judged by its gap
                value = self.problem.solve(solver="CLARABEL", **options)
        except cp.SolverError as error:
            raise SolverError(f"CLARABEL failed: {error}") from None
        if self.output.value is None:
            raise SolverError(f"CLARABEL returned no point: status {self.problem.status}")
        return float(value)

    def products(self) -> FloatArray:
        """What the solution is as products of filters and weights: Z, or the real theta of (18), shape (d, 1)."""
        value = np.asarray(self.variable.value)
        if self.shape is None:
            return value
        # F'z / scale: real, as only the real part reaches the outputs.
        d = value.size
        return np.asarray(np.fft.ifftn(value.reshape(self.shape)).real.reshape(-1, 1) * d * self.fourier_scale)

    def multiplier(self) -> FloatArray:
        """The dual point v: minus the multiplier of the outputs."""
        return -np.asarray(self.output_constraint.dual_value, dtype=np.float64).reshape(-1)


def _parts(X: Any, y: Any, loss: str | Loss, kernel_size: Size | None, stride: Size) -> tuple[FloatArray, FloatArray, Loss]:
    the_loss = get_loss(loss)
    patches = as_floats(extract_patches(X, kernel_size, stride))
    return patches, the_loss.check_targets(as_vector(y, "y", length=len(patches), of="samples of X")), the_loss


def linear_convolutional(
    X: Any, y: Any, beta: float, *, kernel_size: Size | None = None, stride: Size = 1, loss: str | Loss = "squared"
) -> LinearProgram:
    """Build (16): min L(sum_k X_k z_k, y) + beta * ||Z||_*, Z = [z_1 ... z_K].

    Parameters
    ----------
    X, kernel_size, stride
        As for `topes.extract_patches`.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    loss : str or Loss
        A name of `topes.losses`.

    Examples
    --------
    >>> from topes.programs import linear_convolutional
    >>> program = linear_convolutional([[0, 1, 2], [2, 1, 0]], [1, -1], beta=0.1, kernel_size=2)
    >>> program
    LinearProgram((16), n=2, variable of shape (2, 2))
    >>> round(program.solve(), 4)
    0.0975
    """
    patches, targets, the_loss = _parts(X, y, loss, kernel_size, stride)
    beta = as_beta(beta)
    n, K, h = patches.shape
    Z, f = cp.Variable((h, K), name="Z"), cp.Variable(n, name="f")
    tie = f == patches.reshape(n, K * h) @ cp.vec(Z, order="F")
    problem = cp.Problem(cp.Minimize(the_loss.expression(f, targets) + beta * cp.normNuc(Z)), [tie])
    return LinearProgram(problem, Z, f, tie, None, 1.0)


def linear_convolutional_dual(
    X: Any, y: Any, beta: float, *, kernel_size: Size | None = None, stride: Size = 1
) -> tuple[Any, Any]:
    """Build (17) for the squared loss: max -||v||^2/2 - v'y subject to sigma_max([X_1'v ... X_K'v]) <= beta.

    The constraint is a linear matrix inequality: [[beta I, M'], [M, beta I]] is positive semidefinite.

    Returns
    -------
    problem : cvxpy.Problem
    v : cvxpy.Variable, shape (n,)

    Examples
    --------
    >>> from topes.programs import linear_convolutional_dual
    >>> problem, v = linear_convolutional_dual([[0, 1, 2], [2, 1, 0]], [1, -1], beta=0.1, kernel_size=2)
    >>> round(float(problem.solve(solver="CLARABEL")), 4)
    0.0975
    """
    patches, targets, _ = _parts(X, y, "squared", kernel_size, stride)
    beta = as_beta(beta)
    n, K, h = patches.shape
    v = cp.Variable(n, name="v")
    M = cp.reshape(patches.reshape(n, K * h).T @ v, (h, K), order="F")
    inequality = cp.bmat([[beta * np.eye(h), M], [M.T, beta * np.eye(K)]]) >> 0
    return cp.Problem(cp.Maximize(-0.5 * cp.sum_squares(v) - v @ targets), [inequality]), v


def circular_convolutional(
    X: Any,
    y: Any,
    beta: float,
    *,
    loss: str | Loss = "squared",
    transform: Literal["unnormalised", "unitary"] = "unnormalised",
) -> LinearProgram:
    """Build (20): min L(Re(X F^ z), y) + beta * ||z||_1 over complex z, F^ the conjugate Fourier matrix over the axes.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Samples; filters go around each of their axes.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    loss : str or Loss
        A name of `topes.losses`.
    transform : {"unnormalised", "unitary"}
        The unitary matrix is the unnormalised one over sqrt(d); its norm has the weight beta / sqrt(d). Both programs
        have the optimum of (18); one matrix with the weight of the other has not.

    Examples
    --------
    >>> from topes.programs import circular_convolutional
    >>> values = [circular_convolutional([[0, 1, 2], [2, 1, 0]], [1, -1], 0.1, transform=t).solve()
    ...           for t in ("unnormalised", "unitary")]
    >>> [round(value, 4) for value in values]
    [0.0569, 0.0569]
    """
    choice(transform, "transform", ("unnormalised", "unitary"))
    samples, the_loss, beta = as_samples(X), get_loss(loss), as_beta(beta)
    targets = the_loss.check_targets(as_vector(y, "y", length=len(samples), of="samples of X"))
    axes = tuple(range(1, samples.ndim))
    n, d = len(samples), int(np.prod(samples.shape[1:]))
    rows = np.fft.ifftn(samples, axes=axes).reshape(n, d) * d  # X times the conjugate matrix, which is symmetric
    scale = 1.0 if transform == "unnormalised" else 1.0 / np.sqrt(d)
    z, f = cp.Variable(d, complex=True, name="z"), cp.Variable(n, name="f")
    tie = f == cp.real((scale * rows) @ z)
    problem = cp.Problem(cp.Minimize(the_loss.expression(f, targets) + scale * beta * cp.norm1(z)), [tie])
    return LinearProgram(problem, z, f, tie, samples.shape[1:], float(scale))
