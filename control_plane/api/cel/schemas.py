"""Types of expressions from schemas: structural ones of custom resources, and OpenAPI's.

A part of a schema that says too little has no type (None) and cannot be named in expressions.
Source: the table of schema and CEL types in the documentation of CustomResourceDefinitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from control_plane.api.cel.names import escaped
from control_plane.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    ListType,
    ObjectType,
    Type,
    map_of,
    nullable,
)

Schema = Mapping[str, Any]

_SCALARS: Final = {"boolean": BOOL, "integer": INT, "number": DOUBLE}
_FORMATS: Final = {
    "byte": BYTES,
    "date": TIMESTAMP,
    "date-time": TIMESTAMP,
    "duration": DURATION,
}
_METADATA: Final = {name: Field(name, STRING) for name in ("name", "generateName")}


def type_of_schema(
    schema: Schema, name: str = "object", *, is_resource: bool = False
) -> Type | None:
    """Return the type of values of a schema; None when expressions cannot use them.

    `name` tells object types apart; nested ones are called after their path. `is_resource` is for
    the schema of a whole object, which has apiVersion, kind and its metadata's names.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    made = _MAKERS.get(schema.get("type") or "", _untyped)(schema, name, is_resource)
    if made is None:
        return None
    return nullable(made) if schema.get("nullable") else made


def _untyped(_schema: Schema, _name: str, _is_resource: bool) -> Type | None:
    return None


def _scalar(schema: Schema, _name: str, _is_resource: bool) -> Type | None:
    return _SCALARS[schema["type"]]


def _string(schema: Schema, _name: str, _is_resource: bool) -> Type | None:
    return _FORMATS.get(schema.get("format") or "", STRING)


def _array(schema: Schema, name: str, _is_resource: bool) -> Type | None:
    element = type_of_schema(schema.get("items") or {}, f"{name}.@idx")
    if element is None:
        return None
    kind = schema.get("x-kubernetes-list-type") or "atomic"
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return ListType("list", (element,), kind=kind, keys=keys)


def _object(schema: Schema, name: str, is_resource: bool) -> Type | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping) and additional:
        value = type_of_schema(additional, f"{name}.@elem")
        return None if value is None else map_of(STRING, value)
    fields = _fields(schema, name)
    if is_resource or schema.get("x-kubernetes-embedded-resource"):
        metadata = ObjectType(f"{name}.metadata", fields=_METADATA)
        fields |= {key: Field(key, STRING, is_required=True) for key in ("apiVersion", "kind")}
        fields["metadata"] = Field("metadata", metadata, is_required=True)
    return ObjectType(name, fields=fields)


def _fields(schema: Schema, name: str) -> dict[str, Field]:
    required = schema.get("required") or ()
    fields: dict[str, Field] = {}
    for key, nested in (schema.get("properties") or {}).items():
        written, declared = escaped(key), type_of_schema(nested, f"{name}.{key}")
        if written is not None and declared is not None:
            fields[written] = Field(key, declared, key in required)
    return fields


_MAKERS: Final = {
    **dict.fromkeys(_SCALARS, _scalar),
    "string": _string,
    "array": _array,
    "object": _object,
}
