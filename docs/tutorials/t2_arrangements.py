"""
For those who want the cells
============================

Every cell of an arrangement, exactly: their number, sign vectors, facets, rays, solid angles; the zonotope they belong to.
"""

# %%
# An arrangement
# --------------
#
# Rows of a matrix are normals of hyperplanes through the origin. They may be integers of any size, fractions, or floats
# taken as the binary numbers they are; zero, repeated, parallel and dependent rows are welcome.

from fractions import Fraction

import numpy as np

import topes

braid = [[int(k == i) - int(k == j) for k in range(4)] for i in range(4) for j in range(i)]
A = topes.Arrangement(braid)
print(A, "has", A.count(), "cells: the permutations of four things; at most", A.bound())

# %%
# No tolerance decides anything. Three lines through a point stay three lines through a point when the numbers are
# decimals that no double holds:

lines = [["0.1", "0.2"], ["0.3", "0.1"]]
affine = topes.Arrangement(
    [[Fraction(x) for x in row] for row in [*lines, ["0.4", "0.3"]]], offsets=[Fraction(b) for b in ("0.1", "0.2", "0.3")]
)
print(affine.count(), "cells; three lines in general position have 7")

# %%
# One cell after another
# ----------------------
#
# ``cells`` streams batches in bounded memory, with a point inside each cell, its facets, and its rays.

batch = next(iter(A.cells()))
print(batch.sign_vectors[:3])
print("a point of the first cell:", batch.witnesses[0])
print("its facets lie on hyperplanes", batch.facet_indices[: batch.facet_indptr[1]])

# %%
# Millions of them take seconds, on any number of threads, always in the same order:

rng = np.random.default_rng(0)
many = topes.Arrangement(rng.standard_normal((120, 4)))
print(f"{many.count():,} cells; patterns packed to {many.count() * 15 / 1e6:.1f} MB")

# %%
# Solid angles
# ------------
#
# The share of space that a cell fills is the chance that a Gaussian direction falls into it. All of them are computed, the
# small ones to relative accuracy: they decide how many samples it takes to see every cell (Theorem III.2).

found = topes.solid_angle_summary(topes.Arrangement(rng.standard_normal((40, 3))))
print(found)
print("samples that suffice:", topes.sampling.sufficient_samples(found.n_cells, found.least.angle, 0.05))

# %%
# The chambers of the braid arrangement are all alike, 1/4! each:

print(np.unique(topes.solid_angles(A).angles.round(12)))

# %%
# The zonotope
# ------------
#
# Cells are the normal cones of the vertices of :math:`\{X'u : 0 \le u \le 1\}`.

Z = topes.Zonotope(braid)  # the permutohedron
print(len(Z.vertices()), "vertices, f-vector", Z.f_vector(), "volume", Z.volume())
print(Z.membership([1.5, 0.5, -0.5, -1.5]), Z.membership([0.5, 0, 0, -0.5]))

# %%
# Pictures
# --------

import matplotlib.pyplot as plt  # noqa: E402

from topes import plotting  # noqa: E402

ax = plt.figure(figsize=(6, 4.5), layout="constrained").add_subplot(projection="3d")
plotting.arrangement_sphere(topes.Arrangement(rng.standard_normal((9, 3))), ax=ax)
