"""Patterns straight into an .npy file, in bounded memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, MemoryLimitError
from ..jobs.reading import beside
from .progress import ProgressCallback

if TYPE_CHECKING:
    from ..arrangement import Arrangement

_BATCH_BYTES = 1 << 24


def write_patterns(
    arrangement: Arrangement,
    path: Any,
    packed: bool,
    n_threads: int | None,
    progress: bool | ProgressCallback,
    max_cells: int | None,
) -> int:
    """Count, check the room on the disk, then stream into a temporary file that replaces `path` at the end."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"path must lie in an existing directory, got {str(target)!r}")
    n_cells = arrangement.count(n_threads, progress, max_cells)
    width = (arrangement.n + 7) // 8 if packed else arrangement.n
    needed, free = n_cells * width, shutil.disk_usage(target.parent).free
    if needed > free:
        raise MemoryLimitError(
            f"{n_cells:,} cells need {needed:,} bytes on disk, {free:,} are free in {str(target.parent)!r}; packed=True "
            "takes an eighth",
            expected_cells=n_cells,
            needed=needed,
            available=free,
        )
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (n_cells, width)})
            batch_size = max(1, _BATCH_BYTES // max(1, arrangement.n))
            for batch in arrangement.cells(batch_size, n_threads, progress, geometry=False):
                file.write((batch.packed if packed else batch.patterns).tobytes())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
        beside(target).unlink(missing_ok=True)  # of a file that is no more
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return n_cells


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
