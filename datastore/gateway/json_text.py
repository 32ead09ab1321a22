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
        begin = _SPACE.match(text)
        assert begin is not None  # it matches nothing, too
        return _DECODER.raw_decode(text, begin.end())[0]
    except json.JSONDecodeError as error:
        raise BadJson(_words(error)) from None
    except UnicodeDecodeError:
        raise BadJson("proto: invalid UTF-8") from None
    except RecursionError:
        raise BadJson("exceeded max depth") from None


def _words(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].lstrip(" \t\r\n")
    if not rest or error.msg.startswith("Unterminated"):
        return "unexpected EOF"
    return f"invalid character {rest[0]!r} looking for beginning of value"
