"""The main job on real data: count every cell of an ECG series, then train to the certified global optimum.

Usage: python examples/demo.py OUTPUT_FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parent / "data" / "ecg_lags.csv"
# As many samples as the full program carries in about half a minute: some 9,000 cells, 54,000 variables. They hold one beat.
ROWS = "70:170"


def run(*arguments: str) -> None:
    """Run the command `topes` as a user would, and stop if it fails."""
    print("$ topes", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "topes.cli", *arguments], check=True)
    print(flush=True)


def main() -> None:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output")
    output.mkdir(parents=True, exist_ok=True)
    network, picture = output / "network.json", output / "fit.png"
    run("count", str(DATA), "--target", "now")
    run(
        *("train", str(DATA), "--target", "now", "--rows", ROWS, "--beta", "0.01"),
        *("-o", str(network), "--plot", str(picture)),
    )
    print(
        f"The objective printed is p*: no two-layer ReLU network does better on these samples than the lower bound.\n"
        f"Network: {network}\nPicture of the fit: {picture}"
    )


if __name__ == "__main__":
    main()
