"""Preparation of pods: the status they start with, and selectors completed from their own labels.

Called by strategies.py. Source: v1.35 pod strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.plain import keep_status_and_count_specs
from control_plane.api.preparation.qos_class import qos_class
from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

GATED_MESSAGE: Final = "Scheduling is blocked due to non-empty scheduling gates"


def create_pod(pod: Object, _now: str) -> None:
    """Start Pending at generation 1, gated where the spec says so."""
    pod.setdefault("metadata", {})["generation"] = 1
    spec = pod.setdefault("spec", {})
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "SchedulingGated",
                "message": GATED_MESSAGE,
            }
        ]
    _complete_selectors(spec, pod["metadata"].get("labels") or {})


def update_pod(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec makes a new generation."""
    keep_status_and_count_specs(new, old, now)


def update_pod_status(new: Object, old: Object, _now: str) -> None:
    """Keep the stored spec, owners and deletion; fill status fields that older clients
    leave out.
    """
    keep(new, old, "spec")
    metadata, stored = new["metadata"], old.get("metadata") or {}
    keep(metadata, stored, "ownerReferences")
    keep(metadata, stored, "deletionTimestamp")
    status, stored_status = new.setdefault("status", {}), old.get("status") or {}
    for field in ("qosClass", "observedGeneration"):
        if not status.get(field):
            keep(status, stored_status, field)


def _complete_selectors(spec: Object, labels: dict[str, str]) -> None:
    """Add to each selector that has match label keys what those keys are on this pod."""
    for term in _affinity_terms(spec.get("affinity") or {}):
        _add_requirements(term, "matchLabelKeys", "In", labels)
        _add_requirements(term, "mismatchLabelKeys", "NotIn", labels)
    for constraint in spec.get("topologySpreadConstraints") or []:
        _add_requirements(constraint, "matchLabelKeys", "In", labels)


def _add_requirements(owner: Object, field: str, operator: str, labels: dict[str, str]) -> None:
    selector = owner.get("labelSelector")
    if selector is None:
        return
    for key in owner.get(field) or []:
        if key in labels:
            requirement = {"key": key, "operator": operator, "values": [labels[key]]}
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or []), requirement]


def _affinity_terms(affinity: Object) -> Iterator[Object]:
    for field in ("podAffinity", "podAntiAffinity"):
        group = affinity.get(field) or {}
        yield from group.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        for weighted in group.get("preferredDuringSchedulingIgnoredDuringExecution") or []:
            yield weighted.get("podAffinityTerm") or {}
