"""Functions of lists: Kubernetes' own (sum, min, ...) and those of cel-go (slice, sort, ...)."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.arithmetic import add
from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import Function, Overload, function, member
from control_plane.api.cel.ordering import compare, sort_by
from control_plane.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    A,
    Type,
    list_of,
)
from control_plane.api.cel.values import Duration, UInt, equal

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARABLE: Final = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)
_ZEROS: Final = ((INT, 0), (UINT, UInt(0)), (DOUBLE, 0.0), (DURATION, Duration(0)))
_ANY_LIST: Final = list_of(A)
_MAX_RANGE: Final = 1_000_000


def _size(elements: list[Any], *_others: Any) -> int:
    return len(elements)


def _of_each(name: str, kinds: tuple[Type, ...], gives: Type | None, run: Any) -> Function:
    """A function of lists of several types; it gives `gives`, or what the elements are."""
    return Function(
        name, tuple(Overload((list_of(kind),), gives or kind, run, True, _size) for kind in kinds)
    )


def _is_sorted(elements: list[Any]) -> bool:
    return all(compare(one, two) <= 0 for one, two in pairwise(elements))


def _extreme(name: str, sign: int) -> Callable[[list[Any]], Any]:
    def choose(elements: list[Any]) -> Any:
        if not elements:
            raise EvaluationError(f"{name} called on empty list")
        return reduce(lambda one, two: two if compare(two, one) * sign > 0 else one, elements)

    return choose


def _sum(zero: Any) -> Callable[[list[Any]], Any]:
    return lambda elements: reduce(add, elements) if elements else zero


def _index_of(elements: list[Any], sought: Any) -> int:
    return next((place for place, one in enumerate(elements) if equal(one, sought)), -1)


def _last_index_of(elements: list[Any], sought: Any) -> int:
    return max((place for place, one in enumerate(elements) if equal(one, sought)), default=-1)


def _slice(elements: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvaluationError(
            f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        )
    if end > len(elements):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(elements)}")
    return elements[start:end]


def _flatten(elements: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    flat: list[Any] = []
    for element in elements:
        if isinstance(element, list) and depth > 0:
            flat.extend(_flatten(element, depth - 1))
        else:
            flat.append(element)
    return flat


def _sort(elements: list[Any]) -> list[Any]:
    return sort_by([(element, element) for element in elements])


def _distinct(elements: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for element in elements:
        if not any(equal(element, one) for one in kept):
            kept.append(element)
    return kept


def _square(elements: list[Any]) -> int:
    return len(elements) ** 2


def _range(length: int) -> list[int]:
    if length > _MAX_RANGE:
        raise EvaluationError(f"lists.range: size {length} exceeds limit {_MAX_RANGE}")
    return list(range(length))


LIBRARY: Final = (
    _of_each("isSorted", _COMPARABLE, BOOL, _is_sorted),
    _of_each("min", _COMPARABLE, None, _extreme("min", -1)),
    _of_each("max", _COMPARABLE, None, _extreme("max", 1)),
    *(member("sum", (list_of(kind),), kind, _sum(zero), _size) for kind, zero in _ZEROS),
    member("indexOf", (_ANY_LIST, A), INT, _index_of, _size),
    member("lastIndexOf", (_ANY_LIST, A), INT, _last_index_of, _size),
    member("slice", (_ANY_LIST, INT, INT), _ANY_LIST, _slice, _size),
    Function(
        "flatten",
        (
            Overload((list_of(_ANY_LIST),), _ANY_LIST, _flatten, True, _size),
            Overload((list_of(A), INT), list_of(Type("dyn")), _flatten, True, _size),
        ),
    ),
    *(member("sort", (list_of(kind),), list_of(kind), _sort, _size) for kind in _COMPARABLE),
    member("distinct", (_ANY_LIST,), _ANY_LIST, _distinct, _square),
    member("reverse", (_ANY_LIST,), _ANY_LIST, lambda elements: elements[::-1], _size),
    function("lists.range", (INT,), list_of(INT), _range, lambda length: max(length, 0)),
)
