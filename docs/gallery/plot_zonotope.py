"""
A zonotope coloured by solid angles
===================================

`topes.plotting`.
"""

import numpy as np

import topes
from topes import plotting

plotting.zonotope(topes.Zonotope(np.random.default_rng(2).standard_normal((7, 3))))
