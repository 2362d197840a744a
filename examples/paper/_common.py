"""What the scripts of the paper's experiments share: arguments, the table of figures, pictures, data."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import topes

BUNDLED = Path(__file__).parents[1] / "data"
# Okabe and Ito's colours, told apart by all eyes.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, YELLOW)
# Tell the same series apart in print.
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3)))
MARKERS = "osD^vPX"


def arguments(doc: str, *, data: str = "", parser: argparse.ArgumentParser | None = None) -> argparse.Namespace:
    """The options every script has; `data` says what the folder of --data holds, empty where a script reads none."""
    head = doc.split("\n\n")[0].replace("\n", " ")
    parser = argparse.ArgumentParser(description=head) if parser is None else parser
    parser.add_argument("--quick", action="store_true", help="a small size, within two minutes")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    parser.add_argument("-o", "--output", type=Path, metavar="PICTURE", help="write the picture here, e.g. figure.png")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    if data:
        parser.add_argument("--data", type=Path, metavar="DIR", help=data)
    options = parser.parse_args()
    for name, value in vars(options).items():
        if name == "seed":
            if not 0 <= value < 2**63:
                parser.error(f"--seed must be from 0 to {2**63 - 1}, got {value}")
        elif name == "momentum":
            if not 0 <= value < 1:
                parser.error(f"--momentum must be at least 0 and less than 1, got {value}")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and not 0 < value < math.inf:
            parser.error(f"--{name} must be positive and finite, got {value}")
        elif name in ("output", "json") and value is not None:
            if not value.parent.is_dir():
                parser.error(f"--{name} must lie in an existing folder, got {str(value)!r}")
            if value.is_dir():
                parser.error(f"--{name} must be a file, {str(value)!r} is a folder")
        elif name in ("set", "sets") and value and options.data is None:
            parser.error(f"--{name} names what is in --data, which is not given")
    if options.output is not None:
        formats = canvas(1, 1).canvas.get_supported_filetypes()
        if options.output.suffix[1:].lower() not in formats:
            parser.error(f"--output must end in one of {', '.join(sorted(formats))}, got {str(options.output)!r}")
    return options


def run(main: Callable[[], None]) -> None:
    """Call `main`; what topes refuses is one line, and so is Ctrl-C."""
    try:
        main()
    except topes.TopesError as error:
        stop(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def stop(message: str) -> Any:
    """End the script with one line."""
    sys.exit(f"error: {message}")


class Progress:
    """One line on stderr, written over, of work that takes minutes: what, how much of it is done, seconds left.

    Parameters
    ----------
    what : str
    total : int
        Steps; more than that is another round of as many (a larger rho).
    """

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.begin = what, total, time.perf_counter()
        self.shown, self.wide = self.begin, 0

    def __call__(self, done: int) -> None:
        """Say that so many steps are done."""
        now = time.perf_counter()
        if not sys.stderr.isatty() and now - self.shown < 60.0:
            return
        rounds, step = divmod(done - 1, self.total)
        left = (now - self.begin) / done * (self.total - step - 1)
        line = f"{self.what}: {'' if rounds == 0 else f'round {rounds + 1}, '}{step + 1} of {self.total}, {left:.0f} s left"
        if sys.stderr.isatty():
            print("\r" + line.ljust(self.wide), end="" if left > 0.5 else "\n", file=sys.stderr, flush=True)
            self.wide = len(line)
        else:
            print(line, file=sys.stderr, flush=True)
        self.shown = now


class Figures:
    """The figures of one experiment: printed as a table beside the paper's, and written as JSON for a test.

    Parameters
    ----------
    title : str
    options : argparse.Namespace
        Those of `arguments`.
    """

    def __init__(self, title: str, options: argparse.Namespace) -> None:
        self.title, self.options = title, options
        self.begin = time.perf_counter()
        self.values: dict[str, Any] = {}
        self.rows: list[tuple[str, str, str]] = []
        print(f"{title} (topes {topes.__version__}{', quick' if options.quick else ''}, seed {options.seed})", flush=True)

    def add(self, key: str, value: Any, what: str = "", paper: str = "", *, text: str = "") -> None:
        """Keep a figure for the JSON; with `what`, also a line of the table (as `text`), beside what the paper says."""
        self.values[key] = plain(value)
        if what:
            self.rows.append((what, text or shown(value), paper))

    def finish(self) -> None:
        """Print the table, write the JSON."""
        seconds = time.perf_counter() - self.begin
        widths = [max(len(row[i]) for row in [*self.rows, ("", "here", "")]) for i in range(2)]
        print(f"\n{'':{widths[0]}}  {'here':>{widths[1]}}  the paper")
        for what, here, paper in self.rows:
            print(f"{what:{widths[0]}}  {here:>{widths[1]}}  {paper}".rstrip())
        print(f"{seconds:.1f} s")
        if self.options.json is not None:
            whole = {"title": self.title, "quick": self.options.quick, "seed": self.options.seed, "seconds": seconds}
            try:
                self.options.json.write_text(json.dumps(whole | {"figures": self.values}, indent=1) + "\n", encoding="utf-8")
            except OSError as error:
                stop(f"--json cannot be written: {error}")


def plain(value: Any) -> Any:
    """Numbers, lists and dictionaries as JSON has them."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def shown(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(shown(v) for v in value)
    return str(value)


def canvas(width: float, height: float) -> Any:
    """An empty matplotlib figure drawn by Agg, no window."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        stop("pictures need matplotlib: pip install 'topes[plot]'")
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        stop(f"the picture {str(path)!r} cannot be written: {error}")
    print(f"picture: {path}")


def tidy(axes: Any) -> None:
    """No box around the plot, a light grid behind it."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)


def read_table(name: str, target: str, folder: Path | None) -> tuple[Any, Any]:
    """Features and target column of NAME.csv, from `folder` or from what comes with the examples."""
    path = (BUNDLED if folder is None else folder) / f"{name}.csv"
    try:
        with path.open(encoding="utf-8") as lines:
            header = lines.readline().strip().split(",")
            rows = [line.split(",") for line in lines if line.strip()]
        table = np.array(rows, dtype=float).reshape(len(rows), -1)
    except (OSError, ValueError) as error:
        stop(f"{path} must be a table of numbers with a header: {error}")
    if target not in header:
        stop(f"{path} must have a column {target!r}, got {', '.join(header)}")
    if not len(table) or not np.isfinite(table).all():
        stop(f"{path} must have at least one row, all of it finite numbers")
    at = header.index(target)
    return np.delete(table, at, axis=1), table[:, at]


def read_arrays(path: Path, names: tuple[str, ...], words: str) -> list[Any]:
    """These arrays of an .npz file; where they cannot be read, `words` say what it must hold."""
    try:
        with np.load(path, allow_pickle=False) as held:
            return [held[name] for name in names]
    except (OSError, KeyError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        stop(f"{path} must hold {words}: {type(error).__name__} on reading it")


def with_ones(X: Any) -> Any:
    """X and a column of ones: a bias that is penalised like any weight (Corollary II.1)."""
    return np.hstack([X, np.ones((len(X), 1))])
