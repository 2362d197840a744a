"""Several outputs against local training of wide networks from many starts, by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from topes import Status, train


@pytest.mark.parametrize(("n", "d", "C", "kappa"), [(12, 2, 2, 0.0), (15, 3, 3, 0.0), (12, 2, 3, -1.0)])
def test_no_local_training_goes_below_the_bound_and_the_best_comes_near(n, d, C, kappa):
    rng = np.random.default_rng(n + d + C)
    X, Y, beta, m = rng.standard_normal((n, d)), rng.standard_normal((n, C)), 0.5, 40

    def objective(z):
        W1, W2 = z[: d * m].reshape(d, m), z[d * m :].reshape(m, C)
        H = X @ W1
        D = np.where(H >= 0.0, 1.0, kappa)
        R = D * H @ W2 - Y
        gradient = X.T @ (D * (R @ W2.T)) + beta * W1, (D * H).T @ R + beta * W2
        return 0.5 * np.sum(R * R) + 0.5 * beta * np.sum(z * z), np.concatenate([g.ravel() for g in gradient])

    solution = train(X, Y, beta, activation=kappa)
    assert solution.status is Status.CERTIFIED
    found = [
        minimize(
            objective, 0.5 * rng.standard_normal((d + C) * m), jac=True, method="L-BFGS-B", options={"maxiter": 2000}
        ).fun
        for _ in range(10)
    ]
    assert min(found) >= solution.lower_bound
    assert min(found) <= solution.objective * (1.0 + 1e-2)
