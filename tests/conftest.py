"""Pools for walks in shares, and hypothesis profiles.

`dev` takes seconds, `ci` takes the same examples each time, `nightly` new ones, four times as many or what TOPES_EXAMPLES
says: chosen by the environment variable TOPES_PROFILE; `dev` without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings

# The twin works in rational arithmetic: one example may take a second, which is no reason to fail.
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=SLOW)
settings.register_profile(
    "ci", max_examples=100, deadline=None, suppress_health_check=SLOW, print_blob=True, derandomize=True
)
settings.register_profile(
    "nightly",
    max_examples=int(os.environ.get("TOPES_EXAMPLES", "400")),
    deadline=None,
    suppress_health_check=SLOW,
    print_blob=True,
)
settings.load_profile(os.environ.get("TOPES_PROFILE", "dev"))


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2) as pool:
        pool.submit(int).result()  # forked now, its workers find no plan here
        yield pool


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
