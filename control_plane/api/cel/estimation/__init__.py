"""What an expression may cost at most, by how large the values of its schema may be.

`bounds` reads sizes out of schemas, `calls` says what functions cost, `estimator` goes through a
checked tree. The numbers decide which rules a CustomResourceDefinition may have, so they are
upstream's to the last unit, its oddities too, but for one: at some depths it takes the keys of a
map that a macro of two variables goes through for as large as the values. Source: cel-go's checker
v0.26 and Kubernetes' cost estimator v1.35.
"""

from control_plane.api.cel.estimation.bounds import Bounds, bounds_of
from control_plane.api.cel.estimation.estimator import estimate
from control_plane.api.cel.estimation.sizes import plus, times

__all__ = ["Bounds", "bounds_of", "estimate", "plus", "times"]
