"""The rows of what runs pods: apps."""

from __future__ import annotations

from control_plane.api.resource import SCALE, STATUS, Resource

DEPLOYMENTS = Resource(
    "apps", "v1", "Deployment", "deployments", True, ("deploy",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip
REPLICASETS = Resource(
    "apps", "v1", "ReplicaSet", "replicasets", True, ("rs",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip

ROWS = (
    DEPLOYMENTS,
    REPLICASETS,
)
