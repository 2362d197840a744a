"""Real data: cells, the least solid angle, what Theorem III.2 asks for, and the time of enumeration beside that of sampling.

Usage: python bench/real_data.py FOLDER [--quick]

FOLDER holds .npz files with an array X, or is one of them; docs/sampling.md has the table of a run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import topes
from topes.sampling import sample_cells, sufficient_samples

# File, whether a column of ones is appended: small enough to be gone through.
SETS = [
    ("lowdim/cars", True),
    ("lowdim/faithful", True),
    ("lowdim/mcycle", True),
    ("lowdim/trees", True),
    ("lowdim/ripley_synth", True),
    ("lowdim/diabetes_cpeptide", True),
    ("lowdim/airquality_ozone", False),
    ("lowdim/airquality_ozone", True),
    ("lowdim/quakes_fiji", False),
    ("uci/blood", False),
    ("uci/iris", False),
    ("lowdim/servo", True),
    ("uci/balance-scale", False),
    ("series/ecg_mitbih208_lag3", False),
]
EPS, SAMPLES = 0.05, 1 << 20


def main(folder: Path, quick: bool) -> None:
    print(f"{'data':<28}{'n':>6}{'r':>3}{'cells':>12}{'theta_min':>12}{'P theta':>10}{'N of III.2':>12}{'N / P':>10}"
          f"{'enumerate':>11}{'draw N':>11}")  # fmt: skip
    for name, bias in SETS[:4] if quick else SETS:
        X = np.load(folder / f"{name}.npz", allow_pickle=False)["X"].astype(float)
        if bias:
            X = np.hstack([X, np.ones((len(X), 1))])
        A = topes.Arrangement(X, values="decimal")
        start = time.perf_counter()
        found = topes.solid_angle_summary(A)
        walked = time.perf_counter() - start
        start = time.perf_counter()
        sample_cells(X, SAMPLES // (16 if quick else 1), values="decimal")
        rate = SAMPLES // (16 if quick else 1) / (time.perf_counter() - start)
        theta, P = found.least.angle, found.n_cells
        N = sufficient_samples(P, theta, EPS)
        label = Path(name).name + (", 1" if bias else "")
        print(f"{label:<28}{len(X):>6}{A.rank:>3}{P:>12,}{theta:>12.2e}{P * theta:>10.1e}{N:>12.2e}{N / P:>10.1e}"
              f"{walked:>10.2g}s{N / rate:>10.2g}s", flush=True)  # fmt: skip


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--quick"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    main(Path(arguments[0]), "--quick" in sys.argv)
