"""Figure 9: test accuracy of the convex program and of SGD on small UCI data sets, with the certified gap of each.

Taken as the paper's claim: on most sets of the UCI collection the convex program classifies at least as well as SGD on
the non-convex problem. What the paper cannot say and is said here is how far from the optimum each network is: a lower
bound on (3) for networks of any width. One problem (3) for each class against the rest, squared loss on targets -1 and 1,
columns standardised, a penalised bias, beta = --share times the number of samples; the class with the largest output. Up
to rank --priced all cells are priced (`train`), beyond the bound for any rank is used (`train_low_rank`). Without --data:
three sets that come with scikit-learn and the blood donors of examples/data, split at random 3 to 1; with it, the .npz
files of the folder with their first published split.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    BLACK,
    BLUE,
    ORANGE,
    Figures,
    arguments,
    canvas,
    read_arrays,
    read_table,
    run,
    save,
    stop,
    tidy,
    with_ones,
)
from _sgd import import_torch, sgd

import topes

WORDS = "X, y, cv0_train and cv0_test"
MOST_NAMED = 12  # sets whose points have names
SMALL = ("balance-scale", "balloons", "blood", "iris", "lenses", "teaching", "seeds", "acute-nephritis", "glass", "wine")


def bundled(seed: int) -> dict[str, Any]:
    """X, y, train, test for each set that needs no download."""
    try:
        from sklearn.datasets import load_breast_cancer, load_iris, load_wine
    except ImportError:
        stop("the small sets come with scikit-learn: pip install 'topes[sklearn]', or give --data")
    sets = {"blood": read_table("blood", "donated", None)}
    for name, load in (("iris", load_iris), ("wine", load_wine), ("breast-cancer-wisc-diag", load_breast_cancer)):
        sets[name] = load(return_X_y=True)
    found = {}
    for name, (X, y) in sets.items():
        order = np.random.default_rng(seed).permutation(len(y))
        cut = (3 * len(y)) // 4
        found[name] = X, y.astype(int), order[:cut], order[cut:]
    return found


def published(folder: Path, names: tuple[str, ...], quick: bool) -> dict[str, Any]:
    files = [folder / f"{name}.npz" for name in names] if names else sorted(folder.glob("*.npz"))
    if quick and not names:
        files = [file for file in files if file.stem in SMALL]
    if not files:
        stop(f"--data must hold .npz files with X, y, cv0_train, cv0_test; none of the sets is in {folder}")
    found = {}
    for file in files:
        X, y, train, test = read_arrays(file, ("X", "y", "cv0_train", "cv0_test"), WORDS)
        try:
            parts = [X[train], y[train], X[test], y[test]]
        except IndexError:
            stop(f"{file} must hold {WORDS}: its split names rows that are not there")
        if X.ndim != 2 or X.dtype.kind not in "fiu" or not np.isfinite(X).all() or any(len(part) == 0 for part in parts):
            stop(f"{file} must hold {WORDS}: X must be a matrix of finite numbers, no part of the split empty")
        found[file.stem] = X, y, train, test
    return found


def certified(X: Any, y: Any, beta: float, priced: int, seconds: float, seed: int) -> Any:
    """Over all cells where the rank allows it; else at any rank."""
    if np.linalg.matrix_rank(X) <= priced:
        return topes.train(X, y, beta, tol=1e-4, max_time=seconds)
    return topes.train_low_rank(X, y, beta, tol=1e-3, max_time=seconds, seed=seed)


def standardised(X: Any, train: Any) -> Any:
    """Mean 0 and deviation 1 over the training rows; constant columns and those that repeat another are left out."""
    middle, spread = X[train].mean(axis=0), X[train].std(axis=0)
    X = (X - middle)[:, spread > 0] / spread[spread > 0]
    alike = np.abs(np.triu(X[train].T @ X[train], k=1)) > (1 - 1e-9) * len(train)
    return X[:, ~alike.any(axis=0)]


def one_set(X: Any, y: Any, train: Any, test: Any, options: Any, size: dict[str, Any]) -> dict[str, Any]:
    X = with_ones(standardised(X, train))
    classes = np.unique(y[train])
    columns = classes[1:] if len(classes) == 2 else classes
    targets = np.where(y[train][:, None] == columns, 1.0, -1.0)
    beta, seconds = options.share * len(train), size["seconds"] / targets.shape[1]
    scores: dict[str, list[Any]] = {"ours": [], "sgd": []}
    gaps, objectives, bounds, best = [], [], [], []
    for k, target in enumerate(targets.T):
        solution = certified(X[train], target, beta, options.priced, seconds, options.seed)
        runs = sgd(
            X[train], target, beta, options.neurons, rates=[0.02, 0.1], epochs=size["epochs"], batch=32,
            seed=options.seed + k, momentum=0.9, decay=True, looks=20,
        )  # fmt: skip
        chosen = int(np.argmin(runs.objective[-1]))
        scores["ours"].append(solution.network.predict(X[test]))
        scores["sgd"].append(runs.outputs(chosen, X[test]))
        gaps.append(solution.gap)
        objectives.append(solution.objective)
        bounds.append(solution.lower_bound)
        best.append(float(runs.best.min()))
    accuracy = {}
    for name, outputs in scores.items():
        f = np.column_stack(outputs)
        said = np.where(f[:, 0] > 0, classes[1], classes[0]) if len(classes) == 2 else classes[np.argmax(f, axis=1)]
        accuracy[name] = float(np.mean(said == y[test]))
    return {
        "n": len(train), "d": X.shape[1], "classes": len(classes), "accuracy": accuracy, "gap": max(gaps),
        "objectives": objectives, "bounds": bounds, "sgd": best, "test": len(test),
    }  # fmt: skip


def draw(rows: dict[str, dict[str, Any]], path: Any) -> None:
    many, height = len(rows) > MOST_NAMED, max(4.6, 1.2 + 0.16 * len(rows))
    figure = canvas(11, height)
    left, right = figure.subplots(1, 2)
    names = sorted(rows, key=lambda name: rows[name]["gap"])
    ours, theirs = ([100 * rows[name]["accuracy"][who] for name in names] for who in ("ours", "sgd"))
    ends = [min(ours + theirs) - 5, 101]
    left.plot(ends, ends, color="0.6", linewidth=1)
    left.plot(theirs, ours, "o", color=BLUE, markersize=6, alpha=0.8)
    left.set(xlabel="SGD, test accuracy, %", ylabel="convex, test accuracy, %", aspect="equal", xlim=ends, ylim=ends)
    if not many:
        for name, x, y in zip(names, theirs, ours, strict=True):
            left.annotate(name, (x, y), xytext=(-6, 3), textcoords="offset points", ha="right", fontsize=7, color="0.3")
    left.set_title("above the line the convex one is better")
    right.plot([max(rows[name]["gap"], 1e-6) for name in names], range(len(names)), "o", color=ORANGE, markersize=8)
    right.axvline(1e-3, color=BLACK, linestyle="--", linewidth=1, label="0.1 %: proved optimal, as counted here")
    right.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.55 / height))
    right.set_yticks(range(len(names)), [f"{name} (d = {rows[name]['d']})" for name in names], fontsize=7 if many else 8)
    right.margins(y=0.02 if many else None)
    right.set(xscale="log", xlabel="proved gap of the convex one (largest over its classes)")
    tidy(left)
    tidy(right)
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--share", type=float, default=0.01, help="beta over the number of samples (default 0.01)")
    parser.add_argument("--neurons", type=int, default=50, help="of SGD (default 50)")
    parser.add_argument("--priced", type=int, default=5, help="rank up to which all cells are priced (default 5)")
    parser.add_argument("--sets", nargs="*", default=(), metavar="NAME", help="of --data; default all, or few (--quick)")
    options = arguments(__doc__, data="folder of .npz files with X, y, cv0_train, cv0_test", parser=parser)
    import_torch()
    figures = Figures("Figure 9", options)
    size: dict[str, Any] = {"seconds": 4.0, "epochs": 60} if options.quick else {"seconds": 60.0, "epochs": 400}
    if options.data is None:
        sets = bundled(options.seed)
    else:
        sets = published(options.data, tuple(options.sets), options.quick)
    rows: dict[str, dict[str, Any]] = {}
    for name, (X, y, train, test) in sets.items():
        rows[name] = r = one_set(np.asarray(X, dtype=float), y, train, test, options, size)
        a = r["accuracy"]
        words = f"{100 * a['ours']:.1f} and {100 * a['sgd']:.1f} %, gap {r['gap']:.2g}"
        what = f"{name}, {r['n']} x {r['d']}, {r['classes']} classes: convex and SGD"
        figures.add(name, r, what, text=words)
        print(f"{what}: {words}", flush=True)
    at_least = sum(r["accuracy"]["ours"] >= r["accuracy"]["sgd"] for r in rows.values())
    figures.add("sets", len(rows), "sets", "90")
    figures.add("at_least_as_good", at_least, "convex at least as accurate on", "most")
    means = [float(np.mean([r["accuracy"][who] for r in rows.values()])) for who in ("ours", "sgd")]
    words = f"{100 * means[0]:.1f} and {100 * means[1]:.1f} %"
    figures.add("mean_accuracy", means, "mean accuracy, convex and SGD", text=words)
    figures.add("certified", sum(r["gap"] <= 1e-3 for r in rows.values()), "proved within 0.1 % of the optimum", "no bounds")
    figures.finish()
    if options.output is not None:
        draw(rows, options.output)


if __name__ == "__main__":
    run(main)
