"""adelie: group lasso by block coordinate descent over D_1 X, ..., D_m X, by its `matrix.convex_relu`.

The patterns D_i are those of sampled directions, or given as cells. It minimises 1/(2n) ||eta - y||^2 + lambda sum ||b_g||
here: no intercept, weight 1 a group, lambda = beta / n, reached by a path of 20 values as is its way. Formulation "gated"
has no cones: its solution is a gated-ReLU network, and no ReLU network. "relu" has the blocks [D_i X, -D_i X] with
(2 D_i - 1) X b >= 0 as `constraint.linear`: problem (7) over these patterns. Rows of unit length and more iterations than
the default for these constraints, as it fails on some of these problems without.
"""

from __future__ import annotations

import adelie as ad
import numpy as np
from protocol import Problem, answer, masks, serve


def solve(problem: Problem) -> Problem:
    X, y, beta = np.asfortranarray(problem["X"]), problem["y"], float(problem["beta"])
    n, d = X.shape
    D = np.asfortranarray(problem["cells"] if "cells" in problem else masks(X, int(problem["samples"])))
    gated = str(problem["formulation"]) == "gated"
    blocks = D.shape[1] * (1 if gated else 2)
    constraints = None
    if not gated:
        rows = X / np.linalg.norm(X, axis=1, keepdims=True)
        cones = [np.ascontiguousarray((2.0 * D[:, i, None] - 1.0) * rows) for i in range(D.shape[1])] * 2
        zero, far = np.zeros(n), np.full(n, np.inf)
        more = {"max_iters": 10_000, "nnls_max_iters": 10**6, "pinball_max_iters": 10**6}
        constraints = [ad.constraint.linear(A, zero, far, configs=more) for A in cones]
    lam = beta / n
    highest = max(float(np.linalg.norm((D * y[:, None]).T @ X, axis=1).max()) / n, lam)
    path = np.geomspace(highest, lam, 20) if highest > lam else np.array([lam])
    state = ad.grpnet(
        ad.matrix.convex_relu(X, D, gated=gated, n_threads=1),
        ad.glm.gaussian(y),
        constraints=constraints,
        groups=np.arange(blocks) * d,
        penalty=np.ones(blocks),
        lmda_path=path,
        tol=float(problem["tol"]),
        intercept=False,
        early_exit=False,
        progress_bar=False,
        n_threads=1,
    )
    U = np.asarray(state.betas[-1].todense()).reshape(blocks, d).T
    if not np.isclose(state.lmdas[-1], lam):
        raise SystemExit(f"adelie stopped at lambda {state.lmdas[-1]}, asked for {lam}")
    used = np.linalg.norm(U, axis=0) > 0.0
    signs = np.ones(blocks)
    signs[D.shape[1] :] = -1.0
    both = D if gated else np.hstack([D, D])
    f = ((X @ U[:, used]) * both[:, used]) @ signs[used]
    value = 0.5 * float(np.sum((f - y) ** 2)) + beta * float(np.linalg.norm(U, axis=0).sum())
    if gated:
        return answer(U[:, used], signs[used], value, masks=both[:, used], patterns=D.shape[1])
    return answer(U[:, used], signs[used], value, patterns=D.shape[1])


if __name__ == "__main__":
    serve(solve)
