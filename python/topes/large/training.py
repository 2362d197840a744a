"""Training by (32): stochastic gradients over sampled patterns, the weight of the penalty raised until it is met."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._support.exact_input import as_exact_array, as_floats
from .._support.limits import check_count
from .._support.memory import default_limit
from .._support.validation import FloatArray, as_beta, as_positive, choice
from ..activation import kappa_of
from ..errors import InputError, MemoryLimitError, SolverError
from ..sampling import ConvolutionalSampling, sample_patterns
from .bound import as_network, bound
from .checkpoint import fingerprint, load, save
from .losses import LARGE_LOSSES, as_outputs
from .model import GatedModel, import_torch
from .solution import Epoch, LargeSolution

__all__ = ["train"]

_OPTIMISERS = {"sgd": 0, "adagrad": 1, "adam": 2}  # and how many numbers each keeps for a weight
# rho starts here times beta and is raised by this factor, at most so often, until the network costs no more than this
# share above what the weights cost in the program.
_FIRST_RHO, _RAISE, _ROUNDS, _FEASIBLE = 2.0, 4.0, 8, 1e-3


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
    rho: float | Literal["auto"] = "auto",
    optimizer: str = "adam",
    learning_rate: float = 1e-3,
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
    rho : float or "auto"
        Weight of the penalty, units of beta. "auto" starts at twice beta and trains anew from the weights at hand, at four
        times as much, until the objective of the network is no more than 0.1 % above that of the program: at most 8 times.
    optimizer : {"adam", "adagrad", "sgd"}
    learning_rate : float
    schedule : {"cosine", "constant"}
        Over the epochs of a round: falling to zero like a cosine, or not at all.
    batch_size, epochs : int
        Samples a step; passes over the data for each rho.
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
    rho = 0.01 can be far below what is exact; docs/large.md.

    Examples
    --------
    >>> import topes.large  # doctest: +SKIP
    >>> topes.large.train(X, y, beta=0.1, loss="cross_entropy")  # doctest: +SKIP
    """
    torch = import_torch()
    beta, kappa = as_beta(beta), kappa_of(activation)
    choice(loss, "loss", LARGE_LOSSES)
    choice(optimizer, "optimizer", tuple(_OPTIMISERS))
    choice(schedule, "schedule", ("cosine", "constant"))
    bias = choice(bias, "bias", (False, "penalized"))
    rate = as_positive(learning_rate, "learning_rate")
    for value, name, least in ((batch_size, "batch_size", 1), (epochs, "epochs", 1), (seed, "seed", 0)):
        check_count(value, name, least)
    check_count(checkpoint_every, "checkpoint_every", 1)
    first = _FIRST_RHO * beta if isinstance(rho, str) and choice(rho, "rho", ("auto",)) else as_positive(rho, "rho")
    where, kind = _device(torch, device), {"float32": torch.float32, "float64": torch.float64}[
        choice(dtype, "dtype", ("float32", "float64"))
    ]
    data = as_floats(as_exact_array(X, "X", 2, "binary"))
    Y, the_loss, classes = as_outputs(y, loss)
    if len(Y) != len(data):
        raise InputError(f"y must have one entry for each of the {len(data)} rows of X, got {len(Y)}")
    if not len(data) or not data.shape[1]:
        raise InputError(f"X must have at least one row and one column, got shape {data.shape}")
    gates = _patterns(data, patterns, n_patterns, sampling, bias, seed)
    rows = data if bias is False else np.hstack([data, np.ones((len(data), 1))])
    _refuse(len(gates), rows.shape, Y.shape[1], min(batch_size, len(rows)), kind.itemsize, _OPTIMISERS[optimizer], max_bytes)
    model = GatedModel(rows, Y, gates, beta, kappa, loss, where, kind)
    settings = {"beta": beta, "kappa": kappa, "loss": loss, "rho": rho, "optimizer": optimizer, "rate": rate}
    settings |= {"schedule": schedule, "batch": batch_size, "epochs": epochs, "seed": seed, "dtype": dtype}
    run = _Run(model, settings, first, callback)
    if checkpoint is not None:
        run.keep(Path(checkpoint), fingerprint([rows, Y, gates], settings), checkpoint_every)
    run.all_rounds(lambda weights: as_network(weights, rows, Y, beta, the_loss, kappa, bias is not False)[1])
    weights = run.weights()
    network, objective, outputs = as_network(weights, rows, Y, beta, the_loss, kappa, bias is not False)
    fit, norms, violation = model.whole(batch_size)
    lower = gap = None
    if bound_rank is not None:
        check_count(bound_rank, "bound_rank", 1)
        if bound_rank > 8:
            raise InputError(f"bound_rank must be at most 8, got {bound_rank}")
        seconds = as_positive(bound_time, "bound_time")
        lower = bound(rows, Y, outputs, beta, the_loss, kappa, rank=bound_rank, max_time=seconds)
        gap = (objective - lower) / max(abs(objective), 1e-300)
    return LargeSolution(
        network, objective, fit + beta * norms, lower, gap, violation, run.rho, tuple(run.history), len(gates), classes,
        model.memory(batch_size, _OPTIMISERS[optimizer]), weights,
    )  # fmt: skip


def _device(torch: Any, name: str) -> Any:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise InputError(f"device must be one that torch has here, got {name!r}: {str(error).splitlines()[0]}") from None
    return device


