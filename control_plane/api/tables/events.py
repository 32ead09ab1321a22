"""The Event table; events of events.k8s.io are shown as core/v1 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.conversion.events import EVENTS_V1, core_of_v1
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import WIDE, Column, View
from control_plane.api.tables.rendering import since

if TYPE_CHECKING:
    from datetime import datetime


def _cells(obj: Object, now: datetime) -> list[Any]:
    if obj.get("apiVersion") == EVENTS_V1:
        obj = core_of_v1(obj)
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = since(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last = since(series.get("lastObservedTime"), now)
        count = series.get("count") or 0
    return [
        last,
        obj.get("type") or "",
        obj.get("reason") or "",
        _object(obj),
        dig(obj, "involvedObject", "fieldPath", default=""),
        _source(obj),
        (obj.get("message") or "").strip(),
        first,
        count,
        name_of(obj),
    ]


def _object(event: Object) -> str:
    involved = event.get("involvedObject") or {}
    kind, name = (involved.get("kind") or "").lower(), involved.get("name")
    return f"{kind}/{name}" if name else kind


def _source(event: Object) -> str:
    component = dig(event, "source", "component", default="") or event.get("reportingComponent")
    host = dig(event, "source", "host", default="") or event.get("reportingInstance")
    return ", ".join(part for part in (component, host) if part)


EVENTS = View(
    (
        Column("Last Seen", doc="core.v1.Event.lastTimestamp"),
        Column("Type", doc="core.v1.Event.type"),
        Column("Reason", doc="core.v1.Event.reason"),
        Column("Object", doc="core.v1.Event.involvedObject"),
        Column("Subobject", priority=WIDE, doc="core.v1.ObjectReference.fieldPath"),
        Column("Source", priority=WIDE, doc="core.v1.Event.source"),
        Column("Message", doc="core.v1.Event.message"),
        Column("First Seen", priority=WIDE, doc="core.v1.Event.firstTimestamp"),
        Column("Count", priority=WIDE, doc="core.v1.Event.count"),
        Column("Name", format="name", priority=WIDE, doc="ObjectMeta.name"),
    ),
    _cells,
)
