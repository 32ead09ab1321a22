"""The rows of who is served first: flowcontrol.apiserver.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

FLOWSCHEMAS = Resource(
    "flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", False,
    subresources=(STATUS,),
)  # fmt: skip
PRIORITYLEVELCONFIGURATIONS = Resource(
    "flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration",
    "prioritylevelconfigurations", False, subresources=(STATUS,),
)  # fmt: skip

ROWS = (
    FLOWSCHEMAS,
    PRIORITYLEVELCONFIGURATIONS,
)
