"""What a configuration claims: the set of its fields.

Leaves, atomic values, items of lists, and empty or null maps are members; structs with something in
them are not. Called by applying.py, removal.py and reconciling.py. Pure.
"""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.apply.field_path import FIELD, INDEX
from control_plane.api.apply.field_set import LEAF, FieldSet, as_member
from control_plane.api.apply.shapes import FREE, ListShape, MapShape, Scalar, Shape, concrete

# an item that removal has emptied: it has no key any more, but its list is not empty
_EMPTIED: Final = f"{INDEX}-1"


def owned_fields(shape: Shape, value: Any) -> FieldSet:
    """Return the set of the fields of a value; raises ShapeError."""
    return _claimed(concrete(shape, value), value) or {}


def _claimed(shape: Scalar | ListShape | MapShape, value: Any) -> FieldSet | None:
    """Return the node that a value gives by itself: LEAF, one with children, or None."""
    if isinstance(shape, Scalar) or shape.is_atomic:
        return LEAF
    if isinstance(shape, MapShape):
        return _map_fields(shape, value) or None if isinstance(value, dict) else None
    return _items(shape, value) or None if isinstance(value, list) else None


def _map_fields(shape: MapShape, value: dict[str, Any]) -> FieldSet:
    result: FieldSet = {}
    fields = shape.fields
    for name, item in value.items():
        declared = fields.get(name)
        node = _claimed(concrete(declared or shape.element or FREE, item), item)
        if item is None or item == {} or declared is None:
            node = as_member(node)
        if node is not None:
            result[FIELD + name] = node
    return result


def _items(shape: ListShape, value: list[Any]) -> FieldSet:
    """Return every item as a member; one that is there twice stands for both, without children."""
    result: FieldSet = {}
    for item in value:
        element = _EMPTIED if item is None else shape.item_element(item)
        if element in result:
            result[element] = LEAF
        else:
            result[element] = as_member(_claimed(concrete(shape.element, item), item))
    return result
