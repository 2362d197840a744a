"""Pictures of arrangements, zonotopes, networks and training; they need matplotlib, the extra ``plot``.

Each takes the library's own objects and draws into the axes it is given, or into a figure of its own that opens no window:
``zonotope(Z).figure.savefig("zonotope.png")``.
"""

from .angle_histogram import solid_angle_histogram
from .arrangement_plane import arrangement_plane
from .arrangement_sphere import arrangement_sphere
from .convergence import convergence
from .fit import save_fit
from .fitted_function import fitted_function
from .neurons import neurons
from .regularization_path import regularization_path
from .sgd_gap import sgd_gap
from .zonotope import zonotope

__all__ = [
    "arrangement_plane",
    "arrangement_sphere",
    "convergence",
    "fitted_function",
    "neurons",
    "regularization_path",
    "save_fit",
    "sgd_gap",
    "solid_angle_histogram",
    "zonotope",
]
