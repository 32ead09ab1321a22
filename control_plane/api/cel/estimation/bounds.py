"""How large the values of a schema can be, in a request of at most 3 MiB.

Source: the table of serialized sizes of Kubernetes' CEL types, v1.35.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from control_plane.api.cel.names import escaped

REQUEST_BYTES: Final = 3 * 1024 * 1024
_TEXT: Final = REQUEST_BYTES - 2  # without its quotes
_BYTES_A_CHARACTER: Final = 4

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one place: `most` characters, elements or entries, at least `serialized` bytes of JSON.

    A list or map has the bounds of its `element`, an object those of its `fields` by the names
    that they have in expressions.
    """

    most: int
    serialized: int
    fields: Mapping[str, Bounds] = field(default_factory=dict)
    element: Bounds | None = None
    is_map: bool = False

    def step(self, name: str) -> Bounds | None:
        """Return what is a step below: a field, "@items", "@values" or "@keys"; None for none."""
        if name in ("@items", "@values"):
            return self.element
        if name == "@keys":
            return KEY if self.is_map else None
        return self.fields.get(name)

    @property
    def cardinality(self) -> int:
        """How many of these fit into a request."""
        return REQUEST_BYTES // (self.serialized + 1)


KEY: Final = Bounds(0, 2)
_SCALARS: Final = {"boolean": Bounds(0, 4), "number": Bounds(0, 1), "integer": Bounds(0, 1)}
_FORMATS: Final = {"duration": Bounds(32, 3), "date": Bounds(12, 12), "date-time": Bounds(32, 21)}
_NAME: Final = Bounds(_TEXT, 2)
_METADATA: Final = Bounds(0, 2, {"name": _NAME, "generateName": _NAME})
_RESOURCE: Final = {"apiVersion": _NAME, "kind": _NAME, "metadata": _METADATA}


def bounds_of(schema: Schema, *, is_resource: bool = False) -> Bounds | None:
    """Return the bounds of a schema; None where expressions cannot use its values."""
    if schema.get("x-kubernetes-int-or-string"):
        return Bounds(_length(schema, _TEXT, _BYTES_A_CHARACTER), 1)
    kind = schema.get("type") or ""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == "string":
        return _of_text(schema)
    if kind == "array":
        return _of_list(schema)
    return _of_object(schema, is_resource) if kind == "object" else None


def _length(schema: Schema, otherwise: int, factor: int) -> int:
    declared = schema.get("maxLength")
    return otherwise if declared is None else max(int(declared), 0) * factor


def _of_text(schema: Schema) -> Bounds:
    form = schema.get("format") or ""
    if form == "byte":
        return Bounds(_length(schema, _TEXT, 1), 2)
    if form in _FORMATS:
        return _FORMATS[form]
    words = schema.get("enum") or ()
    longest = max((len(one.encode()) for one in words if isinstance(one, str)), default=0)
    return Bounds(_length(schema, longest if words else _TEXT, _BYTES_A_CHARACTER), 2)


def _of_list(schema: Schema) -> Bounds | None:
    items = schema.get("items")
    element = _nested(items) if isinstance(items, Mapping) else None
    if element is None:
        return None
    fitting = (REQUEST_BYTES - 2) // (element.serialized + 1)
    return Bounds(_declared(schema, "maxItems", fitting), 2, element=element)


def _declared(schema: Schema, keyword: str, otherwise: int) -> int:
    declared = schema.get(keyword)
    return otherwise if declared is None else max(int(declared), 0)


def _of_object(schema: Schema, is_resource: bool) -> Bounds | None:
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        element = _nested(values)
        if element is None:
            return None
        fitting = (REQUEST_BYTES - 2) // (element.serialized + 6)
        most = _declared(schema, "maxProperties", fitting)
        return Bounds(most, 2, element=element, is_map=True)
    required = schema.get("required") or ()
    fields: dict[str, Bounds] = {}
    serialized = 2
    for name, nested in _properties(schema, is_resource):
        bounds = nested if isinstance(nested, Bounds) else _nested(nested)
        if bounds is None:
            continue
        written = escaped(name)
        if written is not None:
            fields[written] = bounds
        if name in required and (isinstance(nested, Bounds) or nested.get("default") is None):
            serialized += len(name.encode()) + bounds.serialized + 4
    return Bounds(0, serialized, fields)


def _nested(schema: Schema) -> Bounds | None:
    return bounds_of(schema, is_resource=bool(schema.get("x-kubernetes-embedded-resource")))


def _properties(schema: Schema, is_resource: bool) -> list[tuple[str, Any]]:
    """The fields of an object; a resource has those of all objects."""
    declared: dict[str, Any] = dict(schema.get("properties") or {})
    if is_resource and not _says_enough(declared):
        declared |= _RESOURCE
    return list(declared.items())


def _says_enough(properties: Mapping[str, Any]) -> bool:
    """Whether a resource's own schema has its kind, version and names."""
    metadata = properties.get("metadata") or {}
    names = metadata.get("properties") or {}
    texts = (
        properties.get("kind"),
        properties.get("apiVersion"),
        *map(names.get, _METADATA.fields),
    )
    return metadata.get("type") == "object" and all(
        isinstance(one, Mapping) and one.get("type") == "string" for one in texts
    )
