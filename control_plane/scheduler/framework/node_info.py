"""A node as plugins see it: its object and the sum of what the pods on it hold.

Immutable. Adding or removing a pod makes another NodeInfo, so a snapshot is a tuple of these and
costs nothing to keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from control_plane.api.objects import Object, labels_of, name_of
from control_plane.api.pod_requests import ResourceList, add
from control_plane.scheduler.framework.pod_info import HostPort, PodInfo
from control_plane.scheduler.framework.pod_request import amounts, subtract

ZONE_LABEL = "topology.kubernetes.io/zone"
REGION_LABEL = "topology.kubernetes.io/region"


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """One node. `node` is None while only pods that name it are known; such a node is in no
    snapshot.

    `requested` and `scoring_requested` are sums over `pods` (by uid); `ports` are the host ports
    they hold.
    """

    name: str
    node: Object | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, Any], ...] = ()
    is_unschedulable: bool = False
    allocatable: ResourceList = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    pods: Mapping[str, PodInfo] = field(default_factory=dict)
    requested: ResourceList = field(default_factory=dict)
    scoring_requested: ResourceList = field(default_factory=dict)
    ports: tuple[HostPort, ...] = ()

    @classmethod
    def of(cls, node: Object) -> "NodeInfo":
        """Read a node that carries no pods yet."""
        return cls(name_of(node)).with_node(node)

    def with_node(self, node: Object | None) -> "NodeInfo":
        """Return the same pods on a new version of the node object (None: the object is gone)."""
        if node is None:
            empty = NodeInfo(self.name)
            return replace(
                empty,
                pods=self.pods,
                requested=self.requested,
                scoring_requested=self.scoring_requested,
                ports=self.ports,
            )
        spec, status = node.get("spec") or {}, node.get("status") or {}
        return replace(
            self,
            node=node,
            labels=labels_of(node),
            taints=tuple(spec.get("taints") or ()),
            is_unschedulable=bool(spec.get("unschedulable")),
            allocatable=amounts(status.get("allocatable")),
            images=_image_sizes(status),
        )

    def with_pod(self, pod: PodInfo) -> "NodeInfo":
        """Return the node with one pod more; a pod with the same uid is replaced."""
        base = self.without_pod(pod.uid) if pod.uid in self.pods else self
        return replace(
            base,
            pods={**base.pods, pod.uid: pod},
            requested=add(base.requested, pod.request),
            scoring_requested=add(base.scoring_requested, pod.scoring_request),
            ports=base.ports + pod.host_ports,
        )

    def without_pod(self, uid: str) -> "NodeInfo":
        """Return the node without the pod; unchanged when it was not there."""
        gone = self.pods.get(uid)
        if gone is None:
            return self
        rest = {key: pod for key, pod in self.pods.items() if key != uid}
        ports = self.ports
        if gone.host_ports:
            ports = tuple(port for pod in rest.values() for port in pod.host_ports)
        return replace(
            self,
            pods=rest,
            requested=subtract(self.requested, gone.request),
            scoring_requested=subtract(self.scoring_requested, gone.scoring_request),
            ports=ports,
        )

    @property
    def zone(self) -> str:
        """Region and zone as one key, "" when the node has neither label."""
        region, zone = self.labels.get(REGION_LABEL, ""), self.labels.get(ZONE_LABEL, "")
        return f"{region}:\x00:{zone}" if region or zone else ""


def _image_sizes(status: Object) -> dict[str, int]:
    return {
        name: image.get("sizeBytes") or 0
        for image in status.get("images") or ()
        for name in image.get("names") or ()
    }
