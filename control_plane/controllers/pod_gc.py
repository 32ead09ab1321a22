"""The pod garbage collector: deletes pods that nobody will end or clear away any more.

Every 20 s: ended pods beyond a threshold, pods of a node that no longer exists, pods being
deleted that never got a node, and pods being deleted on a node marked out of service. The
`plan_*` functions are pure. Source: kubernetes pkg/controller/podgc/gc_controller.go.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import (
    Object,
    dig,
    find_condition,
    is_terminating,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import NODES, PODS
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.pod_disruption import disruption, patch_status, status_patch
from control_plane.controllers.pod_state import is_terminal, phase_of
from control_plane.controllers.runtime import Controller, Loop

log = logging.getLogger(__name__)

PERIOD_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
PARALLEL_DELETES = 20
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


@dataclass(frozen=True, slots=True)
class Removal:
    """A pod to delete; `lost` when its node is gone, which its status shall say."""

    pod: Object
    lost: bool = False


def pod_gc(config: ControllersConfig) -> Controller:
    """Return the pod garbage collector."""
    collector = PodGarbageCollector(config.terminated_pod_gc_threshold)
    return Controller(
        "pod-garbage-collector-controller",
        "pod-garbage-collector",
        reads=(PODS, NODES),
        loops=(Loop(PERIOD_SECONDS, collector.collect),),
        workers=0,
    )


def plan_terminated(pods: Iterable[Object], threshold: int) -> list[Removal]:
    """Return the surplus of ended pods: evicted ones first, then the oldest. 0 keeps all."""
    ended = [pod for pod in pods if phase_of(pod) not in ("Pending", "Running", "Unknown")]
    surplus = len(ended) - threshold
    if threshold <= 0 or surplus <= 0:
        return []
    ended.sort(key=lambda pod: (not _is_evicted(pod), _created(pod), name_of(pod)))
    return [Removal(pod) for pod in ended[:surplus]]


def _is_evicted(pod: Object) -> bool:
    return bool(dig(pod, "status", "reason") == "Evicted")


def _created(pod: Object) -> str:
    return str(dig(pod, "metadata", "creationTimestamp", default=""))


def plan_orphaned(pods: Iterable[Object], gone_nodes: Collection[str]) -> list[Removal]:
    """Return the pods of nodes that are known to be gone."""
    return [Removal(pod, lost=True) for pod in pods if _node(pod) in gone_nodes]


def plan_unscheduled(pods: Iterable[Object]) -> list[Removal]:
    """Return the pods being deleted that no node will ever clear away."""
    return [Removal(pod) for pod in pods if is_terminating(pod) and not _node(pod)]


def plan_out_of_service(pods: Iterable[Object], nodes: Mapping[str, Object]) -> list[Removal]:
    """Return the pods being deleted on nodes that are out of service and not ready."""
    return [
        Removal(pod)
        for pod in pods
        if is_terminating(pod) and (node := nodes.get(_node(pod))) and _is_out_of_service(node)
    ]


def _is_out_of_service(node: Object) -> bool:
    taints = dig(node, "spec", "taints", default=[])
    ready = find_condition(node, "Ready")
    is_ready = ready is not None and ready["status"] == "True"
    return not is_ready and any(taint["key"] == OUT_OF_SERVICE for taint in taints)


def _node(pod: Object) -> str:
    return str(dig(pod, "spec", "nodeName", default=""))


class PodGarbageCollector:
    """The acting half; remembers since when each node has been missing."""

    def __init__(self, threshold: int) -> None:
        """Keep `threshold` ended pods; 0 or less keeps all."""
        self._threshold = threshold
        self._missing_since: dict[str, float] = {}

    async def collect(self, cluster: Cluster) -> None:
        """Make one pass."""
        pods = cluster.list(PODS)
        nodes = {name_of(node): node for node in cluster.list(NODES)}
        gone = await self._gone_nodes(cluster, pods, nodes)
        removals = [
            *plan_terminated(pods, self._threshold),
            *plan_out_of_service(pods, nodes),
            *plan_orphaned(pods, gone),
            *plan_unscheduled(pods),
        ]
        await _remove_all(cluster, removals)

    async def _gone_nodes(
        self, cluster: Cluster, pods: Iterable[Object], nodes: Collection[str]
    ) -> set[str]:
        """Return the nodes of pods that were missing for a while and do not exist live either."""
        now = cluster.clock.monotonic()
        missing = {_node(pod) for pod in pods} - set(nodes) - {""}
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        overdue = [n for n, at in self._missing_since.items() if now - at >= QUARANTINE_SECONDS]
        return {name for name in overdue if not await _exists(cluster, name)}


async def _exists(cluster: Cluster, node: str) -> bool:
    try:
        await cluster.client.get(NODES, node)
    except NotFound:
        return False
    return True


async def _remove_all(cluster: Cluster, removals: Sequence[Removal]) -> None:
    unique = {uid_of(removal.pod): removal for removal in removals}
    limit = asyncio.Semaphore(PARALLEL_DELETES)

    async def remove(removal: Removal) -> None:
        async with limit:
            try:
                await _remove(cluster, removal)
            except ApiError as error:  # the other pods shall go; this one is tried next time
                log.warning("pod_not_removed pod=%s error=%s", key_of(removal.pod), error)

    async with asyncio.TaskGroup() as tasks:
        for removal in unique.values():
            tasks.create_task(remove(removal))


async def _remove(cluster: Cluster, removal: Removal) -> None:
    """Mark the pod as failed, unless it has ended, then delete it without grace."""
    pod = removal.pod
    if not is_terminal(pod):
        text = "PodGC: node no longer exists"
        lost = disruption("DeletionByPodGC", text, cluster.stamp()) if removal.lost else None
        await patch_status(cluster, pod, status_patch(lost, "Failed"))
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
    try:
        await cluster.client.delete(PODS, name_of(pod), namespace_of(pod), options=options)
    except NotFound:
        return
