"""Fields: read one, test for one, take one that may be absent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.names import unescaped
from control_plane.api.cel.values import NONE, Optional

Closure = Callable[[list[Any]], Any]
Convert = Callable[[Any], Any] | None
_ESCAPED: Final = re.compile("__[a-z]+__")


def _found(operand: Any, key: str) -> Any:
    """Return the field of a map or of an optional map; KeyError when it is not there."""
    if isinstance(operand, dict):
        if key not in operand and _ESCAPED.search(key):
            return operand[unescaped(key)]
        return operand[key]
    raise KeyError(key)


def select_closure(operand: Closure, key: str, convert: Convert) -> Closure:
    """Return what reads a field."""

    def select(frame: list[Any]) -> Any:
        value = operand(frame)
        if type(value) is dict and key in value:
            return value[key]
        return _slow_select(value, key)

    if convert is None:
        return select
    return lambda frame: convert(select(frame))


def _slow_select(value: Any, key: str) -> Any:
    if isinstance(value, Optional):
        return _optional(value, key, None)
    try:
        return _found(value, key)
    except KeyError:
        raise EvaluationError(f"no such key: {key}") from None


def has_closure(operand: Closure, key: str) -> Closure:
    """Return what tells whether a field is there."""

    def has(frame: list[Any]) -> bool:
        value = operand(frame)
        if isinstance(value, Optional):
            value = value.value
        if not isinstance(value, dict):
            return False
        return key in value or (_ESCAPED.search(key) is not None and unescaped(key) in value)

    return has


def optional_closure(operand: Closure, key: str, convert: Convert) -> Closure:
    """Return what reads a field as an optional."""
    return lambda frame: _optional(operand(frame), key, convert)


def _optional(value: Any, key: str, convert: Convert) -> Optional:
    if isinstance(value, Optional):
        if not value.has_value:
            return NONE
        value = value.value
    try:
        found = _found(value, key)
    except KeyError:
        return NONE
    return Optional(found if convert is None else convert(found))
