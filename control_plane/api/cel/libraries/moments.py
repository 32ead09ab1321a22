"""Parts of points in time and of durations: getFullYear() and its like, with optional zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import Function, Overload
from control_plane.api.cel.types import DURATION, INT, STRING, TIMESTAMP
from control_plane.api.cel.values import NANOS, Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def _zone(name: str) -> tzinfo:
    match = _OFFSET.fullmatch(name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset >= timedelta(days=1):
            raise EvaluationError(f"unknown time zone {name}")
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise EvaluationError(f"unknown time zone {name}") from None


def _moment(value: Timestamp, zone: tzinfo = UTC) -> datetime:
    return (_EPOCH + timedelta(microseconds=value.nanos // 1000)).astimezone(zone)


# Months, days of the month and days of the year are counted from 0, days of the week from Sunday.
_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}


def _part(name: str, read: Callable[[datetime], int]) -> Function:
    return Function(
        name,
        (
            Overload((TIMESTAMP,), INT, lambda value: read(_moment(value)), True),
            Overload(
                (TIMESTAMP, STRING),
                INT,
                lambda value, zone: read(_moment(value, _zone(zone))),
                True,
            ),
        ),
    )


def _length(name: str, read: Callable[[int], int]) -> Function:
    return Function(name, (Overload((DURATION,), INT, _reading(read), True),))


def _reading(read: Callable[[int], int]) -> Callable[[Duration], int]:
    return lambda value: read(value.nanos)


def _whole(nanos: int, unit: int) -> int:
    """How many units; cut towards zero."""
    return nanos // unit if nanos >= 0 else -(-nanos // unit)


LIBRARY: Final = (
    *(_part(name, read) for name, read in _PARTS.items()),
    _length("getHours", lambda nanos: _whole(nanos, 3600 * NANOS)),
    _length("getMinutes", lambda nanos: _whole(nanos, 60 * NANOS)),
    _length("getSeconds", lambda nanos: _whole(nanos, NANOS)),
    _length("getMilliseconds", lambda nanos: _whole(nanos, 1_000_000) % 1000),
)
