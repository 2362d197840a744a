"""
For those who want the true optimum
===================================

How good is the network that your optimiser returned? Here we train a two-layer ReLU network by gradient descent, then
let ``topes`` say how far it is from the best network of *any* width.
"""

# %%
# The problem
# -----------
#
# A two-layer network is :math:`f(x) = \sum_j w_{2j} \max(0, w_{1j}'x)`. Weight decay on both layers gives the objective
#
# .. math:: L(f(X), y) + \tfrac{\beta}{2} \sum_j (\|w_{1j}\|^2 + w_{2j}^2),
#
# which is not convex in the weights. Its minimum over all widths is that of a convex program with one block for each cell
# of the arrangement of the rows of X, eq. (7) of Ergen and Pilanci. `topes.train` solves that program without writing it
# down: a network is optimal when no direction in any cell has a *price* above beta.

import numpy as np

import topes

rng = np.random.default_rng(0)
X = np.column_stack([rng.uniform(-1, 1, (60, 2)), np.ones(60)])  # a column of ones is the bias
y = np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])
beta = 0.01

A = topes.Arrangement(X)
print(f"{A.n} samples of rank {A.rank}: {A.count()} cells, so many blocks would the program have")

# %%
# The certified optimum
# ---------------------

best = topes.train(X, y, beta)
print(best)

# %%
# ``lower_bound`` holds whatever the solver did: it comes from a feasible point of the dual problem, priced over all cells
# with roundings counted. No network of any width is below it.
#
# Gradient descent
# ----------------
#
# Ten starts of gradient descent with momentum for each of three widths.


def descend(width, seed, epochs=8000, rate=0.002, momentum=0.9):
    rng = np.random.default_rng(seed)
    W1, w2 = 0.5 * rng.standard_normal((3, width)), 0.5 * rng.standard_normal(width)
    history, m1, m2 = [], 0.0, 0.0
    for _ in range(epochs):
        H = X @ W1
        D = H > 0
        v = (H * D) @ w2 - y
        history.append(0.5 * v @ v + 0.5 * beta * (np.sum(W1**2) + np.sum(w2**2)))
        g1, g2 = X.T @ (D * np.outer(v, w2)) + beta * W1, (H * D).T @ v + beta * w2
        m1, m2 = momentum * m1 - rate * g1, momentum * m2 - rate * g2
        W1, w2 = W1 + m1, w2 + m2
    return (W1, None, w2), history


runs = {width: [descend(width, seed) for seed in range(10)] for width in (5, 20, 80)}
for width, found in runs.items():
    ends = np.array([history[-1] for _, history in found])
    above = 100 * (ends / best.lower_bound - 1)
    print(f"{width:3d} neurons: {above.min():6.2f} to {above.max():6.2f} % above the bound")

# %%
# Whatever the width, :func:`topes.certify` says of one network what can still be gained:

network, _ = runs[20][0]
print(topes.certify(X, y, network, beta))

# %%
# and :func:`topes.stationarity` whether descent had stopped for good or only slowed down:

print(topes.stationarity(network, X, y, beta))

# %%
# The picture
# -----------

import matplotlib.pyplot as plt  # noqa: E402

from topes import plotting  # noqa: E402

best_of_ten = {f"{w} neurons": min((h for _, h in found), key=lambda h: h[-1]) for w, found in runs.items()}
ax = plt.figure(figsize=(6, 4.2), layout="constrained").add_subplot()
plotting.sgd_gap(best_of_ten, best, ax=ax)
ax.set_title("The best of ten starts against the certified optimum")

# %%
# A proof to hand over
# --------------------
#
# The certificate is a file that a checker verifies without any of the solver's code.

import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "proof.npz"
    best.save_certificate(file)
    print(f"{file.stat().st_size} bytes:", topes.verify(file))
