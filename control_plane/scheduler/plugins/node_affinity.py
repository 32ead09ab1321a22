"""NodeAffinity: spec.nodeSelector and spec.affinity.nodeAffinity, required and preferred."""

from collections.abc import Iterable, Sequence
from typing import Any

from control_plane.api.objects import dig
from control_plane.scheduler.framework.cluster_event import ClusterEvent
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import PreFilterResult
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status, unresolvable
from control_plane.scheduler.plugins.node_terms import Term, matches_any, matches_term
from control_plane.scheduler.plugins.normalize import share

NAME = "NodeAffinity"
MISMATCH = unresolvable(NAME, "node(s) didn't match Pod's node affinity/selector")
CONFLICT = unresolvable(NAME, "pod affinity terms conflict")


def _required_terms(pod: PodInfo) -> list[Term] | None:
    """Return the terms of which one must match, None when the pod has no such list."""
    required = dig(
        pod.spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return None if required is None else required.get("nodeSelectorTerms") or []


def _preferred_terms(pod: PodInfo) -> list[dict[str, Any]]:
    path = ("affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    return dig(pod.spec, *path, default=[]) or []


def matches_required(pod: PodInfo, node: NodeInfo) -> bool:
    """Tell whether the node has every label of nodeSelector and satisfies one required term."""
    selector = pod.spec.get("nodeSelector") or {}
    if any(node.labels.get(key) != value for key, value in selector.items()):
        return False
    terms = _required_terms(pod)
    return terms is None or matches_any(terms, node)


def pre_filter(_state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
    """Narrow the search when every required term names its nodes.

    Skip when the pod does not care.
    """
    terms = _required_terms(pod)
    if terms is None:
        return PreFilterResult(skip=not pod.spec.get("nodeSelector"))
    named = [_node_names(term) for term in terms]
    if not named or any(names is None for names in named):
        return PreFilterResult()
    union = frozenset[str]().union(*(names for names in named if names is not None))
    return PreFilterResult(node_names=union) if union else PreFilterResult(CONFLICT)


def _node_names(term: Term) -> frozenset[str] | None:
    """Return the names that the term's `metadata.name In` requirements allow, None without any."""
    sets = [
        frozenset(requirement.get("values") or ())
        for requirement in term.get("matchFields") or ()
        if requirement["key"] == "metadata.name" and requirement.get("operator") == "In"
    ]
    return frozenset.intersection(*sets) if sets else None


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse a node that the selector or the required terms leave out."""
    return None if matches_required(pod, node) else MISMATCH


def pre_score(
    state: CycleState, pod: PodInfo, _snapshot: Snapshot, _nodes: Sequence[NodeInfo]
) -> bool:
    """Keep the preferred terms; nothing to score without any."""
    preferred = _preferred_terms(pod)
    state.write(NAME, preferred)
    return bool(preferred)


def score(state: CycleState, _pod: PodInfo, node: NodeInfo) -> int:
    """Sum the weights of the preferred terms that match."""
    return _weight(state.read(NAME), node)


def _weight(preferred: Iterable[dict[str, Any]], node: NodeInfo) -> int:
    return sum(p["weight"] for p in preferred if matches_term(p.get("preference") or {}, node))


normalize = share


def becomes_match(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake for a node that matches now and did not before."""
    before, after = event.old_node, event.new_node
    if after is None or not matches_required(pod, after):
        return False
    return before is None or not matches_required(pod, before)
