"""Images for the scripts of the tables: the digits of scikit-learn, or Fashion-MNIST and CIFAR-10 from a folder."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _common import stop

# File of the training images, file of the test images; arrays X (uint8) and y in each.
FILES = {
    "fashion-mnist": ("fashion_mnist_train20000", "fashion_mnist_test"),
    "cifar-10": ("cifar10_train4000", "cifar10_test1500_jpeg"),
}
HELP = "folder of " + ", ".join(f"{name}.npz" for pair in FILES.values() for name in pair)


def image_parser(doc: str, beta: float) -> argparse.ArgumentParser:
    """The options of every script about images."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("--set", choices=tuple(FILES), default="fashion-mnist", help="of --data (default fashion-mnist)")
    parser.add_argument("--beta", type=float, default=beta, help=f"weight of the regulariser (default {beta:g})")
    parser.add_argument("--images", type=int, metavar="N", help="training images (default by size)")
    return parser


@dataclass(frozen=True)
class Images:
    """Pixels between 0 and 1, shape (n, height, width) or with channels; classes from 0."""

    name: str
    train: Any
    y_train: Any
    test: Any
    y_test: Any

    def flat(self) -> tuple[Any, Any]:
        """Pixels as rows, less the mean of the training images, of length about 1."""
        rows = [part.reshape(len(part), -1) for part in (self.train, self.test)]
        middle = rows[0].mean(axis=0)
        size = float(np.sqrt(np.mean(np.sum((rows[0] - middle) ** 2, axis=1))))
        return (rows[0] - middle) / size, (rows[1] - middle) / size


def digits(seed: int, n_train: int) -> Images:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        stop("the digits come with scikit-learn: pip install 'topes[sklearn]', or give --data")
    held = load_digits()
    order = np.random.default_rng(seed).permutation(len(held.target))
    X, y = held.images[order] / 16.0, held.target[order].astype(int)
    cut = min(n_train, 1200)
    return Images("digits 8 x 8", X[:cut], y[:cut], X[1200:], y[1200:])


def read(folder: Path | None, name: str, seed: int, n_train: int, n_test: int) -> Images:
    """The first images of each part; without a folder the digits."""
    if folder is None:
        return digits(seed, n_train)
    parts = []
    for stem, most in zip(FILES[name], (n_train, n_test), strict=True):
        path = folder / f"{stem}.npz"
        try:
            with np.load(path, allow_pickle=False) as held:
                parts += [held["X"][:most] / 255.0, held["y"][:most].astype(int)]
        except (OSError, KeyError, ValueError) as error:
            stop(f"--data must hold {stem}.npz with uint8 images X and classes y: {error}")
    return Images(name, *parts)


def one_hot(y: Any, classes: int) -> Any:
    return np.eye(classes)[y]


def accuracy(outputs: Any, y: Any) -> float:
    return float(np.mean(np.argmax(outputs, axis=1) == y))
