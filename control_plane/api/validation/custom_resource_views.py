"""Rules of how custom resources are shown, scaled and selected.

Called by custom_resource_definitions.py. Source: v1.35 apiextensions validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.custom.field_paths import field_at
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    required,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_SELECTABLE: Final = 8
_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_FORMATS: Final = (
    "byte", "date", "date-time", "double", "float", "int32", "int64", "password",
)  # fmt: skip
_SELECTABLE: Final = ("boolean", "integer", "string")
_NOT_SCALAR: Final = (
    "must point to a field of type string, boolean or integer. Enum string fields and strings with "
    "formats are allowed."
)
_SIMPLE: Final = "must be a simple json path starting with ."


def validate_columns(columns: list[Object], path: str) -> Iterator[FieldError]:
    """Check the columns of tables."""
    for index, column in enumerate(columns):
        where, kind = f"{path}[{index}]", column.get("type") or ""
        if not column.get("name"):
            yield required(f"{where}.name")
        if not kind:
            yield required(f"{where}.type", f"must be one of {','.join(_TYPES)}")
        elif kind not in _TYPES:
            yield invalid(f"{where}.type", kind, f"must be one of {','.join(_TYPES)}")
        shown = column.get("format") or ""
        if shown and shown not in _FORMATS:
            yield invalid(f"{where}.format", shown, f"must be one of {','.join(_FORMATS)}")
        if not column.get("JSONPath"):
            yield required(f"{where}.JSONPath")
        else:
            yield from _validate_path(column["JSONPath"], f"{where}.JSONPath")


def _validate_path(text: str, path: str) -> Iterator[FieldError]:
    if not text.startswith("."):
        yield invalid(path, text, _SIMPLE)


def validate_subresources(subresources: Object, path: str) -> Iterator[FieldError]:
    """Check where the scale of a custom resource is."""
    scale = subresources.get("scale")
    if scale is None:
        return
    for field, roots, text in (
        ("specReplicasPath", (".spec.",), "should be a json path under .spec"),
        ("statusReplicasPath", (".status.",), "should be a json path under .status"),
        (
            "labelSelectorPath",
            (".spec.", ".status."),
            "should be a json path under either .spec or .status",
        ),
    ):
        value, where = scale.get(field) or "", f"{path}.scale.{field}"
        if not value:
            if field != "labelSelectorPath":
                yield required(where)
        elif not value.startswith("."):
            yield invalid(where, value, _SIMPLE)
        elif not value.startswith(roots):
            yield invalid(where, value, text)


def validate_selectable_fields(
    fields: list[Object], schema: Object, path: str
) -> Iterator[FieldError]:
    """Check the fields that selectors may name: scalars that the schema describes."""
    if len(fields) > MAX_SELECTABLE:
        yield too_many(path, len(fields), MAX_SELECTABLE)
    seen: set[str] = set()
    for index, field in enumerate(fields):
        where, text = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not text:
            yield required(where)
            continue
        trouble = _trouble(text, schema)
        if trouble:
            yield invalid(where, text, trouble)
        if text in seen:
            yield duplicate(where, text)
        seen.add(text)


def _trouble(text: str, schema: Object) -> str:
    """Say what is wrong with the path of a selectable field, "" for nothing."""
    try:
        node = field_at(text, schema, has_arrays=False)
    except ValueError as error:
        return f"is an invalid path: {error}"
    if text.startswith(".metadata."):
        return "must not point to fields in metadata"
    return "" if node.get("type") in _SELECTABLE else _NOT_SCALAR
