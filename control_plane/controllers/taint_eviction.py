"""The taint eviction controller: deletes pods that do not tolerate their node's NoExecute taints.

A pod that tolerates all of them for a limited time is deleted when the shortest of these times
has passed; the time starts when the pod was first found there and does not start again with
another taint. `seconds_tolerated` is pure. Source: kubernetes
pkg/controller/tainteviction/taint_eviction.go.
"""

from collections.abc import Iterable, Sequence

from control_plane.api.errors import NotFound
from control_plane.api.objects import (
    Object,
    dig,
    is_terminating,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import NODES, PODS
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.node_lifecycle.controller import NODE_INDEX, node_of_pod
from control_plane.controllers.node_lifecycle.taints import NO_EXECUTE, taints_of
from control_plane.controllers.pod_disruption import disruption, patch_status, status_patch
from control_plane.controllers.runtime import DONE, Controller, Index, Result
from control_plane.controllers.sources import Change, For, Watches

WORKERS = 8


def taint_eviction(config: ControllersConfig) -> Controller:
    """Return the controller that evicts by taints."""
    del config
    return Controller(
        "taint-eviction-controller",
        "taint-eviction-controller",
        TaintEviction().reconcile,
        sources=(For(PODS), Watches(NODES, pods_of_tainted)),
        indexes=(Index(PODS, NODE_INDEX, node_of_pod),),
        workers=WORKERS,
    )


def evicting_taints(node: Object | None) -> list[Object]:
    """Return the node's NoExecute taints; none for no node."""
    return [taint for taint in taints_of(node or {}) if taint["effect"] == NO_EXECUTE]


def pods_of_tainted(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the pods of a node whose NoExecute taints have changed."""
    before, after = evicting_taints(change.old), evicting_taints(change.new)
    if before == after:
        return []
    name = name_of(change.latest)
    return [key_of(pod) for pod in cluster.informer(PODS).by_index(NODE_INDEX, name)]


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration covers a taint: empty effect and key mean any."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return (toleration.get("value") or "") == (taint.get("value") or "")


def seconds_tolerated(taints: Sequence[Object], tolerations: Sequence[Object]) -> float | None:
    """Return how long the taints are tolerated together: 0 not at all, None for ever."""
    used = [[t for t in tolerations if tolerates(t, taint)] for taint in taints]
    if not all(used):
        return 0.0
    limits = [
        max(0.0, float(toleration["tolerationSeconds"]))
        for group in used
        for toleration in group
        if toleration.get("tolerationSeconds") is not None
    ]
    return min(limits, default=None)


class TaintEviction:
    """The acting half; remembers since when each pod has been on borrowed time."""

    def __init__(self) -> None:
        """Start with no pod. Bound: one entry per pod on a tainted node."""
        self._since: dict[str, tuple[str, float]] = {}

    async def reconcile(self, key: str, cluster: Cluster) -> Result:
        """Delete pod `key`, or say when it is to be looked at again."""
        pod = cluster.get(PODS, key)
        if pod is None or is_terminating(pod):
            self._since.pop(key, None)
            return DONE
        taints = evicting_taints(cluster.get(NODES, dig(pod, "spec", "nodeName", default="")))
        tolerations = dig(pod, "spec", "tolerations", default=[])
        tolerated = seconds_tolerated(taints, tolerations) if taints else None
        if tolerated is None:
            self._cancel(pod, cluster)
            return DONE
        left = self._started(pod, cluster) + tolerated - cluster.clock.monotonic()
        if left > 0:
            return Result(left)
        await _evict(pod, cluster)
        return DONE

    def _started(self, pod: Object, cluster: Cluster) -> float:
        """Return when the pod's time began; now, if it did not yet."""
        key, uid = key_of(pod), uid_of(pod)
        known = self._since.get(key)
        if known is None or known[0] != uid:
            self._since[key] = (uid, cluster.clock.monotonic())
        return self._since[key][1]

    def _cancel(self, pod: Object, cluster: Cluster) -> None:
        if self._since.pop(key_of(pod), None) is not None:
            text = f"Cancelling deletion of Pod {key_of(pod)}"
            cluster.events.record(pod, "Normal", "TaintManagerEviction", text)


async def _evict(pod: Object, cluster: Cluster) -> None:
    text = f"Marking for deletion Pod {key_of(pod)}"
    cluster.events.record(pod, "Normal", "TaintManagerEviction", text)
    reason, message = "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
    condition = disruption(reason, message, cluster.stamp())
    await patch_status(cluster, pod, status_patch(condition, None))
    try:
        options = {"preconditions": {"uid": uid_of(pod)}}
        await cluster.client.delete(PODS, name_of(pod), namespace_of(pod), options=options)
    except NotFound:
        return
