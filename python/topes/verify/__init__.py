"""The checker of certificates: a program of its own, which shares no code with the solver and needs numpy only."""

from ._check import Verification, verify

__all__ = ["Verification", "verify"]
