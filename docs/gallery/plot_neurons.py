"""
Neurons, and where they are active
==================================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

rng = np.random.default_rng(1)
X = rng.uniform(-1, 1, (40, 2))
solution = topes.train(X, np.abs(X[:, 0]) - X[:, 1] ** 2, 0.01, bias="penalized")
plotting.neurons(solution.network, X, figure=plt.figure(figsize=(8, 4), layout="constrained"))
