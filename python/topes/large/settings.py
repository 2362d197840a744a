"""What the steps of training depend on, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._support.limits import check_count
from .._support.validation import as_beta, as_positive, choice
from ..activation import kappa_of
from ..errors import InputError
from .losses import LARGE_LOSSES
from .model import import_torch

__all__ = ["OPTIMISERS", "check_fits", "device_of", "settings_of", "states_of"]

OPTIMISERS = {"sgd": 0, "adagrad": 1, "adam": 2}  # and how many numbers each keeps for a weight
_RHO = ("auto", "exact")


def device_of(name: str) -> Any:
    """The device of that name; `InputError` where torch has none."""
    torch = import_torch()
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise InputError(f"device must be one that torch has here, got {name!r}: {str(error).splitlines()[0]}") from None
    return device


def states_of(settings: dict[str, Any]) -> int:
    """Numbers kept for a weight beside it and its gradient: the optimiser's, and the weights of the best round."""
    return OPTIMISERS[settings["optimizer"]] + int(settings["momentum"] > 0.0) + int(isinstance(settings["rho"], str))


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
    if seed >= 2**63:
        raise InputError(f"seed must be less than 2**63, got {seed}")
    rate: float | str = learning_rate
    rate = choice(rate, "learning_rate", ("auto",)) if isinstance(rate, str) else as_positive(rate, "learning_rate")
    optimizer = choice(optimizer, "optimizer", tuple(OPTIMISERS))
    momentum = 0.0 if np.isscalar(momentum) and momentum == 0.0 else as_positive(momentum, "momentum")
    if momentum >= 1.0 or (momentum > 0.0 and optimizer != "sgd"):
        raise InputError(f"momentum must be less than 1, and 0 but for optimizer='sgd', got {momentum:g} for {optimizer!r}")
    dtype, beta = choice(dtype, "dtype", ("float32", "float64")), as_beta(beta)
    check_fits(beta, "beta", dtype)
    return {
        "beta": beta, "kappa": kappa_of(activation), "loss": choice(loss, "loss", LARGE_LOSSES),
        "rho": choice(rho, "rho", _RHO) if isinstance(rho, str) else as_positive(rho, "rho"),
        "optimizer": optimizer, "rate": rate, "momentum": momentum,
        "schedule": choice(schedule, "schedule", ("cosine", "constant")), "batch": int(batch_size), "epochs": int(epochs),
        "seed": int(seed), "dtype": dtype,
    }  # fmt: skip


def check_fits(value: Any, name: str, dtype: str) -> None:
    """`InputError` where a number is beyond those of the type."""
    most = float(np.finfo(dtype).max)
    size = float(np.max(np.abs(value), initial=0.0))
    if size > most:
        raise InputError(
            f"{name} must be at most {most:.3g} in {dtype}, got {size:.3g}: give dtype='float64' or smaller units"
        )
