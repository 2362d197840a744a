"""The steps of training: weights, optimiser and the order of samples, the weight of the penalty raised round by round."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from .._support.files import check_writable
from .._support.validation import FloatArray
from ..errors import InputError, SolverError
from .checkpoint import load, save
from .model import GatedModel, import_torch
from .rates import automatic_rate
from .reading import Kept
from .solution import Epoch, Round

__all__ = ["Run"]

# rho starts at these times beta and the size of the loss's gradient, the larger, and is raised by this factor, at most so
# often: until no more than this share is on the wrong side and the network costs no more than this share above the program;
# or, for "auto", until the last two cost more and no more than 5 % is on the wrong side: before, the network has little to
# do with what is trained.
_FIRST_RHO, _RAISE, _ROUNDS, _FEASIBLE, _WORSE, _NEAR = (2.0**-5, 2.0**-10), 4.0, 11, 1e-3, 2, 0.05
# Rates tried where the data choose one, each this factor below the one before. What is best for a short run is too small for
# the whole by about the last factor.
_TRIALS, _FALL, _LONGER = 12, 3.0, 3.0**0.5
_ROUNDING = 1e-5  # of sums in single precision


class _Diverged(SolverError):
    """Steps that went up; not what a callback may raise."""


class Run:
    """Weights, optimiser and the order of samples, all of which a checkpoint keeps."""

    def __init__(self, model: GatedModel, settings: dict[str, Any], callback: Any) -> None:
        self.torch = import_torch()
        self.model, self.settings, self.callback = model, settings, callback
        self.at_zero, slope, self.scale = model.at_zero(settings["batch"])
        if not math.isfinite(self.at_zero):
            raise InputError(
                f"the loss of X and y must be within {settings['dtype']}: give smaller units, or dtype='float64'"
            )
        rho = settings["rho"]
        first = max(_FIRST_RHO[0] * settings["beta"], _FIRST_RHO[1] * slope)
        self.rho = first if isinstance(rho, str) else rho
        self.rounds = _ROUNDS if isinstance(rho, str) else 1
        self.rate: float | None = None if settings["rate"] == "auto" else settings["rate"]
        self.epoch = 0
        self.history: list[Epoch] = []
        self.tried: list[Round] = []
        self.best: Any = None  # weights of the round to return, while there may be others,
        self.kept: Kept | None = None  # and their network, unless that round was before a checkpoint
        self.before = 0.0
        self.start = time.perf_counter()
        self.generator = self.torch.Generator().manual_seed(settings["seed"])
        self.optimiser = self._fresh(self.rate or 0.0)
        self.path: Path | None = None
        self.stopped = False

    def _fresh(self, rate: float) -> Any:
        kinds, name, weights = self.torch.optim, self.settings["optimizer"], [self.model.weights]
        if name == "sgd":
            return kinds.SGD(weights, lr=rate, momentum=self.settings["momentum"])
        # What keeps them from dividing by zero is in units of the gradient, so that units of X and y do not matter.
        small = max(self.scale, 1e-24)
        if name == "adagrad":
            return kinds.Adagrad(weights, lr=rate, eps=1e-10 * small)
        return kinds.Adam(weights, lr=rate, eps=1e-8 * small, fused=self.model.weights.device.type in ("cpu", "cuda"))

    def keep(self, path: Path, problem: str, every: int) -> None:
        """Write checkpoints to the file, and go on from it if it is there."""
        check_writable(path)
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
        state = {"weights": self.model.weights.detach(), "optimiser": self.optimiser.state_dict(), "best": self.best}
        state |= {"generator": self.generator.get_state(), "epoch": self.epoch, "rho": self.rho, "rate": self.rate}
        state |= {"tried": [astuple(each) for each in self.tried], "history": [astuple(each) for each in self.history]}
        save(self.path, self.problem, {**state, "seconds": self._seconds()})

    def all_rounds(self, network: Callable[[FloatArray], Kept]) -> tuple[Round, FloatArray, Kept]:
        """Epochs for one rho after the other: the best round for "auto", else the last, its weights and their network.

        Parameters
        ----------
        network : callable
            Of the weights; its objective is least for the round that "auto" returns.
        """
        found = self._rounds(network)
        weights = _in_doubles(self.model.weights if self.best is None else self.best)
        return found, weights, network(weights) if self.kept is None else self.kept

    def _rounds(self, network: Callable[[FloatArray], Kept]) -> Round:
        auto = self.settings["rho"] == "auto"
        if self.rate is None:
            self.rate = self._tuned_rate()
            self.optimiser = self._fresh(self.rate)
        while True:
            try:
                self._epochs(self.rate)
                now, kept = self._round(network)
            except _Diverged as error:
                if not self.tried:
                    raise SolverError(str(error)) from None
                return min(self.tried, key=lambda round_: round_.objective) if auto else self.tried[-1]
            self.tried.append(now)
            least = min(self.tried, key=lambda round_: round_.objective)
            if least is now or not auto:
                self.kept = kept
                self.best = self.model.weights.detach().clone() if self.rounds > 1 else None
            worse = auto and len(self.tried) - self.tried.index(least) > _WORSE and now.violation <= _NEAR
            if self.stopped or worse or len(self.tried) >= self.rounds or now.is_feasible:
                return least if auto else now
            self.epoch, self.rho = 0, _RAISE * self.rho
            self.optimiser = self._fresh(self.rate)

    def _tuned_rate(self) -> float:
        """The rate that suits the data over 1, 3, 9, ...: as long as (32) ends lower in runs of a quarter of the epochs.

        Falls on, at most so far, while it ends above zero weights.
        """
        epochs = max(1, self.settings["epochs"] // 4)
        rates, least, best = automatic_rate(self.model, self.settings), self.at_zero, None
        for k in range(_TRIALS):
            rate = rates(epochs) / _FALL**k
            self.optimiser = self._fresh(rate)
            for epoch in range(epochs):
                self._pass(epoch, epochs, rate)
            value = self.model.penalised(self.settings["batch"], self.rho)
            with self.torch.no_grad():
                self.model.weights.zero_()
            self.generator.manual_seed(self.settings["seed"])
            if value < least:
                least, best = value, k
            elif best is not None:
                break
        longer = 1.0 if self.settings["optimizer"] == "sgd" else _LONGER
        return longer * rates(self.settings["epochs"]) / _FALL ** (_TRIALS - 1 if best is None else best)

    def _epochs(self, rate: float) -> None:
        while self.epoch < self.settings["epochs"] and not self.stopped:
            self._one_epoch(rate)
            if self.path is not None and (self.epoch % self.every == 0 or self.epoch == self.settings["epochs"]):
                self._save()

    def _round(self, network: Callable[[FloatArray], Kept]) -> tuple[Round, Kept]:
        fit, norms, violation = self.model.whole(self.settings["batch"])
        program = fit + self.model.beta * norms
        if self.settings["rate"] == "auto" and not self.stopped and not program <= self.at_zero * (1.0 + _ROUNDING):
            # Zero weights are in all cones: no program is worth more, but for steps that went up.
            if self.tried:
                raise self._diverged()
            with self.torch.no_grad():
                self.model.weights.zero_()
            program, violation = self.at_zero, 0.0
        if not math.isfinite(program):
            raise self._diverged()
        kept = network(_in_doubles(self.model.weights))
        feasible = violation <= _FEASIBLE and kept.of_all <= program * (1.0 + _FEASIBLE)
        return Round(self.rho, kept.objective, program, violation, feasible), kept

    def _diverged(self) -> SolverError:
        what = f"the steps diverged at rho = {self.rho:.3g}"
        return _Diverged(f"{what}: give a learning_rate below {self.rate:.3g}, more epochs, optimizer='adam', or rho")

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

    def _one_epoch(self, rate: float) -> None:
        value, wrong, total = self._pass(self.epoch, self.settings["epochs"], rate)
        if not math.isfinite(value):
            raise self._diverged()
        self.epoch += 1
        share = wrong / total if total > 0.0 else 0.0
        self.history.append(Epoch(len(self.history) + 1, self.rho, value, share, self._seconds()))
        if self.callback is not None and self.callback(self.history[-1]):
            self.stopped = True


def _in_doubles(weights: Any) -> FloatArray:
    return np.asarray(weights.detach().cpu().numpy(), dtype=np.float64)
