"""Values of expressions as JSON."""

from __future__ import annotations

import base64
from typing import Any

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.times import format_duration, format_timestamp
from control_plane.api.cel.values import Duration, Optional, Timestamp, UInt, type_name


def json_of(value: Any) -> Any:
    """Return what JSON has for a value; EvaluationError for one of a type that it knows nothing of.

    An optional is its value, or null.
    """
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return int(value) if isinstance(value, UInt) else value
    if isinstance(value, list | tuple):
        return [json_of(one) for one in value]
    if isinstance(value, dict):
        return {_key(key): json_of(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Timestamp):
        return format_timestamp(value)
    if isinstance(value, Duration):
        return format_duration(value)
    if isinstance(value, Optional):
        return json_of(value.value)
    raise EvaluationError(f"unsupported native conversion from {type_name(value)} to JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)
