"""JSON bodies read the way the API's clients expect to be told about them.

`decode` is the one way from bytes to plain values: strict UTF-8, no NaN, nesting that everything
that walks a value by recursion can take, integers that can be written again. When a body is not
JSON, the error says what Go's scanner would say, because those texts are part of the
API's answers ("invalid character 'x' looking for beginning of value"); the slow scanner that finds
the text runs only then.

Called by the patch decoders and by the object decoder. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 200  # Go stops at 10,000; what is stored nests some 30 deep
_WRITABLE: Final = range(-(2**63), 2**64)
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_PLAIN_TEXT: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_NUMBER_PARTS: Final = (
    # (what must come next, what Go says the parser was doing)
    (re.compile(rb"-?"), ""),
    (re.compile(rb"0|[1-9][0-9]*"), "in numeric literal"),
)
_FRACTION: Final = re.compile(rb"[0-9]+")
_LITERALS: Final = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_ESCAPES: Final = frozenset(b'"\\/bfnrt')
_END: Final = "unexpected end of JSON input"
_TOO_DEEP: Final = "exceeded max depth"


class JsonSyntaxError(ValueError):
    """A body is not one JSON document; `str` is the text Go's decoder answers."""


class RepeatedKeys(dict[str, Any]):
    """An object whose document names some key twice; `pairs` keeps every pair in document order.

    As a dict it holds the last value of each key, which is what the API stores.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def decode(body: bytes) -> Any:
    """Return the value of one JSON document; a repeated key keeps its last value.

    Raises JsonSyntaxError for anything that is not exactly one document in UTF-8.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise JsonSyntaxError(explain(body) or _beyond_syntax(error)) from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_too_deep(value):
        raise JsonSyntaxError(_TOO_DEEP)
    return value


def is_too_deep(value: Any) -> bool:
    """Tell whether containers nest more than MAX_DEPTH deep; goes level by level, on no stack."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def number_of(digits: str) -> int | float:
    """Return an integer's text as a number; beyond 64 bits it is a float, as for every reader."""
    number = int(digits)
    return number if number in _WRITABLE else float(digits)


def _beyond_syntax(error: orjson.JSONDecodeError) -> str:
    """Say why well-formed JSON is refused all the same: its nesting or its encoding."""
    return _TOO_DEEP if "depth limit" in error.msg else f"invalid JSON: {error.msg}"


def decode_with_repeats(body: bytes) -> Any:
    """Like `decode`, but objects with a repeated key come back as RepeatedKeys."""
    decode(body)  # the strict reader decides what is valid; the standard one is laxer
    return json.loads(body, object_pairs_hook=_pairs, parse_int=number_of)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else RepeatedKeys(pairs)


def explain(body: bytes) -> str:
    """Return what is wrong with the syntax of `body` in Go's words, "" when the scanner finds
    nothing.
    """
    scanner = _Scanner(body)
    try:
        scanner.document()
    except JsonSyntaxError as error:
        return str(error)
    return ""


def quoted_character(character: int) -> str:
    """Return one byte of input quoted as Go's scanner quotes it: 'x', '\\'' or '\\x00'."""
    if character == ord("'"):
        return r"'\''"
    if character == ord('"'):
        return "'\"'"
    text = chr(character)
    if text.isprintable() and character < 0x7F:
        return "'\\\\'" if text == "\\" else f"'{text}'"
    named = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}.get(text)
    # bytes above ASCII are shown as the rune of their value, as Go does
    if named is None:
        named = text if character >= 0xA1 else f"\\x{character:02x}"
    return f"'{named}'"


class _Scanner:
    """Walks one document and stops at the first byte Go's scanner would refuse."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def document(self) -> None:
        """Check the whole body. An explicit stack of closers keeps deep nesting off
        Python's stack.
        """
        closers: list[int] = []
        value_next = self._value(closers)
        while value_next or closers:
            value_next = self._value(closers) if value_next else self._next_in(closers)
        self._space()
        if self._at < len(self._body):
            self._refuse("after top-level value")

    def _value(self, closers: list[int]) -> bool:
        """Read one scalar, or open one container; True when another value must follow."""
        self._space()
        first = self._peek()
        if first not in (ord("{"), ord("[")):
            self._scalar(first)
            return False
        closer = first + 2  # in ASCII each closer lies two after its opener
        self._at += 1
        self._space()
        if self._peek() == closer:
            self._at += 1
            return False
        closers.append(closer)
        if closer == ord("}"):
            self._key()
        return True

    def _key(self) -> None:
        self._space()
        if self._peek() != ord('"'):
            self._refuse("looking for beginning of object key string")
        self._string()
        self._space()
        if self._peek() != ord(":"):
            self._refuse("after object key")
        self._at += 1

    def _next_in(self, closers: list[int]) -> bool:
        """Read the closer of the innermost container, or the comma before its next value."""
        self._space()
        found = self._peek()
        if found == closers[-1]:
            self._at += 1
            closers.pop()
            return False
        if found != ord(","):
            in_object = closers[-1] == ord("}")
            self._refuse("after object key:value pair" if in_object else "after array element")
        self._at += 1
        if closers[-1] == ord("}"):
            self._key()
        return True

    def _scalar(self, first: int) -> None:
        if first == ord('"'):
            self._string()
        elif first in _LITERALS:
            self._literal(_LITERALS[first])
        elif first == ord("-") or ord("0") <= first <= ord("9"):
            self._number()
        else:
            self._refuse("looking for beginning of value")

    def _literal(self, word: bytes) -> None:
        for expected in word:
            if self._peek() != expected:
                self._refuse(f"in literal {word.decode()} (expecting {quoted_character(expected)})")
            self._at += 1

    def _number(self) -> None:
        for pattern, doing in _NUMBER_PARTS:
            self._match(pattern, doing)
        if self._here() == ord("."):
            self._at += 1
            self._match(_FRACTION, "after decimal point in numeric literal")
        if self._here() in (ord("e"), ord("E")):
            self._at += 1
            if self._here() in (ord("+"), ord("-")):
                self._at += 1
            self._match(_FRACTION, "in exponent of numeric literal")

    def _match(self, pattern: re.Pattern[bytes], doing: str) -> None:
        found = pattern.match(self._body, self._at)
        if found is None:
            self._peek()
            self._refuse(doing)
        else:
            self._at = found.end()

    def _string(self) -> None:
        self._at += 1
        self._skip(_PLAIN_TEXT)
        while (found := self._peek()) != ord('"'):
            if found != ord("\\"):
                self._refuse("in string literal")
            self._at += 1
            self._escape()
            self._skip(_PLAIN_TEXT)
        self._at += 1

    def _escape(self) -> None:
        found = self._peek()
        if found != ord("u") and found not in _ESCAPES:
            self._refuse("in string escape code")
        self._at += 1
        for _ in range(4 if found == ord("u") else 0):
            if self._peek() not in _HEX:
                self._refuse("in \\u hexadecimal character escape")
            self._at += 1

    def _space(self) -> None:
        self._skip(_SPACE)

    def _skip(self, anything: re.Pattern[bytes]) -> None:
        found = anything.match(self._body, self._at)
        self._at = found.end() if found else self._at

    def _here(self) -> int:
        """Return the byte here, -1 at the end: a number may end with the document."""
        return self._body[self._at] if self._at < len(self._body) else -1

    def _peek(self) -> int:
        if self._at >= len(self._body):
            raise JsonSyntaxError(_END)
        return self._body[self._at]

    def _refuse(self, doing: str) -> None:
        raise JsonSyntaxError(f"invalid character {quoted_character(self._body[self._at])} {doing}")
