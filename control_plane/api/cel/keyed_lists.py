"""Lists that schemas call sets and maps: their order says nothing, and `+` merges.

A set takes in the elements it has not. A map of objects, by the values of their keys, replaces
those of equal keys in their places. Source: "Supported evaluation on lists" of the documentation
of CustomResourceDefinitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.cel.values import equal, register

if TYPE_CHECKING:
    from collections.abc import Iterable


class SetList(list[Any]):
    """A list with x-kubernetes-list-type: set."""

    def __add__(self, other: Iterable[Any]) -> SetList:
        merged = SetList(self)
        merged.extend(one for one in other if not _has(self, one))
        return merged


class MapList(list[Any]):
    """A list with x-kubernetes-list-type: map."""

    def __init__(self, elements: Iterable[Any], keys: tuple[str, ...]) -> None:
        super().__init__(elements)
        self.keys = keys

    def __add__(self, other: Iterable[Any]) -> MapList:
        merged = {self._key(one): one for one in self}
        merged |= {self._key(one): one for one in other}
        return MapList(merged.values(), self.keys)

    def _key(self, element: Any) -> tuple[Any, ...]:
        if not isinstance(element, dict):
            return (id(element),)
        return tuple(repr(element.get(key)) for key in self.keys)


def _has(elements: Iterable[Any], sought: Any) -> bool:
    return any(equal(one, sought) for one in elements)


def _same_elements(left: Any, right: Any) -> bool:
    return len(left) == len(right) and all(_has(right, one) for one in left)


register(SetList, "list", _same_elements)
register(MapList, "list", _same_elements)
