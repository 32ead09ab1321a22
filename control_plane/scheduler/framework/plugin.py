"""What a plugin is: a row of functions, one for each extension point it takes part in.

Plugins keep no state of their own; what they need between points goes into the CycleState.
Everything up to `reserve` is synchronous and pure, because a decision must see one unchanging
snapshot. `permit`, `pre_bind`, `bind` and `post_bind` run beside later cycles and may await.

Order of the points: pre_enqueue, queue_key | pre_filter, filter, post_filter, pre_score, score,
normalize, reserve | permit, pre_bind, bind, post_bind; unreserve undoes reserve when any later
point refuses.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from control_plane.scheduler.framework.cluster_event import ClusterEvent, EventKind
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status

if TYPE_CHECKING:
    from control_plane.client.client import ApiClient

MAX_NODE_SCORE = 100

Hint = Callable[[PodInfo, ClusterEvent], bool]
"""Tells whether the event may make the pod schedulable, as far as this plugin is concerned."""


def always(_pod: PodInfo, _event: ClusterEvent) -> bool:
    """Wake the pod on every event of the kind."""
    return True


@dataclass(frozen=True, slots=True)
class PreFilterResult:
    """What pre_filter found: a refusal, the only nodes worth trying, or nothing to filter.

    `node_names` None means every node. `skip` spares the plugin's filter for this pod. The
    framework sets `narrowed_by` on the combined result: the plugins that gave node names.
    """

    status: Status | None = None
    node_names: frozenset[str] | None = None
    skip: bool = False
    narrowed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostFilterResult:
    """What post_filter arranged after no node fitted: a nominated node, or why it cannot help."""

    nominated_node: str = ""
    reasons: tuple[str, ...] = ()


NodeStatuses = Mapping[str, Status]
PreEnqueue = Callable[[PodInfo], Status | None]
QueueKey = Callable[[PodInfo, float], tuple[Any, ...]]
PreFilter = Callable[[CycleState, PodInfo, Snapshot], PreFilterResult]
Filter = Callable[[CycleState, PodInfo, NodeInfo], Status | None]
PostFilter = Callable[[CycleState, PodInfo, Snapshot, NodeStatuses], PostFilterResult]
PreScore = Callable[[CycleState, PodInfo, Snapshot, Sequence[NodeInfo]], bool]
Score = Callable[[CycleState, PodInfo, NodeInfo], int]
Normalize = Callable[[list[int]], list[int]]
Reserve = Callable[[CycleState, PodInfo, str], Status | None]
Unreserve = Callable[[CycleState, PodInfo, str], None]
Permit = Callable[[CycleState, PodInfo, str], Awaitable[Status | None]]
Bind = Callable[["ApiClient", PodInfo, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One row of PLUGINS. A point left None is one the plugin does not take part in.

    `pre_score` returns True when the plugin has something to score. `normalize` maps the raw scores
    of all feasible nodes to 0..MAX_NODE_SCORE; without it raw scores are in that range already.
    `wakes` says which events concern a pod this plugin rejected. `bind` raises ApiError or OSError
    when the binding did not take place.
    """

    name: str
    weight: int = 1
    pre_enqueue: PreEnqueue | None = None
    queue_key: QueueKey | None = None
    pre_filter: PreFilter | None = None
    filter: Filter | None = None
    post_filter: PostFilter | None = None
    pre_score: PreScore | None = None
    score: Score | None = None
    normalize: Normalize | None = None
    reserve: Reserve | None = None
    unreserve: Unreserve | None = None
    permit: Permit | None = None
    pre_bind: Bind | None = None
    bind: Bind | None = None
    post_bind: Bind | None = None
    wakes: Mapping[EventKind, Hint] = field(default_factory=dict)
