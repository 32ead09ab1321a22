"""The fields that nobody manages: the server's own metadata, and what identifies the object.

Called by tracking.py and applying.py. Pure.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.apply.field_set import FieldSet, difference, set_of

_METADATA: Final = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
_UNMANAGED: Final = set_of(
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(("f:metadata", f"f:{name}") for name in _METADATA),
)


def managed(fields: FieldSet) -> FieldSet:
    """Return the set without the fields that nobody manages."""
    return difference(fields, _UNMANAGED)
