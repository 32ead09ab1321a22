"""Rules of events.

Called through the VALIDATORS table. Source: v1.35 core/v1 and events/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import namespace_of
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import invalid, invalid_each, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_MAX_TEXT: Final = 128
_MAX_MESSAGE: Final = 1024
_MISMATCH: Final = "does not match event.namespace"


def validate_event(event: Object) -> Iterator[FieldError]:
    """Check a core/v1 Event; those with an eventTime follow the newer, stricter rules."""
    namespace = namespace_of(event)
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    is_new = event.get("eventTime") is not None
    unbound = ("default", "kube-system") if is_new else ("", "default")
    if namespace not in ((involved,) if involved else unbound):
        yield invalid("involvedObject.namespace", involved, _MISMATCH)
    if is_new:
        yield from _validate_reported(event)
    yield from invalid_each("namespace", namespace, formats.dns1123_subdomain(namespace))


def _validate_reported(event: Object) -> Iterator[FieldError]:
    reporter = event.get("reportingComponent") or ""
    if not reporter:
        yield required("reportingComponent")
    yield from invalid_each("reportingComponent", reporter, formats.qualified_name(reporter))
    for field in ("reportingInstance", "action", "reason"):
        text = event.get(field) or ""
        if not text:
            yield required(field)
        elif len(text) > _MAX_TEXT:
            yield invalid(field, "", f"can have at most {_MAX_TEXT} characters")
    if len(event.get("message") or "") > _MAX_MESSAGE:
        yield invalid("message", "", f"can have at most {_MAX_MESSAGE} characters")
