"""Solid angles in shares: parts added in the order of the plan, so that the bits do not depend on who found them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _core
from .._support.limits import restated
from .._support.progress import ProgressCallback
from .results import gather
from .shares import DEFAULT_SIZE
from .supply import ExecutorLike, supply

if TYPE_CHECKING:
    from ..arrangement import Arrangement

__all__ = ["summarise_in_shares"]


def summarise_in_shares(
    A: Arrangement,
    n_points: int,
    seed: int,
    *,
    executor: ExecutorLike | None,
    checkpoint: Any,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int,
) -> tuple[Any, ...]:
    """`_core.solid_angle_summary` over an executor, to the last bit."""
    if A._core.rank <= 1:  # one cell or two, nothing to share
        supply(executor, n_threads)
        with restated(A):
            return _core.solid_angle_summary(A._core, n_points, seed, max_cells, 1, None)
    _, found = gather(
        A,
        "angles",
        (n_points, seed),
        DEFAULT_SIZE,  # that of a walk in one process: another one would round other sums
        executor=executor,
        checkpoint=checkpoint,
        n_threads=n_threads,
        progress=progress,
        label="solid angles",
        max_cells=max_cells,
        cells=lambda parts: sum(2 * part[2] for part in parts),
        encode=lambda parts: [_encoded(part) for part in parts],
    )
    return _core.summarise_parts(A._core, [_decoded(part) for parts in found for part in parts])


def _encoded(part: tuple[Any, ...]) -> list[Any]:
    total, error, n, n_exact, least, greatest, first_bin, bins = part
    return [total, error, n, n_exact, _hex(least), _hex(greatest), first_bin, bins]


def _hex(cell: tuple[float, float, bytes]) -> list[Any]:
    return [cell[0], cell[1], cell[2].hex()]


def _decoded(part: list[Any]) -> tuple[Any, ...]:
    total, error, n, n_exact, least, greatest, first_bin, bins = part
    return total, error, n, n_exact, _cell(least), _cell(greatest), first_bin, bins


def _cell(cell: list[Any]) -> tuple[float, float, bytes]:
    return cell[0], cell[1], bytes.fromhex(cell[2])
