"""
A regularisation path
=====================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

rng = np.random.default_rng(1)
X = rng.uniform(-1, 1, (40, 2))
solutions = topes.path(X, np.abs(X[:, 0]) - X[:, 1] ** 2, betas=12, bias="penalized", tol=1e-4)
plotting.regularization_path(solutions, figure=plt.figure(figsize=(8, 5), layout="constrained"))
