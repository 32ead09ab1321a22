"""What every pod worker works with: the node's parts, made once by server.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node.kubelet.containers.references import PodFacts
from node.kubelet.pod_spec import uses_host_network
from node.kubelet.restart import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from control_plane.api.objects import Object
    from control_plane.client.client import ApiClient
    from node.kubelet.config import KubeletConfig
    from node.kubelet.images import ImagePuller
    from node.kubelet.object_reader import ApiObjectReader
    from node.kubelet.pod_events import PodEvents
    from node.kubelet.probes.prober import Prober
    from node.kubelet.runtimes.base import PodRecord, Runtime
    from node.kubelet.volumes.pod_volumes import PodVolumes


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What pods are told about their node."""

    ips: Sequence[str]
    allocatable: Mapping[str, str]
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PodServices:
    """The parts of the node; `services` lists the Service objects of the cluster, `clock` is Unix
    seconds.
    """

    config: KubeletConfig
    node: NodeFacts
    runtime: Runtime
    client: ApiClient
    events: PodEvents
    reader: ApiObjectReader
    volumes: PodVolumes
    images: ImagePuller
    prober: Prober
    services: Callable[[], Sequence[Object]]
    clock: Callable[[], float]
    active_pods: Callable[[], Sequence[Object]] = tuple
    backoff: Backoff = field(default_factory=Backoff)

    def facts(self, pod: Object, record: PodRecord) -> PodFacts:
        """Return what the pod may ask about itself."""
        return PodFacts(pod, pod_ips(self.node, pod, record), self.node.ips, self.node.allocatable)

    def pod_directory(self, pod: Object) -> Path:
        """Return where the pod's files are."""
        return self.volumes.pod_directory(pod["metadata"]["uid"])


def pod_ips(node: NodeFacts, pod: Object, record: PodRecord) -> list[str]:
    """Return the pod's addresses: the node's on the host's network, else its sandbox's."""
    if uses_host_network(pod):
        return list(node.ips)
    sandbox = record.ready_sandbox()
    return [sandbox.ip] if sandbox is not None and sandbox.ip else []
