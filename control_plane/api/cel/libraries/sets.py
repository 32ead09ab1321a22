"""sets.contains, sets.equivalent and sets.intersects, on lists. Source: cel-go's sets extension."""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.cel.functions import function
from control_plane.api.cel.types import BOOL, A, list_of
from control_plane.api.cel.values import equal

_LISTS: Final = (list_of(A), list_of(A))


def _has(elements: list[Any], sought: Any) -> bool:
    return any(equal(one, sought) for one in elements)


def _contains(elements: list[Any], others: list[Any]) -> bool:
    return all(_has(elements, one) for one in others)


def _equivalent(elements: list[Any], others: list[Any]) -> bool:
    return _contains(elements, others) and _contains(others, elements)


def _intersects(elements: list[Any], others: list[Any]) -> bool:
    return any(_has(elements, one) for one in others)


def _cost(elements: list[Any], others: list[Any]) -> int:
    return len(elements) * len(others)


LIBRARY: Final = (
    function("sets.contains", _LISTS, BOOL, _contains, _cost),
    function("sets.equivalent", _LISTS, BOOL, _equivalent, _cost),
    function("sets.intersects", _LISTS, BOOL, _intersects, _cost),
)
