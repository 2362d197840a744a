"""
The cells of nine hyperplanes on the sphere
===========================================

`topes.plotting`.
"""

import numpy as np

import topes
from topes import plotting

plotting.arrangement_sphere(topes.Arrangement(np.random.default_rng(4).standard_normal((9, 3))))
