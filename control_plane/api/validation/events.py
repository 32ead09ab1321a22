"""Rules of events.

Called through the VALIDATORS table. Source: v1.35 core/v1 and events/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import namespace_of
from control_plane.api.semantics import is_empty, semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import IMMUTABLE, invalid, invalid_each, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_MAX_TEXT: Final = 128
_MAX_MESSAGE: Final = 1024
MIN_SERIES: Final = 2
_FIXED: Final = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count",
    "type", "eventTime", "action", "related", "reportingComponent", "reportingInstance",
)  # fmt: skip
_SHOWN: Final = {"reportingComponent": "reportingController"}
_MISMATCH: Final = "does not match event.namespace"


def validate_event(event: Object) -> Iterator[FieldError]:
    """Check a core/v1 Event; those with an eventTime follow the newer, stricter rules."""
    yield from _validate(event, "reportingComponent")


def _validate(event: Object, reporter_field: str) -> Iterator[FieldError]:
    """Check what both versions ask for; `reporter_field` is what the client calls the reporter."""
    namespace = namespace_of(event)
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    is_new = event.get("eventTime") is not None
    unbound = ("default", "kube-system") if is_new else ("", "default")
    if namespace not in ((involved,) if involved else unbound):
        yield invalid("involvedObject.namespace", involved, _MISMATCH)
    if is_new:
        yield from _validate_reported(event, reporter_field)
    yield from invalid_each("namespace", namespace, formats.dns1123_subdomain(namespace))


def _validate_reported(event: Object, reporter_field: str) -> Iterator[FieldError]:
    reporter = event.get("reportingComponent") or ""
    if not reporter:
        yield required(reporter_field)
    yield from invalid_each(reporter_field, reporter, formats.qualified_name(reporter))
    for field in ("reportingInstance", "action", "reason"):
        text = event.get(field) or ""
        if not text:
            yield required(field)
        elif len(text) > _MAX_TEXT:
            yield invalid(field, "", f"can have at most {_MAX_TEXT} characters")
    if len(event.get("message") or "") > _MAX_MESSAGE:
        yield invalid("message", "", f"can have at most {_MAX_MESSAGE} characters")


def validate_new_event(event: Object) -> Iterator[FieldError]:
    """Check a new Event of events.k8s.io, given as core/v1: the older fields stay unset."""
    yield from _validate(event, "reportingController")
    series = event.get("series")
    if series is not None:
        if (series.get("count") or 0) < MIN_SERIES:
            yield invalid("series.count", "", f"should be at least {MIN_SERIES}")
        if not series.get("lastObservedTime"):
            yield required("series.lastObservedTime")
    if event.get("eventTime") is None:
        yield required("eventTime")
    kind = event.get("type") or ""
    if kind not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {kind}")
    for field in ("firstTimestamp", "lastTimestamp", "count", "source"):
        if not is_empty(event.get(field)) and event.get(field) != 0:
            yield invalid(field, "", "needs to be unset")


def validate_event_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of an Event of events.k8s.io: only its series may change."""
    yield from _validate(new, "reportingController")
    for field in _FIXED:
        if not semantically_equal(new.get(field), old.get(field)):
            yield invalid(_SHOWN.get(field, field), new.get(field), IMMUTABLE)
