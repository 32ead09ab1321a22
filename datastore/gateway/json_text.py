"""JSON text parsed so that nothing is lost that proto3's mapping asks about. Pure.

Objects keep their members in order and doubled names, numbers keep their text: `1e3` and "1000" are
one int64, 9223372036854775808 is none. What follows the first value is left alone, as etcd does.

The hooks are Python functions, not the types that they make: between them another thread gets the
interpreter, which the scanner, being C, keeps. Freeing what it made cannot be divided like that, so
there may not be too many values.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from datastore.gateway.json_syntax import lone_surrogate, syntax_error

MOST_VALUES = 200_000  # of one text, counted by their commas: a Txn of 60,000 operations
_SPACE = re.compile(r"[ \t\r\n]*")


class BadJson(ValueError):
    """The body is no JSON, or not of the shape that the message wants."""


class Members(list[tuple[str, Any]]):
    """An object."""

    __slots__ = ()


class Number(str):
    """A number as it was written."""

    __slots__ = ()


def _refuse(constant: str) -> NoReturn:
    if constant.startswith("-"):
        raise BadJson(f"invalid character {constant[1]!r} in numeric literal")
    raise BadJson(f"invalid character {constant[0]!r} looking for beginning of value")


def _members(pairs: list[tuple[str, Any]]) -> Members:
    return Members(pairs)


def _number(text: str) -> Number:
    return Number(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_number, parse_float=_number, parse_constant=_refuse
)


def parse(data: bytes) -> Any:
    """Return the first value of a text; BadJson if there is none."""
    if data.count(b",") >= MOST_VALUES:
        raise BadJson(f"more than {MOST_VALUES} values in one message")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = _decodable(data)
    try:
        value, begin, end = _first(text)
    except json.JSONDecodeError:
        _first_of_bytes(data)  # fails as well, at the byte that Go would name
        raise
    if "\\u" in text and (wrong := lone_surrogate(text[begin:end])):
        raise BadJson(wrong)
    return value


def _first(text: str) -> tuple[Any, int, int]:
    """Return the first value, where it begins and where it ends."""
    begin = _SPACE.match(text)
    assert begin is not None  # it matches nothing, too
    try:
        value, end = _DECODER.raw_decode(text, begin.end())
    except RecursionError:
        raise BadJson("exceeded max depth") from None
    return value, begin.end(), end


def _first_of_bytes(data: bytes) -> int:
    """Return where the first value ends; BadJson says of what is none what Go says of the bytes."""
    try:
        return _first(data.decode("latin-1"))[2]
    except json.JSONDecodeError as error:
        raise BadJson(syntax_error(error)) from None


def _decodable(data: bytes) -> str:
    """Return the first value of bytes that are not all UTF-8; what follows it may be anything."""
    try:
        return data[: _first_of_bytes(data)].decode()
    except UnicodeDecodeError:
        raise BadJson("proto: syntax error: invalid UTF-8 in string") from None
