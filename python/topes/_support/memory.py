"""How much memory a result may take, asked before the work starts."""

from __future__ import annotations

import os
from pathlib import Path

_SHARE = 0.8  # of what is free: the rest is for the caller's own arrays


def available_bytes() -> int:
    """Memory that can still be taken: free memory of the machine, or of the control group when that is less."""
    candidates = [_machine(), *_control_group()]
    return max(0, min(candidates))


def default_limit() -> int:
    """Bytes a result may take when the caller sets no limit: four fifths of what is available."""
    return int(_SHARE * available_bytes())


def _machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _control_group() -> list[int]:
    root = Path("/sys/fs/cgroup")
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            most = (root / limit).read_text().strip()
            if most != "max":
                return [int(most) - int((root / used).read_text())]
        except (OSError, ValueError):
            continue
    return []
