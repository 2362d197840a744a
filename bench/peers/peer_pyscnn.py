"""pyscnn (scnn): problem (7) over sampled activation patterns, by an augmented Lagrangian method.

It minimises 1/(2n) ||f - y||^2 + lambda sum ||v_i|| + ||w_i||, so lambda = beta / n. "relu" is its ConvexReLU with AL,
"cones" its ConvexGatedReLU with ApproximateConeDecomposition, which takes the gated solution apart into ReLU neurons; both
give a ReLU network by its own mapping. Columns of X keep their units (`unitize_data` would change the problem); float64.
"""

from __future__ import annotations

import numpy as np
from protocol import Problem, answer, gates, serve
from scnn.metrics import Metrics
from scnn.models import ConvexGatedReLU, ConvexReLU
from scnn.optimize import optimize_model
from scnn.regularizers import NeuronGL1
from scnn.solvers import AL, ApproximateConeDecomposition


def solve(problem: Problem) -> Problem:
    X, y, beta = problem["X"], problem["y"], float(problem["beta"])
    n, d = X.shape
    G = gates(d, int(problem["samples"]))
    if str(problem["formulation"]) == "relu":
        model = ConvexReLU(G)
        solver = AL(model)
    else:
        model = ConvexGatedReLU(G)
        solver = ApproximateConeDecomposition(model)
    network, metrics = optimize_model(
        model, solver, Metrics(), X, y, regularizer=NeuronGL1(beta / n), unitize_data=False, dtype="float64", device="cpu"
    )
    W1, w2 = (np.asarray(p, dtype=np.float64) for p in network.parameters)
    w2 = w2.reshape(-1)
    value = n * float(metrics.objective[-1])
    return answer(W1.T * np.abs(w2), np.sign(w2), value, patterns=G.shape[1])


if __name__ == "__main__":
    serve(solve)
