"""The tables of Jobs and CronJobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api import timestamps
from control_plane.api.objects import Object, dig, find_condition, is_terminating, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import (
    NONE,
    UNSET,
    age,
    container_images,
    container_names,
    human_duration,
    selector,
    since,
)
from control_plane.api.tables.workloads import CONTAINERS, IMAGES, template_cells

if TYPE_CHECKING:
    from datetime import datetime

_LATER: Final = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


def _job_cells(obj: Object, now: datetime) -> list[Any]:
    return [
        name_of(obj),
        _state(obj),
        _completions(obj),
        _duration(obj, now),
        age(obj, now),
        *template_cells(obj),
        selector(dig(obj, "spec", "selector")),
    ]


def _holds(obj: Object, condition: str) -> bool:
    return (find_condition(obj, condition) or {}).get("status") == "True"


def _state(obj: Object) -> str:
    if _holds(obj, "Complete"):
        return "Complete"
    if _holds(obj, "Failed"):
        return "Failed"
    if is_terminating(obj):
        return "Terminating"
    return next((condition for condition in _LATER if _holds(obj, condition)), "Running")


def _completions(obj: Object) -> str:
    succeeded = dig(obj, "status", "succeeded", default=0)
    wanted, parallelism = dig(obj, "spec", "completions"), dig(obj, "spec", "parallelism")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    return f"{succeeded}/1 of {parallelism}" if (parallelism or 0) > 1 else f"{succeeded}/1"


def _duration(obj: Object, now: datetime) -> str:
    """Return how long it has run, or ran until it was complete."""
    started, completed = dig(obj, "status", "startTime"), dig(obj, "status", "completionTime")
    if not started:
        return ""
    end = timestamps.parse(completed) if completed else now
    return human_duration(timestamps.seconds_since(started, end))


def _cron_job_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    last = dig(obj, "status", "lastScheduleTime")
    pod_spec = dig(spec, "jobTemplate", "spec", "template", "spec", default={})
    suspend = spec.get("suspend")
    return [
        name_of(obj),
        spec.get("schedule") or "",
        spec.get("timeZone") or NONE,
        UNSET if suspend is None else str(bool(suspend)),
        len(dig(obj, "status", "active", default=[])),
        since(last, now) if last else NONE,
        age(obj, now),
        container_names(pod_spec),
        container_images(pod_spec),
        selector(dig(spec, "jobTemplate", "spec", "selector")),
    ]


JOBS = View(
    (
        NAME,
        Column("Status", text="Whether the job is running, has been completed or has failed."),
        Column("Completions", doc="batch.v1.JobStatus.succeeded"),
        Column("Duration", text="The time that the job has run, or did until it was complete."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", priority=WIDE, doc="batch.v1.JobSpec.selector"),
    ),
    _job_cells,
)
CRONJOBS = View(
    (
        NAME,
        Column("Schedule", doc="batch.v1.CronJobSpec.schedule"),
        Column("Timezone", doc="batch.v1.CronJobSpec.timeZone"),
        Column("Suspend", "boolean", doc="batch.v1.CronJobSpec.suspend"),
        Column("Active", "integer", doc="batch.v1.CronJobStatus.active"),
        Column("Last Schedule", doc="batch.v1.CronJobStatus.lastScheduleTime"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", priority=WIDE, doc="batch.v1.JobSpec.selector"),
    ),
    _cron_job_cells,
)
