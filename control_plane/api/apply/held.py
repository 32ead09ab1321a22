"""Values as upstream's structs hold them.

A struct does not tell an empty list or map from an absent one, nor null from absence, and has every
field that is no pointer: `zeros` of a shape. What a client has sent is not held by structs: there
an empty list is not nothing. `filled` makes of a stored object what a struct holds, `unfilled`
takes out again what that added. Called by comparison.py and applying.py. Pure.
"""

from __future__ import annotations

import functools
from enum import Enum, auto
from typing import Any, Final

from control_plane.api.apply.shapes import FREE, ListShape, MapShape, Shape, concrete


class _Absent:
    """The value of a field that is not there, which null is not."""


class _Text(str):
    """The zero of a string that nobody has set."""

    __slots__ = ()


class _Number(int):
    """The zero of a number or a boolean that nobody has set."""


class _Struct(dict[str, Any]):
    """A struct that nobody has set."""


ABSENT: Final = _Absent()


class Side(Enum):
    """Where the newer of two values comes from: held by a struct as the old one, or sent."""

    HELD = auto()
    SENT = auto()


def vanishes(shape: MapShape, name: str, child: Shape, value: Any) -> bool:
    """Tell whether a field of this value is what an absent one is."""
    if value is None or value == []:
        return True
    if value:
        return False
    return child.vanishes if isinstance(child, MapShape) else name in shape.nonzero


def held(shape: MapShape, name: str, value: Any, side: Side = Side.HELD) -> Any:
    """Return the value of a field, ABSENT for none: what is empty and what is always there."""
    if side is Side.SENT:
        return value
    if value is not ABSENT and vanishes(shape, name, shape.child(name) or FREE, value):
        value = ABSENT
    return shape.zeros.get(name, ABSENT) if value is ABSENT else value


def filled(shape: Shape, value: Any) -> Any:
    """Return a value with all that a struct would hold of it and nothing else."""
    walked = concrete(shape, value)
    if isinstance(walked, MapShape) and isinstance(value, dict):
        return _filled_map(walked, value)
    if isinstance(walked, ListShape) and isinstance(value, list):
        return [filled(walked.element, item) for item in value]
    return value


def _filled_map(shape: MapShape, value: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for name, item in value.items():
        child = shape.child(name) or FREE
        if shape.vanishes or not vanishes(shape, name, child, item):
            result[name] = filled(child, item) if isinstance(item, dict | list) else item
    if shape.zeros:
        for name, zero in _zeros(shape).items():
            result.setdefault(name, zero)
    return result


@functools.cache
def _zeros(shape: MapShape) -> dict[str, Any]:
    """Return the fields that are always there, each marked as one that nobody has set."""
    return {name: _marked(shape.child(name) or FREE, zero) for name, zero in shape.zeros.items()}


def _marked(shape: Shape, zero: Any) -> Any:
    if isinstance(zero, str):
        return _Text(zero)
    if isinstance(zero, dict):
        return _Struct(filled(shape, zero))
    return None if zero is None else _Number(zero)


def unfilled(shape: Shape, value: Any) -> Any:
    """Return a value without the fields that `filled` added and nothing has been put into."""
    if isinstance(value, list):
        element = shape.element if isinstance(shape, ListShape) else FREE
        return [unfilled(element, item) for item in value]
    if not isinstance(value, dict):
        return value
    walked = concrete(shape, value)
    if not isinstance(walked, MapShape):
        return value
    return {
        name: unfilled(walked.child(name) or FREE, item)
        for name, item in value.items()
        if not isinstance(item, _Text | _Number | _Struct)
        and (item is not None or name not in walked.zeros)
    }


def alike(shape: Shape, old: Any, new: Any, side: Side = Side.HELD) -> bool:
    """Tell whether two values are the same; a struct holds the old one."""
    if old is new or (old == new and side is Side.HELD):
        return True
    walked = concrete(shape, old)
    if isinstance(walked, ListShape) and isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, strict=False)
        return len(old) == len(new) and all(alike(walked.element, *pair, side) for pair in pairs)
    if not isinstance(walked, MapShape) or not isinstance(old, dict) or not isinstance(new, dict):
        return bool(old == new)
    names = {**old, **new} if side is Side.HELD else {**old, **new, **walked.zeros}
    return all(_alike_field(walked, name, (old, new), side) for name in names)


def _alike_field(
    shape: MapShape, name: str, objects: tuple[dict[str, Any], dict[str, Any]], side: Side
) -> bool:
    old = held(shape, name, objects[0].get(name, ABSENT))
    new = held(shape, name, objects[1].get(name, ABSENT), side)
    if old is ABSENT or new is ABSENT:
        return old is new
    return alike(shape.child(name) or FREE, old, new, side)
