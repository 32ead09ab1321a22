"""Points in time and durations as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from control_plane.api.cel.arithmetic import checked_duration, checked_timestamp
from control_plane.api.cel.errors import unconvertible
from control_plane.api.cel.values import NANOS, Duration, Timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_UNITS: Final = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": NANOS,
    "m": 60 * NANOS, "h": 3600 * NANOS,
}  # fmt: skip
_PART: Final = re.compile(r"(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def parse_timestamp(text: str) -> Timestamp:
    """Read RFC 3339; EvaluationError for what is not."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise unconvertible("google.protobuf.Timestamp")
    *numbers, fraction, zone = match.groups()
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise unconvertible("google.protobuf.Timestamp") from None
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - _offset_seconds(zone)
    return checked_timestamp(seconds * NANOS + int(((fraction or "") + "0" * 9)[:9]))


def _offset_seconds(zone: str) -> int:
    if zone in "Zz":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return seconds if zone[0] == "+" else -seconds


def parse_duration(text: str) -> Duration:
    """Read "1h30m", "1.5s"; EvaluationError for what is not a duration."""
    sign, rest = (-1 if text[:1] == "-" else 1), text.lstrip("+-") if text[:1] in "+-" else text
    if rest == "0":
        return Duration(0)
    total, position = 0, 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None or not (part[1] or part[2]):
            raise unconvertible("google.protobuf.Duration")
        unit, fraction = _UNITS[part[3]], part[2] or ""
        total += int(part[1] or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        position = part.end()
    if not rest:
        raise unconvertible("google.protobuf.Duration")
    return checked_duration(sign * total)


def format_timestamp(moment: Timestamp) -> str:
    """Return RFC 3339 in UTC, without trailing zeros of the fraction."""
    seconds, nanos = divmod(moment.nanos, NANOS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    text = text.rjust(19, "0")
    return f"{text}.{nanos:09d}".rstrip("0") + "Z" if nanos else f"{text}Z"


def format_duration(duration: Duration) -> str:
    """Return seconds: "90s", "1.5s"."""
    seconds, nanos = divmod(abs(duration.nanos), NANOS)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{'-' if duration.nanos < 0 else ''}{seconds}{fraction}s"
