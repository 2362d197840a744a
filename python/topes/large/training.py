"""Training by (32): stochastic gradients over sampled patterns, the weight of the penalty raised round by round."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._support.exact_input import as_exact_array, as_floats
from .._support.limits import check_count
from .._support.memory import default_limit
from .._support.validation import FloatArray, as_positive, choice
from ..errors import InputError, MemoryLimitError
from ..sampling import ConvolutionalSampling, sample_cells, sample_directions
from .bound import bound
from .checkpoint import fingerprint
from .gated_network import GatedNetwork
from .losses import as_outputs
from .model import GatedModel, import_torch
from .reading import as_network, network_objective, network_outputs, worth_keeping
from .run import Run
from .settings import check_fits, device_of, settings_of, states_of
from .solution import Epoch, LargeSolution

__all__ = ["train"]


def train(
    X: Any,
    y: Any,
    beta: float,
    *,
    n_patterns: int = 256,
    sampling: str | ConvolutionalSampling = "gaussian",
    patterns: Any = None,
    loss: str = "squared",
    activation: str | float = "relu",
    bias: Any = False,
    rho: float | Literal["auto", "exact"] = "auto",
    optimizer: str = "adam",
    learning_rate: float | Literal["auto"] = "auto",
    momentum: float = 0.0,
    schedule: str = "cosine",
    batch_size: int = 128,
    epochs: int = 50,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float32",
    checkpoint: Any = None,
    checkpoint_every: int = 1,
    bound_rank: int | None = None,
    bound_time: float = 30.0,
    max_bytes: int | None = None,
    callback: Callable[[Epoch], Any] | None = None,
) -> LargeSolution:
    """Train on the large-scale form (32) of the convex program over sampled patterns.

    Minimises L(sum_i D_i X (w_i - w_i'), Y) + beta * sum ||w|| + rho * sum of (-s X w)_+, where s are the signs of the
    pattern: the cones of (7) as a penalty, which is exact from some rho on. With C outputs each has weights of its own
    (Theorem VIII.2), and the network is that of (30).

    Parameters
    ----------
    X : array_like, shape (n, d)
    y : array_like, shape (n,) or (n, C)
        Targets, labels -1 and +1 for the logistic loss, classes (integers or text) for the cross entropy.
    beta : float
        Weight of the regulariser, > 0; losses are sums over the samples.
    n_patterns : int
        Directions to sample; equal patterns count once.
    sampling : "gaussian" or ConvolutionalSampling
    patterns : array_like, shape (P, n), of 0 and 1, optional
        Patterns to use in place of sampled ones, as of `Arrangement.patterns`.
    loss : {"squared", "logistic", "cross_entropy"}
    activation : {"relu", "abs"} or float
    bias : {False, "penalized"}
    rho : float, "auto" or "exact"
        Weight of the penalty, units of beta. Both words start at beta / 32, or a thousandth of the loss's gradient, and
        train on from the weights at hand, at four times as much, in rounds, at most 11, until no more than 0.1 % is on the
        wrong side and the network costs no more than 0.1 % above what the program says. "exact" returns that last round:
        weights of (7) on these patterns. "auto" returns the round whose network costs least, and ends after two that cost
        more with no more than 5 % on the wrong side: it need not keep to the patterns.
    optimizer : {"adam", "adagrad", "sgd"}
    learning_rate : float or "auto"
        "auto" suits the data, the patterns and the number of steps, by short trials; docs/large.md says how.
    momentum : float
        Of "sgd", from 0 to less than 1.
    schedule : {"cosine", "constant"}
        Over the epochs of a round: falling to zero like a cosine, or not at all.
    batch_size, epochs : int
        Samples a step; passes over the data in each round; to choose a rate takes about half as many more, in all.
    seed : int
        Of patterns and of the order of samples.
    device, dtype : str
        As torch names them.
    checkpoint : path-like, optional
        Written after every `checkpoint_every` epochs; where it exists, training goes on from it and ends where it would have
        ended without a break (on the same machine with the same number of threads).
    bound_rank : int, optional
        Prove a lower bound from the network's outputs, pricing this many directions of X over all cells (at most 8) and
        bounding the others. Left out, no bound is computed, and the result says "not certified".
    bound_time : float
        Seconds for it, about.
    max_bytes : int, optional
        Refuse what needs more; default four fifths of what is free, on the CPU.
    callback : callable, optional
        Called with an `Epoch` after each; a true result stops.

    Returns
    -------
    LargeSolution

    Raises
    ------
    TopesError
        PyTorch is not installed.
    InputError
        An argument does not meet its requirement, or the checkpoint is one of another problem.
    SolverError
        The steps diverged.
    MemoryLimitError
        Training would need more than `max_bytes`.

    Notes
    -----
    The paper's (32) writes 2D - I for the signs and leaves X out of the penalty; signs are right for every slope. Its
    rho = 0.01 can be far below what is exact; docs/large.md. A small rho makes good gated networks (`LargeSolution.gated`),
    which are other functions than the network of the same weights.

    Examples
    --------
    >>> import topes.large  # doctest: +SKIP
    >>> topes.large.train(X, y, beta=0.1, loss="cross_entropy")  # doctest: +SKIP
    """
    torch = import_torch()
    settings = settings_of(
        beta=beta, activation=activation, loss=loss, rho=rho, optimizer=optimizer, learning_rate=learning_rate,
        momentum=momentum, schedule=schedule, batch_size=batch_size, epochs=epochs, seed=seed, dtype=dtype,
    )  # fmt: skip
    beta, kappa = settings["beta"], settings["kappa"]
    bias = choice(bias, "bias", (False, "penalized"))
    check_count(checkpoint_every, "checkpoint_every", 1)
    if bound_rank is not None:
        check_count(bound_rank, "bound_rank", 1)
        if bound_rank > 8:
            raise InputError(f"bound_rank must be at most 8, got {bound_rank}")
    if max_bytes is not None:
        check_count(max_bytes, "max_bytes", 1)
    if checkpoint is not None and not isinstance(checkpoint, (str, PathLike)):
        raise InputError(f"checkpoint must be a path, got {checkpoint!r}")
    where, kind = device_of(device), {"float32": torch.float32, "float64": torch.float64}[dtype]
    data = as_floats(as_exact_array(X, "X", 2, "binary"))
    Y, the_loss, classes = as_outputs(y, loss)
    if len(Y) != len(data):
        raise InputError(f"y must have one entry for each of the {len(data)} rows of X, got {len(Y)}")
    if not len(data) or not data.shape[1]:
        raise InputError(f"X must have at least one row and one column, got shape {data.shape}")
    gates, directions = _patterns(data, patterns, n_patterns, sampling, bias, seed)
    rows = data if bias is False else np.hstack([data, np.ones((len(data), 1))])
    (n, d), P, C = rows.shape, len(gates), Y.shape[1]
    needed = GatedModel.bytes_needed(n, d, P, C, settings["batch"], kind.itemsize, states_of(settings))
    limit = default_limit() if max_bytes is None else int(max_bytes)
    if needed > limit:
        raise MemoryLimitError(
            f"{P} patterns, {C} outputs and {d} columns in batches of {batch_size} need "
            f"{needed:,} bytes; {limit:,} may be used. Give fewer patterns, smaller batches, or max_bytes",
            expected_cells=P, needed=needed, available=limit,
        )  # fmt: skip
    for value, name in ((rows, "X"), (Y, "y")):
        check_fits(value, name, dtype)
    model = GatedModel(rows, Y, gates, beta, kappa, loss, where, kind)
    run = Run(model, settings, callback)
    if checkpoint is not None:
        run.keep(Path(checkpoint), fingerprint([rows, Y, gates], settings), checkpoint_every)
    found, weights, kept = run.all_rounds(
        lambda weights: worth_keeping(weights, lambda W1, W2: network_objective(rows, Y, W1, W2, beta, the_loss, kappa))
    )
    assert run.rate is not None
    objective, gated = kept.objective, None
    if directions is not None:
        gated = GatedNetwork(directions, weights[0] - weights[1], kappa, bias is not False)
    lower = gap = None
    if bound_rank is not None:
        seconds = as_positive(bound_time, "bound_time")
        outputs = network_outputs(rows, kept.W1, kept.W2, kappa)
        lower = bound(rows, Y, outputs, beta, the_loss, kappa, rank=bound_rank, max_time=seconds)
        gap = (objective - lower) / max(abs(objective), 1e-300)
    return LargeSolution(
        as_network(kept, kappa, bias is not False), objective, found.convex_objective, lower, gap, found.violation,
        found.rho, run.rate, tuple(run.tried), tuple(run.history), gated, P, classes, needed, weights,
    )  # fmt: skip


def _patterns(data: FloatArray, given: Any, count: int, sampling: Any, bias: Any, seed: int) -> tuple[Any, Any]:
    """Patterns, and the directions that have them if they are sampled."""
    if given is None:
        check_count(count, "n_patterns", 1)
        cells = sample_cells(data, count, method=sampling, bias=bias, seed=seed)
        drawn = sample_directions(data.shape[1], count, method=sampling, bias=bias, seed=seed)
        return cells.patterns, np.ascontiguousarray(drawn[cells.first_seen])
    try:
        gates = np.asarray(given)
    except ValueError:
        raise InputError(f"patterns must be 0/1 of shape (P, {len(data)}), P >= 1, got rows of different lengths") from None
    if gates.ndim != 2 or gates.shape[1] != len(data) or not len(gates) or not np.isin(gates, (0, 1)).all():
        raise InputError(f"patterns must be 0/1 of shape (P, {len(data)}), P >= 1, got shape {gates.shape}")
    return np.ascontiguousarray(gates, dtype=np.uint8), None
