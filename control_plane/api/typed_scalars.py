"""The leaves of typed JSON: each reader checks one value and returns its canonical form.

Readers raise TypeMismatch with the text of Go's decoder. Called through typed_json.py. Pure.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from control_plane.api import quantity, timestamps
from control_plane.api.go_syntax import quote
from control_plane.api.go_text import go_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class TypeMismatch(ValueError):
    """A value has the wrong JSON type, or a text that its type cannot read; `str` is Go's text."""


class Place(NamedTuple):
    """Where a value stands: a field of the struct named `owner`, or an item when that is ""."""

    parent: Place | None
    name: str | int
    owner: str

    def path(self) -> str:
        """Return the path as field errors show it: spec.ports[0].name."""
        above = self.parent.path() if self.parent is not None else ""
        if isinstance(self.name, int):
            return f"{above}[{self.name}]"
        return f"{above}.{self.name}" if above else self.name


class Reader(Protocol):
    """Reads one value at a place; strictness findings are added to `findings`."""

    def __call__(self, value: Any, place: Place | None, findings: dict[str, None], /) -> Any: ...  # noqa: D102


def mismatch(value: Any, place: Place | None, go_type: str, detail: str = "") -> TypeMismatch:
    """Return the error for a value that the Go type cannot hold, as the decoder words it.

    The decoder names the innermost struct and the fields down to it, without indexes or map keys.
    """
    fields: list[str] = []
    owner = ""
    while place is not None:
        if place.owner:
            fields.append(str(place.name))
            owner = owner or place.owner
        place = place.parent
    target = f"struct field {owner}.{'.'.join(reversed(fields))}" if owner else "value"
    return TypeMismatch(
        f"json: cannot unmarshal {go_kind(value)}{detail} into Go {target} of type {go_type}"
    )


def read_anything(value: Any, _place: Place | None, _findings: dict[str, None]) -> Any:
    """Accept free-form JSON as it is."""
    return value


def read_text(value: Any, place: Place | None, _findings: dict[str, None]) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise mismatch(value, place, "string")
    return value


def read_boolean(value: Any, place: Place | None, _findings: dict[str, None]) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise mismatch(value, place, "bool")
    return value


def read_number(value: Any, place: Place | None, _findings: dict[str, None]) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(value, place, "float64")
    return value


def read_integer(bits: int, value: Any, place: Place | None, _findings: dict[str, None]) -> int:
    """Read an integer that fits so many bits, sign included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(value, place, f"int{bits}")
    limit = 1 << (bits - 1)
    if isinstance(value, float) or not -limit <= value < limit:
        raise mismatch(value, place, f"int{bits}", f" {value}")
    return value


def read_int_or_string(value: Any, place: Place | None, findings: dict[str, None]) -> int | str:
    """Read a port, a percentage and the like."""
    if isinstance(value, str):
        return value
    return read_integer(32, value, None, findings)


def read_quantity(value: Any, _place: Place | None, _findings: dict[str, None]) -> str:
    """Read a quantity, given as text or number, into its canonical form."""
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, bool | dict | list):
        raise TypeMismatch(quantity.SYNTAX_MESSAGE)
    try:
        return quantity.canonical(text.strip())
    except ValueError as error:
        raise TypeMismatch(str(error)) from None


def read_bytes(value: Any, place: Place | None, _findings: dict[str, None]) -> str:
    """Read base64; line ends inside it are dropped."""
    if not isinstance(value, str):
        raise mismatch(value, place, "[]uint8")
    text = value.replace("\r", "").replace("\n", "")
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        good = re.match("[A-Za-z0-9+/]*={0,2}", text)
        at = good.end() if good and good.end() < len(text) else len(text) // 4 * 4
        raise TypeMismatch(f"illegal base64 data at input byte {at}") from None
    return text


class TimeFormat(NamedTuple):
    """One of the API's two times: Go's layout, which errors show, and how it is written."""

    layout: str
    write: Callable[[datetime], str]


SECOND_TIME: Final = TimeFormat("2006-01-02T15:04:05Z07:00", timestamps.format_time)
MICRO_TIME: Final = TimeFormat("2006-01-02T15:04:05.000000Z07:00", timestamps.format_micro_time)


def read_time(form: TimeFormat, value: Any, _place: Place | None, findings: dict[str, None]) -> str:
    """Read an RFC 3339 time into its canonical form."""
    text = read_text(value, None, findings)
    try:
        return form.write(timestamps.parse(text))
    except ValueError:
        raise TypeMismatch(_time_trouble(text, form.layout)) from None


# each part of a time: what it looks like, and the part of Go's layout that stands for it
_TIME_PARTS: Final = (
    (r"\d{4}", "2006"), ("-", "-"), (r"\d{2}", "01"), ("-", "-"), (r"\d{2}", "02"), ("T", "T"),
    (r"\d{2}", "15"), (":", ":"), (r"\d{2}", "04"), (":", ":"), (r"\d{2}(\.\d+)?", "05"),
    (r"Z|[+-]\d{2}:\d{2}", "Z07:00"),
)  # fmt: skip


def _time_trouble(text: str, layout: str) -> str:
    at = 0
    shown = f"parsing time {quote(text)} as {quote(layout)}"
    for pattern, part in _TIME_PARTS:
        found = re.compile(pattern, re.ASCII).match(text, at)
        if found is None:
            return f"{shown}: cannot parse {quote(text[at:])} as {quote(part)}"
        at = found.end()
    if at < len(text):
        return f"parsing time {quote(text)}: extra text: {quote(text[at:])}"
    return f"parsing time {quote(text)}: day out of range"
