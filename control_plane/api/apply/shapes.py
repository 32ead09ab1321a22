"""Shapes: how the objects of a kind are owned and merged, compiled once from the schema.

A shape is a Scalar, a ListShape or a MapShape (structs and maps alike), or FREE, which takes the
shape of whatever stands there. Every walk of this package goes along shapes and never looks at the
schema itself, so that kinds from elsewhere need only a shape to be applied. Shapes are shared and
must not be changed. Pure.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.apply.field_path import FIELD, KEY, key_element, value_element
from control_plane.api.apply.go_zeros import nonzero_of, zeros_of
from control_plane.api.schema import (
    INT_OR_STRING,
    MAP_TYPE,
    QUANTITY,
    REFERENCE_PREFIX,
    is_atomic_map,
    list_type,
    schema,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class ShapeError(ValueError):
    """A value does not have the shape it must have; `str` says how in upstream's words."""


class Scalar:
    """A leaf. `kind` is string, numeric, boolean or untyped."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class ListShape:
    """A list. `kind` is atomic, set or map; `defaults` are the values of keys left out."""

    __slots__ = ("defaults", "element", "is_atomic", "keys")

    def __init__(
        self,
        element: Shape,
        kind: str = "atomic",
        keys: tuple[str, ...] = (),
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what tells items apart; keys are wanted in the order of their names."""
        self.element = element
        self.is_atomic = kind not in ("set", "map")
        self.keys = keys if kind == "map" else ()
        self.defaults = dict(defaults or {})

    def item_element(self, item: Any) -> str:
        """Return the path element of an item; raises ShapeError when it cannot have one."""
        return self._keyed(item) if self.keys else _valued(item)

    def _keyed(self, item: Any) -> str:
        if item is None:
            raise ShapeError("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise ShapeError("associative list with keys may not have non-map elements")
        found = {}
        for key in sorted(self.keys):
            if key in item:
                found[key] = item[key]
            elif key in self.defaults:
                found[key] = self.defaults[key]
        if not found:
            names = " ".join(f'"{key}"' for key in self.keys)
            raise ShapeError(
                "associative list with keys has an element that omits all key fields "
                f"[{names}] (and doesn't have default values for any key fields)"
            )
        return key_element(found)


def _valued(item: Any) -> str:
    if isinstance(item, dict):
        raise ShapeError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ShapeError("not supported: associative list with lists as elements")
    if item is None:
        raise ShapeError("associative list without keys has an element that's an explicit null")
    return value_element(item)


class MapShape:
    """A struct (`fields`), a map (`element`), or both; `zeros` are the fields always there.

    `nonzero` are scalars that nobody can tell from absent ones when they are zero; `vanishes` is
    true of maps of which the same is true when they are empty.
    """

    __slots__ = ("element", "fields", "is_atomic", "nonzero", "vanishes", "zeros")

    def __init__(
        self,
        fields: dict[str, Shape] | None = None,
        element: Shape | None = None,
        *,
        is_atomic: bool = False,
        zeros: dict[str, Any] | None = None,
    ) -> None:
        """Fields may be filled in later, since definitions may refer to each other."""
        self.fields: dict[str, Shape] = {} if fields is None else fields
        self.element = element
        self.is_atomic = is_atomic
        self.zeros = zeros or {}
        self.nonzero: frozenset[str] = frozenset()
        self.vanishes = fields is None

    def child(self, name: str) -> Shape | None:
        """Return the shape of a field or of a map's value, None for a field not declared."""
        return self.fields.get(name) or self.element


class Free:
    """The shape of what the schema leaves open."""

    __slots__ = ()


Shape = Scalar | ListShape | MapShape | Free

STRING: Final = Scalar("string")
UNTYPED: Final = Scalar("untyped")
FREE: Final = Free()
_FREE_MAP: Final = MapShape(element=FREE)
_FREE_LIST: Final = ListShape(FREE)
_SCALARS: Final = {
    "string": STRING,
    "integer": Scalar("numeric"),
    "number": Scalar("numeric"),
    "boolean": Scalar("boolean"),
}
_SPECIAL: Final = (QUANTITY, INT_OR_STRING)
# keys with a default that the schema does not tell
_KEY_DEFAULTS: Final = {("io.k8s.api.core.v1.LocalObjectReference", "name"): ""}


def concrete(shape: Shape, value: Any) -> Scalar | ListShape | MapShape:
    """Return the shape that a value is walked by: FREE becomes what the value is."""
    if not isinstance(shape, Free):
        return shape
    if isinstance(value, dict):
        return _FREE_MAP
    return _FREE_LIST if isinstance(value, list) else UNTYPED


def as_map(value: Any) -> dict[str, Any]:
    """Return what stands where a map is expected; raises ShapeError if it is no map."""
    if isinstance(value, dict):
        return value
    if value:
        raise ShapeError("expected map")
    return {}


def as_list(value: Any) -> list[Any]:
    """Return what stands where a list is expected; raises ShapeError if it is no list."""
    if isinstance(value, list):
        return value
    if value:
        raise ShapeError("expected list")
    return []


def child_of(shape: Shape, element: str) -> Shape | None:
    """Return the shape one path element further, None where the schema has nothing."""
    if isinstance(shape, Free):
        return FREE
    if isinstance(shape, MapShape):
        return shape.child(element[2:]) if element.startswith(FIELD) else None
    if isinstance(shape, ListShape):
        return shape.element if element.startswith(KEY) else UNTYPED
    return None


# shapes of structs are filled in after they are known, so no thread may see them before
_compiling: Final = threading.RLock()
_structs: Final[dict[str, MapShape]] = {}


@functools.cache
def shape_for(api_version: str, kind: str) -> MapShape:
    """Return the shape of a kind; one that the schema does not know is free but for its type."""
    name = schema().name_for(api_version, kind)
    if name is None:
        return _FREE_MAP
    with _compiling:
        return _struct(name)


def definition_shape(name: str) -> MapShape:
    """Return the shape of a definition, such as that of ObjectMeta."""
    with _compiling:
        return _struct(name)


def _struct(name: str) -> MapShape:
    found = _structs.get(name)
    if found is None:
        definition = schema().definitions[name]
        found = MapShape({}, is_atomic=is_atomic_map(definition), zeros=zeros_of(name, definition))
        found.nonzero = nonzero_of(name, definition)
        _structs[name] = found
        properties = definition["properties"].items()
        found.fields.update({field: _compile(node) for field, node in properties})
    return found


def _compile(node: Mapping[str, Any]) -> Shape:
    reference = str(node.get("$ref", "")).removeprefix(REFERENCE_PREFIX)
    if not reference:
        return _compile_inline(node)
    target = schema().definitions[reference]
    if reference in _SPECIAL:
        return UNTYPED
    if "properties" not in target:
        return _compile_inline(target)
    struct = _struct(reference)
    return _as_marked(struct, node)


def _as_marked(struct: MapShape, node: Mapping[str, Any]) -> MapShape:
    """Return the struct, atomic or not as the field that holds it says."""
    if MAP_TYPE not in node or is_atomic_map(node) == struct.is_atomic:
        return struct
    marked = MapShape(struct.fields, is_atomic=is_atomic_map(node), zeros=struct.zeros)
    marked.nonzero = struct.nonzero
    return marked


def _compile_inline(node: Mapping[str, Any]) -> Shape:
    items, values = node.get("items"), node.get("additionalProperties")
    if node.get("type") == "array" and isinstance(items, dict):
        kind, keys = list_type(node)
        return ListShape(_compile(items), kind, keys, _key_defaults(items, keys))
    if node.get("type") == "object" and isinstance(values, dict):
        return MapShape(element=_compile(values), is_atomic=is_atomic_map(node))
    return _SCALARS.get(str(node.get("type")), FREE)


def _key_defaults(items: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the defaults of a list's keys: declared ones, and the zeros of required ones."""
    definition = schema().resolve(items)
    name = str(items.get("$ref", "")).removeprefix(REFERENCE_PREFIX)
    properties = definition.get("properties") or {}
    zeros = zeros_of(name, definition)
    found = {}
    for key in keys:
        default = (properties.get(key) or {}).get("default", zeros.get(key))
        default = _KEY_DEFAULTS.get((name, key), default)
        if default is not None:
            found[key] = default
    return found
