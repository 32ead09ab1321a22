"""What differs between two states of an object: the fields added, removed and modified.

Both states are taken as upstream's structs hold them (held.py): a field of `zeros` is there on both
sides, an empty list or map is no more than an absent one. A subtree that comes or goes is added or
removed with every node in it. Equal subtrees are passed over at once, so that the cost is that of
the change. Called by tracking.py and applying.py. Pure.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import LEAF, SELF, FieldSet, union
from control_plane.api.apply.held import ABSENT, Side, alike, held, vanishes
from control_plane.api.apply.shapes import (
    FREE,
    ListShape,
    MapShape,
    Scalar,
    Shape,
    as_list,
    as_map,
    concrete,
)


class Comparison(NamedTuple):
    """Three sets of fields."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet

    @property
    def changed(self) -> FieldSet:
        """What is new or different."""
        return union(self.modified, self.added)


_Nodes = tuple[FieldSet | None, FieldSet | None, FieldSet | None]
_SAME: Final[_Nodes] = (None, None, None)
_MODIFIED: Final[_Nodes] = (None, None, LEAF)


def compare(shape: Shape, old: Any, new: Any, side: Side = Side.HELD) -> Comparison:
    """Compare two objects, `side` saying where the new one comes from; raises ShapeError."""
    return Comparison(*(node or {} for node in _differ(shape, old, new, side)))


def _everything(shape: Shape, value: Any, side: Side) -> FieldSet:
    """Return every node of a value: what is added or removed with it."""
    walked = concrete(shape, value)
    if isinstance(walked, Scalar) or walked.is_atomic or value is None:
        children: FieldSet = {}
    elif isinstance(walked, MapShape):
        children = _all_fields(walked, as_map(value), side)
    else:
        children = _all_items(walked, as_list(value), side)
    return {SELF: LEAF, **children} if children else LEAF


def _all_fields(shape: MapShape, value: dict[str, Any], side: Side) -> FieldSet:
    result: FieldSet = {}
    for name, item in value.items():
        node = _new_field(shape, name, item, side)
        if node is not None:
            result[FIELD + name] = node
    for name, zero in shape.zeros.items():
        if FIELD + name not in result:
            result[FIELD + name] = _everything(shape.child(name) or FREE, zero, side)
    return result


def _new_field(shape: MapShape, name: str, value: Any, side: Side) -> FieldSet | None:
    """Return every node of a field that was not there, None if it is no more than that now.

    For every field of what is created, and so with as few calls as can be.
    """
    child = shape.fields.get(name) or shape.element or FREE
    if not value and side is Side.HELD and vanishes(shape, name, child, value):
        return None
    return LEAF if type(child) is Scalar else _everything(child, value, side)


def _all_items(shape: ListShape, value: list[Any], side: Side) -> FieldSet:
    result: FieldSet = {}
    for item in value:
        element = shape.item_element(item)
        is_repeat = element in result
        result[element] = LEAF if is_repeat else _everything(shape.element, item, side)
    return result


def _differ(shape: Shape, old: Any, new: Any, side: Side) -> _Nodes:
    if old is ABSENT:
        return _everything(shape, new, side), None, None
    if new is ABSENT:
        return None, _everything(shape, old, side), None
    if old is new or (old == new and side is Side.HELD):
        return _SAME
    left, right = concrete(shape, old), concrete(shape, new)
    if type(left) is not type(right):
        return _MODIFIED
    if isinstance(left, Scalar) or not (old or new):
        return _SAME if old == new else _MODIFIED
    if left.is_atomic:
        return _SAME if alike(left, old, new, side) else _MODIFIED
    if isinstance(left, MapShape):
        return _differ_maps(left, as_map(old), as_map(new), side)
    return _differ_lists(left, as_list(old), as_list(new), side)


def _differ_maps(shape: MapShape, old: dict[str, Any], new: dict[str, Any], side: Side) -> _Nodes:
    found: list[tuple[str, _Nodes]] = []
    added: FieldSet = {}
    for name, value in new.items():
        before = old.get(name, ABSENT)
        if before is value or (before == value and side is Side.HELD):
            continue
        if before is not ABSENT or name in shape.zeros:
            found.append((FIELD + name, _differ_field(shape, name, (before, value), side)))
        elif (node := _new_field(shape, name, value, side)) is not None:
            added[FIELD + name] = node
    for name, value in old.items():
        if name not in new:
            found.append((FIELD + name, _differ_field(shape, name, (value, ABSENT), side)))
    return _gathered(found, added)


def _differ_field(shape: MapShape, name: str, values: tuple[Any, Any], side: Side) -> _Nodes:
    child = shape.child(name) or FREE
    old, new = held(shape, name, values[0]), held(shape, name, values[1], side)
    if old is ABSENT and new is ABSENT:
        return _SAME
    return _differ(child, old, new, side)


def _differ_lists(shape: ListShape, old: list[Any], new: list[Any], side: Side) -> _Nodes:
    before, after = _by_element(shape, old), _by_element(shape, new)
    found = []
    for element in dict.fromkeys([*before, *after]):
        items = before.get(element, []), after.get(element, [])
        found.append((element, _differ_items(shape.element, *items, side)))
    return _gathered(found, {})


def _by_element(shape: ListShape, items: list[Any]) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(shape.item_element(item), []).append(item)
    return result


def _differ_items(shape: Shape, old: list[Any], new: list[Any], side: Side) -> _Nodes:
    """Compare the items of one key; several of one key count as one atomic item."""
    if len(old) <= 1 and len(new) <= 1:
        return _differ(shape, old[0] if old else ABSENT, new[0] if new else ABSENT, side)
    if len(old) > 1 and len(new) > 1:
        is_same = alike(ListShape(shape), old, new, side)
        return _SAME if is_same else _MODIFIED
    if len(old) > 1:
        added = _everything(shape, new[0], side) if new else None
        return added, LEAF, None
    removed = _everything(shape, old[0], side) if old else None
    return LEAF, removed, None


def _gathered(found: list[tuple[str, _Nodes]], added: FieldSet) -> _Nodes:
    removed: FieldSet = {}
    modified: FieldSet = {}
    for element, (new, old, other) in found:
        if new is not None:
            added[element] = new
        if old is not None:
            removed[element] = old
        if other is not None:
            modified[element] = other
    return added or None, removed or None, modified or None
