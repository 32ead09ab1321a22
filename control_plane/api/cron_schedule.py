"""Cron schedules: five fields or a descriptor, read as upstream's cron library reads them.

`parse` returns the moments' sets; it raises ValueError with that library's text. Called by the
rules of cron jobs. A leading "TZ=ZONE " or "CRON_TZ=ZONE " names the zone. Pure.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from typing import Final

MINUTE, HOUR, DAY, MONTH, WEEKDAY = range(5)
_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_WEEKDAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_NAMES: Final[tuple[dict[str, int], ...]] = (
    {}, {}, {},
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_WEEKDAYS)},
)  # fmt: skip
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DURATION: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0,
                 "h": 3600.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """Either `every_seconds` > 0, or the values each of the five fields allows.

    `is_any` tells of a field whether it was "*" or "?": a day is meant by both its fields then.
    `zone` is "" unless the text named one.
    """

    fields: tuple[frozenset[int], ...] = ()
    is_any: tuple[bool, ...] = ()
    every_seconds: int = 0
    zone: str = ""


def parse(text: str) -> CronSchedule:
    """Return the schedule a text stands for; ValueError says what is wrong with it."""
    if not text:
        raise ValueError("empty spec string")
    zone = ""
    if text.startswith(("TZ=", "CRON_TZ=")):
        head, _, text = text.partition(" ")
        zone, text = head.partition("=")[2], text.strip()
        if not is_zone(zone):
            raise ValueError(f"provided bad location {zone}: unknown time zone {zone}")
    if text.startswith("@every "):
        return CronSchedule(every_seconds=_every(text), zone=zone)
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _DESCRIPTORS[text]
    parts = text.split()
    if len(parts) != len(_BOUNDS):
        shown = " ".join(parts)
        raise ValueError(f"expected exactly 5 fields, found {len(parts)}: [{shown}]")
    fields = tuple(_field(part, index) for index, part in enumerate(parts))
    return CronSchedule(fields, tuple(part[0] in "*?" for part in parts), zone=zone)


def is_zone(name: str) -> bool:
    """Tell whether this system knows a time zone of that name; "" and UTC it always does."""
    if name in ("", "UTC"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _every(text: str) -> int:
    given = text.removeprefix("@every ")
    found = _DURATION.findall(given)
    if not found or "".join(found) != given:
        raise ValueError(f'failed to parse duration {text}: time: invalid duration "{given}"')
    total = 0.0
    for piece in found:
        unit = piece.lstrip("+-0123456789.")
        total += float(piece.removesuffix(unit)) * _UNITS[unit]
    return max(1, int(min(total, 2.0**63)))


def _field(text: str, index: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        if part:
            values.update(_range(part, index))
    return frozenset(values)


def _range(text: str, index: int) -> range:
    """Return the numbers of "*", "N", "N-M", each with or without "/STEP"."""
    low, high = _BOUNDS[index]
    span, *steps = text.split("/")
    ends = span.split("-")
    if ends[0] in ("*", "?"):
        start, end = low, high
    else:
        start = _number(ends[0], index)
        end = start
        if len(ends) == 2:
            end = _number(ends[1], index)
        elif len(ends) > 2:
            raise ValueError(f"too many hyphens: {text}")
        elif len(steps) == 1:
            end = high
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = _plain_number(steps[0]) if steps else 1
    _check_range(text, (start, end, step), index)
    return range(start, end + 1, step)


def _check_range(text: str, wanted: tuple[int, int, int], index: int) -> None:
    (start, end, step), (low, high) = wanted, _BOUNDS[index]
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, index: int) -> int:
    named = _NAMES[index].get(text.lower())
    return _plain_number(text) if named is None else named


def _plain_number(text: str) -> int:
    if re.fullmatch("[+-]?[0-9]{1,18}", text, re.ASCII) is None:
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise ValueError(f"failed to parse int from {text}: {why}")
    number = int(text)
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
