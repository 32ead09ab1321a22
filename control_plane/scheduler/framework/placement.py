"""One scheduling decision: which node takes this pod.

Pure: snapshot in, `Placement` or `Diagnosis` out. Order: pre_filter, the nominated node alone,
filter over the nodes from a rotating start until enough are feasible, post_filter when none is,
score when more than one is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.diagnosis import Diagnosis
from control_plane.scheduler.framework.framework import Framework, outside_of
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import PreFilterResult
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status

MIN_FEASIBLE_NODES = 100
MIN_PERCENTAGE = 5


@dataclass(frozen=True, slots=True)
class Placement:
    """The chosen node, the state its plugins built up, and how much was looked at."""

    node_name: str
    state: CycleState
    evaluated: int
    feasible: int


@dataclass(frozen=True, slots=True)
class Search:
    """Where to start among the nodes and how many feasible ones are enough.

    `percentage` is of all nodes; 0 adapts it to the size of the cluster, 100 tries every node.
    """

    start: int = 0
    percentage: int = 0


def enough_feasible(node_count: int, percentage: int) -> int:
    """Return how many feasible nodes end the search: all below 100, else a share, at least 100."""
    if node_count < MIN_FEASIBLE_NODES:
        return node_count
    share = percentage or max(50 - node_count // 125, MIN_PERCENTAGE)
    return min(node_count, max(node_count * share // 100, MIN_FEASIBLE_NODES))


def place(
    framework: Framework, pod: PodInfo, snapshot: Snapshot, search: Search
) -> Placement | Diagnosis:
    """Choose a node for the pod, or say why there is none. Ties go to the node evaluated first."""
    if not snapshot.nodes:
        return Diagnosis(0)
    state = CycleState()
    filtered = framework.pre_filter(state, pod, snapshot)
    trial = _Trial(framework, state, pod, filtered)
    if filtered.status:
        trial.statuses = dict.fromkeys(snapshot.by_name, filtered.status)
        return _failed(trial, snapshot)
    feasible = trial.nominated(snapshot) or trial.nodes(snapshot, search)
    if not feasible:
        return _failed(trial, snapshot)
    evaluated = len(trial.statuses) + len(feasible)
    return Placement(_best(trial, snapshot, feasible), state, evaluated, len(feasible))


@dataclass(slots=True)
class _Trial:
    """One pod tried on nodes; `statuses` says by node name why each refused."""

    framework: Framework
    state: CycleState
    pod: PodInfo
    filtered: PreFilterResult
    statuses: dict[str, Status] = field(default_factory=dict)

    def nominated(self, snapshot: Snapshot) -> list[NodeInfo]:
        """Return the node put forward earlier if the pod fits there now."""
        node = snapshot.by_name.get(self.pod.nominated_node)
        if node is None or not self._is_candidate(node):
            return []
        return [] if self.framework.filter(self.state, self.pod, node) else [node]

    def nodes(self, snapshot: Snapshot, search: Search) -> list[NodeInfo]:
        """Return feasible nodes, no more than are enough."""
        count = len(snapshot.nodes)
        wanted = enough_feasible(count, search.percentage)
        start = search.start % count
        feasible: list[NodeInfo] = []
        for node in _rotated(snapshot.nodes, start):
            if not self._is_candidate(node):
                continue
            status = self.framework.filter(self.state, self.pod, node)
            if status:
                self.statuses[node.name] = status
                continue
            feasible.append(node)
            if len(feasible) == wanted:
                break
        return feasible

    def _is_candidate(self, node: NodeInfo) -> bool:
        names = self.filtered.node_names
        return names is None or node.name in names


def _rotated(nodes: tuple[NodeInfo, ...], start: int) -> Iterable[NodeInfo]:
    yield from nodes[start:]
    yield from nodes[:start]


def _failed(trial: _Trial, snapshot: Snapshot) -> Diagnosis:
    """Explain, after the plugins that make room had their turn."""
    statuses = trial.statuses
    if trial.filtered.narrowed_by:
        outside = outside_of(trial.filtered.narrowed_by)
        statuses = {name: statuses.get(name, outside) for name in snapshot.by_name}
    result = trial.framework.post_filter(trial.state, trial.pod, snapshot, statuses)
    return Diagnosis(
        node_count=len(snapshot.nodes),
        node_statuses=statuses,
        pre_filter=trial.filtered.status,
        post_filter=", ".join(result.reasons),
        nominated_node=result.nominated_node,
    )


def _best(trial: _Trial, snapshot: Snapshot, feasible: list[NodeInfo]) -> str:
    if len(feasible) == 1:
        return feasible[0].name
    totals = trial.framework.score(trial.state, trial.pod, snapshot, feasible)
    return feasible[totals.index(max(totals))].name
