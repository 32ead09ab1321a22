"""How values are written in messages."""

from __future__ import annotations

from typing import Any

from control_plane.api.cel.values import Duration, Optional, Timestamp, TypeValue


def shown(value: Any) -> str:
    """Return a value as messages such as "no such key: a" write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, Duration | Timestamp):
        return str(value.nanos)
    if isinstance(value, Optional):
        return f"optional({shown(value.value)})" if value.has_value else "optional.none()"
    return str(value)
