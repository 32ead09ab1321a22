"""Runs the extension points over a table of plugins, in the table's order.

Called by placement.py and the scheduler's loop. Keeps no state between cycles. A plugin that raises
ends the cycle; the loop turns that into a SchedulerError.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from control_plane.scheduler.framework.cluster_event import ClusterEvent, EventKind
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import (
    NodeStatuses,
    Plugin,
    PostFilterResult,
    PreFilterResult,
)
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Code, Status, unresolvable

if TYPE_CHECKING:
    from control_plane.client.client import ApiClient


class Framework:
    """The plugins of one profile, ready to be called point by point.

    ValueError when the table names a plugin twice, or has not exactly one queue order and at least
    one binder.
    """

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = {plugin.name: plugin for plugin in plugins}
        if len(self.plugins) != len(plugins):
            raise ValueError("a plugin is named twice")
        if sum(plugin.queue_key is not None for plugin in plugins) != 1:
            raise ValueError("exactly one plugin orders the queue")
        if not any(plugin.bind for plugin in plugins):
            raise ValueError("no plugin binds")
        self._filters = tuple((p.name, p.filter) for p in plugins if p.filter)

    def queue_key(self, pod: PodInfo, queued_at: float) -> tuple[Any, ...]:
        """Return the sort key of a pod that has waited since `queued_at`; smaller goes first."""
        order = next(p.queue_key for p in self.plugins.values() if p.queue_key)
        return order(pod, queued_at)

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        """Return the first refusal to let the pod be tried at all, None when it may be."""
        for plugin in self.plugins.values():
            status = plugin.pre_enqueue(pod) if plugin.pre_enqueue else None
            if status:
                return status
        return None

    def is_woken(self, pod: PodInfo, rejectors: Iterable[str], event: ClusterEvent) -> bool:
        """Tell whether the event may help a pod that these plugins rejected."""
        if event.kind is EventKind.WILDCARD:
            return True
        for name in rejectors:
            hint = self.plugins[name].wakes.get(event.kind)
            if hint and hint(pod, event):
                return True
        return False

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """Let every plugin look at the pod once, and combine what they found.

        `node_names` of the result are in all plugins' sets. An unresolvable refusal ends the round
        at once; another one is returned after all have been asked.
        """
        refusal: Status | None = None
        names: frozenset[str] | None = None
        narrowed_by: list[str] = []
        for plugin in self.plugins.values():
            if plugin.pre_filter is None:
                continue
            result = plugin.pre_filter(state, pod, snapshot)
            if result.skip:
                state.skip_filter.add(plugin.name)
            if result.status and result.status.code is not Code.UNSCHEDULABLE:
                return result
            refusal = refusal or result.status
            if result.node_names is not None:
                narrowed_by.append(plugin.name)
                names = result.node_names if names is None else names & result.node_names
        if names is not None and not names:
            return PreFilterResult(_no_common_node(narrowed_by))
        return PreFilterResult(refusal, names, narrowed_by=tuple(narrowed_by))

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Return the first plugin's refusal of the node, None when the pod fits."""
        for name, accepts in self._filters:
            if name not in state.skip_filter:
                status = accepts(state, pod, node)
                if status is not None:
                    return status
        return None

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, statuses: NodeStatuses
    ) -> PostFilterResult:
        """Ask how to make room, until a plugin nominates a node.

        Reasons of the others are collected.
        """
        reasons: list[str] = []
        for plugin in self.plugins.values():
            if plugin.post_filter is None:
                continue
            result = plugin.post_filter(state, pod, snapshot, statuses)
            reasons.extend(result.reasons)
            if result.nominated_node:
                return PostFilterResult(result.nominated_node, tuple(reasons))
        return PostFilterResult("", tuple(reasons))

    def score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Return the weighted total of every node, in the order of `nodes`; higher is better."""
        for plugin in self.plugins.values():
            if plugin.pre_score and not plugin.pre_score(state, pod, snapshot, nodes):
                state.skip_score.add(plugin.name)
        totals = [0] * len(nodes)
        for plugin in self.plugins.values():
            if plugin.score and plugin.name not in state.skip_score:
                scores = [plugin.score(state, pod, node) for node in nodes]
                if plugin.normalize:
                    scores = plugin.normalize(scores)
                totals = [t + s * plugin.weight for t, s in zip(totals, scores, strict=True)]
        return totals

    def reserve(self, state: CycleState, pod: PodInfo, node_name: str) -> Status | None:
        """Let plugins claim what the pod will use; on a refusal what was claimed is given back."""
        for plugin in self.plugins.values():
            status = plugin.reserve(state, pod, node_name) if plugin.reserve else None
            if status:
                self.unreserve(state, pod, node_name)
                return status
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node_name: str) -> None:
        """Give back what reserve claimed, last plugin first.

        Plugins accept it without a reserve.
        """
        for plugin in reversed(self.plugins.values()):
            if plugin.unreserve:
                plugin.unreserve(state, pod, node_name)

    async def permit(self, state: CycleState, pod: PodInfo, node_name: str) -> Status | None:
        """Wait until every plugin lets the pod go; return the first refusal."""
        for plugin in self.plugins.values():
            status = await plugin.permit(state, pod, node_name) if plugin.permit else None
            if status:
                return status
        return None

    async def bind(self, client: "ApiClient", pod: PodInfo, node_name: str) -> None:
        """Prepare and write the binding by the first binder.

        ApiError or OSError when it did not take place.
        """
        for plugin in self.plugins.values():
            if plugin.pre_bind:
                await plugin.pre_bind(client, pod, node_name)
        binder = next(plugin.bind for plugin in self.plugins.values() if plugin.bind)
        await binder(client, pod, node_name)
        for plugin in self.plugins.values():
            if plugin.post_bind:
                await plugin.post_bind(client, pod, node_name)


def _no_common_node(plugins: Sequence[str]) -> Status:
    if len(plugins) == 1:
        return unresolvable(plugins[0], f"node(s) didn't satisfy plugin {plugins[0]}")
    together = " ".join(plugins)
    reason = f"node(s) didn't satisfy plugin(s) [{together}] simultaneously"
    return unresolvable(plugins[0], reason)


def outside_of(plugins: Sequence[str]) -> Status:
    """Return why a node outside the nodes that pre_filter left over is not tried."""
    return unresolvable(plugins[0], f"node(s) didn't satisfy plugin(s) [{' '.join(plugins)}]")
