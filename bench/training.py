"""Training to a certified gap over all cells, and what others reach on the same problems.

Usage: python bench/training.py [--quick] [--peers [PYTHON]] [--max-time S] [--peer-time S] [--only NAME]

Everything, `topes.train` too, runs in a process of its own (bench/peers), on one thread unless the row says otherwise, and
gives back a network. What is printed is judged here: `error` is how far the network's objective (3), evaluated by this
script, lies above the best certified lower bound, relative to the best objective. Others prove nothing: their error is
ours to know.

The script fails where a row of ours is not certified, where an exact solver of the whole problem disagrees, or where any
network lies below a lower bound. PYTHON is an interpreter that has the dependency group `peers`; without --peers only our
rows are run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from peers.cone_decomposition import decompose

import topes

HERE = Path(__file__).parent
DATA = HERE.parent / "examples" / "data"
TOLERANCES = (1e-2, 1e-4, 1e-6)
# The full program is tried up to here: beyond, a limit of a minute is reached by far.
MOST_CELLS = 10_000
SAMPLES, STARTS = 500, 10


def teacher(n: int, r: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten ReLU neurons with Gaussian weights on Gaussian data, and a little noise."""
    rng = np.random.default_rng(1000 * n + r)
    X = rng.standard_normal((n, r))
    y = np.maximum(X @ rng.standard_normal((r, 10)), 0) @ rng.standard_normal(10) + 0.1 * rng.standard_normal(n)
    return X, y


def real(name: str, columns: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns and target of a table of examples/data, standardised, with a column of ones: a penalised bias."""
    path = DATA / f"{name}.csv"
    names = path.read_text().splitlines()[0].split(",")
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    X = table[:, [names.index(column) for column in columns.split()]]
    return np.column_stack([X, np.ones(len(X))]), table[:, names.index(target)]


def ecg() -> tuple[np.ndarray, np.ndarray]:
    table = np.loadtxt(DATA / "ecg_lags.csv", delimiter=",", skiprows=1)
    return table[:, :3], table[:, 3]


@dataclass
class Case:
    """One problem, and the best that is known of it."""

    name: str
    X: np.ndarray
    y: np.ndarray
    beta: float
    tolerances: tuple[float, ...] = TOLERANCES
    two_threads: bool = False
    peers: tuple[str, ...] = ()
    cells: int = 0
    lower: float = -np.inf
    upper: float = np.inf
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cells = topes.Arrangement(self.X).bound()

    def error(self, objective: float) -> float:
        return (objective - self.lower) / self.upper

    def fail(self, method: str, what: str) -> None:
        self.failures.append(f"{self.name} n={len(self.X)} r={self.X.shape[1]} {method}: {what}")


FEW = ("local", "adelie relu")
MANY = (*FEW, "adelie gated", "pyscnn relu", "pyscnn cones")
FULL = ("full facets", "full all")


def cases(quick: bool) -> Iterator[Case]:
    def of_teacher(n: int, r: int, peers: tuple[str, ...] = (), two_threads: bool = False) -> Case:
        return Case("teacher", *teacher(n, r), 1.0, two_threads=two_threads, peers=peers)

    yield of_teacher(50, 2, (*FULL, "local"))
    yield of_teacher(50, 3, (*FULL, "adelie cells", *MANY))
    if quick:
        yield of_teacher(1000, 3)
        yield Case("ECG", *ecg(), 0.005, (1e-3,))
        return
    yield of_teacher(100, 3, ("full facets", *MANY))
    yield of_teacher(1000, 2, ("full facets",))
    yield of_teacher(10_000, 2)
    yield of_teacher(1000, 3, (*FEW, "pyscnn relu"), two_threads=True)
    yield of_teacher(10_000, 3, two_threads=True)
    yield of_teacher(50, 4)
    yield of_teacher(200, 4)
    yield of_teacher(1000, 4, FEW, two_threads=True)
    yield Case("ECG", *ecg(), 0.005, (1e-2, 1e-3, 1e-4, 1e-6), two_threads=True, peers=FEW)
    tables = (
        ("concrete", "cement water age", "strength"),
        ("penguins", "bill_length bill_depth flipper_length", "body_mass"),
        ("blood", "recency frequency time", "donated"),
    )
    for table in tables:
        X, y = real(*table)
        for share in (0.1, 0.01):
            beta = float(f"{share * topes.beta_max(X, y, tol=1e-3):.3g}")
            yield Case(table[0], X, y, beta, peers=FEW if share == 0.01 else ())


def run(script: str, case: Case, limit: float, python: str, **problem: Any) -> dict[str, Any] | str:
    """The answer of one file of bench/peers, or in a few words why there is none."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/problem.npz", f"{folder}/answer.npz"]
        np.savez(names[0], X=case.X, y=case.y, beta=case.beta, budget=limit, **problem)
        command = [python, str(HERE / "peers" / f"{script}.py"), *names]
        try:
            # Ours ends by itself; a peer is given what its imports take.
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit + 10, env={**os.environ, **one})
        except subprocess.TimeoutExpired:
            return f"> {limit:g} s"
        if done.returncode:
            words = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
            return "killed" if done.returncode < 0 else words[:60]
        with np.load(names[1]) as file:
            return {name: file[name][()] for name in file.files}