def _patterns(data: FloatArray, given: Any, count: int, sampling: Any, bias: Any, seed: int) -> Any:
    if given is None:
        check_count(count, "n_patterns", 1)
        return sample_patterns(data, count, method=sampling, bias=bias, seed=seed)
    gates = np.asarray(given)
    if gates.ndim != 2 or gates.shape[1] != len(data) or not len(gates) or not np.isin(gates, (0, 1)).all():
        raise InputError(f"patterns must be 0/1 of shape (P, {len(data)}), P >= 1, got shape {gates.shape}")
    return np.ascontiguousarray(gates, dtype=np.uint8)


def _refuse(
    P: int, shape: tuple[int, ...], C: int, batch: int, itemsize: int, states: int, max_bytes: int | None
) -> None:
    n, d = shape
    needed = itemsize * (2 * P * C * d * (2 + states) + batch * (12 * P * C + 3 * P) + n * (d + C)) + n * P // 8
    limit = default_limit() if max_bytes is None else int(max_bytes)
    if needed > limit:
        raise MemoryLimitError(
            f"{P} patterns, {C} outputs and {d} columns in batches of {batch} need {needed:,} bytes; {limit:,} may be used. "
            "Give fewer patterns, smaller batches, or max_bytes",
            expected_cells=P,
            needed=needed,
            available=limit,
        )


class _Run:
    """Weights, optimiser and the order of samples, all of which a checkpoint keeps."""

    def __init__(self, model: GatedModel, settings: dict[str, Any], rho: float, callback: Any) -> None:
        self.torch = import_torch()
        self.model, self.settings, self.rho, self.callback = model, settings, rho, callback
        self.rounds = _ROUNDS if settings["rho"] == "auto" else 1
        self.round, self.epoch = 0, 0
        self.history: list[Epoch] = []
        self.before = 0.0
        self.start = time.perf_counter()
        self.generator = self.torch.Generator().manual_seed(settings["seed"])
        self.optimiser = self._fresh()
        self.path: Path | None = None
        self.stopped = False

    def _fresh(self) -> Any:
        kinds = {"sgd": self.torch.optim.SGD, "adam": self.torch.optim.Adam, "adagrad": self.torch.optim.Adagrad}
        return kinds[self.settings["optimizer"]]([self.model.weights], lr=self.settings["rate"])

    def keep(self, path: Path, problem: str, every: int) -> None:
        """Write checkpoints to the file, and go on from it if it is there."""
        if not path.parent.is_dir():
            raise InputError(f"checkpoint {str(path)!r} does not lie in an existing directory")
        self.path, self.problem, self.every = path, problem, every
        if path.exists():
            state = load(path, problem, "cpu")
            with self.torch.no_grad():
                self.model.weights.copy_(state["weights"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["generator"])
            self.round, self.epoch, self.rho, self.before = state["round"], state["epoch"], state["rho"], state["seconds"]
            self.history = [Epoch(*row) for row in state["history"]]

    def _seconds(self) -> float:
        return self.before + time.perf_counter() - self.start

    def _save(self) -> None:
        assert self.path is not None
        rows = [(e.number, e.rho, e.penalised, e.violation, e.seconds) for e in self.history]
        state = {"weights": self.model.weights.detach(), "optimiser": self.optimiser.state_dict()}
        state |= {"generator": self.generator.get_state(), "round": self.round, "epoch": self.epoch, "rho": self.rho}
        save(self.path, self.problem, {**state, "seconds": self._seconds(), "history": rows})

    def weights(self) -> FloatArray:
        return np.asarray(self.model.weights.detach().cpu().numpy(), dtype=np.float64)

    def all_rounds(self, network_objective: Callable[[FloatArray], float]) -> None:
        """Epochs for one rho after the other, until the network costs what the program says."""
        while True:
            while self.epoch < self.settings["epochs"] and not self.stopped:
                self._one_epoch()
                if self.path is not None and (self.epoch % self.every == 0 or self.epoch == self.settings["epochs"]):
                    self._save()
            if self.stopped or self.round + 1 >= self.rounds:
                return
            fit, norms, _ = self.model.whole(self.settings["batch"])
            program = fit + self.model.beta * norms
            if network_objective(self.weights()) <= program * (1.0 + _FEASIBLE):
                return
            self.round, self.epoch, self.rho = self.round + 1, 0, _RAISE * self.rho
            self.optimiser = self._fresh()

    def _one_epoch(self) -> None:
        model, torch = self.model, self.torch
        if self.settings["schedule"] == "cosine":
            share = self.epoch / self.settings["epochs"]
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings["rate"] * 0.5 * (1.0 + float(np.cos(np.pi * share)))
        order = torch.randperm(model.n, generator=self.generator).to(model.X.device)
        value = wrong = total = 0.0
        for rows in order.split(self.settings["batch"]):
            self.optimiser.zero_grad()
            objective, a, b = model.objective(rows, self.rho)
            objective.backward()
            self.optimiser.step()
            value, wrong, total = value + float(objective.detach()) * len(rows), wrong + a, total + b
        if not math.isfinite(value):
            raise SolverError(
                f"the steps diverged at rho = {self.rho:.3g}: give a learning_rate below {self.settings['rate']:g}, or rho"
            )
        self.epoch += 1
        share = wrong / total if total > 0.0 else 0.0
        self.history.append(Epoch(len(self.history) + 1, self.rho, value, share, self._seconds()))
        if self.callback is not None and self.callback(self.history[-1]):
            self.stopped = True
