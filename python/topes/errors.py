"""The exception tree of topes. Every error the library raises on purpose is a `TopesError`."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

__all__ = [
    "CellLimitError",
    "FileFormatError",
    "InputError",
    "JobError",
    "MemoryLimitError",
    "NotInterpolable",
    "RankLimitError",
    "SolverError",
    "TopesError",
]


class TopesError(Exception):
    """Base class of every exception topes raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its attributes, which are keywords of `__init__`: errors travel between processes."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[TopesError], args: tuple[Any, ...], attributes: dict[str, Any]) -> TopesError:
    return kind(*args, **{name: value for name, value in attributes.items() if not name.startswith("__")})


class InputError(TopesError, ValueError):
    """An argument does not meet its requirement; the message names argument, requirement and value."""


class RankLimitError(InputError):
    """The rank of the data is too high to price over all cells."""


class NotInterpolable(InputError):
    """No network of any width has the outputs asked for.

    Attributes
    ----------
    certificate : ndarray, shape (n,), of `fractions.Fraction`
        An exact proof: a z with z'phi(Xu) = 0 for all u, so that z'f = 0 for the outputs f of every network, and z'y != 0;
        for margins all z_i y_i >= 0, not all zero.
    """

    def __init__(self, message: str, *, certificate: npt.NDArray[Any]) -> None:
        super().__init__(message)
        self.certificate = certificate


class FileFormatError(InputError):
    """A file is not a table of numbers, or lacks the column that was asked for."""


class CellLimitError(TopesError):
    """There are more cells than ``max_cells``.

    Attributes
    ----------
    bound : int
        An upper bound on the number of cells, eq. (6) of the paper for the distinct hyperplanes.
    """

    def __init__(self, message: str, *, bound: int) -> None:
        super().__init__(message)
        self.bound = bound


class MemoryLimitError(TopesError, MemoryError):
    """The result would not fit in memory; refused before any work was done.

    Attributes
    ----------
    expected_cells : int
        The number of cells expected (an estimate, or the exact number where it is known).
    needed : int
        Memory the request needs, bytes.
    available : int
        Memory it may use, bytes.
    """

    def __init__(self, message: str, *, expected_cells: int, needed: int, available: int) -> None:
        super().__init__(message)
        self.expected_cells = expected_cells
        self.needed = needed
        self.available = available


class JobError(TopesError):
    """An executor kept failing; what was done is in the checkpoint, where there is one.

    Attributes
    ----------
    done, total : int
        Shares of the work that are done, and all of them.
    """

    def __init__(self, message: str, *, done: int, total: int) -> None:
        super().__init__(message)
        self.done = done
        self.total = total


class SolverError(TopesError):
    """The conic solver returned no usable point; the message carries its status."""
