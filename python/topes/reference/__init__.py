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
from .great_circle import largest_on_circle
from .interpolation import gauge_value, is_interpolable, outputs_vanish_on
from .layerwise import layerwise_block
from .linear_convolution import circular_outputs, circular_price, linear_outputs, linear_price
from .penalised import penalised_parts
from .rank_k import RankKProgram, rank_k_program
from .sampling import patterns_of_directions, patterns_of_directions_in_floats
from .solid_angle import solid_angle, solid_angles
from .spike_free import is_copositive, is_spike_free
from .stationarity import clarke_residual_squared, descent_squared, objective_slope
from .training import price, scalar_output_value
from .zonotope import determinant, zonotope_faces, zonotope_normals, zonotope_position, zonotope_support, zonotope_volume

__all__ = [
    "Descent",
    "RankKProgram",
    "SignVector",
    "bound",
    "bounded",
    "cells",
    "characteristic_polynomial",
    "circular_outputs",
    "circular_price",
    "clarke_residual_squared",
    "convolutional_value",
    "count",
    "count_bounded",
    "descent_squared",
    "determinant",
    "facets",
    "gauge_value",
    "is_copositive",
    "is_interpolable",
    "is_spike_free",
    "largest_on_circle",
    "layerwise_block",
    "linear_outputs",
    "linear_price",
    "locate",
    "objective_slope",
    "outputs_vanish_on",
    "patches",
    "patterns_of_directions",
    "patterns_of_directions_in_floats",
    "penalised_parts",
    "price",
    "rank",
    "rank_k_program",
    "rays",
    "scalar_output_value",
    "sign_vectors",
    "solid_angle",
    "solid_angles",
    "to_exact",
    "vertices",
    "zonotope_faces",
    "zonotope_normals",
    "zonotope_position",
    "zonotope_support",
    "zonotope_vertices",
    "zonotope_volume",
]
