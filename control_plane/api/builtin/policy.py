"""The rows of what governs pods: policy, scheduling.k8s.io, node.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

PODDISRUPTIONBUDGETS = Resource(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True, ("pdb",),
    subresources=(STATUS,),
)  # fmt: skip
PRIORITYCLASSES = Resource(
    "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False, ("pc",)
)
RUNTIMECLASSES = Resource("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", False)

ROWS = (
    PODDISRUPTIONBUDGETS,
    PRIORITYCLASSES,
    RUNTIMECLASSES,
)
