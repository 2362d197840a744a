"""
Objective and lower bound, round by round
=========================================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

rng = np.random.default_rng(1)
X = rng.standard_normal((300, 3))
solution = topes.train(X, rng.standard_normal(300), 0.5)
plotting.convergence(solution, figure=plt.figure(figsize=(6, 5), layout="constrained"))
