"""The steps of training: weights, optimiser and the order of samples, the weight of the penalty raised round by round."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .._support.limits import check_count
from .._support.validation import FloatArray, as_beta, as_positive, choice
from ..activation import kappa_of
from ..errors import InputError, SolverError
from .bound import Kept
from .checkpoint import load, save
from .losses import LARGE_LOSSES
from .model import GatedModel, import_torch
from .rates import automatic_rate
from .solution import Epoch, Round

__all__ = ["Run", "device_of", "settings_of", "states_of"]

OPTIMISERS = {"sgd": 0, "adagrad": 1, "adam": 2}  # and how many numbers each keeps for a weight
RHO = ("auto", "exact")
# rho starts here times beta and is raised by this factor, at most so often: until no more than this share is on the wrong
# side and the network costs no more than this share above the program; or, for "auto", until the last two cost more, and no
# more than 5 % is on the wrong side: before, the network has little to do with what is trained.
_FIRST_RHO, _RAISE, _ROUNDS, _FEASIBLE, _WORSE, _NEAR = 2.0**-5, 4.0, 11, 1e-3, 2, 0.05


def device_of(name: str) -> Any:
    """The device of that name; `InputError` where torch has none."""
    torch = import_torch()
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise InputError(f"device must be one that torch has here, got {name!r}: {str(error).splitlines()[0]}") from None
    return device


# Rates tried where the data choose one, each this factor below the one before. What is best for a short run is too small for
# the whole by about the last factor.
_TRIALS, _FALL, _LONGER = 6, 3.0, 3.0**0.5


def states_of(settings: dict[str, Any]) -> int:
    """Numbers kept for a weight beside it and its gradient: the optimiser's, and the weights of the best round."""
    return OPTIMISERS[settings["optimizer"]] + int(settings["momentum"] > 0.0) + int(settings["rho"] == "auto")


def settings_of(
    *,
    beta: float,
    activation: str | float,
    loss: str,
    rho: float | str,
    optimizer: str,
    learning_rate: float | str,
    momentum: float,
    schedule: str,
    batch_size: int,
    epochs: int,
    seed: int,
    dtype: str,
) -> dict[str, Any]:
    """What the steps depend on, checked, and what a checkpoint is of; `InputError` names what does not serve."""
    for name, value, least in (("batch_size", batch_size, 1), ("epochs", epochs, 1), ("seed", seed, 0)):
        check_count(value, name, least)
    rate: float | str = learning_rate
    rate = choice(rate, "learning_rate", ("auto",)) if isinstance(rate, str) else as_positive(rate, "learning_rate")
    optimizer = choice(optimizer, "optimizer", tuple(OPTIMISERS))
    momentum = 0.0 if momentum == 0.0 else as_positive(momentum, "momentum")
    if momentum >= 1.0 or (momentum > 0.0 and optimizer != "sgd"):
        raise InputError(f"momentum must be less than 1, and 0 but for optimizer='sgd', got {momentum:g} for {optimizer!r}")
    return {
        "beta": as_beta(beta), "kappa": kappa_of(activation), "loss": choice(loss, "loss", LARGE_LOSSES),
        "rho": choice(rho, "rho", RHO) if isinstance(rho, str) else as_positive(rho, "rho"),
        "optimizer": optimizer, "rate": rate, "momentum": momentum,
        "schedule": choice(schedule, "schedule", ("cosine", "constant")), "batch": batch_size, "epochs": epochs,
        "seed": seed, "dtype": choice(dtype, "dtype", ("float32", "float64")),
    }  # fmt: skip


