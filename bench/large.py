"""Large-scale training, (32): samples a second and memory of a step of Adam against the einsum that forms D_i X.

Usage: python bench/large.py [--quick] [--device NAME]

Needs PyTorch. Both take the same mini-batches of synthetic images; their outputs are compared before they are timed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from topes.large.model import GatedModel

REPEATS = 5


def naive(model: GatedModel, rows: torch.Tensor) -> torch.Tensor:
    """The objective on a batch with D_i X as a tensor of shape (b, P, d)."""
    X, gates = model.X[rows], model.gates(rows)
    gated = torch.einsum("bp,bd->bpd", gates, X)
    outputs = torch.einsum("bpd,pcd->bc", gated, model.weights[0] - model.weights[1])
    signed = torch.einsum("bp,bd->bpd", 1.0 - 2.0 * gates, X)
    wrong = torch.relu(torch.einsum("bpd,spcd->bspc", signed, model.weights)).sum()
    loss = (outputs.logsumexp(dim=1) - (outputs * model.Y[rows]).sum(dim=1)).sum()
    return (loss + 0.1 * wrong) / len(rows) + model.beta / model.n * model.norms()


def naive_step(model: GatedModel, rows: torch.Tensor, adam: torch.optim.Adam) -> None:
    adam.zero_grad()
    naive(model, rows).backward()
    adam.step()


def step(model: GatedModel, rows: torch.Tensor, adam: torch.optim.Adam) -> None:
    model.gradient(rows, 0.1)
    adam.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    n, d, P, C = (2000, 784, 128, 10) if options.quick else (20000, 784, 1024, 10)
    rng = np.random.default_rng(0)
    X = rng.random((n, d))
    Y = np.eye(C)[rng.integers(0, C, n)]
    patterns = (X @ rng.standard_normal((d, P)) >= 0.0).T.astype(np.uint8)
    model = GatedModel(X, Y, patterns, 0.1, 0.0, "cross_entropy", torch.device(options.device), torch.float32)
    with torch.no_grad():
        model.weights.copy_(0.01 * torch.randn(model.weights.shape, generator=torch.Generator().manual_seed(0)))
    needed = GatedModel.bytes_needed(n, d, P, C, 128, 4, 2)
    print(f"n = {n}, d = {d}, P = {P}, C = {C} on {options.device}, {torch.get_num_threads()} threads, float32")
    print(f"weights {4 * model.weights.numel() / 2**20:.0f} MiB; training with Adam {needed / 2**20:.0f} MiB")
    for size in (32, 128):
        rows = torch.arange(size, device=model.X.device)
        ours, theirs = model.gradient(rows, 0.1)[0], float(naive(model, rows).detach())
        assert abs(ours - theirs) <= 1e-4 * theirs, (ours, theirs)
        times: list[list[float]] = [[], []]
        ways = (
            (step, torch.optim.Adam([model.weights], lr=1e-9, fused=True)),
            (naive_step, torch.optim.Adam([model.weights], lr=1e-9)),
        )
        for repeat in range(REPEATS + 1):
            for k, (way, adam) in enumerate(ways):
                begin = time.perf_counter()
                way(model, rows, adam)
                if model.X.device.type == "cuda":
                    torch.cuda.synchronize()
                if repeat:  # the first makes the optimiser's states
                    times[k].append(time.perf_counter() - begin)
        a, b = (sorted(each)[REPEATS // 2] for each in times)
        tensor = 2 * 4 * size * P * d / 2**20
        print(
            f"batch {size}: {size / a:.0f} samples a second, einsum {size / b:.0f} (ratio {b / a:.1f}) "
            f"and {tensor:.0f} MiB more for D_i X"
        )


if __name__ == "__main__":
    main()
