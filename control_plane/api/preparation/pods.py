"""Preparation of pods: the status they start with, and selectors completed from their own labels.

Called by strategies.py. Source: v1.35 pod strategies.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.disabled_fields import (
    drop_disabled_pod_fields,
    drop_disabled_pod_status_fields,
)
from control_plane.api.preparation.plain import keep_status_and_count_specs
from control_plane.api.preparation.qos_class import qos_class
from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_ARMOR_TYPES: Final = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined"}
_RESIZABLE: Final = ("containers", "initContainers")
GATED_MESSAGE: Final = "Scheduling is blocked due to non-empty scheduling gates"


def create_pod(pod: Object, _now: str) -> None:
    """Start Pending at generation 1, gated where the spec says so."""
    pod.setdefault("metadata", {})["generation"] = 1
    spec = pod.setdefault("spec", {})
    drop_disabled_pod_fields(spec)
    _copy_armor_annotations(pod["metadata"].get("annotations") or {}, spec)
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
    drop_disabled_pod_fields(new.setdefault("spec", {}), old.get("spec"))
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
    drop_disabled_pod_status_fields(status, stored_status)


def update_ephemeral_containers(new: Object, old: Object, _now: str) -> None:
    """Take nothing but the ephemeral containers; a change of them makes a new generation."""
    spec = copy.deepcopy(old.get("spec") or {})
    keep(spec, new.get("spec") or {}, "ephemeralContainers")
    _replace_spec(new, old, spec)


def resize_pod(new: Object, old: Object, _now: str) -> None:
    """Take nothing but containers' resources and resize policies; a change makes a new generation.

    Containers that are not those of the stored pod stay as they were sent, to be refused.
    """
    sent = new.setdefault("spec", {})
    spec = copy.deepcopy(old.get("spec") or {})
    for kind in _RESIZABLE:
        after, before = sent.get(kind) or [], spec.get(kind) or []
        if [c.get("name") for c in after] != [c.get("name") for c in before]:
            drop_disabled_pod_fields(sent, old.get("spec"))
            return
        for container, stored in zip(after, before, strict=True):
            for field in ("resources", "resizePolicy"):
                keep(stored, container, field)
    drop_disabled_pod_fields(spec, old.get("spec"))
    _replace_spec(new, old, spec)


def _replace_spec(new: Object, old: Object, spec: Object) -> None:
    """Make `new` the stored pod with this spec, and what says whose it is and in which state."""
    metadata = copy.deepcopy(old.get("metadata") or {})
    for field in ("name", "namespace", "uid", "resourceVersion", "managedFields"):
        keep(metadata, new["metadata"], field)
    new["metadata"], new["spec"] = metadata, spec
    keep_status_and_count_specs(new, old, "")


def _copy_armor_annotations(annotations: dict[str, str], spec: Object) -> None:
    """Bring the AppArmor profiles that annotations name into the containers' own fields."""
    pod_profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or []:
            name = annotations.get(f"{_ARMOR}{container.get('name')}")
            profile = _armor_profile(name or "")
            security = container.get("securityContext") or {}
            if profile and profile != pod_profile and not security.get("appArmorProfile"):
                container["securityContext"] = {**security, "appArmorProfile": profile}


def _armor_profile(name: str) -> Object | None:
    """Return the profile an annotation's value stands for; None for one that is not valid."""
    if name in _ARMOR_TYPES:
        return {"type": _ARMOR_TYPES[name]}
    local = name.removeprefix("localhost/")
    return {"type": "Localhost", "localhostProfile": local} if local and local != name else None


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
