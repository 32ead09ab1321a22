"""The rows of what components agree by: leases."""

from __future__ import annotations

from control_plane.api.resource import Resource

LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)

ROWS = (LEASES,)
