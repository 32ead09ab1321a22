"""Defaults of jobs and cron jobs.

Called through the DEFAULTS table. Source: v1.35 batch/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.pod_spec import default_template
from control_plane.api.objects import labels_of, parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_UNLIMITED: Final = 2**31 - 1


def default_job(job: Object) -> None:
    """Fill one Job in place; its labels come from its template's."""
    spec = part(job, "spec")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    fill_absent(spec, "parallelism", 1)
    per_index = spec.get("backoffLimitPerIndex") is not None
    fill_absent(spec, "backoffLimit", _UNLIMITED if per_index else 6)
    labels = labels_of(spec.get("template") or {})
    if labels:
        fill_empty(part(job, "metadata"), "labels", dict(labels))
    fill_absent(spec, "completionMode", "NonIndexed")
    fill_absent(spec, "suspend", False)
    has_policy = spec.get("podFailurePolicy") is not None
    fill_absent(spec, "podReplacementPolicy", "Failed" if has_policy else "TerminatingOrFailed")
    fill_absent(spec, "manualSelector", False)
    _default_parts(spec)


def default_cron_job(cron_job: Object) -> None:
    """Fill one CronJob in place; of its jobs only what lies below their specs."""
    spec = part(cron_job, "spec")
    fill_empty(spec, "concurrencyPolicy", "Allow")
    fill_absent(spec, "suspend", False)
    fill_absent(spec, "successfulJobsHistoryLimit", 3)
    fill_absent(spec, "failedJobsHistoryLimit", 1)
    _default_parts(part(part(spec, "jobTemplate"), "spec"))


def _default_parts(spec: Object) -> None:
    for pattern in parts(spec, "podFailurePolicy", "rules", "onPodConditions"):
        fill_empty(pattern, "status", "True")
    part(spec, "template")
    default_template(spec)
