"""A pod as the scheduler sees it: the object, and what is worked out from it only once."""

from dataclasses import dataclass
from typing import NamedTuple

from control_plane.api.objects import Object, key_of, uid_of
from control_plane.api.pod_requests import ResourceList, is_sidecar
from control_plane.scheduler.framework.pod_request import (
    placed_pod_request,
    pod_request,
    scoring_container_request,
)

DEFAULT_SCHEDULER = "default-scheduler"
ANY_ADDRESS = "0.0.0.0"


class HostPort(NamedTuple):
    """A port of the node that a container takes. `ip` 0.0.0.0 means every address of the node."""

    protocol: str
    ip: str
    port: int

    def conflicts_with(self, other: "HostPort") -> bool:
        """Tell whether both cannot be held on one node."""
        if self.protocol != other.protocol or self.port != other.port:
            return False
        return ANY_ADDRESS in (self.ip, other.ip) or self.ip == other.ip


@dataclass(frozen=True, slots=True)
class PodInfo:
    """One pod and what it asks for. Immutable: an update of the pod makes another PodInfo.

    `request` holds the real requests (cpu in millicores, others in whole units), `scoring_request`
    the same with a default for every container that requests no cpu or memory.
    """

    pod: Object
    key: str
    uid: str
    priority: int
    request: ResourceList
    scoring_request: ResourceList
    host_ports: tuple[HostPort, ...]

    @classmethod
    def of(cls, pod: Object) -> "PodInfo":
        """Read a pod.

        One that has a node holds what the node granted. ValueError on a bad quantity.
        """
        spec = pod["spec"]
        if spec.get("nodeName"):
            request = placed_pod_request(pod)
            scoring_request = placed_pod_request(pod, scoring_container_request)
        else:
            request = pod_request(spec)
            scoring_request = pod_request(spec, scoring_container_request)
        return cls(
            pod=pod,
            key=key_of(pod),
            uid=uid_of(pod),
            priority=spec.get("priority") or 0,
            request=request,
            scoring_request=scoring_request,
            host_ports=_host_ports(spec),
        )

    @property
    def spec(self) -> Object:
        """The pod's spec."""
        spec: Object = self.pod["spec"]
        return spec

    @property
    def node_name(self) -> str:
        """The node the API server has recorded, "" while there is none."""
        return self.spec.get("nodeName") or ""

    @property
    def nominated_node(self) -> str:
        """The node that was put forward for this pod, "" if none."""
        return (self.pod.get("status") or {}).get("nominatedNodeName") or ""

    @property
    def scheduler_name(self) -> str:
        """Which scheduler the pod asks for."""
        return self.spec.get("schedulerName") or DEFAULT_SCHEDULER


def _host_ports(spec: Object) -> tuple[HostPort, ...]:
    running = list(spec.get("containers") or ())
    running += [c for c in spec.get("initContainers") or () if is_sidecar(c)]
    return tuple(
        HostPort(
            port.get("protocol") or "TCP",
            port.get("hostIP") or ANY_ADDRESS,
            port["hostPort"],
        )
        for container in running
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )
