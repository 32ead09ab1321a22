"""The definitions of custom resources: their schemas, with what every object has, and their lists.

v3 shows schemas in full; v2, which has no words for some of it, in part. Source: apiextensions
controller/openapi/builder v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.schema import META_V1, REFERENCE_PREFIX, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource

_COMBINATIONS: Final = frozenset({"allOf", "anyOf", "oneOf", "not"})
_STRUCTURE: Final = frozenset({"type", "items", "properties", "additionalProperties"})
_NOWHERE: Final = frozenset({"example", "externalDocs"})
_PRESERVES: Final = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"
_TYPED: Final = "io.k8s.api.core.v1.ConfigMap"  # any kind: all say the same of kind and apiVersion
_CONVENTIONS: Final = (
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
)
_DESCRIBED: Final = {
    "ObjectMeta": ("Standard object's metadata", "metadata"),
    "ListMeta": ("Standard list metadata", "types-kinds"),
}


def definition_name(row: Resource, kind: str) -> str:
    """Return the name of a custom resource's definition: "com.example.v1.Foo"."""
    return ".".join([*reversed(row.group.split(".")), row.version, kind])


def custom_definitions(
    rows: Iterable[Resource], shown: Callable[[Mapping[str, Any]], Object]
) -> dict[str, Object]:
    """Return the definitions of the custom resources among the rows; `shown` is `simplified` or
    `in_full`.
    """
    found: dict[str, Object] = {}
    for row in rows:
        if row.custom is not None:
            name = definition_name(row, row.kind)
            found[name] = _of_object(row, shown(row.custom.schema))
            found[definition_name(row, row.list_kind_name)] = _of_list(row, name)
    return found


def in_full(node: Mapping[str, Any]) -> Object:
    """Return a schema as v3 shows it."""
    kept = {key: value for key, value in node.items() if key not in _NOWHERE}
    return _with_children(kept, in_full)


def simplified(node: Mapping[str, Any]) -> Object:
    """Return a schema as v2 shows it: without alternatives, and free where null may stand."""
    left_out = _COMBINATIONS | _NOWHERE | {"nullable"}
    if node.get("nullable") is True or node.get(_PRESERVES) is True:
        left_out |= _STRUCTURE
    kept: Object = {key: value for key, value in node.items() if key not in left_out}
    properties = node.get("properties") or {}
    free = {name for name, child in properties.items() if child.get("nullable") is True}
    required = [name for name in kept.get("required") or () if name not in free]
    if required:
        kept["required"] = required
    else:
        kept.pop("required", None)
    return _with_children(kept, simplified)


def _with_children(node: Object, shown: Callable[[Mapping[str, Any]], Object]) -> Object:
    if "properties" in node:
        node["properties"] = {key: shown(child) for key, child in node["properties"].items()}
    for key in ("items", "additionalProperties", "not"):
        if isinstance(node.get(key), dict):
            node[key] = shown(node[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in node:
            node[key] = [shown(option) for option in node[key]]
    if node.get(_EMBEDDED) is True and "properties" in node:
        node["properties"] = {**node["properties"], **_identity("ObjectMeta")}
        node["required"] = sorted({*(node.get("required") or ()), "apiVersion", "kind"})
    return node


def _identity(metadata: str) -> Object:
    """Return what every object has: apiVersion, kind, metadata."""
    typed = schema().definitions[_TYPED]["properties"]
    said, where = _DESCRIBED[metadata]
    described = f"{said}. More info: {_CONVENTIONS}#{where}"
    return {
        "apiVersion": typed["apiVersion"],
        "kind": typed["kind"],
        "metadata": {
            "$ref": f"{REFERENCE_PREFIX}{META_V1}{metadata}",
            "description": described,
        },
    }


def _of_object(row: Resource, root: Object) -> Object:
    is_free = "type" not in root  # what v2 says of schemas that take anything
    made: Object = {"type": "object"} if is_free else {**root}
    made["x-kubernetes-group-version-kind"] = [_gvk(row, row.kind)]
    assert row.custom is not None
    if row.custom.selectable:
        made["x-kubernetes-selectable-fields"] = [
            {"fieldPath": path.removeprefix(".")} for path in row.custom.selectable
        ]
    if not is_free:
        made["properties"] = {**(root.get("properties") or {}), **_identity("ObjectMeta")}
    return made


def _of_list(row: Resource, item: str) -> Object:
    described = f"List of {row.plural}. More info: {_CONVENTIONS}"
    return {
        "description": f"{row.list_kind_name} is a list of {row.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_identity("ListMeta"),
            "items": {
                "type": "array",
                "description": described,
                "items": {"$ref": REFERENCE_PREFIX + item},
            },
        },
        "x-kubernetes-group-version-kind": [_gvk(row, row.list_kind_name)],
    }


def _gvk(row: Resource, kind: str) -> Object:
    return {"group": row.group, "version": row.version, "kind": kind}
