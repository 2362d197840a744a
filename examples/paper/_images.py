"""Images for the scripts of the tables: the digits of scikit-learn, or Fashion-MNIST and CIFAR-10 from a folder."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _common import read_arrays, stop

# File of the training images, file of the test images; arrays X (uint8) and y in each.
FILES = {
    "fashion-mnist": ("fashion_mnist_train20000", "fashion_mnist_test"),
    "cifar-10": ("cifar10_train4000", "cifar10_test1500_jpeg"),
}
HELP = "folder of " + ", ".join(f"{name}.npz" for pair in FILES.values() for name in pair)


def image_parser(doc: str, beta: float) -> argparse.ArgumentParser:
    """The options of every script about images."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("--set", choices=tuple(FILES), help="of --data (default fashion-mnist)")
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

    @property
    def classes(self) -> int:
        return int(self.y_train.max()) + 1

    def flat(self) -> tuple[Any, Any]:
        """Pixels as rows, less the mean of the training images, of length about 1."""
        rows = [part.reshape(len(part), -1) for part in (self.train, self.test)]
        middle = rows[0].mean(axis=0)
        size = float(np.sqrt(np.mean(np.sum((rows[0] - middle) ** 2, axis=1))))
        return (rows[0] - middle) / size, (rows[1] - middle) / size


def digits(seed: int) -> tuple[Any, Any, Any, Any]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        stop("the digits come with scikit-learn: pip install 'topes[sklearn]', or give --data")
    held = load_digits()
    order = np.random.default_rng(seed).permutation(len(held.target))
    X, y = held.images[order] / 16.0, held.target[order].astype(int)
    return X[:1200], y[:1200], X[1200:], y[1200:]


def held_in(path: Path) -> tuple[Any, Any]:
    """Images between 0 and 1 and classes of an .npz file."""
    X, y = read_arrays(path, ("X", "y"), "uint8 images X and classes y")
    if X.dtype != np.uint8 or X.ndim not in (3, 4) or y.shape != X.shape[:1] or y.dtype.kind not in "iu" or not len(y):
        stop(
            f"{path} must hold uint8 images X of shape (n, height, width) or (n, height, width, channels) and n classes y, "
            f"got X of {X.dtype} {X.shape} and y of {y.dtype} {y.shape}"
        )
    return X / 255.0, y.astype(int)


def read(options: argparse.Namespace, n_train: int, n_test: int) -> Images:
    """The first images of each part, of those that come with scikit-learn without --data; --images goes before n_train."""
    name = "digits 8 x 8" if options.data is None else options.set or "fashion-mnist"
    if options.data is None:
        X, y, X_test, y_test = digits(options.seed)
    else:
        parts = [held_in(options.data / f"{stem}.npz") for stem in FILES[name]]
        (X, y), (X_test, y_test) = parts
    if options.images is not None and options.images > len(y):
        stop(f"--images must be at most {len(y)}, the training images of {name}, got {options.images}")
    chosen = slice(options.images or n_train)
    images = Images(name, X[chosen], y[chosen], X_test[:n_test], y_test[:n_test])
    missing = sorted(set(range(max(y.max(), y_test.max()) + 1)) - set(images.y_train))
    if missing:
        stop(f"the first {len(images.y_train)} images of {name} have none of class {missing[0]}: give more --images")
    return images


def one_hot(y: Any, classes: int) -> Any:
    return np.eye(classes)[y]


def accuracy(outputs: Any, y: Any) -> float:
    return float(np.mean(np.argmax(outputs, axis=1) == y))