def show(case: Case, method: str, answer: dict[str, Any] | str, limit: float, remark: str = "") -> float | None:
    """Print a row; gives the seconds."""
    head = f"{case.name:8} {len(case.X):6} {case.X.shape[1]:2} {case.cells:15,} {case.beta:8.4g} {method:17}"
    if not isinstance(answer, str) and answer["seconds"] > limit + 1.0:
        answer = f"> {limit:g} s"
    if isinstance(answer, str):
        print(f"{head} {answer}", flush=True)
        return None
    U, signs = answer["columns"], answer["signs"]
    network = topes.TwoLayerNetwork.from_convex(U[:, signs > 0], U[:, signs < 0])
    error = case.error(network.objective(case.X, case.y, case.beta))
    if error < -1e-9:
        case.fail(method, f"a network below the lower bound, {error:.1e}")
    seconds = float(answer["seconds"])
    print(f"{head} {error:9.1e} {seconds:8.2f} {network.n_neurons:7} {answer['peak']:6.0f}  {remark}", flush=True)
    return seconds


def ours(case: Case, limit: float) -> None:
    """Our rows, the finest first: its bounds are those that the errors of all are taken from."""
    seconds = {}
    runs = [(tol, 1) for tol in sorted(case.tolerances)]
    if case.two_threads:
        runs.append((min(case.tolerances), 2))
    for tol, threads in runs:
        answer = run("topes_train", case, limit, sys.executable, tol=tol, threads=threads)
        method = f"topes {tol:.0e}" + (f", {threads} thr." if threads > 1 else "")
        if isinstance(answer, str):
            case.fail(method, answer)
            show(case, method, answer, np.inf)
            continue
        if answer["status"] != "certified" or answer["gap"] > tol:
            case.fail(method, f"{answer['status']}, gap {answer['gap']:.1e}")
        case.lower = max(case.lower, float(answer["lower_bound"]))
        case.upper = min(case.upper, float(answer["value"]))
        remark = f"{answer['status']}, gap {answer['gap']:.0e}, {answer['rounds']} rounds, "
        remark += f"price {answer['price']:.0%}, solve {answer['solve']:.0%}, {answer['cpu']:.2f} s of the processors"
        if (tol, 1) in seconds:
            remark += f"; one thread takes {seconds[tol, 1] / answer['seconds']:.2f} times as long"
        taken = show(case, method, answer, np.inf, remark)
        if taken is not None:
            seconds[tol, threads] = taken


def theirs(case: Case, peer: str, limit: float, python: str | None) -> None:
    kind, _, formulation = peer.partition(" ")
    if kind == "full":
        if case.cells > MOST_CELLS:
            return
        answer = run("full_program", case, limit, sys.executable, formulation=formulation)
        remark = "" if isinstance(answer, str) else f"{answer['patterns']} cells, its gap {answer['gap']:.0e}"
        if not isinstance(answer, str) and abs(answer["value"] - case.upper) > 3e-6 * case.upper:
            case.fail(peer, f"objective {answer['value']}, topes {case.upper}")
        show(case, f"Clarabel, {formulation}", answer, limit, remark)
    elif kind == "local":
        answer = run("local_training", case, limit, sys.executable, samples=STARTS)
        remark = ""
        if not isinstance(answer, str):
            remark = f"{answer['patterns']} starts, median {case.error(float(np.median(answer['values']))):.1e}"
        show(case, "L-BFGS, 10 starts", answer, limit, remark)
    elif python is not None:
        given: dict[str, Any] = {"formulation": formulation, "samples": SAMPLES, "tol": 1e-10}
        if formulation == "cells":
            cells = np.array(topes.Arrangement(case.X).patterns(), dtype=bool).T
            given |= {"formulation": "relu", "cells": cells}
        answer = run(f"peer_{kind}", case, limit, python, **given)
        remark = ""
        if not isinstance(answer, str):
            remark = f"{answer['patterns']} patterns, its own value {case.error(float(answer['value'])):+.1e}"
            if "masks" in answer:
                parts = decompose(case.X, answer["masks"], answer["columns"])
                answer |= {"columns": np.hstack(parts), "signs": np.repeat([1.0, -1.0], parts[0].shape[1])}
                remark += " without cones; taken apart into ReLU neurons"
        show(case, peer, answer, limit, remark)


def interpreter(asked: str | None) -> str | None:
    """One that has the peers, or None with a line that says so."""
    if asked is None:
        return None
    for python in [asked] if asked else [str(HERE.parent / ".venv-peers" / "bin" / "python"), sys.executable]:
        if Path(python).exists():
            check = subprocess.run([python, "-c", "import adelie, scnn.optimize"], capture_output=True)
            if check.returncode == 0:
                return python
    print("adelie and pyscnn skipped: no interpreter has them (see bench/README.md)")
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="The cases that end within a few seconds.")
    parser.add_argument("--peers", nargs="?", const="", default=None, metavar="PYTHON", help="Run the others too.")
    parser.add_argument("--max-time", type=float, default=120.0, help="Seconds for each row of ours.")
    parser.add_argument("--peer-time", type=float, default=60.0, help="Seconds for each row of others.")
    parser.add_argument("--only", default="", help="Cases by name, rows and columns: 'teacher 50 3'.")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, topes {topes.__version__}")
    python = interpreter(arguments.peers)
    print(
        f"{'data':8} {'n':>6} {'r':>2} {'cells <=':>15} {'beta':>8} {'method':17} "
        f"{'error':>9} {'seconds':>8} {'neurons':>7} {'MB':>6}"
    )
    failures = []
    for case in cases(arguments.quick):
        if arguments.only in f"{case.name} {len(case.X)} {case.X.shape[1]}":
            ours(case, arguments.max_time)
            for peer in case.peers if arguments.peers is not None else ():
                theirs(case, peer, arguments.peer_time, python)
            failures += case.failures
    if failures:
        raise SystemExit("\n".join(["FAILED:", *failures]))


if __name__ == "__main__":
    main()
