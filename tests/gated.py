"""Tests of (32) in torch: the module, where it is installed, and what must hold of every model of it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest


def with_torch():
    """The module; skips the test where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torch")


def objective(model, rows, rho=0.4):
    """(32) over n as these samples see it, for torch to differentiate; and what is wrong."""
    loss, wrong, _ = model.parts(rows)
    return (loss + rho * wrong) / len(rows) + model.beta / model.n * model.norms(), float(wrong.detach())


def check_objective(torch, model, loss, Y, outputs, norms, wrong):
    """The objective is that of these outputs, norms and violation, and mini-batches see it without bias."""
    n = len(Y)
    if loss == "squared":
        fit = 0.5 * np.sum((outputs - Y) ** 2)
    else:
        fit = np.sum(np.log(np.sum(np.exp(outputs), axis=1))) - np.sum(outputs * Y)
    every = torch.arange(n)
    value, found_wrong = objective(model, every)
    size = 1e-12 * (1.0 + abs(fit) + norms + wrong)
    assert float(value.detach()) * n == pytest.approx(fit + model.beta * norms + 0.4 * wrong, abs=size)
    assert found_wrong == pytest.approx(wrong, abs=size)
    assert float(model.norms().detach()) == pytest.approx(norms, abs=size)
    (whole,) = torch.autograd.grad(value, model.weights)
    mean = torch.zeros_like(whole)
    for rows in every.split(2):  # a partition: each batch with its share of the samples
        (part,) = torch.autograd.grad(objective(model, rows)[0], model.weights)
        mean += part * (len(rows) / n)
        found, part_wrong, _ = model.gradient(rows, 0.4)  # the same, by hand for the norms
        assert found == pytest.approx(float(objective(model, rows)[0].detach()), abs=size)
        assert part_wrong == pytest.approx(objective(model, rows)[1], abs=size)
        torch.testing.assert_close(model.weights.grad, part, rtol=0, atol=float(size))
    torch.testing.assert_close(mean, whole, rtol=0, atol=float(size))
