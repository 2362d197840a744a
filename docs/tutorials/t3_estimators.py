"""
For those with a table of data
==============================

A network with few neurons, the same every time, through the interface of scikit-learn.
"""

# %%
# Regression
# ----------
#
# The body mass of penguins from three measurements. Columns should be of comparable size, hence the scaler.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from topes.estimators import ConvexReLUClassifierCV, ConvexReLURegressorCV

root = next((p for p in [Path.cwd(), *Path.cwd().parents] if (p / "examples" / "data").is_dir()), None)
if root is None:
    raise SystemExit("run this in a clone of topes: it reads examples/data/penguins.csv")
table = np.genfromtxt(root / "examples" / "data" / "penguins.csv", delimiter=",", skip_header=1)
X, y = table[:, :3], table[:, 3] / 1000
Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)

model = make_pipeline(StandardScaler(), ConvexReLURegressorCV(betas=6, cv=3)).fit(Xa, ya)
fitted = model[-1]
print(f"R^2 on the other quarter {model.score(Xb, yb):.3f}, beta {fitted.beta_:.3g}, {fitted.n_neurons_} neurons")

# %%
# What sets it apart from other estimators: it knows how good it is. The objective reached and a lower bound that no
# network of any width can beat:

print(f"{fitted.lower_bound_:.6f} <= optimum <= {fitted.objective_:.6f} ({fitted.status_})")

# %%
# There are no random starts, so another seed changes nothing:

again = make_pipeline(StandardScaler(), ConvexReLURegressorCV(betas=6, cv=3, random_state=1)).fit(Xa, ya)
print("largest difference:", abs(again.predict(Xb) - model.predict(Xb)).max())

# %%
# Classes
# -------
#
# More than two classes are one network against the rest for each.

X, y = load_iris(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X[:, 2:], y, random_state=1, stratify=y)
iris = make_pipeline(StandardScaler(), ConvexReLUClassifierCV(betas=5, cv=3)).fit(Xa, ya)
print(f"accuracy {iris.score(Xb, yb):.3f}, {iris[-1].n_neurons_} neurons, gap {iris[-1].gap_:.1e}")

# %%
# The regions of two petal measurements:

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
lo, hi = X[:, 2:].min(axis=0) - 0.3, X[:, 2:].max(axis=0) + 0.3
grid = np.stack(np.meshgrid(np.linspace(lo[0], hi[0], 200), np.linspace(lo[1], hi[1], 200)), axis=-1)
regions = iris.predict(grid.reshape(-1, 2)).reshape(200, 200)
colors = ["#E69F00", "#56B4E9", "#009E73"]
ax.contourf(grid[..., 0], grid[..., 1], regions, levels=[-0.5, 0.5, 1.5, 2.5], colors=colors, alpha=0.5)
for label, marker in zip(range(3), "osv", strict=True):
    ax.plot(*X[y == label, 2:].T, marker, color="0.2", markersize=4, label=load_iris().target_names[label])
ax.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
ax.legend(frameon=False)

# %%
# High rank
# ---------
#
# With many features not all cells can be priced. The estimator then says how far it may be from the optimum, and warns; the
# network is the same each time all the same. :func:`topes.train_low_rank` has more to say about such data.
