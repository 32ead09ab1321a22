"""The rows of what components agree by: leases, and events."""

from __future__ import annotations

from control_plane.api.resource import Resource

LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)
EVENTS_V1 = Resource(
    "events.k8s.io", "v1", "Event", "events", True, ("ev",), stored_as=("", "v1", "Event")
)

ROWS = (
    LEASES,
    EVENTS_V1,
)
