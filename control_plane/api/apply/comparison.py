"""What differs between two states of an object: the fields added, removed and modified.

Both states are taken as upstream's structs hold them: a field of `zeros` is there on both sides,
an empty list or map is no more than an absent one. A subtree that comes or goes is added or removed
with every node in it. Equal subtrees are passed over at once, so that the cost is that of the
change. Called by tracking.py and applying.py. Pure.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import LEAF, SELF, FieldSet, union
from control_plane.api.apply.shapes import FREE, ListShape, MapShape, Scalar, Shape, concrete


class Comparison(NamedTuple):
    """Three sets of fields."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet

    @property
    def changed(self) -> FieldSet:
        """What is new or different."""
        return union(self.modified, self.added)


class _Absent:
    """The value of a field that is not there, which null is not."""


_ABSENT: Final = _Absent()
_Nodes = tuple[FieldSet | None, FieldSet | None, FieldSet | None]
_SAME: Final[_Nodes] = (None, None, None)
_MODIFIED: Final[_Nodes] = (None, None, LEAF)


def compare(shape: Shape, old: Any, new: Any) -> Comparison:
    """Compare two objects; raises ShapeError."""
    return Comparison(*(node or {} for node in _differ(shape, old, new)))


def everything(shape: Shape, value: Any) -> FieldSet:
    """Return every node of a value: what is added or removed with it."""
    walked = concrete(shape, value)
    if isinstance(walked, Scalar) or walked.is_atomic or not value:
        children: FieldSet = {}
    elif isinstance(walked, MapShape):
        children = _all_fields(walked, value)
    else:
        children = _all_items(walked, value)
    return {SELF: LEAF, **children} if children else LEAF


def _all_fields(shape: MapShape, value: dict[str, Any]) -> FieldSet:
    result: FieldSet = {}
    zeros = shape.zeros
    for name, item in value.items():
        child = shape.child(name) or FREE
        if isinstance(child, Scalar):
            if item is not None or name in zeros:
                result[FIELD + name] = LEAF
        elif item or name in zeros or not _vanishes(child, item):
            result[FIELD + name] = everything(child, item)
    for name in zeros:
        if name not in value:
            result[FIELD + name] = LEAF
    return result


def _all_items(shape: ListShape, value: list[Any]) -> FieldSet:
    result: FieldSet = {}
    for item in value:
        element = shape.item_element(item)
        result[element] = LEAF if element in result else everything(shape.element, item)
    return result


def _vanishes(shape: Shape, value: Any) -> bool:
    """Tell whether an empty value is what an absent one is."""
    if value is None:
        return True
    if isinstance(shape, MapShape):
        return shape.vanishes and value == {}
    return isinstance(shape, ListShape) and value == []


def _differ(shape: Shape, old: Any, new: Any) -> _Nodes:
    if old is _ABSENT:
        return everything(shape, new), None, None
    if new is _ABSENT:
        return None, everything(shape, old), None
    if old == new:
        return _SAME
    left, right = concrete(shape, old), concrete(shape, new)
    if type(left) is not type(right):
        return _MODIFIED
    if isinstance(left, Scalar) or left.is_atomic or not (old or new):
        return _MODIFIED
    if isinstance(left, MapShape):
        return _differ_maps(left, old or {}, new or {})
    return _differ_lists(left, old or [], new or [])


def _differ_maps(shape: MapShape, old: dict[str, Any], new: dict[str, Any]) -> _Nodes:
    found: list[tuple[str, _Nodes]] = []
    for name, value in new.items():
        before = old.get(name, _ABSENT)
        if before is value or before == value:
            continue
        found.append((FIELD + name, _differ_field(shape, name, before, value)))
    for name, value in old.items():
        if name not in new:
            found.append((FIELD + name, _differ_field(shape, name, value, _ABSENT)))
    return _gathered(found)


def _differ_field(shape: MapShape, name: str, old: Any, new: Any) -> _Nodes:
    child = shape.child(name) or FREE
    if name in shape.zeros:
        zero = shape.zeros[name]
        old = zero if old is _ABSENT else old
        new = zero if new is _ABSENT else new
    else:
        old = _ABSENT if old is not _ABSENT and _vanishes(child, old) else old
        new = _ABSENT if new is not _ABSENT and _vanishes(child, new) else new
    if old is _ABSENT and new is _ABSENT:
        return _SAME
    return _differ(child, old, new)


def _differ_lists(shape: ListShape, old: list[Any], new: list[Any]) -> _Nodes:
    before, after = _by_element(shape, old), _by_element(shape, new)
    elements = dict.fromkeys([*before, *after])
    found = [
        (element, _differ_items(shape.element, before.get(element, []), after.get(element, [])))
        for element in elements
    ]
    return _gathered(found)


def _by_element(shape: ListShape, items: list[Any]) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(shape.item_element(item), []).append(item)
    return result


def _differ_items(shape: Shape, old: list[Any], new: list[Any]) -> _Nodes:
    """Compare the items of one key; several of one key count as one atomic item."""
    if len(old) <= 1 and len(new) <= 1:
        return _differ(shape, old[0] if old else _ABSENT, new[0] if new else _ABSENT)
    if len(old) > 1 and len(new) > 1:
        return _SAME if old == new else _MODIFIED
    if len(old) > 1:
        added = everything(shape, new[0]) if new else None
        return added, LEAF, None
    removed = everything(shape, old[0]) if old else None
    return LEAF, removed, None


def _gathered(found: list[tuple[str, _Nodes]]) -> _Nodes:
    added: FieldSet = {}
    removed: FieldSet = {}
    modified: FieldSet = {}
    for element, nodes in found:
        for result, node in zip((added, removed, modified), nodes, strict=True):
            if node is not None:
                result[element] = node
    return added or None, removed or None, modified or None
