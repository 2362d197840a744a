"""The main job on real data: count every cell of an ECG series, then train to the certified global optimum over all of them.

Usage: python examples/demo.py OUTPUT_FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parent / "data" / "ecg_lags.csv"


def run(*arguments: str) -> None:
    """Run the command `topes` as a user would, and stop if it fails."""
    print("$ topes", *arguments, flush=True)
    done = subprocess.run([sys.executable, "-m", "topes.cli", *arguments], check=False)
    if done.returncode:  # the command has said why
        sys.exit(done.returncode)
    print(flush=True)


def main() -> None:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output")
    output.mkdir(parents=True, exist_ok=True)
    network, picture = output / "network.json", output / "fit.png"
    problem = ("--target", "now", "--beta", "0.005", "--tol", "1e-3")
    run("count", str(DATA), "--target", "now")
    run("train", str(DATA), *problem, "-o", str(network), "--plot", str(picture), "--force")
    print(
        "No two-layer ReLU network, of any width, has an objective below the lower bound: it was proved by pricing the\n"
        f"dual point over all the cells counted above.\nNetwork: {network}\nPicture of the fit: {picture}"
    )


if __name__ == "__main__":
    main()
