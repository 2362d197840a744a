"""
The cells of nine hyperplanes on the sphere
===========================================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

ax = plt.figure(figsize=(6, 4.5), layout="constrained").add_subplot(projection="3d")
plotting.arrangement_sphere(topes.Arrangement(np.random.default_rng(4).standard_normal((9, 3))), ax=ax)
