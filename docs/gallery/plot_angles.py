"""
How small solid angles are
==========================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

ax = plt.figure(figsize=(6, 4.5), layout="constrained").add_subplot()
plotting.solid_angle_histogram(topes.Arrangement(np.random.default_rng(0).standard_normal((60, 4))), ax=ax)
