"""Functions of strings: cel-go's extension, version 2. Positions count code points."""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError, no_such_overload
from control_plane.api.cel.functions import Function, Overload, function, member
from control_plane.api.cel.libraries.formatting import format_text
from control_plane.api.cel.types import DYN, INT, STRING, Type, list_of

_STRINGS: Final = list_of(STRING)
_ESCAPES: Final = str.maketrans({
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
})  # fmt: skip
_UPPER: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def _tenth(text: Any, *_others: Any) -> int:
    return (len(text) + 9) // 10


def _char_at(text: str, position: int) -> str:
    if 0 <= position <= len(text):
        return text[position : position + 1]
    raise EvaluationError(f"index out of range: {position}")


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


def _join(parts: list[Any], separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise no_such_overload()
    return separator.join(parts)


def _join_cost(parts: list[Any], _separator: str = "") -> int:
    return len(parts) + sum(len(part) for part in parts if isinstance(part, str)) // 10


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    grown = len(text) + (text.count(old) if old else len(text)) * len(new)
    if grown > 10_000_000:
        raise EvaluationError("replaced string is too long")
    return text.replace(old, new, max(limit, -1))


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        pieces = list(text)
        return pieces if limit < 0 else [*pieces[: limit - 1], text[limit - 1 :]]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= last <= len(text):
        raise EvaluationError(f"index out of range: {last}")
    if start > last:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _replaced_cost(text: str, _old: str, new: str, _limit: int = -1) -> int:
    return _tenth(text) * max(1, _tenth(new))


def _variants(name: str, run: Any, gives: Type, *signatures: tuple[Type, ...]) -> Function:
    return Function(
        name, tuple(Overload((STRING, *rest), gives, run, True, _tenth) for rest in signatures)
    )


LIBRARY: Final = (
    _variants("charAt", _char_at, STRING, (INT,)),
    _variants("indexOf", _index_of, INT, (STRING,), (STRING, INT)),
    _variants("lastIndexOf", _last_index_of, INT, (STRING,), (STRING, INT)),
    _variants("lowerAscii", lambda text: text.translate(_LOWER), STRING, ()),
    _variants("upperAscii", lambda text: text.translate(_UPPER), STRING, ()),
    Function(
        "replace",
        (
            Overload((STRING, STRING, STRING), STRING, _replace, True, _replaced_cost),
            Overload((STRING, STRING, STRING, INT), STRING, _replace, True, _replaced_cost),
        ),
    ),
    _variants("split", _split, _STRINGS, (STRING,), (STRING, INT)),
    _variants("substring", _substring, STRING, (INT,), (INT, INT)),
    _variants("trim", str.strip, STRING, ()),
    Function(
        "join",
        (
            Overload((_STRINGS,), STRING, _join, True, _join_cost),
            Overload((_STRINGS, STRING), STRING, _join, True, _join_cost),
        ),
    ),
    member("format", (STRING, list_of(DYN)), STRING, format_text, _tenth),
    function("strings.quote", (STRING,), STRING, _quote, _tenth),
)
