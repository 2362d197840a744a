"""cvxpy with Clarabel on problem (7) over all cells: `topes.solve_full`, with all rows of each cone, or the facets alone."""

from __future__ import annotations

import numpy as np
from protocol import Problem, answer, serve

import topes


def solve(problem: Problem) -> Problem:
    s = topes.solve_full(
        problem["X"], problem["y"], float(problem["beta"]), rows=str(problem["formulation"]), max_cells=10**6, n_threads=1
    )
    w2 = s.network.w2
    U, seconds = s.network.W1 * np.abs(w2), sum(s.seconds.values())
    return answer(U, np.sign(w2), s.objective, patterns=len(s.patterns), gap=s.gap, seconds=seconds)


if __name__ == "__main__":
    serve(solve)
