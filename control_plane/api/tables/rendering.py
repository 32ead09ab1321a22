"""How cells show ages, labels and lists. Called by the views of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import label_selector, timestamps
from control_plane.api.objects import Object, dig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

NONE: Final = "<none>"
UNKNOWN: Final = "<unknown>"
UNSET: Final = "<unset>"

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY


def human_duration(seconds: float) -> str:
    """Return a duration in two or three digits: "90s", "5m30s", "3h5m", "2d3h", "400d".

    "<invalid>" below -1 s.
    """
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    for limit, unit, name, small, small_name in _SCALE:
        if whole < limit:
            return _in_units(whole, (unit, name), (small, small_name))
    return f"{whole // _YEAR}y"


# Below the limit: the unit, and the smaller unit beside it (0: none).
_SCALE: Final = (
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)


def _in_units(seconds: int, unit: tuple[int, str], small: tuple[int, str]) -> str:
    count, rest = divmod(seconds, unit[0])
    shown = f"{count}{unit[1]}"
    if small[0] and rest // small[0]:
        shown += f"{rest // small[0]}{small[1]}"
    return shown


def since(timestamp: str | None, now: datetime) -> str:
    """Return the time passed since an RFC 3339 timestamp; "<unknown>" without one."""
    if not timestamp:
        return UNKNOWN
    return human_duration(timestamps.seconds_since(timestamp, now))


def age(obj: Object, now: datetime) -> str:
    """Return the time passed since the object's creation."""
    return since(dig(obj, "metadata", "creationTimestamp"), now)


def labels(pairs: Mapping[str, str] | None) -> str:
    """Return "a=b,c=d" sorted by key; "<none>" for none."""
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or NONE


def selector(obj: Object | None, invalid: str = "<error>") -> str:
    """Return a LabelSelector's text.

    "<none>" when it is absent or empty, `invalid` when it makes no sense.
    """
    try:
        return str(label_selector.from_object(obj)) or NONE
    except ValueError:
        return invalid


def with_more(items: Sequence[str], limit: int, empty: str) -> str:
    """Return the first items joined by commas, and how many more there are; `empty` for none."""
    if not items:
        return empty
    shown = ",".join(items[:limit])
    return f"{shown} + {len(items) - limit} more..." if len(items) > limit else shown


def container_names(pod_spec: Object) -> str:
    """Return the containers' names joined by commas."""
    return ",".join(container.get("name", "") for container in pod_spec.get("containers") or [])


def container_images(pod_spec: Object) -> str:
    """Return the containers' images joined by commas."""
    return ",".join(container.get("image", "") for container in pod_spec.get("containers") or [])
