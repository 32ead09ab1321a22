"""Server-side apply and the tracking of who owns which field of an object.

`apply` is what a PATCH of type apply does, `track` what every other write does to
metadata.managedFields; `endpoint_of` tells them about the type and the endpoint. The rest of the
package is: sets of fields (field_path, field_set), the shapes of types (shapes, go_zeros), the
walks along shapes (owned, comparison, merging, removal, conformity, reconciling) and the list of
managers (managers, conflicts, client_side, scale_ownership). Pure.
"""

from control_plane.api.apply.applying import Applier, apply, conversion_error
from control_plane.api.apply.endpoint import Endpoint, endpoint_of
from control_plane.api.apply.managers import objection, same_but_for_time
from control_plane.api.apply.scale_ownership import REPLICAS, parent_entries, scale_entries
from control_plane.api.apply.tracking import track

__all__ = [
    "REPLICAS",
    "Applier",
    "Endpoint",
    "apply",
    "conversion_error",
    "endpoint_of",
    "objection",
    "parent_entries",
    "same_but_for_time",
    "scale_entries",
    "track",
]
