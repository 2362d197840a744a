"""Problem (14): the convolutional network with global average pooling as a convex program over the cells of its patches."""

from __future__ import annotations

from typing import Any

from .._support.exact_input import Values
from ..losses import Loss
from ..patches import Size, extract_patches
from .scalar_output import Rows, ScalarOutputProgram, scalar_output

__all__ = ["convolutional"]


def convolutional(
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
    rows: Rows = "facets",
    values: Values = "binary",
    max_cells: int | None = None,
) -> ScalarOutputProgram:
    """Build (14): min L(f, y) + beta * sum_i ||w_i||_p + ||w_i'||_p, w_i and w_i' in cone i of the patches.

    The outputs are f = 1/K sum_k sum_i D_i^k X_k (w_i - w_i'), X_k the k-th patch of every sample: (7) over the rows of
    all patches, its outputs averaged over those of each sample.

    Parameters
    ----------
    X, kernel_size, stride
        As for `topes.extract_patches`.
    y : array_like, shape (n,)
    beta : float
        Weight of the regulariser, > 0.
    loss, activation, bias, norm, rows, values, max_cells
        As for `scalar_output`.

    Returns
    -------
    ScalarOutputProgram
        The rows of its `cones` are those of the patches, sample by sample.

    Raises
    ------
    InputError
        An argument does not meet its requirement.
    CellLimitError
        The patches have more than `max_cells` cells.

    Examples
    --------
    >>> from topes.programs import convolutional
    >>> program = convolutional([[0, 1, 2], [2, 1, 0]], [1, -1], beta=0.1, kernel_size=2)
    >>> len(program.cones), program.output.shape
    (8, (2,))
    """
    patches = extract_patches(X, kernel_size, stride, values=values)
    n, K, d = patches.shape
    return scalar_output(
        patches.reshape(n * K, d),
        y,
        beta,
        loss=loss,
        activation=activation,
        bias=bias,
        norm=norm,
        rows=rows,
        values=values,
        max_cells=max_cells,
        pool=K,
    )
