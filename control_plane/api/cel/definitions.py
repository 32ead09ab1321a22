"""Types of expressions for the kinds that Kubernetes itself has, from their published schemas.

Fields are typed when they are asked for, so that definitions may refer to themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from control_plane.api.cel.names import escaped
from control_plane.api.cel.schemas import type_of_schema
from control_plane.api.cel.types import DYN, STRING, Field, ObjectType, Type, list_of, map_of
from control_plane.api.schema import (
    INT_OR_STRING,
    META_V1,
    QUANTITY,
    REFERENCE_PREFIX,
    schema,
)

_SPECIAL: Final = {QUANTITY: STRING, INT_OR_STRING: DYN}


class _Fields(Mapping[str, Field]):
    """The fields of one definition."""

    def __init__(self, properties: Mapping[str, Any], name: str) -> None:
        self._properties = {escaped(key) or key: (key, node) for key, node in properties.items()}
        self._name = name

    def __getitem__(self, written: str) -> Field:
        key, node = self._properties[written]
        return Field(key, _type_of(node, f"{self._name}.{key}"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)


def type_of_kind(api_version: str, kind: str) -> Type | None:
    """Return the type of objects of a kind; None for kinds that are not Kubernetes' own."""
    name = schema().name_for(api_version, kind)
    return None if name is None else _type_of({"$ref": f"{REFERENCE_PREFIX}{name}"}, name)


def type_of_published(schema_node: Mapping[str, Any], name: str) -> Type:
    """Return the type of objects of a custom resource, from the schema that is published of it."""
    made = type_of_schema(schema_node, name, is_resource=True)
    if not isinstance(made, ObjectType) or "properties" not in schema_node:
        return DYN
    metadata = _type_of({"$ref": f"{REFERENCE_PREFIX}{META_V1}ObjectMeta"}, f"{name}.metadata")
    return ObjectType(name, fields={**made.fields, "metadata": Field("metadata", metadata)})


def _type_of(node: Mapping[str, Any], name: str) -> Type:
    reference = node.get("$ref")
    if reference is not None:
        name = reference.removeprefix(REFERENCE_PREFIX)
        if name in _SPECIAL:
            return _SPECIAL[name]
        node = schema().definitions[name]
    if node.get("type") == "array":
        return list_of(_type_of(node.get("items") or {}, f"{name}.@idx"))
    if isinstance(node.get("additionalProperties"), Mapping):
        return map_of(STRING, _type_of(node["additionalProperties"], f"{name}.@elem"))
    if "properties" in node:
        return ObjectType(name, fields=_Fields(node["properties"], name))
    if node.get("type") == "object":
        return DYN
    return type_of_schema(node, name) or DYN
