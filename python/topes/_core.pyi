"""The compiled core; see topes/arrangement.py for the face."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_Progress = Callable[[float, int], None] | None
_Ints = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]

class Arrangement:
    @staticmethod
    def from_doubles(rows: npt.NDArray[np.float64], affine: bool, first_inserted: int) -> Arrangement: ...
    @staticmethod
    def from_int64(rows: _Ints, affine: bool, first_inserted: int) -> Arrangement: ...
    @staticmethod
    def from_bytes(rows: _Bytes, affine: bool, first_inserted: int) -> Arrangement: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def integer_arithmetic(self) -> bool: ...
    @property
    def hyperplanes(self) -> _Ints: ...
    @property
    def orientations(self) -> npt.NDArray[np.int8]: ...
    def count(self, max_cells: int, n_threads: int, progress: _Progress) -> tuple[int, dict[str, int]]: ...
    def estimate_count(self, n_dives: int, seed: int, progress: _Progress) -> tuple[float, float]: ...

class Plan:
    def __init__(self, arrangement: Arrangement, n_tasks: float, one_task: float) -> None: ...
    @property
    def n_tasks(self) -> int: ...
    @property
    def weights(self) -> npt.NDArray[np.float64]: ...
    @property
    def counters(self) -> dict[str, int]: ...

def count_tasks(
    arrangement: Arrangement, plan: Plan, first: int, last: int, max_cells: int, progress: _Progress
) -> tuple[int, dict[str, int]]: ...
def pack_tasks(
    arrangement: Arrangement, plan: Plan, first: int, last: int, max_cells: int, progress: _Progress
) -> tuple[int, _Bytes]: ...
def angle_parts(
    arrangement: Arrangement,
    plan: Plan,
    first: int,
    last: int,
    n_points: int,
    seed: int,
    max_cells: int,
    progress: _Progress,
) -> list[tuple[Any, ...]]: ...
def summarise_parts(arrangement: Arrangement, parts: list[Any]) -> tuple[Any, ...]: ...

class HeldCells:
    @property
    def n_found(self) -> int: ...
    @property
    def counters(self) -> dict[str, int]: ...

class CellStream:
    def __init__(
        self, arrangement: Arrangement, batch_size: int, geometry: bool, n_threads: int, max_cells: int
    ) -> None: ...
    def next(self, n_rows: int, progress: _Progress) -> tuple[Any, ...]: ...
    def close(self) -> None: ...
    @property
    def counters(self) -> dict[str, int]: ...

def hold(arrangement: Arrangement, max_cells: int, n_threads: int, progress: _Progress) -> HeldCells: ...
def insert(old: Arrangement, held: HeldCells, new: Arrangement, max_cells: int, progress: _Progress) -> HeldCells: ...
def unpack(
    arrangement: Arrangement,
    held: HeldCells,
    first: int,
    last: int,
    positive: int,
    negative: int,
    zero: int,
    out: _Bytes,
    n_threads: int,
    progress: _Progress,
) -> None: ...
def neighbors(
    arrangement: Arrangement, held: HeldCells, n_threads: int, progress: _Progress
) -> tuple[_Ints, _Ints, _Ints]: ...
def vertices(
    arrangement: Arrangement, held: HeldCells, x: npt.NDArray[np.float64], n_threads: int, progress: _Progress
) -> npt.NDArray[np.float64]: ...
def find_cell(arrangement: Arrangement, packed: _Bytes) -> tuple[list[list[int]], list[int]] | None: ...
def find_facets(arrangement: Arrangement, packed: _Bytes) -> _Ints | None: ...

MAX_PRICING_DIMENSION: int
PRICING_SLICE: int
DEFAULT_PLAN_SIZE: tuple[float, float]

class PricedPiece:
    @property
    def upper(self) -> float: ...
    @property
    def late(self) -> bool: ...
    @property
    def nodes(self) -> int: ...
    @property
    def n_open(self) -> int: ...

_Piece = tuple[int, bytes, float, int]
_PieceSearch = Callable[[list[_Piece], float], list[PricedPiece]] | None

class PricingSpace:
    def __init__(self, normals: npt.NDArray[np.float64], ball: str, scale: npt.NDArray[np.float64]) -> None: ...
    def price(
        self,
        bend: npt.NDArray[np.float64],
        linear: npt.NDArray[np.float64],
        starts: npt.NDArray[np.float64],
        floor: float,
        keep: float,
        tolerance: float,
        max_nodes: int,
        max_seconds: float,
        n_best: int,
        n_threads: int,
        progress: _Progress,
        reallot: bool = False,
        search: _PieceSearch = None,
        slice: int = ...,
    ) -> tuple[float, float, bool, int, npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int8]]: ...
    def cover(
        self,
        bend: npt.NDArray[np.float64],
        linear: npt.NDArray[np.float64],
        starts: npt.NDArray[np.float64],
        floor: float,
        tolerance: float,
        max_nodes: int,
        max_seconds: float,
        n_threads: int,
        progress: _Progress,
        search: _PieceSearch = None,
    ) -> tuple[
        float,
        bool,
        npt.NDArray[np.uint8],
        npt.NDArray[np.uint16],
        npt.NDArray[np.float64],
        npt.NDArray[np.uint32],
        npt.NDArray[np.uint32],
        npt.NDArray[np.float64],
    ]: ...
    def search_pieces(
        self,
        bend: npt.NDArray[np.float64],
        linear: npt.NDArray[np.float64],
        pieces: list[_Piece],
        incumbent: float,
        floor: float,
        keep: float,
        tolerance: float,
        max_seconds: float,
        n_best: int,
        n_threads: int,
        progress: _Progress,
        record: bool,
        slice: int = ...,
    ) -> list[PricedPiece]: ...
    def part_vertices(self, outputs: int) -> npt.NDArray[np.float64]: ...

class SampleRows:
    @staticmethod
    def from_doubles(rows: npt.NDArray[np.float64]) -> SampleRows: ...
    @staticmethod
    def from_int64(rows: _Ints) -> SampleRows: ...
    @staticmethod
    def from_bytes(rows: _Bytes) -> SampleRows: ...
    def sample(
        self,
        support: SampleSupport,
        key: tuple[int, int],
        first: int,
        count: int,
        max_patterns: int,
        n_threads: int,
        kernel: str,
        progress: _Progress,
    ) -> tuple[_Bytes, _Ints, _Ints, dict[str, int]]: ...

class SampleSupport:
    def __init__(
        self,
        n_columns: int,
        offsets: npt.NDArray[np.uint32],
        places: npt.NDArray[np.uint32],
        always: npt.NDArray[np.uint32],
    ) -> None: ...
    def directions(self, key: tuple[int, int], first: int, count: int) -> npt.NDArray[np.float64]: ...

def sample_bytes_per_pattern(n_rows: int) -> int: ...
def solid_angles(
    arrangement: Arrangement, n_points: int, seed: int, max_cells: int, n_threads: int, progress: _Progress
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], int, dict[str, int]]: ...
def solid_angle_summary(
    arrangement: Arrangement, n_points: int, seed: int, max_cells: int, n_threads: int, progress: _Progress
) -> tuple[Any, ...]: ...
def solid_angle_of_cell(
    arrangement: Arrangement, packed: _Bytes, n_points: int, seed: int, progress: _Progress
) -> tuple[float, float] | None: ...
def best_on_circles(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    signs: npt.NDArray[np.float64],
    kappa: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...

class Descent:
    def __init__(
        self,
        X: npt.NDArray[np.float64],
        group: _Ints,
        factor: npt.NDArray[np.float64],
        normals: npt.NDArray[np.float64],
        y: npt.NDArray[np.float64],
        loss: str,
        beta: float,
        kappa: float,
        pool: int,
        free_bias: bool,
    ) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def constant(self) -> float: ...
    @constant.setter
    def constant(self, constant: float) -> None: ...
    def enter(self, blocks: npt.NDArray[np.float64], signs: npt.NDArray[np.float64]) -> None: ...
    def minimise(self, accuracy: float, max_seconds: float, progress: _Progress, max_steps: int = 400) -> int: ...
    def blocks(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
    def outputs(self) -> npt.NDArray[np.float64]: ...
    def value(self) -> float: ...
