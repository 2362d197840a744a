"""The steps of training: weights, optimiser and the order of samples, the weight of the penalty raised until it is met."""

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
from .checkpoint import load, save
from .losses import LARGE_LOSSES
from .model import GatedModel, import_torch
from .solution import Epoch

__all__ = ["OPTIMISERS", "Run", "device_of", "settings_of"]

OPTIMISERS = {"sgd": 0, "adagrad": 1, "adam": 2}  # and how many numbers each keeps for a weight
# rho starts here times beta and is raised by this factor, at most so often, until the network costs no more than this
# share above what the weights cost in the program.
_FIRST_RHO, _RAISE, _ROUNDS, _FEASIBLE = 2.0, 4.0, 8, 1e-3


def device_of(name: str) -> Any:
    """The device of that name; `InputError` where torch has none."""
    torch = import_torch()
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise InputError(f"device must be one that torch has here, got {name!r}: {str(error).splitlines()[0]}") from None
    return device


def settings_of(
    *,
    beta: float,
    activation: str | float,
    loss: str,
    rho: float | str,
    optimizer: str,
    learning_rate: float,
    schedule: str,
    batch_size: int,
    epochs: int,
    seed: int,
    dtype: str,
) -> dict[str, Any]:
    """What the steps depend on, checked, and what a checkpoint is of; `InputError` names what does not serve."""
    for name, value, least in (("batch_size", batch_size, 1), ("epochs", epochs, 1), ("seed", seed, 0)):
        check_count(value, name, least)
    return {
        "beta": as_beta(beta), "kappa": kappa_of(activation), "loss": choice(loss, "loss", LARGE_LOSSES),
        "rho": choice(rho, "rho", ("auto",)) if isinstance(rho, str) else as_positive(rho, "rho"),
        "optimizer": choice(optimizer, "optimizer", tuple(OPTIMISERS)), "rate": as_positive(learning_rate, "learning_rate"),
        "schedule": choice(schedule, "schedule", ("cosine", "constant")), "batch": batch_size, "epochs": epochs,
        "seed": seed, "dtype": choice(dtype, "dtype", ("float32", "float64")),
    }  # fmt: skip


class Run:
    """Weights, optimiser and the order of samples, all of which a checkpoint keeps."""

    def __init__(self, model: GatedModel, settings: dict[str, Any], callback: Any) -> None:
        self.torch = import_torch()
        self.model, self.settings, self.callback = model, settings, callback
        auto = settings["rho"] == "auto"
        self.rho = _FIRST_RHO * settings["beta"] if auto else settings["rho"]
        self.rounds = _ROUNDS if auto else 1
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
