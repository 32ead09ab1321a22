"""Preparation of persistent volumes and claims: phase times and data sources.

Called by strategies.py. Source: v1.35 persistentvolume and persistentvolumeclaim strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_CHANGED_AT: Final = "lastPhaseTransitionTime"
_COPIED: Final = ("apiGroup", "kind", "name")


def create_volume(volume: Object, now: str) -> None:
    """Start Pending as of now."""
    volume["status"] = {"phase": "Pending", _CHANGED_AT: now}


def update_volume_status(new: Object, old: Object, now: str) -> None:
    """Keep the stored spec, and note when the phase changed unless the client does."""
    keep(new, old, "spec")
    status = new.setdefault("status", {})
    stored = old.get("status") or {}
    if status.get("phase") == stored.get("phase"):
        if not status.get(_CHANGED_AT):
            keep(status, stored, _CHANGED_AT)
    elif status.get(_CHANGED_AT) in (None, stored.get(_CHANGED_AT)):
        status[_CHANGED_AT] = now


def create_claim(claim: Object, _now: str) -> None:
    """Start Pending, with the two data source fields in step."""
    claim["status"] = {"phase": "Pending"}
    _prepare_data_source(claim.setdefault("spec", {}), None)


def update_claim(new: Object, old: Object, _now: str) -> None:
    """Keep the stored status and bring the data source fields in step."""
    keep(new, old, "status")
    _prepare_data_source(new.setdefault("spec", {}), old.get("spec") or {})


def _prepare_data_source(spec: Object, old: Object | None) -> None:
    """Bring dataSource and dataSourceRef in step; a source of an unknown kind goes unless in use
    before.
    """
    reference = spec.get("dataSourceRef")
    if reference and reference.get("namespace"):  # sources of other namespaces: the feature is off
        spec.pop("dataSourceRef")
        reference = None
    source = spec.get("dataSource")
    in_use = bool(old and old.get("dataSource"))
    if source and not reference and not in_use and not _is_known_source(source):
        spec.pop("dataSource")
        return
    if source and not reference:
        spec["dataSourceRef"] = {field: source[field] for field in _COPIED if field in source}
    elif reference and not source:
        spec["dataSource"] = {field: reference[field] for field in _COPIED if field in reference}


def _is_known_source(source: Object) -> bool:
    known = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
    return ((source.get("apiGroup") or ""), source.get("kind")) in known
