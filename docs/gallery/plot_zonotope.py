"""
A zonotope coloured by solid angles
===================================

`topes.plotting`.
"""

import matplotlib.pyplot as plt
import numpy as np

import topes
from topes import plotting

ax = plt.figure(figsize=(6, 4.5), layout="constrained").add_subplot(projection="3d")
plotting.zonotope(topes.Zonotope(np.random.default_rng(2).standard_normal((7, 3))), ax=ax)