class Run:
    """Weights, optimiser and the order of samples, all of which a checkpoint keeps."""

    def __init__(self, model: GatedModel, settings: dict[str, Any], callback: Any) -> None:
        self.torch = import_torch()
        self.model, self.settings, self.callback = model, settings, callback
        rho = settings["rho"]
        self.rho = _FIRST_RHO * settings["beta"] if isinstance(rho, str) else rho
        self.rounds = _ROUNDS if isinstance(rho, str) else 1
        self.rate = 0.0 if settings["rate"] == "auto" else settings["rate"]  # not known yet
        self.epoch = 0
        self.history: list[Epoch] = []
        self.tried: list[Round] = []
        self.best: Any = None  # weights of the round to return, where it is not the last
        self.before = 0.0
        self.start = time.perf_counter()
        self.generator = self.torch.Generator().manual_seed(settings["seed"])
        self.optimiser = self._fresh(self.rate)
        self.path: Path | None = None
        self.stopped = False

    def _fresh(self, rate: float) -> Any:
        kinds, name, weights = self.torch.optim, self.settings["optimizer"], [self.model.weights]
        if name == "sgd":
            return kinds.SGD(weights, lr=rate, momentum=self.settings["momentum"])
        if name == "adagrad":
            return kinds.Adagrad(weights, lr=rate)
        return kinds.Adam(weights, lr=rate, fused=self.model.weights.device.type in ("cpu", "cuda"))

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
            self.rate = state["rate"]
            self.epoch, self.rho, self.before, self.best = state["epoch"], state["rho"], state["seconds"], state["best"]
            self.history = [Epoch(*row) for row in state["history"]]
            self.tried = [Round(*row) for row in state["tried"]]

    def _seconds(self) -> float:
        return self.before + time.perf_counter() - self.start

    def _save(self) -> None:
        assert self.path is not None
        rows = [(e.number, e.rho, e.penalised, e.violation, e.seconds) for e in self.history]
        tried = [tuple(vars(round_).values()) for round_ in self.tried]
        state = {"weights": self.model.weights.detach(), "optimiser": self.optimiser.state_dict(), "best": self.best}
        state |= {
            "generator": self.generator.get_state(),
            "epoch": self.epoch,
            "rho": self.rho,
            "tried": tried,
            "rate": self.rate,
        }
        save(self.path, self.problem, {**state, "seconds": self._seconds(), "history": rows})

    def weights(self) -> FloatArray:
        """Those of the round returned."""
        chosen = self.model.weights.detach() if self.best is None else self.best
        return np.asarray(chosen.cpu().numpy(), dtype=np.float64)

    def all_rounds(self, network: Callable[[FloatArray], Kept]) -> Round:
        """Epochs for one rho after the other; what is returned is the best round for "auto", else the last.

        Parameters
        ----------
        network : callable
            Of the weights; its objective is least for the round that "auto" returns.
        """
        auto = self.settings["rho"] == "auto"
        if self.rate == 0.0:
            self.rate = self._tuned_rate()
            self.optimiser = self._fresh(self.rate)
        while True:
            try:
                self._epochs()
            except SolverError:
                if not auto or not self.tried:
                    raise
                return min(self.tried, key=lambda round_: round_.objective)
            now = self._round(network)
            self.tried.append(now)
            least = min(self.tried, key=lambda round_: round_.objective)
            if auto and least is now:
                self.best = self.model.weights.detach().clone()
            worse = auto and len(self.tried) - self.tried.index(least) > _WORSE and now.violation <= _NEAR
            if self.stopped or worse or len(self.tried) >= self.rounds or now.is_feasible:
                return least if auto else now
            self.epoch, self.rho = 0, _RAISE * self.rho
            self.optimiser = self._fresh(self.rate)

    def _tuned_rate(self) -> float:
        """The rate that suits the data over 1, 3, 9, ...: as long as (32) ends lower in runs of a quarter of the epochs."""
        epochs = max(1, self.settings["epochs"] // 4)
        short, least, best = automatic_rate(self.model, {**self.settings, "epochs": epochs}), math.inf, 0
        for k in range(_TRIALS):
            rate = short / _FALL**k
            self.optimiser = self._fresh(rate)
            for epoch in range(epochs):
                self._pass(epoch, epochs, rate)
            value = self.model.penalised(self.settings["batch"], self.rho)
            self._at_zero()
            if value < least:
                least, best = value, k
            elif math.isfinite(least):
                break
        longer = 1.0 if self.settings["optimizer"] == "sgd" else _LONGER
        return longer * automatic_rate(self.model, self.settings) / _FALL**best

    def _at_zero(self) -> None:
        with self.torch.no_grad():
            self.model.weights.zero_()
        self.generator.manual_seed(self.settings["seed"])

    def _epochs(self) -> None:
        while self.epoch < self.settings["epochs"] and not self.stopped:
            self._one_epoch()
            if self.path is not None and (self.epoch % self.every == 0 or self.epoch == self.settings["epochs"]):
                self._save()

    def _round(self, network: Callable[[FloatArray], Kept]) -> Round:
        fit, norms, violation = self.model.whole(self.settings["batch"])
        program = fit + self.model.beta * norms
        kept = network(np.asarray(self.model.weights.detach().cpu().numpy(), dtype=np.float64))
        feasible = violation <= _FEASIBLE and kept.of_all <= program * (1.0 + _FEASIBLE)
        return Round(self.rho, kept.objective, program, violation, feasible)

    def _pass(self, epoch: int, epochs: int, rate: float) -> tuple[float, float, float]:
        """Steps over all samples: (32) as seen, what was on the wrong side, and the sum it is a share of."""
        model = self.model
        if self.settings["schedule"] == "cosine":
            rate *= 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        order = self.torch.randperm(model.n, generator=self.generator).to(model.X.device)
        value = wrong = total = 0.0
        for rows in order.split(self.settings["batch"]):
            objective, a, b = model.gradient(rows, self.rho)
            self.optimiser.step()
            value, wrong, total = value + objective * len(rows), wrong + a, total + b
        return value, wrong, total

    def _one_epoch(self) -> None:
        value, wrong, total = self._pass(self.epoch, self.settings["epochs"], self.rate)
        if not math.isfinite(value):
            raise SolverError(
                f"the steps diverged at rho = {self.rho:.3g}: give a learning_rate below {self.rate:.3g}, or rho"
            )
        self.epoch += 1
        share = wrong / total if total > 0.0 else 0.0
        self.history.append(Epoch(len(self.history) + 1, self.rho, value, share, self._seconds()))
        if self.callback is not None and self.callback(self.history[-1]):
            self.stopped = True
