"""Several outputs against local training of wide networks from many starts, by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from topes import Status, beta_max, train


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


@pytest.mark.parametrize("loss", ["l2", "absolute"])
def test_losses_that_are_not_smooth_need_few_neurons(loss):
    """Copies of neurons were merged but for one step each, and stayed: 170 of them, 2.6e-4 after half a minute."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    y = np.maximum(X @ rng.standard_normal(3), 0.0) - np.maximum(X @ rng.standard_normal(3), 0.0)
    Y = np.stack([y + 0.1 * rng.standard_normal(20), np.abs(X[:, 0])], axis=1)
    solution = train(X, Y, 0.05 * beta_max(X, Y, loss=loss, bias="free"), loss=loss, bias="free", tol=1e-5)
    assert solution.status is Status.CERTIFIED
    # Rounds that do not move collect directions, and the next one that does drops them: copies that stay never go.
    faces = [r.n_faces for r in solution.history]
    assert max(min(faces[k : k + 5]) for k in range(max(1, len(faces) - 4))) <= 40


def test_merging_near_neurons_of_a_fit_without_error_costs_nothing():
    """Directions within 1e-6 became one, and the fit lost 2e-4 of the objective: six neurons for five samples were kept."""
    X = np.array([[2.0, 0.0], [1.0, -1.399], [0.0, 0.0], [0.0, -2.4], [-1.0, 1.399]])
    Y = np.array([[0.0], [3.0], [0.0], [0.0], [-2.0]])
    solution = train(X, Y, 1e-3, loss="l2", activation=0.6, bias="penalized")
    assert solution.status is Status.CERTIFIED
    assert solution.n_neurons <= 5
