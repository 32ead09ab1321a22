"""The Kubernetes v1.35 type definitions: fields, types, docs, merge keys and list types.

They come from the JSON Schemas in the kubernetes-validate package, turned back into the form of
upstream's OpenAPI v2 document, once, at first use. A definition or field is a plain schema node
(dict): `type`, `properties`, `items`, `additionalProperties`, `required`, `$ref`, `description` and
the x-kubernetes-* extensions. Nodes are shared and must not be modified. Called by patches, field
validation, server-side apply and openapi/. Pure but for reading that file.
"""

from __future__ import annotations

import functools
import threading
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.objects import Object

VERSION: Final = "v1.35.0"
REFERENCE_PREFIX: Final = "#/definitions/"
_SOURCE_PREFIX: Final = "#/$defs/"
_GVK: Final = "x-kubernetes-group-version-kind"

MAP_TYPE: Final = "x-kubernetes-map-type"
META_V1: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING: Final = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

# The JSON Schemas say what JSON these two may be and nothing else of them.
_REPLACED: Final[dict[str, Object]] = {
    QUANTITY: {
        "type": "string",
        "description": (
            "A fixed-point number with an optional suffix: n, u, m, k, M, G, T, P, E in powers of "
            "1000, Ki, Mi, Gi, Ti, Pi, Ei in powers of 1024, or a decimal exponent such as e3. "
            "It is written without a fraction and with the largest suffix that allows this: "
            '"0.5" becomes "500m", "1024Mi" becomes "1Gi".'
        ),
    },
    INT_OR_STRING: {
        "type": "string",
        "format": "int-or-string",
        "description": "An integer, or a string such as a port's name or a percentage.",
    },
}

# A list's item may leave out a part of its key only where that has a default.
_LIST_KEY_DEFAULTS: Final = (
    ("io.k8s.api.core.v1.ContainerPort", "protocol", "TCP"),
    ("io.k8s.api.core.v1.ServicePort", "protocol", "TCP"),
)


class ListType(NamedTuple):
    """How a list is owned and merged by server-side apply: kind is "atomic", "set" or "map"."""

    kind: str
    keys: tuple[str, ...] = ()


class Schema:
    """Definitions by name and by group, version and kind."""

    def __init__(self, definitions: Mapping[str, Object]) -> None:
        """Index definitions in OpenAPI v2 form, references being "#/definitions/NAME"."""
        self.definitions = definitions
        self._names = dict(_named_kinds(definitions))

    def name_for(self, api_version: str, kind: str) -> str | None:
        """Return the definition's name of a kind, such as "io.k8s.api.core.v1.Pod"."""
        return self._names.get((api_version, kind))

    def definition_for(self, api_version: str, kind: str) -> Object | None:
        """Return the definition of a kind, None when this version of Kubernetes has none."""
        name = self._names.get((api_version, kind))
        return None if name is None else self.definitions[name]

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow the node's $ref, as far as it leads; a node without one is returned itself."""
        while reference := node.get("$ref"):
            node = self.definitions[reference.removeprefix(REFERENCE_PREFIX)]
        return node

    def field(self, node: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
        """Return the node of a field of an object, or of a map's values; None when unknown.

        The node stands as written, with the extensions beside its $ref: `resolve` it for its
        fields.
        """
        target = self.resolve(node)
        found = (target.get("properties") or {}).get(name)
        if found is None:
            found = target.get("additionalProperties")
        return found if isinstance(found, dict) else None

    def at(self, api_version: str, kind: str, *path: str) -> Mapping[str, Any] | None:
        """Return the node at a path of field names; lists are stepped into without a name."""
        node: Mapping[str, Any] | None = self.definition_for(api_version, kind)
        for name in path:
            if node is None:
                return None
            node = self.field(self._element(node), name)
        return node

    def _element(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        target = self.resolve(node)
        while isinstance(items := target.get("items"), dict):
            target = self.resolve(items)
        return target


def required_fields(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that an object of this definition must have."""
    return tuple(definition.get("required") or ())


def patch_strategies(node: Mapping[str, Any]) -> frozenset[str]:
    """Return the strategic-merge strategies of a field: "merge", "replace", "retainKeys"."""
    return frozenset(filter(None, str(node.get("x-kubernetes-patch-strategy", "")).split(",")))


def patch_merge_key(node: Mapping[str, Any]) -> str | None:
    """Return the key by which strategic merge tells a list's items apart."""
    return node.get("x-kubernetes-patch-merge-key")


def list_type(node: Mapping[str, Any]) -> ListType:
    """Return how server-side apply treats a list; one without a mark is atomic."""
    kind = node.get("x-kubernetes-list-type", "atomic")
    return ListType(kind, tuple(node.get("x-kubernetes-list-map-keys") or ()))


def is_atomic_map(node: Mapping[str, Any]) -> bool:
    """Tell whether server-side apply treats a map or struct as one value."""
    return node.get(MAP_TYPE) == "atomic"


@functools.cache
def schema() -> Schema:
    """Return the schema of this Kubernetes version, read at the first call.

    That takes some 80 ms, so servers make the first call in a thread; who comes meanwhile waits.
    """
    with _loading:
        return _load()


_loading: Final = threading.Lock()


@functools.cache
def _load() -> Schema:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    source = (folder / f"{VERSION}-local" / "_definitions.json").read_bytes()
    definitions = {
        name: _REPLACED.get(name) or _reversed(node)
        for name, node in orjson.loads(source)["$defs"].items()
    }
    for name, field, default in _LIST_KEY_DEFAULTS:
        definitions[name]["properties"][field]["default"] = default
    return Schema(definitions)


def _named_kinds(
    definitions: Mapping[str, Object],
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((apiVersion, kind), name).

    Definitions that serve many kinds (DeleteOptions) have no one kind.
    """
    for name, node in definitions.items():
        kinds = node.get(_GVK, [])
        if len(kinds) == 1:
            gvk = kinds[0]
            group, version = gvk["group"], gvk["version"]
            api_version = f"{group}/{version}" if group else version
            yield (api_version, gvk["kind"]), name


def _reversed(definition: Object) -> Object:
    """Turn one JSON Schema definition back into OpenAPI v2, in place."""
    _reverse_node(definition)
    if _GVK in definition:
        for field in ("apiVersion", "kind"):
            definition["properties"].get(field, {}).pop("enum", None)
    return definition


def _reverse_node(node: Any) -> None:
    """Undo what the JSON Schema form adds: nullable types and another prefix of references."""
    types = node.get("type")
    if isinstance(types, list):
        node["type"] = next(name for name in types if name != "null")
    if "$ref" in node:
        node["$ref"] = REFERENCE_PREFIX + node["$ref"].removeprefix(_SOURCE_PREFIX)
    for child in (node.get("properties") or {}).values():
        _reverse_node(child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            _reverse_node(node[key])
