"""Sets of fields, held as FieldsV1 is written: tries of dicts keyed by path elements.

A node without children is a member; one with children is a member when it has the key ".". The
root is never a member, so {} is the empty set. Sets are shared and must not be changed in place:
every operation returns a set of its own. Pure; used by every other file of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.apply.field_path import FieldPathError, canonical, in_order, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

FieldSet = dict[str, Any]

SELF: Final = "."
LEAF: Final[FieldSet] = {}
_ITSELF: Final[FieldSet] = {SELF: LEAF}


def set_of(*paths: tuple[str, ...]) -> FieldSet:
    """Return the set of these paths, each a tuple of elements."""
    result: FieldSet = {}
    for path in paths:
        node: FieldSet = LEAF
        for element in reversed(path):
            node = {element: node}
        result = union(result, node)
    return result


def is_member(node: FieldSet) -> bool:
    """Tell whether a node below the root is itself in the set."""
    return not node or SELF in node


def as_member(node: FieldSet | None) -> FieldSet:
    """Return the node, which may be missing, as a member with the same children."""
    if not node:
        return LEAF
    return node if SELF in node else {SELF: LEAF, **node}


def read_fields(value: Any) -> FieldSet:
    """Return the set that a fieldsV1 object says, elements of unknown kinds left out.

    Raises FieldPathError for what is no such object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FieldPathError("fieldsV1 must be an object")
    result: FieldSet = {}
    for text, child in value.items():
        if text == SELF:
            result[SELF] = LEAF
            continue
        element = canonical(text)
        if element is not None:
            result[element] = _read_node(child)
    return result


def _read_node(value: Any) -> FieldSet:
    node = read_fields(value)
    return LEAF if node.keys() == _ITSELF.keys() else node


def written(fields: FieldSet) -> FieldSet:
    """Return the set with its elements in the order in which FieldsV1 has them."""
    ordered = in_order(fields) if len(fields) > 1 else fields
    return {element: written(child) if (child := fields[element]) else LEAF for element in ordered}


def has_path(fields: FieldSet, path: tuple[str, ...]) -> bool:
    """Tell whether the path is a member."""
    node = fields
    for element in path:
        if element not in node:
            return False
        node = node[element]
    return bool(path) and is_member(node)


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return what is in either set."""
    if not left or not right:
        return left or right
    result = dict(left)
    for element, node in right.items():
        mine = left.get(element)
        result[element] = node if mine is None else _union_node(mine, node)
    return result


def _union_node(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left:
        return as_member(right)
    return as_member(left) if not right else union(left, right)


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the members of `left` that are not members of `right`."""
    if not left or not right:
        return left
    result: FieldSet = {}
    for element, node in left.items():
        if element == SELF:
            continue
        other = right.get(element)
        kept = node if other is None else _difference_node(node, other)
        if kept is not None:
            result[element] = kept
    return result


def _difference_node(left: FieldSet, right: FieldSet) -> FieldSet | None:
    return _node(is_member(left) and not is_member(right), difference(_children(left), right))


def _node(member: bool, children: FieldSet) -> FieldSet | None:
    """Return a node, None for one that holds nothing."""
    if not children:
        return LEAF if member else None
    return {SELF: LEAF, **children} if member else children


def recursive_difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the members of `left` that are neither members of `right` nor below one."""
    if not left or not right:
        return left
    result: FieldSet = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            result[element] = node
        elif not is_member(other):
            kept = _node(is_member(node), recursive_difference(_children(node), other))
            if kept is not None:
                result[element] = kept
    return result


def _children(node: FieldSet) -> FieldSet:
    return {key: child for key, child in node.items() if key != SELF} if SELF in node else node


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the members of both sets."""
    result: FieldSet = {}
    for element, node in left.items():
        other = right.get(element)
        if element == SELF or other is None:
            continue
        kept = _node(is_member(node) and is_member(other), intersection(node, other))
        if kept is not None:
            result[element] = kept
    return result


def matching(fields: FieldSet, pattern: tuple[str, ...]) -> FieldSet:
    """Return the members on the way of `pattern` or below its end; "*" stands for any element."""
    if not pattern:
        return fields
    result: FieldSet = {}
    for element, node in fields.items():
        if element != SELF and pattern[0] in ("*", element):
            kept = _node(is_member(node), matching(_children(node), pattern[1:]))
            if kept is not None:
                result[element] = kept
    return result


def paths(fields: FieldSet, above: str = "") -> Iterator[str]:
    """Yield every member as messages show it: at each level the members, then what is below."""
    elements = in_order(element for element in fields if element != SELF)
    for element in elements:
        if is_member(fields[element]):
            yield above + shown(element)
    for element in elements:
        if fields[element]:
            yield from paths(fields[element], above + shown(element))
