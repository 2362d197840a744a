"""
The kinks of a fitted network
=============================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

rng = np.random.default_rng(1)
X = rng.uniform(-1, 1, (60, 2))
y = np.where(np.linalg.norm(X, axis=1) < 0.7, 1.0, -1.0)
solution = topes.train(X, y, 0.1, loss="squared_hinge", bias="penalized")
ax = plt.figure(figsize=(6, 4.5), layout="constrained").add_subplot()
plotting.fitted_function(solution.network, X, y, ax=ax)
