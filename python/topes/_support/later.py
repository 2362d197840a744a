"""cvxpy, imported where it is first used: it takes longer to import than all the rest, and most work needs none of it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["cvxpy"]


class _Later(ModuleType):
    """A module by its name alone, until something in it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


if TYPE_CHECKING:
    import cvxpy
else:
    cvxpy = _Later("cvxpy")
