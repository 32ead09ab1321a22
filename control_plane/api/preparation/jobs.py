"""Preparation of jobs and cron jobs: the selector a job gets, and the labels that satisfy it.

Called by strategies.py. Source: v1.35 job and cronjob strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import dig, labels_of, name_of, uid_of
from control_plane.api.preparation.disabled_fields import drop_disabled_pod_fields
from control_plane.api.preparation.plain import (
    create_workload,
    first_generation_and_status,
    keep_status_and_count_specs,
)

if TYPE_CHECKING:
    from control_plane.api.objects import Object

UID_LABEL: Final = "batch.kubernetes.io/controller-uid"


def create_job(job: Object, now: str) -> None:
    """Start without a status; unless the client takes care of it, select the job's own pods."""
    create_workload(job, now)
    spec = job.setdefault("spec", {})
    if not spec.get("manualSelector"):
        _select_own_pods(job, spec)


def _select_own_pods(job: Object, spec: Object) -> None:
    """Add what is not there; what is there and wrong is validation's to refuse."""
    name, uid = name_of(job), uid_of(job)
    own = {
        "controller-uid": uid,
        "job-name": name,
        UID_LABEL: uid,
        "batch.kubernetes.io/job-name": name,
    }
    template = spec.get("template") or {}
    spec["template"] = template
    metadata = template.get("metadata") or {}
    template["metadata"] = {**metadata, "labels": {**own, **labels_of(template)}}
    selector = spec.get("selector") or {}
    labels = {UID_LABEL: uid, **(selector.get("matchLabels") or {})}
    spec["selector"] = {**selector, "matchLabels": labels}


def create_cron_job(cron_job: Object, now: str) -> None:
    """Start without a status."""
    drop_disabled_pod_fields(_pod_spec(cron_job))
    first_generation_and_status(cron_job, now)


def update_cron_job(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; a changed spec makes a new generation."""
    drop_disabled_pod_fields(_pod_spec(new), _pod_spec(old))
    keep_status_and_count_specs(new, old, now)


def _pod_spec(cron_job: Object) -> Object:
    found = dig(cron_job, "spec", "jobTemplate", "spec", "template", "spec", default={})
    return found if isinstance(found, dict) else {}
