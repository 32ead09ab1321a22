"""What Go's JSON scanner, and protobuf's above it, say of a text that is no JSON. Pure.

Python's decoder tells where it stopped and why, and Go says it of the character that it stopped at.
Go looks at bytes, so a text here is bytes, one character each (Latin-1).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from json import JSONDecodeError

_LITERALS = {"t": "true", "f": "false", "n": "null"}
_SPACE = re.compile(r"[ \t\r\n]*")
_HEX = re.compile(r"[0-9a-fA-F]{0,4}")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_NUMBER = re.compile(r"(?:0|[1-9]\d*)(?P<fraction>\.\d+)?$", re.ASCII)
_LONGEST_NUMBER = 64  # characters of one that are looked at
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_LOW_SURROGATE = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_NAMED = dict(zip("\a\b\f\n\r\t\v\\'", (*"abfnrtv", "\\", "'"), strict=True))
_CONTEXTS = {
    "Expecting property name": "looking for beginning of object key string",
    "Expecting ':'": "after object key",
}


def syntax_error(error: JSONDecodeError) -> str:
    """Return Go's words for what Python's decoder found in a text of bytes."""
    at, context = _place(error.doc, error.pos, error.msg)
    if at >= len(error.doc):
        return "unexpected EOF"
    return f"invalid character {_quoted(error.doc[at])} {context}"


def _place(text: str, at: int, message: str) -> tuple[int, str]:
    """Return where Go's scanner stops, the text's length for its end, and what it expected."""
    if message.startswith("Unterminated"):
        return len(text), ""
    if message.startswith("Invalid control"):
        return at, "in string literal"
    if message.startswith("Invalid \\u"):
        return _end(_HEX, text, at + 1), "in \\u hexadecimal character escape"
    if message.startswith("Invalid \\"):
        return at + 1, "in string escape code"
    if message.startswith("Expecting ','"):
        return _after_value(text, at)
    at = _end(_SPACE, text, at)
    for begin, context in _CONTEXTS.items():
        if message.startswith(begin):
            return at, context
    return _no_value(text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found is not None  # these match nothing, too
    return found.end()


def _after_value(text: str, at: int) -> tuple[int, str]:
    number = _NUMBER.search(text[max(at - _LONGEST_NUMBER, 0) : at])
    if number and text[at : at + 1] in ("e", "E"):
        signed = text[at + 1 : at + 2] in ("+", "-")
        return at + 1 + signed, "in exponent of numeric literal"
    if number and text[at : at + 1] == "." and not number["fraction"]:
        return at + 1, "after decimal point in numeric literal"
    at = _end(_SPACE, text, at)
    return at, "after array element" if _in_array(text, at) else "after object key:value pair"


def _in_array(text: str, at: int) -> bool:
    """Say whether what is open at a place is an array, not an object."""
    opened: list[str] = []
    for bracket in _BRACKETS.findall(text, 0, at):
        if bracket in ("[", "{"):
            opened.append(bracket)
        elif bracket in ("]", "}"):
            opened.pop()
    return opened[-1:] == ["["]


def _no_value(text: str, at: int) -> tuple[int, str]:
    first = text[at : at + 1]
    if first == "-":
        return at + 1, "in numeric literal"
    if first not in _LITERALS:
        return at, "looking for beginning of value"
    word, same = _LITERALS[first], 1
    while text[at + same : at + same + 1] == word[same]:
        same += 1
    return at + same, f"in literal {word} (expecting '{word[same]}')"


def _quoted(character: str) -> str:
    """Return a byte as Go shows it in single quotes."""
    if character in _NAMED:
        return f"'\\{_NAMED[character]}'"
    if character.isprintable():
        return f"'{character}'"
    width = 2 if character <= "\x7f" else 4
    return f"'\\{'x' if width == 2 else 'u'}{ord(character):0{width}x}'"


def lone_surrogate(text: str) -> str:
    """Return what protobuf says of half a surrogate pair, which a valid text may hold, or ""."""
    at = 0
    while found := _ESCAPE.search(text, at):
        at = found.end()
        code = int(found[1] or "0", 16)
        if code & 0xF800 != 0xD800:
            continue
        rest = text[at : at + 6]
        if len(rest) < 6:
            return "proto: unexpected EOF"
        if code >= 0xDC00 or not _LOW_SURROGATE.fullmatch(rest):
            shown = json.dumps(rest, ensure_ascii=False)
            return f"proto: syntax error: invalid escape code {shown} in string"
        at += len(rest)
    return ""
