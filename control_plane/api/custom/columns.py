"""The tables of custom resources: their names, and the columns that the definition adds.

Source: apiextensions tableconvertor, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.custom.json_path import JsonPath, JsonPathError
from control_plane.api.go_syntax import to_json
from control_plane.api.go_text import go_value
from control_plane.api.objects import name_of
from control_plane.api.tables.columns import NAME, Column, View
from control_plane.api.tables.rendering import human_duration
from control_plane.api.timestamps import seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from control_plane.api.objects import Object

_DESCRIBED: Final = "Custom resource definition column (in JSONPath format): "
_AGE: Final = Column("Age", "date", doc="ObjectMeta.creationTimestamp")
_CREATED: Final = ".metadata.creationTimestamp"


def view_of(columns: Sequence[Mapping[str, Any]]) -> View:
    """Return the view of a version's additionalPrinterColumns; the age alone without any."""
    if not columns:
        shown, cells = [_AGE], [_cell("date", _CREATED)]
    else:
        shown = [_column(column) for column in columns]
        cells = [_cell(column.get("type") or "", column["jsonPath"]) for column in columns]

    def row(obj: Object, now: datetime) -> list[Any]:
        return [name_of(obj), *(cell(obj, now) for cell in cells)]

    return View((NAME, *shown), row)


def _column(column: Mapping[str, Any]) -> Column:
    return Column(
        column.get("name") or "",
        column.get("type") or "",
        column.get("format") or "",
        column.get("priority") or 0,
        text=column.get("description") or f"{_DESCRIBED}{column['jsonPath']}",
    )


def _cell(kind: str, path: str) -> Callable[[Object, datetime], Any]:
    try:
        compiled = JsonPath(path)
    except JsonPathError:
        return lambda _obj, _now: None

    def cell(obj: Object, now: datetime) -> Any:
        found = compiled.find(obj)
        return _CELLS.get(kind, _nothing)(found[0], now) if found else None

    return cell


def _nothing(_value: Any, _now: datetime) -> Any:
    return None


def _text(value: Any, _now: datetime) -> Any:
    if isinstance(value, str):
        return value
    return to_json(value) if isinstance(value, dict | list) else go_value(value)


def _integer(value: Any, _now: datetime) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number else None


def _number(value: Any, _now: datetime) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any, _now: datetime) -> Any:
    return value if isinstance(value, bool) else None


def _date(value: Any, now: datetime) -> Any:
    if not isinstance(value, str):
        return None
    try:
        return human_duration(seconds_since(value, now))
    except ValueError:
        return "<invalid>"


_CELLS: Final = {
    "boolean": _boolean, "date": _date, "integer": _integer, "number": _number, "string": _text,
}  # fmt: skip
