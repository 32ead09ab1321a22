"""The node lifecycle controller: the acting half.

A loop looks at every node each monitor period, for silence makes no events; a reconciliation per
node keeps its NoSchedule taints and labels right as soon as the node changes. Source: kubernetes
pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

import asyncio
import logging
from collections.abc import Callable

from control_plane.api.errors import ApiError, Conflict, NotFound
from control_plane.api.objects import Object, dig, find_condition, metadata_of, name_of
from control_plane.api.resources import LEASES, NODES, PODS
from control_plane.client.rate_limit import TokenBucket
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.node_lifecycle.health import (
    Sign,
    latest_sign,
    pod_not_ready,
    readiness,
    silenced,
)
from control_plane.controllers.node_lifecycle.taints import (
    evicting_key,
    evicts,
    missing_labels,
    taints_of,
    with_no_execute,
    with_no_schedule,
)
from control_plane.controllers.node_lifecycle.zones import (
    EvictionRates,
    all_lost,
    eviction_rate,
    zone_of,
    zone_states,
)
from control_plane.controllers.runtime import DONE, Controller, Index, Loop, Result
from control_plane.controllers.sources import For

log = logging.getLogger(__name__)

LEASE_NAMESPACE = "kube-node-lease"
NODE_INDEX = "node"
TRIES = 5
PARALLEL_NODES = 8


def node_of_pod(pod: Object) -> tuple[str, ...]:
    """File a pod under its node."""
    node = dig(pod, "spec", "nodeName")
    return (node,) if node else ()


def node_lifecycle(config: ControllersConfig) -> Controller:
    """Return the controller of node health."""
    lifecycle = NodeLifecycle(config)
    return Controller(
        "node-lifecycle-controller",
        "node-controller",
        reconcile,
        sources=(For(NODES),),
        reads=(LEASES,),
        indexes=(Index(PODS, NODE_INDEX, node_of_pod),),
        loops=(Loop(config.node_monitor_period, lifecycle.monitor),),
        workers=PARALLEL_NODES,
    )


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Bring the NoSchedule taints and the old label names of one node up to date."""
    node = cluster.get(NODES, key)
    if node is None:
        return DONE
    await _change_taints(cluster, node, lambda fresh: with_no_schedule(fresh, cluster.stamp()))
    if labels := missing_labels(node):
        patch = {"metadata": {"labels": labels}}
        await cluster.client.patch(NODES, key, patch, kind="strategic")
    return DONE


