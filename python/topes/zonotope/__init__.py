"""Zonotopes of data matrices: vertices, normal cones, edges, facets, support, volume, membership."""

from .boundary import Facets
from .membership import Membership
from .skeleton import Edges
from .support import Face
from .volume import Volume
from .zonotope import NormalCone, Zonotope

__all__ = ["Edges", "Face", "Facets", "Membership", "NormalCone", "Volume", "Zonotope"]
