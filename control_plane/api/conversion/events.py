"""Events: events.k8s.io/v1 as core/v1 and back. The two differ in the names of some fields.

Source: v1.35 events/v1 conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

EVENTS_V1: Final = "events.k8s.io/v1"
_CORE_NAMES: Final = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_V1_NAMES: Final = {core: v1 for v1, core in _CORE_NAMES.items()}


def core_of_v1(event: Object) -> Object:
    """Return the core/v1 form of an events.k8s.io/v1 Event."""
    return {**_renamed(event, _CORE_NAMES), "apiVersion": "v1"}


def v1_of_core(event: Object) -> Object:
    """Return the events.k8s.io/v1 form of a core/v1 Event."""
    return {**_renamed(event, _V1_NAMES), "apiVersion": EVENTS_V1}


def _renamed(event: Object, names: dict[str, str]) -> Object:
    return {names.get(field, field): value for field, value in event.items()}
