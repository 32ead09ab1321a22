"""Which of two values comes first; those of different types cannot be asked."""

from __future__ import annotations

import functools
from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError, no_such_overload
from control_plane.api.cel.values import Duration, Timestamp, UInt

_NUMBERS: Final = (int, UInt, float)
_COMPARABLE: Final = (*_NUMBERS, bool, str, bytes, Duration, Timestamp)


def compare(left: Any, right: Any) -> int:
    """Return -1, 0 or 1; EvaluationError for values that have no order. NaN is equal to all."""
    kind, other = type(left), type(right)
    is_comparable = kind is other and kind in _COMPARABLE
    if not is_comparable and not (kind in _NUMBERS and other in _NUMBERS):
        raise no_such_overload()
    return int(left > right) - int(left < right)


def sort_by(keyed: list[tuple[Any, Any]]) -> list[Any]:
    """Return the second of each pair, in the order of the first."""
    if len({type(key) for key, _ in keyed}) > 1:
        raise EvaluationError("list elements must have the same type")
    ordered = sorted(keyed, key=functools.cmp_to_key(_compare_keys))
    return [element for _, element in ordered]


def _compare_keys(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
    return compare(one[0], other[0])
