"""Slow, readable, exact twins of the core routines, in rational arithmetic and by other algorithms.

They exist to check the core against, and to be read: `cells` is deletion and restriction, `count` is
Zaslavsky's theorem on the intersection poset, `rays` tries every choice of hyperplanes. Fit for a dozen
hyperplanes in a few dimensions; `training` is problem (7) in loops. Use `topes.Arrangement` for work.
"""

from .cells import SignVector, cells, locate, sign_vectors
from .convolution import convolutional_value, patches
from .counting import bound, characteristic_polynomial, count, count_bounded
from .descent import Descent
from .exact import rank, to_exact
from .faces import bounded, facets, rays, vertices, zonotope_vertices
from .interpolation import gauge_value, is_interpolable, outputs_vanish_on
from .rank_k import RankKProgram, rank_k_program
from .training import price, scalar_output_value

__all__ = [
    "Descent",
    "RankKProgram",
    "SignVector",
    "bound",
    "bounded",
    "cells",
    "characteristic_polynomial",
    "convolutional_value",
    "count",
    "count_bounded",
    "facets",
    "gauge_value",
    "is_interpolable",
    "locate",
    "outputs_vanish_on",
    "patches",
    "price",
    "rank",
    "rank_k_program",
    "rays",
    "scalar_output_value",
    "sign_vectors",
    "to_exact",
    "vertices",
    "zonotope_vertices",
]
