"""
How small solid angles are
==========================

`topes.plotting`.
"""

import numpy as np

import topes
from topes import plotting

plotting.solid_angle_histogram(topes.Arrangement(np.random.default_rng(0).standard_normal((60, 4))))
