"""Timestamps as the API writes them: Time in whole seconds, MicroTime in microseconds, both UTC.

`now` and `micro_now` read the clock; where time decides something, the caller injects it and uses
`format_time`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def now() -> str:
    """Return the current time as metav1.Time: "2026-01-02T03:04:05Z"."""
    return format_time(datetime.now(UTC))


def micro_now() -> str:
    """Return the current time as metav1.MicroTime: "2026-01-02T03:04:05.000006Z"."""
    return format_micro_time(datetime.now(UTC))


def format_time(moment: datetime) -> str:
    """Return an aware datetime as metav1.Time; fractions of a second are cut off."""
    return _text(moment, "seconds")


def format_micro_time(moment: datetime) -> str:
    """Return an aware datetime as metav1.MicroTime, always six digits."""
    return _text(moment, "microseconds")


def _text(moment: datetime, precision: str) -> str:
    """Unlike strftime, isoformat writes years before 1000 with four digits."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision)}Z"


def parse(text: str) -> datetime:
    """Return the UTC datetime of an RFC 3339 text; digits beyond microseconds are cut off.

    ValueError when the text is not RFC 3339 or names no real moment of the years 1 to 9999 in UTC.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    date, clock, fraction, zone = match.groups()
    micros = (fraction or ".0")[1:7].ljust(6, "0")
    offset = "+00:00" if zone in ("Z", "z") else zone
    try:
        return datetime.fromisoformat(f"{date}T{clock}.{micros}{offset}").astimezone(UTC)
    except OverflowError:
        raise ValueError(f"not a time of the years 1 to 9999: {text!r}") from None


def seconds_since(text: str, moment: datetime) -> float:
    """Return the seconds from RFC 3339 `text` to an aware moment, negative when it lies ahead."""
    return (moment - parse(text)).total_seconds()
