"""Fields taken out of an object: what an applier owned and wants no longer.

Called by applying.py after the merge. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import (
    LEAF,
    SELF,
    FieldSet,
    difference,
    intersection,
    is_member,
    union,
)
from control_plane.api.apply.owned import owned_fields
from control_plane.api.apply.shapes import (
    FREE,
    ListShape,
    MapShape,
    Scalar,
    Shape,
    as_list,
    as_map,
    child_of,
    concrete,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def without(shape: Shape, value: Any, fields: FieldSet) -> Any:
    """Return a value without these fields; what is emptied by that becomes null."""
    walked = concrete(shape, value)
    if isinstance(walked, Scalar):
        return value
    if walked.is_atomic or not value:
        return None
    if isinstance(walked, MapShape):
        return _map_without(walked, as_map(value), fields) or None
    return _list_without(walked, as_list(value), fields) or None


def _map_without(shape: MapShape, value: dict[str, Any], fields: FieldSet) -> dict[str, Any]:
    result = {}
    for name, item in value.items():
        node = fields.get(FIELD + name)
        if node is None:
            result[name] = item
        elif not is_member(node):
            result[name] = without(shape.child(name) or FREE, item, node)
    return result


def _list_without(shape: ListShape, value: list[Any], fields: FieldSet) -> list[Any]:
    result = []
    for item in value:
        node = None if item is None else fields.get(shape.item_element(item))
        if node is None:
            result.append(item)
        elif not is_member(node):
            result.append(without(shape.element, item, node))
    return result


def with_structs(shape: Shape, fields: FieldSet) -> FieldSet:
    """Return the set with every struct that has members in it as a member too."""
    result: FieldSet = {}
    for element, node in fields.items():
        if not node or element == SELF:
            result[element] = node
            continue
        child = child_of(shape, element)
        filled = node if child is None else with_structs(child, node)
        is_declared = isinstance(shape, MapShape) and element[2:] in shape.fields
        if is_declared and element.startswith(FIELD):
            filled = {SELF: LEAF, **filled}
        result[element] = filled
    return result


def pruned(shape: MapShape, value: Any, last: FieldSet, owners: Iterable[FieldSet]) -> Any:
    """Return the value without what only `last`, an applier's previous set, still holds.

    `owners` are the sets of all managers now, the applier's new one among them: what they own
    stays, and so does what is not in `last`.
    """
    if not last:
        return value
    mine = with_structs(shape, last)
    everything = with_structs(shape, owned_fields(shape, value))
    kept = without(shape, value, mine) or {}
    owned: FieldSet = {}
    for fields in owners:
        owned = union(owned, fields)
    wanted = union(_fields(shape, kept), with_structs(shape, owned))
    kept = without(shape, value, difference(everything, wanted)) or {}
    gone = intersection(difference(everything, _fields(shape, kept)), mine)
    return without(shape, value, gone) or {}


def _fields(shape: MapShape, value: Any) -> FieldSet:
    return with_structs(shape, owned_fields(shape, value))
