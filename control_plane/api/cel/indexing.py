"""Elements of lists and maps: by index or key, and whether there is one."""

from __future__ import annotations

from typing import Any

from control_plane.api.cel.errors import EvaluationError, no_such_overload
from control_plane.api.cel.go_values import shown
from control_plane.api.cel.values import NONE, Optional, equal


def index(operand: Any, key: Any) -> Any:
    """Return operand[key]; EvaluationError when there is none."""
    if isinstance(operand, Optional):
        return optional_index(operand, key)
    if isinstance(operand, list | tuple):
        position = _position(key)
        if 0 <= position < len(operand):
            return operand[position]
        raise EvaluationError(f"index out of bounds: {position}")
    if isinstance(operand, dict):
        try:
            return operand[_key(key)]
        except KeyError:
            raise EvaluationError(f"no such key: {shown(key)}") from None
    raise no_such_overload()


def optional_index(operand: Any, key: Any) -> Optional:
    """Return operand[?key]: an optional."""
    if isinstance(operand, Optional):
        return optional_index(operand.value, key) if operand.has_value else NONE
    if isinstance(operand, list | tuple):
        position = _position(key)
        return Optional(operand[position]) if 0 <= position < len(operand) else NONE
    if isinstance(operand, dict):
        found = _key(key)
        return Optional(operand[found]) if found in operand else NONE
    raise no_such_overload()


def contains(element: Any, container: Any) -> bool:
    """Tell whether an element is in a list, or a key in a map."""
    if isinstance(container, list | tuple):
        return any(equal(element, one) for one in container)
    if isinstance(container, dict):
        return isinstance(element, str | int | float) and element in container
    raise no_such_overload()


def _position(key: Any) -> int:
    if isinstance(key, bool) or not isinstance(key, int | float):
        raise EvaluationError(f"unsupported index type '{type(key).__name__}' in list")
    if isinstance(key, float) and not key.is_integer():  # nor infinity
        raise EvaluationError(f"unsupported index value {key} in list")
    return int(key)


def _key(key: Any) -> Any:
    if isinstance(key, str | int | float):
        return key
    raise no_such_overload()