async def _change_taints(
    cluster: Cluster, node: Object, wanted: Callable[[Object], list[Object]]
) -> None:
    """Write the wanted taints; after a conflict over the live node, 5 times in all."""
    fresh = node
    for _ in range(TRIES):
        taints = wanted(fresh)
        if taints == taints_of(fresh):
            return
        version = metadata_of(fresh)["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "spec": {"taints": taints}}
        try:
            await cluster.client.patch(NODES, name_of(node), patch)
        except Conflict:
            fresh = await cluster.client.get(NODES, name_of(node))
        except NotFound:
            return
        else:
            return
    raise Conflict(f"the taints of node {name_of(node)} keep changing")


class NodeLifecycle:
    """What is remembered from one look to the next: signs of life, readiness, eviction budgets."""

    def __init__(self, config: ControllersConfig) -> None:
        """Start knowing no node."""
        self._config = config
        self._rates = EvictionRates(
            config.node_eviction_rate,
            config.secondary_node_eviction_rate,
            config.large_cluster_size_threshold,
            config.unhealthy_zone_threshold,
        )
        self._signs: dict[str, Sign] = {}
        self._ready: dict[str, str] = {}
        self._unmarked: set[str] = set()  # nodes not ready whose pods do not all say so yet
        self._buckets: dict[tuple[str, float], TokenBucket] = {}
        self._all_lost = False

    async def monitor(self, cluster: Cluster) -> None:
        """Look at every node once: note silence, then taint and untaint."""
        nodes = {name_of(node): node for node in cluster.list(NODES)}
        self._note_comings_and_goings(cluster, nodes)
        seen = [await self._look_safely(cluster, node) for node in nodes.values()]
        await self._taint(cluster, seen)

    def _note_comings_and_goings(self, cluster: Cluster, nodes: dict[str, Object]) -> None:
        for name in self._signs.keys() - nodes.keys():
            del self._signs[name]
            self._ready.pop(name, None)
            self._unmarked.discard(name)
            gone = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
            text = f"Node {name} event: Removing Node {name} from Controller"
            cluster.events.record(gone, "Normal", "RemovingNode", text)
        for name in nodes.keys() - self._signs.keys():
            text = f"Node {name} event: Registered Node {name} in Controller"
            cluster.events.record(nodes[name], "Normal", "RegisteredNode", text)

    async def _look_safely(self, cluster: Cluster, node: Object) -> Object:
        """Judge one node; a node whose status is refused must not hide the others."""
        try:
            return await self._look(cluster, node)
        except ApiError as error:
            log.warning("node_not_judged name=%s error=%s", name_of(node), error)
            return node

    async def _look(self, cluster: Cluster, node: Object) -> Object:
        """Judge one node; returns it as it is afterwards."""
        name = name_of(node)
        now = cluster.clock.monotonic()
        lease = cluster.get(LEASES, f"{LEASE_NAMESPACE}/{name}")
        sign = latest_sign(node, lease, self._signs.get(name), now)
        self._signs[name] = sign
        has_status = find_condition(node, "Ready") is not None
        config = self._config
        grace = config.node_monitor_grace_period if has_status else config.node_startup_grace_period
        if now - sign.at > grace:
            node = await self._silence(cluster, node)
        await self._note_readiness(cluster, node)
        return node

    async def _silence(self, cluster: Cluster, node: Object) -> Object:
        """Write the conditions of a silent node; a node that changes meanwhile is not silent."""
        wanted = silenced(node, cluster.now())
        if wanted is None:
            return node
        try:
            written = await cluster.client.update(NODES, wanted, subresource="status")
        except (Conflict, NotFound):
            return node
        log.warning("node_silent name=%s", name_of(node))
        # Our own write changes the status, not the heartbeat: the sign of life stays what it was.
        return written

    async def _note_readiness(self, cluster: Cluster, node: Object) -> None:
        """When a node stops being ready, say so and mark its pods as not ready."""
        name, now_ready = name_of(node), readiness(node)
        before = self._ready.get(name)
        if before == "True" and now_ready != "True":
            text = f"Node {name} status is now: NodeNotReady"
            cluster.events.record(node, "Normal", "NodeNotReady", text)
            self._unmarked.add(name)
        if now_ready == "True":
            self._unmarked.discard(name)
        self._ready[name] = now_ready
        if name in self._unmarked and await _mark_pods(cluster, name):
            self._unmarked.discard(name)

    async def _taint(self, cluster: Cluster, nodes: list[Object]) -> None:
        """Set and remove the taints that evict, as far as the zones allow."""
        states = zone_states(nodes, self._rates.threshold)
        lost = all_lost(states)
        if self._all_lost and not lost:
            self._forgive(cluster)
        self._all_lost = lost
        sizes: dict[str, int] = {}
        for node in nodes:
            sizes[zone_of(node)] = sizes.get(zone_of(node), 0) + 1
        for node in nodes:
            zone = zone_of(node)
            state = states.get(zone)
            rate = 0.0 if state is None else eviction_rate(state, sizes[zone], self._rates)
            await self._taint_node(cluster, node, zone, 0.0 if lost else rate)

    def _forgive(self, cluster: Cluster) -> None:
        """Count the silence of every node from now: it was probably ours."""
        now = cluster.clock.monotonic()
        self._signs = {
            name: Sign(sign.heartbeat, sign.renewed, now) for name, sign in self._signs.items()
        }

    async def _taint_node(self, cluster: Cluster, node: Object, zone: str, rate: float) -> None:
        key = evicting_key(node)
        if self._all_lost:
            key = ""
        if key is None:
            return
        if key and not evicts(node) and not self._may_evict(cluster, zone, rate):
            return
        stamp = cluster.stamp()
        try:
            await _change_taints(cluster, node, lambda fresh: with_no_execute(fresh, key, stamp))
        except ApiError as error:  # the other nodes have their turn; this one is seen next period
            log.warning("node_not_tainted name=%s error=%s", name_of(node), error)

    def _may_evict(self, cluster: Cluster, zone: str, rate: float) -> bool:
        """Take one from the zone's budget: one node at once, then `rate` a second."""
        if rate <= 0:
            return False
        bucket = self._buckets.setdefault((zone, rate), TokenBucket(rate, 1.0))
        return bucket.allow(cluster.clock.monotonic())


async def _mark_pods(cluster: Cluster, node: str) -> bool:
    """Mark the pods of a node as not ready; False when one is to be tried again."""
    pods = cluster.informer(PODS).by_index(NODE_INDEX, node)
    return all(await asyncio.gather(*(_mark_pod(cluster, pod) for pod in pods)))


async def _mark_pod(cluster: Cluster, pod: Object) -> bool:
    changed = pod_not_ready(pod, cluster.now())
    if changed is None:
        return True
    try:
        await cluster.client.update(PODS, changed, subresource="status")
    except NotFound:
        return True
    except ApiError as error:  # among them a pod that changes meanwhile
        log.info("pod_not_marked name=%s error=%s", name_of(pod), error)
        return False
    cluster.events.record(pod, "Warning", "NodeNotReady", "Node is not ready")
    return True
