"""Values that may be absent: optional.of, orValue, a.?b and their like.

`optMap` and `optFlatMap` are macros of the parser's. Source: cel-go, OptionalTypes version 2.
"""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError, no_such_overload
from control_plane.api.cel.functions import Function, function, member
from control_plane.api.cel.types import BOOL, A, list_of, optional_of
from control_plane.api.cel.values import NONE, Optional, equal

_OPTIONAL: Final = optional_of(A)
_ZEROS: Final[tuple[Any, ...]] = (False, 0, 0.0, "", b"", [], {}, None)


def _of_non_zero(value: Any) -> Optional:
    return NONE if any(equal(value, zero) for zero in _ZEROS) else Optional(value)


def _has_value(value: Any) -> bool:
    if isinstance(value, Optional):
        return value.has_value
    raise no_such_overload()  # the checker cannot know what an optional of dyn holds


def _value(optional: Optional) -> Any:
    if _has_value(optional):
        return optional.value
    raise EvaluationError("optional.none() dereference")


def _or(one: Optional, other: Optional) -> Optional:
    return one if _has_value(one) else other


def _or_value(one: Optional, other: Any) -> Any:
    return one.value if _has_value(one) else other


def _first(values: list[Any]) -> Optional:
    return Optional(values[0]) if values else NONE


def _last(values: list[Any]) -> Optional:
    return Optional(values[-1]) if values else NONE


def _unwrapped(values: list[Any]) -> list[Any]:
    return [one.value for one in values if _has_value(one)]


LIBRARY: Final[tuple[Function, ...]] = (
    function("optional.of", (A,), _OPTIONAL, Optional),
    function("optional.ofNonZeroValue", (A,), _OPTIONAL, _of_non_zero),
    function("optional.none", (), _OPTIONAL, lambda: NONE),
    member("hasValue", (_OPTIONAL,), BOOL, _has_value),
    member("value", (_OPTIONAL,), A, _value),
    member("or", (_OPTIONAL, _OPTIONAL), _OPTIONAL, _or),
    member("orValue", (_OPTIONAL, A), A, _or_value),
    member("first", (list_of(A),), _OPTIONAL, _first),
    member("last", (list_of(A),), _OPTIONAL, _last),
    function("optional.unwrap", (list_of(_OPTIONAL),), list_of(A), _unwrapped),
    member("unwrapOpt", (list_of(_OPTIONAL),), list_of(A), _unwrapped),
)
