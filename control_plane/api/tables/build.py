"""Table objects (meta.k8s.io/v1) made from API objects.

Called by the API server for lists, gets and watches. The time is an argument: ages are computed
when the answer is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from control_plane.api.objects import Object
    from control_plane.api.tables.columns import View

META_API_VERSION: Final = "meta.k8s.io/v1"
INCLUDE_OBJECT: Final = ("", "Metadata", "Object", "None")


def partial_metadata(obj: Object, api_version: str = META_API_VERSION) -> Object:
    """Return the PartialObjectMetadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": api_version,
        "metadata": obj.get("metadata") or {},
    }


def column_definitions(view: View) -> list[Object]:
    """Return the TableColumnDefinitions; the client drops those of priority 1 itself."""
    return [column.definition() for column in view.columns]


def row(view: View, obj: Object, now: datetime, include: str = "Metadata") -> Object:
    """Return one object's row.

    `include` is one of INCLUDE_OBJECT: what the row's object member is.
    """
    made: Object = {"cells": view.cells(obj, now)}
    if view.conditions and (conditions := view.conditions(obj)):
        made["conditions"] = conditions
    if include == "None":
        return {**made, "object": None}
    return {**made, "object": obj if include == "Object" else partial_metadata(obj)}


def table(
    view: View,
    objects: Iterable[Object],
    now: datetime,
    *,
    include: str = "Metadata",
    metadata: Object | None = None,
) -> Object:
    """Return the Table of some objects; `metadata` is the list's (resourceVersion, continue)."""
    return {
        "kind": "Table",
        "apiVersion": META_API_VERSION,
        "metadata": metadata or {},
        "columnDefinitions": column_definitions(view),
        "rows": [row(view, obj, now, include) for obj in objects],
    }
