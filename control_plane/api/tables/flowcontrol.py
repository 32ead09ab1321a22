"""The tables of flow control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, find_condition, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import NONE, age

if TYPE_CHECKING:
    from datetime import datetime


def _schema_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    dangling = find_condition(obj, "Dangling")
    return [
        name_of(obj),
        dig(spec, "priorityLevelConfiguration", "name", default=""),
        spec.get("matchingPrecedence") or 0,
        dig(spec, "distinguisherMethod", "type", default="") or NONE,
        age(obj, now),
        "?" if dangling is None else dangling.get("status") or "",
    ]


def _precedence(obj: Object) -> tuple[int, str]:
    """The order in which requests are compared with schemas."""
    return dig(obj, "spec", "matchingPrecedence", default=0), name_of(obj)


def _level_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    limited = spec.get("limited") or {}
    queuing = dig(limited, "limitResponse", "queuing", default={})
    return [
        name_of(obj),
        spec.get("type") or "",
        limited.get("nominalConcurrencyShares", NONE),
        *(queuing.get(field, NONE) for field in ("queues", "handSize", "queueLengthLimit")),
        age(obj, now),
    ]


_SCHEMA: Final = "flowcontrol.v1.FlowSchemaSpec"
_LIMITED: Final = "flowcontrol.v1.LimitedPriorityLevelConfiguration"
_QUEUING: Final = "flowcontrol.v1.QueuingConfiguration"
FLOWSCHEMAS = View(
    (
        NAME,
        Column("PriorityLevel", doc=f"{_SCHEMA}.priorityLevelConfiguration"),
        Column("MatchingPrecedence", doc=f"{_SCHEMA}.matchingPrecedence"),
        Column("DistinguisherMethod", doc=f"{_SCHEMA}.distinguisherMethod"),
        AGE,
        Column("MissingPL", text="Whether the priority level that it names is missing."),
    ),
    _schema_cells,
    order=_precedence,
)
PRIORITYLEVELCONFIGURATIONS = View(
    (
        NAME,
        Column("Type", doc="flowcontrol.v1.PriorityLevelConfigurationSpec.type"),
        Column("NominalConcurrencyShares", doc=f"{_LIMITED}.nominalConcurrencyShares"),
        Column("Queues", doc=f"{_QUEUING}.queues"),
        Column("HandSize", doc=f"{_QUEUING}.handSize"),
        Column("QueueLengthLimit", doc=f"{_QUEUING}.queueLengthLimit"),
        AGE,
    ),
    _level_cells,
)
