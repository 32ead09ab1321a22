"""How fields of custom resources are owned and merged, told from their schema. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.apply.shapes import (
    FREE,
    STRING,
    UNTYPED,
    ListShape,
    MapShape,
    Scalar,
    Shape,
    definition_shape,
)
from control_plane.api.custom.embedded import OBJECT_META
from control_plane.api.custom.structural import MISSING

if TYPE_CHECKING:
    from control_plane.api.custom.structural import Node

_SCALARS: Final[dict[tuple[str, ...], Scalar]] = {
    ("string",): STRING,
    ("integer",): Scalar("numeric"),
    ("number",): Scalar("numeric"),
    ("boolean",): Scalar("boolean"),
}


def shape_of(node: Node) -> MapShape:
    """Return the shape of a kind's objects, from the root of its schema."""
    return _object(node, has_identity=True)


def _object(node: Node, *, has_identity: bool) -> MapShape:
    fields = {key: _shape(child) for key, child in node.properties.items()}
    if has_identity:
        fields |= {
            "apiVersion": STRING, "kind": STRING, "metadata": definition_shape(OBJECT_META),
        }  # fmt: skip
    element: Shape | None = None
    if node.is_map:
        element = _shape(node.extra) if node.extra is not None else FREE
    elif node.preserves:
        element = FREE
    return MapShape(fields, element, is_atomic=node.is_atomic_map)


def _shape(node: Node) -> Shape:
    if node.types == ("array",):
        return _list(node)
    if node.types == ("object",) or (node.preserves and node.properties):
        return _object(node, has_identity=node.is_embedded)
    if len(node.types) > 1:
        return UNTYPED
    return _SCALARS.get(node.types, FREE)


def _list(node: Node) -> ListShape:
    items = node.items
    if items is None:
        return ListShape(FREE)
    defaults: dict[str, Any] = {
        key: items.properties[key].default
        for key in node.list_keys
        if key in items.properties and items.properties[key].default is not MISSING
    }
    return ListShape(_shape(items), node.list_type, node.list_keys, defaults)
