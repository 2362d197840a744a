"""`python -m verify FILE`: the checker without the rest of topes."""

from __future__ import annotations

import sys

from ._check import verify


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m verify FILE", file=sys.stderr)
        return 2
    found = verify(arguments[0])
    if not found.valid:
        print(f"not valid: {found.reason}")
        return 1
    residual = f", residual <= {found.residual:.3g}" if found.residual else ""
    objective, bound = found.objective_upper, found.lower_bound
    print(f"valid: objective <= {objective!r}, optimum >= {bound!r}, gap <= {found.gap:.3g}{residual}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
