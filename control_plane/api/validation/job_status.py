"""Rules of a job's status: what is finished stays so, and its parts agree.

Called through the VALIDATORS table. A rule is applied only when a field that it reads has changed.
Source: v1.35 batch/v1 validation and job status strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import timestamps
from control_plane.api.objects import find_condition
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation.field_errors import invalid, non_negative, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_COUNTS: Final = ("active", "succeeded", "failed", "terminating", "ready")
_FINISHED: Final = ("Complete", "Failed")


def _has(job: Object, condition: str) -> bool:
    return (find_condition(job, condition) or {}).get("status") == "True"


def _is_finished(job: Object) -> bool:
    return any(_has(job, condition) for condition in _FINISHED)


def validate_job_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Check the status of a Job against itself and the stored one."""
    status = new.get("status") or {}
    for field in _COUNTS:
        yield from non_negative(f"status.{field}", status.get(field))
    yield from _validate_conditions(new, old)
    yield from _validate_times(new, old)
    if _is_finished(new):
        yield from _validate_finished(new, old)
    yield from _validate_counts(new, old)


def _validate_conditions(new: Object, old: Object) -> Iterator[FieldError]:
    shown = (new.get("status") or {}).get("conditions")
    path = "status.conditions"
    for condition in (*_FINISHED, "SuccessCriteriaMet"):
        if _has(old, condition) and not _has(new, condition):
            word = "" if condition == "SuccessCriteriaMet" else "terminal "
            yield invalid(path, shown, f"cannot disable the {word}{condition}=True condition")
    if _has(new, "Complete") and _has(new, "Failed"):
        yield invalid(path, shown, "cannot set Complete=True and Failed=true conditions")
    if _has(new, "Complete") and _has(new, "FailureTarget"):
        yield invalid(path, shown, "cannot set Complete=True and FailureTarget=true conditions")
    if _became(new, old, "Failed") and not _has(new, "FailureTarget"):
        detail = "cannot set Failed=True condition without the FailureTarget=true condition"
        yield invalid(path, shown, detail)
    if _became(new, old, "Complete") and not _has(new, "SuccessCriteriaMet"):
        detail = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        yield invalid(path, shown, detail)


def _became(new: Object, old: Object, condition: str) -> bool:
    return _has(new, condition) and not _has(old, condition)


def _changed(new: Object, old: Object, field: str) -> bool:
    statuses = [job.get("status") or {} for job in (new, old)]
    return not semantically_equal(*(status.get(field) for status in statuses))


def _validate_times(new: Object, old: Object) -> Iterator[FieldError]:
    status, spec = new.get("status") or {}, new.get("spec") or {}
    started, completed = status.get("startTime"), status.get("completionTime")
    start_changed, end_changed = (_changed(new, old, f) for f in ("startTime", "completionTime"))
    if start_changed and not started and not spec.get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
    if end_changed or _has(new, "Complete") != _has(old, "Complete"):
        if completed and not _has(new, "Complete"):
            detail = "cannot set completionTime when there is no Complete=True condition"
            yield invalid("status.completionTime", completed, detail)
        if not completed and _has(new, "Complete"):
            detail = "completionTime is required for Complete jobs"
            yield required("status.completionTime", detail)
    if (start_changed or end_changed) and started and completed and _is_before(completed, started):
        detail = "must be equal to or after `startTime`"
        yield invalid("status.completionTime", completed, detail)


def _is_before(one: str, other: str) -> bool:
    return timestamps.parse(one) < timestamps.parse(other)


def _validate_finished(new: Object, old: Object) -> Iterator[FieldError]:
    status, spec = new.get("status") or {}, new.get("spec") or {}
    is_new = not _is_finished(old)
    for field in ("active", "terminating"):
        count = status.get(field) or 0
        if count > 0 and (is_new or _changed(new, old, field)):
            yield invalid(f"status.{field}", count, f"{field}>0 is invalid for finished job")
    nothing_to_do = spec.get("suspend") and spec.get("completions") == 0
    is_asked = is_new or _changed(new, old, "startTime")
    if is_asked and not status.get("startTime") and not nothing_to_do:
        yield required("status.startTime", "startTime is required for finished job")
    pods = status.get("uncountedTerminatedPods")
    has_uncounted = pods and any(pods.values())
    if has_uncounted and (is_new or _changed(new, old, "uncountedTerminatedPods")):
        path, detail = "status.uncountedTerminatedPods", "must be empty for finished job"
        yield invalid(path, pods, detail)


def _validate_counts(new: Object, old: Object) -> Iterator[FieldError]:
    status, stored = new.get("status") or {}, old.get("status") or {}
    spec = new.get("spec") or {}
    ready, active = status.get("ready") or 0, status.get("active") or 0
    if ready > active and (_changed(new, old, "ready") or _changed(new, old, "active")):
        yield invalid("status.ready", ready, "cannot set more ready pods than active")
    may_shrink = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get(
        "parallelism"
    )
    for field in ("failed", "succeeded"):
        decreased = (status.get(field) or 0) < (stored.get(field) or 0)
        if decreased and not (field == "succeeded" and may_shrink):
            detail = f"cannot decrease the {field} counter"
            yield invalid(f"status.{field}", status.get(field) or 0, detail)
