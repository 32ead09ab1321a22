"""Strategies of resources that differ only in which halves they keep and what bumps their
generation.

Called by strategies.py. Source: v1.35 registry strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.objects import dig
from control_plane.api.preparation.disabled_fields import drop_disabled_pod_fields
from control_plane.api.preparation.strategy import bump_generation, changed, keep
from control_plane.api.semantics import semantically_equal

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def empty_status(obj: Object, _now: str) -> None:
    """Start with an empty status, whatever the client sent."""
    obj["status"] = {}


def create_workload(obj: Object, now: str) -> None:
    """Start a controller of pods: generation 1, no status, no fields of features that are off."""
    drop_disabled_pod_fields(_template_spec(obj))
    first_generation_and_status(obj, now)


def update_workload(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec makes a new generation (controllers of pods)."""
    drop_disabled_pod_fields(_template_spec(new), _template_spec(old))
    keep_status_and_count_specs(new, old, now)


def update_deployment(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec or annotation makes a new generation."""
    drop_disabled_pod_fields(_template_spec(new), _template_spec(old))
    keep_status_and_count_specs_and_annotations(new, old, now)


def _template_spec(obj: Object) -> Object:
    return dig(obj, "spec", "template", "spec", default={})  # type: ignore[no-any-return]


def first_generation_and_status(obj: Object, now: str) -> None:
    """Start with generation 1 and an empty status."""
    obj.setdefault("metadata", {})["generation"] = 1
    empty_status(obj, now)


def keep_status(new: Object, old: Object, _now: str) -> None:
    """Keep the stored status: it is written through its own endpoint."""
    keep(new, old, "status")


def keep_spec(new: Object, old: Object, _now: str) -> None:
    """Keep the stored spec: a status endpoint writes only status and metadata."""
    keep(new, old, "spec")


def keep_spec_and_labels(new: Object, old: Object, now: str) -> None:
    """Keep the stored spec and labels (status of a Deployment)."""
    keep_spec(new, old, now)
    keep(new["metadata"], old.get("metadata") or {}, "labels")


def keep_status_and_count_specs(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec makes a new generation."""
    keep_status(new, old, now)
    if changed(new, old, "spec"):
        bump_generation(new, old)


def keep_status_and_count_specs_and_annotations(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec or annotation makes a new generation (Deployment)."""
    keep_status(new, old, now)
    annotations = [(o.get("metadata") or {}).get("annotations") for o in (new, old)]
    if changed(new, old, "spec") or not semantically_equal(*annotations):
        bump_generation(new, old)


def count_content_and_labels(new: Object, old: Object, _now: str) -> None:
    """Make a new generation for any change outside metadata, or of the labels (EndpointSlice)."""
    fields = (new.keys() | old.keys()) - {"metadata", "apiVersion", "kind"}
    labels = [(o.get("metadata") or {}).get("labels") for o in (new, old)]
    if changed(new, old, *fields) or not semantically_equal(*labels):
        bump_generation(new, old)


def count_webhooks(new: Object, old: Object, _now: str) -> None:
    """Make a new generation of changed webhooks (webhook configurations)."""
    if changed(new, old, "webhooks"):
        bump_generation(new, old)


def count_templates(new: Object, old: Object, _now: str) -> None:
    """Make a new generation of a changed template (PodTemplate)."""
    if changed(new, old, "template"):
        bump_generation(new, old)


def keep_spec_and_metadata(new: Object, old: Object, now: str) -> None:
    """Keep all but the status: this status endpoint writes nothing else."""
    keep_spec(new, old, now)
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        keep(new["metadata"], old.get("metadata") or {}, field)


def count_specs(new: Object, old: Object, _now: str) -> None:
    """Make a new generation of a changed spec; there is no status."""
    if changed(new, old, "spec"):
        bump_generation(new, old)
