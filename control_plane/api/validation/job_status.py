"""Rules of a job's status: what is finished stays so, and its parts agree.

Called through the VALIDATORS table. A rule is applied only when a field that it reads has changed.
Source: v1.35 batch/v1 validation and job status strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import timestamps
from control_plane.api.internal_form import internal_form
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    OMITTED,
    duplicate,
    invalid,
    invalid_each,
    non_negative,
    required,
)
from control_plane.api.validation.job_indexes import validate_status_indexes
from control_plane.api.validation.job_status_change import JobStatusChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_COUNTS: Final = ("active", "succeeded", "failed", "ready", "terminating")
_NOT_BEFORE: Final = "must be equal to or after `startTime`"
_LASTING: Final = ("Failed", "Complete", "FailureTarget")


def validate_job_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Check the status of a Job against itself and the stored one."""
    change = JobStatusChange(new, old)
    for field in _COUNTS:
        yield from non_negative(f"status.{field}", change.status.get(field))
    for rule in _RULES:
        yield from rule(change)


def _contradiction(detail: str) -> FieldError:
    return invalid("status.conditions", OMITTED, detail)


def _validate_uncounted(change: JobStatusChange) -> Iterator[FieldError]:
    pods = change.status.get("uncountedTerminatedPods") or {}
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(pods.get(field) or []):
            path = f"status.uncountedTerminatedPods.{field}[{index}]"
            if not uid:
                yield invalid(path, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(path, uid)
            seen.add(uid)


def _validate_ends(change: JobStatusChange) -> Iterator[FieldError]:
    """Check that a job does not end in two ways."""
    if not change.has("Complete"):
        return
    for condition, word in (("Failed", "Failed=true"), ("FailureTarget", "FailureTarget=true")):
        if change.has(condition) and (change.flipped("Complete") or change.flipped(condition)):
            yield _contradiction(f"cannot set Complete=True and {word} conditions")


def _validate_completion_time(change: JobStatusChange) -> Iterator[FieldError]:
    path, started = "status.completionTime", change.status.get("startTime")
    completed, is_complete = change.status.get("completionTime"), change.has("Complete")
    if change.flipped("Complete") or change.changed("completionTime"):
        if completed and not is_complete:
            detail = "cannot set completionTime when there is no Complete=True condition"
            yield invalid(path, completed, detail)
        if is_complete and not completed:
            yield required(path, "completionTime is required for Complete jobs")
    if started and completed and change.changed("startTime", "completionTime"):
        is_early = timestamps.parse(completed) < timestamps.parse(started)
        yield from invalid_each(path, completed, [_NOT_BEFORE] if is_early else [])


def _validate_announcements(change: JobStatusChange) -> Iterator[FieldError]:
    """Check that the end of a job was announced by the condition that leads to it."""
    may_fail = change.flipped("Failed") or change.changed("failedIndexes")
    if may_fail and change.has("Failed") and not change.has("FailureTarget"):
        yield _contradiction(
            "cannot set Failed=True condition without the FailureTarget=true condition"
        )
    may_complete = change.flipped("Complete") or change.flipped("SuccessCriteriaMet")
    if may_complete and change.has("Complete") and not change.has("SuccessCriteriaMet"):
        yield _contradiction(
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        )


def _validate_finished(change: JobStatusChange) -> Iterator[FieldError]:
    if not change.is_finished:
        return
    yield from _validate_none_left(change, "active")
    nothing_to_do = change.spec.get("suspend") and change.spec.get("completions") == 0
    is_asked = change.finishes or change.changed("startTime")
    if is_asked and not change.status.get("startTime") and not nothing_to_do:
        yield required("status.startTime", "startTime is required for finished job")
    pods = change.status.get("uncountedTerminatedPods") or {}
    if any(pods.values()) and (change.finishes or change.changed("uncountedTerminatedPods")):
        shown = internal_form("UncountedTerminatedPods", pods)
        yield invalid("status.uncountedTerminatedPods", shown, "must be empty for finished job")


def _validate_none_left(change: JobStatusChange, field: str) -> Iterator[FieldError]:
    count = change.status.get(field) or 0
    if count > 0 and (change.finishes or change.changed(field)):
        yield invalid(f"status.{field}", count, f"{field}>0 is invalid for finished job")


def _validate_running_pods(change: JobStatusChange) -> Iterator[FieldError]:
    if change.is_finished:
        yield from _validate_none_left(change, "terminating")
    ready, active = (change.status.get(field) or 0 for field in ("ready", "active"))
    if ready > active and change.changed("ready", "active"):
        yield invalid("status.ready", ready, "cannot set more ready pods than active")


def _validate_success(change: JobStatusChange) -> Iterator[FieldError]:
    is_met = change.has("SuccessCriteriaMet")
    for condition in ("Failed", "FailureTarget"):
        if is_met and change.has(condition):
            yield _contradiction(
                f"cannot set SuccessCriteriaMet=True and {condition}=true conditions"
            )
    if change.spec.get("successPolicy") is not None and not is_met and change.has("Complete"):
        yield _contradiction(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )


def _validate_history(change: JobStatusChange) -> Iterator[FieldError]:
    """Check what may not be taken back."""
    for condition in _LASTING:
        if change.had(condition) and not change.has(condition):
            yield _contradiction(f"cannot disable the terminal {condition}=True condition")
    yield from _validate_counters(change)
    yield from _validate_past_times(change)
    if change.had("SuccessCriteriaMet") and not change.has("SuccessCriteriaMet"):
        yield _contradiction("cannot disable the SuccessCriteriaMet=True condition")
    is_late = change.had("Complete") and not change.had("SuccessCriteriaMet")
    if is_late and change.has("SuccessCriteriaMet"):
        yield _contradiction(
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        )


def _validate_counters(change: JobStatusChange) -> Iterator[FieldError]:
    spec = change.spec
    may_shrink = change.is_indexed and spec.get("completions") == spec.get("parallelism")
    for field in ("failed", "succeeded"):
        count, before = (status.get(field) or 0 for status in (change.status, change.stored))
        if count < before and not (field == "succeeded" and may_shrink):
            yield invalid(f"status.{field}", count, f"cannot decrease the {field} counter")


def _validate_past_times(change: JobStatusChange) -> Iterator[FieldError]:
    completed = change.status.get("completionTime")
    if completed and change.stored.get("completionTime") and change.changed("completionTime"):
        yield invalid("status.completionTime", completed, IMMUTABLE)
    has_moved = change.stored.get("startTime") and change.changed("startTime")
    if has_moved and not change.spec.get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")


_RULES: Final = (  # in upstream's order
    _validate_uncounted, _validate_ends, _validate_completion_time, _validate_announcements,
    _validate_finished, validate_status_indexes, _validate_running_pods, _validate_success,
    _validate_history,
)  # fmt: skip
