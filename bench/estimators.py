"""The estimators on real data beside scikit-learn's: test error, time, and what a different seed changes.

Usage: python bench/estimators.py FOLDER [--quick] [--only NAME]

FOLDER holds the .npz files, with arrays X and y; docs/estimators.md has the table of a run. Each method chooses its own
parameters by 5-fold cross-validation on the training part, columns standardised on it; tests are on the other quarter of
three fixed random splits. The spread over seeds is that of three runs on the first split. The MLP has 100 neurons, L-BFGS.
Seconds are of processor time, all threads together; a busy machine makes them longer, but by less than the clock's.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LassoCV, LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from topes.estimators import ConvexReLUClassifierCV, ConvexReLURegressorCV

REGRESSION = ["lowdim/mcycle", "lowdim/airquality_ozone", "lowdim/servo", "regression/yacht"]
REGRESSION += ["regression/sk_diabetes"]
CLASSES = ["lowdim/ripley_synth", "uci/blood", "lowdim/penguins", "uci/balance-scale", "uci/wine"]
SPLITS, SEEDS = 3, 3
ALPHAS = np.geomspace(1e-3, 10.0, 3)
WIDTHS = np.geomspace(1e-3, 1.0, 7)  # of a Gaussian kernel
STRENGTHS = np.geomspace(1e-3, 1e3, 7)
TREES = {"max_depth": [1, 3], "n_estimators": [50, 200]}

Maker = Callable[[int], Any]


def regressors() -> dict[str, Maker]:
    """Makers of models from a seed."""
    return {
        "topes": lambda seed: ConvexReLURegressorCV(10, random_state=seed),
        "MLP": lambda seed: GridSearchCV(MLPRegressor(solver="lbfgs", max_iter=300, random_state=seed), {"alpha": ALPHAS}),
        "Lasso": lambda seed: LassoCV(random_state=seed),
        "boosting": lambda seed: GridSearchCV(GradientBoostingRegressor(subsample=0.8, random_state=seed), TREES),
        "kernel": lambda seed: GridSearchCV(KernelRidge(kernel="rbf"), {"gamma": WIDTHS, "alpha": STRENGTHS}),
    }


def classifiers() -> dict[str, Maker]:
    """The same for labels."""
    return {
        "topes": lambda seed: ConvexReLUClassifierCV(10, random_state=seed),
        "MLP": lambda seed: GridSearchCV(MLPClassifier(solver="lbfgs", max_iter=300, random_state=seed), {"alpha": ALPHAS}),
        "Lasso": lambda seed: GridSearchCV(
            LogisticRegression(l1_ratio=1.0, solver="saga", max_iter=5000, random_state=seed), {"C": STRENGTHS}
        ),
        "boosting": lambda seed: GridSearchCV(GradientBoostingClassifier(subsample=0.8, random_state=seed), TREES),
        "kernel": lambda seed: GridSearchCV(SVC(random_state=seed), {"gamma": WIDTHS, "C": STRENGTHS}),
    }


def error(model: Any, X: Any, y: Any) -> float:
    """Share of the variance that is not explained, or of labels that are wrong; per cent."""
    return 100.0 * (1.0 - float(model.score(X, y)))


def main(folder: Path, quick: bool, only: str | None) -> None:
    print(f"{'data':<18}{'n':>6}{'d':>4}  {'method':<10}{'error, %':>16}{'CPU s':>9}{'seeds':>8}  certificate")
    for name in [name for pair in zip(REGRESSION, CLASSES, strict=True) for name in pair]:
        if only is not None and only not in name:
            continue
        is_regression = name in REGRESSION
        data = np.load(folder / f"{name}.npz", allow_pickle=False)
        X, y = data["X"].astype(float), data["y"]
        if is_regression:
            y = (y - y.mean()) / y.std()
        for method, make in (regressors() if is_regression else classifiers()).items():
            errors, seconds, note = [], [], ""
            for split in range(1 if quick else SPLITS):
                found, took, note = run(make(0), X, y, split, is_regression)
                errors.append(found)
                seconds.append(took)
            seeds = [run(make(seed), X, y, 0, is_regression)[0] for seed in range(1, 2 if quick else SEEDS)]
            spread, label = float(np.ptp([errors[0], *seeds])), Path(name).name
            print(f"{label:<18}{len(X):>6}{X.shape[1]:>4}  {method:<10}{np.mean(errors):>8.2f} +-{np.std(errors):>5.2f}"
                  f"{np.mean(seconds):>9.2f}{spread:>8.2f}  {note}", flush=True)  # fmt: skip


def run(model: Any, X: Any, y: Any, split: int, is_regression: bool) -> tuple[float, float, str]:
    """Test error, processor seconds of fitting, and what is proved."""
    labels = None if is_regression else y
    A, B, a, b = train_test_split(X, y, test_size=0.25, random_state=split, stratify=labels)
    start = time.process_time()
    fitted = make_pipeline(StandardScaler(), model).fit(A, a)
    took = time.process_time() - start
    last = fitted[-1]
    note = f"{last.status_}, gap {last.gap_:.1e}, {last.n_neurons_} neurons" if hasattr(last, "gap_") else ""
    return error(fitted, B, b), took, note


if __name__ == "__main__":
    options = sys.argv[1:]
    wanted = options[options.index("--only") + 1] if "--only" in options else None
    paths = [o for o in options if not o.startswith("--") and o != wanted]
    if len(paths) != 1:
        sys.exit(__doc__)
    warnings.simplefilter("ignore")  # of convergence: the note says it of ours, and the others are as they come
    main(Path(paths[0]), "--quick" in options, wanted)
