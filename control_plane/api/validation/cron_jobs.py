"""Rules of cron jobs.

Called through the VALIDATORS table. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from control_plane.api import cron_schedule
from control_plane.api.objects import name_of
from control_plane.api.validation.field_errors import (
    invalid,
    non_negative,
    not_supported,
    one_of,
    required,
)
from control_plane.api.validation.jobs import validate_job_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_NAME: Final = 52
_POLICIES: Final = ("Allow", "Forbid", "Replace")
_ZONE_PART: Final = re.compile(r"[A-Za-z.\-_0-9+]{1,14}", re.ASCII)
_JOB: Final = "spec.jobTemplate.spec"


def validate_new_cron_job(cron_job: Object) -> Iterator[FieldError]:
    """Check a new CronJob: its jobs' names need room for a number."""
    yield from _validate(cron_job, zone_allowed=False)
    if len(name_of(cron_job)) > MAX_NAME:
        detail = f"must be no more than {MAX_NAME} characters"
        yield invalid("metadata.name", name_of(cron_job), detail)


def validate_cron_job_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a CronJob: a zone in the schedule stays allowed where one was stored."""
    stored = (old.get("spec") or {}).get("schedule") or ""
    yield from _validate(new, zone_allowed="TZ" in stored)


def _validate(cron_job: Object, *, zone_allowed: bool) -> Iterator[FieldError]:
    spec = cron_job.get("spec") or {}
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if schedule:
        yield from _validate_schedule(schedule, zone, zone_allowed=zone_allowed)
    else:
        yield required("spec.schedule")
    yield from non_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    if zone is not None:
        yield from _validate_zone(zone)
    yield from one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), _POLICIES)
    yield from _validate_job_template(spec.get("jobTemplate") or {})
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from non_negative(f"spec.{field}", spec.get(field))


def _validate_schedule(
    schedule: str, zone: str | None, *, zone_allowed: bool
) -> Iterator[FieldError]:
    try:
        cron_schedule.parse(schedule)
    except ValueError as error:
        yield invalid("spec.schedule", schedule, str(error))
    if "TZ" not in schedule:
        return
    if not zone_allowed:
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid("spec.schedule", schedule, detail)
    elif zone is not None:
        detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        yield invalid("spec.schedule", schedule, detail)


def _validate_zone(zone: str) -> Iterator[FieldError]:
    path = "spec.timeZone"
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
        return
    if not all(_is_zone_part(part) for part in zone.split("/")):
        yield invalid(path, zone, f"unknown time zone {zone}")
        return
    if zone.lower() == "local":
        detail = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        yield invalid(path, zone, detail)
    if not cron_schedule.is_zone(zone):
        yield invalid(path, zone, f"unknown time zone {zone}")


def _is_zone_part(part: str) -> bool:
    return (
        part not in (".", "..")
        and not part.startswith("-")
        and _ZONE_PART.fullmatch(part) is not None
    )


def _validate_job_template(template: Object) -> Iterator[FieldError]:
    spec = template.get("spec") or {}
    yield from validate_job_spec(spec, _JOB)
    if spec.get("selector") is not None:
        yield invalid(f"{_JOB}.selector", spec["selector"], "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield not_supported(f"{_JOB}.manualSelector", True, ("nil", "false"))
