"""What a server-side table consists of: columns, and a function that computes cells."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from control_plane.api.schema import META_V1, schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from control_plane.api.objects import Object

    Cells: TypeAlias = Callable[[Object, datetime], list[Any]]
    Conditions: TypeAlias = Callable[[Object], list[Object]]

WIDE: Final = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column; priority 1 shows only with -o wide.

    `type` is string, integer, number, boolean or date.
    `doc` names the field whose documentation describes the column, "core.v1.PodStatus.podIP";
    `text` describes a column that shows no single field.
    """

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    doc: str = ""
    text: str = ""

    def definition(self) -> Object:
        """Return the TableColumnDefinition; all five members are always there."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.text or _documentation(self.doc),
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class View:
    """How objects of one resource become rows.

    `cells(object, now)` returns one JSON value per column. `conditions` marks rows of finished
    objects. `order` is the sort key of a list's rows; without it they come as the list has them.
    """

    columns: tuple[Column, ...]
    cells: Cells
    conditions: Conditions | None = None
    order: Callable[[Object], Any] | None = None


NAME: Final = Column("Name", format="name", doc="ObjectMeta.name")
AGE: Final = Column("Age", doc="ObjectMeta.creationTimestamp")


@functools.cache
def _documentation(doc: str) -> str:
    """Return a field's documentation; "" for no field or an unknown one."""
    owner, _, field = doc.rpartition(".")
    prefix = "io.k8s.api." if "." in owner else META_V1
    definition = schema().definitions.get(prefix + owner, {})
    return str(definition.get("properties", {}).get(field, {}).get("description", ""))
