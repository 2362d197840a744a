"""The convolutional network with global average pooling, eq. (13), trained to its certified optimum."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy.typing as npt

from .._support.exact_input import Values, as_floats
from .._support.validation import FloatArray, as_beta, as_positive, as_vector
from ..errors import FileFormatError
from ..jobs.pricing import Workers, workers
from ..jobs.supply import ExecutorLike
from ..losses import Loss, get_loss
from ..network import TwoLayerNetwork, pooled
from ..patches import Size, as_size, extract_patches
from ..pricing.oracle import Pricer
from ..result import Round, Solution
from ..training.judge import Judge
from ..training.loop import Training

__all__ = ["ConvolutionalNetwork", "as_convolutional", "patch_rows", "train_cnn"]


@dataclass(frozen=True, repr=False)
class ConvolutionalNetwork(TwoLayerNetwork):
    """f(x) = sum_j w2_j * mean over k of phi(x_k'w1_j + b1_j), x_k the patches of x.

    Parameters
    ----------
    W1 : array_like, shape (d, m)
        Filters, one a column, each in the order of a patch of `topes.extract_patches`.
    b1, w2, activation
        As for `TwoLayerNetwork`.
    kernel_size, stride : int or tuple of ints
        How inputs become patches; None for a network whose inputs are patches.

    Examples
    --------
    >>> from topes import ConvolutionalNetwork
    >>> rises = ConvolutionalNetwork([[-1.0], [1.0]], None, [1.0], kernel_size=2)
    >>> rises.predict([[0.0, 1.0, 1.0, 3.0, 0.0]])  # mean rise of the steps
    array([0.75])
    """

    kernel_size: Size | None = None
    stride: Size = 1
    format_name: ClassVar[str] = "topes.ConvolutionalNetwork"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_size is not None:
            object.__setattr__(self, "kernel_size", as_size(self.kernel_size, "kernel_size"))
        object.__setattr__(self, "stride", as_size(self.stride, "stride"))

    def __repr__(self) -> str:
        inputs = "patches" if self.kernel_size is None else f"kernel_size={self.kernel_size}, stride={self.stride}"
        bias = "no bias" if self.b1 is None else "bias"
        return f"ConvolutionalNetwork({inputs}, {self.n_neurons} filters of {len(self.W1)}, {self.activation!r}, {bias})"

    def predict(self, X: Any) -> FloatArray:
        """Outputs, shape (n,), float64, for inputs as those of training: series, images or patches, of any size."""
        patches = extract_patches(X, self.kernel_size, self.stride)
        n, K, d = patches.shape
        return pooled(super().predict(as_floats(patches.reshape(n * K, d))), K)

    def objective(
        self, X: Any, y: Any, beta: float, *, loss: str | Loss = "squared", bias: Any = None, norm: float = 2
    ) -> float:
        """The objective (13), L(f, y) + beta/2 * sum of ||w1_j||_p^2 + w2_j^2, as in `TwoLayerNetwork.objective`."""
        outputs = self.predict(X)
        targets = as_vector(y, "y", length=len(outputs), of="samples of X")
        penalty = self.penalty(bias=bias or "penalized", norm=norm)
        return get_loss(loss).value(outputs, targets) + as_beta(beta) * penalty

    def to_dict(self) -> dict[str, Any]:
        """The network as plain lists: what `save` writes."""
        return {**super().to_dict(), "kernel_size": self.kernel_size, "stride": self.stride}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ConvolutionalNetwork:
        """The network of `to_dict`; `FileFormatError` for anything else."""
        fields = {"kernel_size", "stride"}
        if not isinstance(data, dict) or data.get("format") != cls.format_name or not fields <= set(data):
            raise FileFormatError(f"not a {cls.format_name} of version 1")
        net = TwoLayerNetwork.from_dict({**data, "format": TwoLayerNetwork.format_name})
        return cls(net.W1, net.b1, net.w2, net.activation, data["kernel_size"], data["stride"])


def train_cnn(
    X: Any,
    y: Any,
    beta: float,
    *,
    kernel_size: Size | None = None,
    stride: Size = 1,
    loss: str | Loss = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    norm: float = 2,
    values: Values = "binary",
    tol: float = 1e-6,
    max_time: float | None = None,
    callback: Callable[[Round], Any] | None = None,
    warm_start: Solution | TwoLayerNetwork | None = None,
    n_threads: int | None = None,
    executor: ExecutorLike | Workers | None = None,
) -> Solution:
    """Train a convolutional network with global average pooling to its certified global optimum.

    Minimises (13), L(f, y) + beta/2 * sum of ||w1_j||_p^2 + w2_j^2 for f as in `ConvolutionalNetwork`, by the convex
    program (14) over the cells of the arrangement of all patches. It is priced as in `topes.train`, the dual point of a
    sample shared evenly by its K patches.

    Parameters
    ----------
    X : array_like
        Series (n, T), images (n, H, W) or (n, H, W, channels), or patches (n, K, d), as in `topes.extract_patches`.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    kernel_size : int or tuple of ints, optional
        Size of the filters. Left out, X is patches.
    stride : int or tuple of ints
    bias : {False, "penalized", "free"}
        One for each filter: a column of ones in the patches.
    loss, activation, norm, values, tol, max_time, callback, warm_start, n_threads, executor
        As for `topes.train`.

    Returns
    -------
    Solution
        Its network is a `ConvolutionalNetwork`; its `patterns` have one entry for each patch, sample by sample.

    Raises
    ------
    InputError
        An argument does not meet its requirement, or the rank of the patches is too high to price over all cells.

    Examples
    --------
    >>> from topes import train_cnn
    >>> s = train_cnn([[0, 1, 2, 0], [2, 1, 0, 0], [0, 0, 0, 1]], [1, -1, 1], beta=0.01, kernel_size=2)
    >>> s.status.value, s.gap <= 1e-6, s.network.predict([[0, 1, 2, 0]]).shape
    ('certified', True, (1,))
    """
    start = time.perf_counter()
    the_loss, beta, tol = get_loss(loss), as_beta(beta), as_positive(tol, "tol")
    deadline = start + (math.inf if max_time is None else as_positive(max_time, "max_time"))
    rows, K = patch_rows(X, kernel_size, stride, values)
    targets = the_loss.check_targets(as_vector(y, "y", length=len(rows) // K, of="samples of X"))
    pricer = Pricer(rows, activation=activation, bias=bias, norm=norm, values=values, pool=K)
    with workers(executor, n_threads) as at_work:
        judge = Judge(pricer, targets, beta, the_loss, tol, deadline, callback, n_threads, start, workers=at_work)
        return as_convolutional(Training(judge).run(warm_start), kernel_size, stride)


def patch_rows(X: Any, kernel_size: Size | None, stride: Size, values: Values) -> tuple[npt.NDArray[Any], int]:
    """The patches of all samples one below the other, shape (n K, d), as exact numbers; and K."""
    patches = extract_patches(X, kernel_size, stride, values=values)
    n, K, d = patches.shape
    return patches.reshape(n * K, d), K


def as_convolutional(solution: Solution, kernel_size: Size | None, stride: Size) -> Solution:
    """The solution for rows that are patches, as one for inputs."""
    net = solution.network
    return replace(
        solution, network=ConvolutionalNetwork(net.W1, net.b1, net.w2, net.activation, kernel_size, stride)
    )
