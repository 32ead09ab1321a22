"""How upstream's messages print values: Go's quoted strings and Go's JSON.

Clients compare these texts, so errors.py and the selectors print values exactly so.
"""

from __future__ import annotations

import json
from typing import Any

_SHORT_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
# Go's encoder makes its output safe to put in a page.
_HTML_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def quote(text: str) -> str:
    """Return `text` as Go's %q prints it: unprintable characters escaped, other Unicode kept."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_SHORT_ESCAPES.get(c) or _escape(c) for c in text) + '"'


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Struct(dict[str, Any]):
    """The members of a Go struct, in its order, which strings alone as values do not change."""


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON as Go encodes it: compact, or on lines of their own with an `indent`.

    Maps of strings are sorted by key as Go sorts maps; other dicts stand for structs and keep the
    order of their members.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_ordered(value), ensure_ascii=False, separators=separators, indent=indent)
    return text.translate(_HTML_ESCAPES)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        is_string_map = not isinstance(value, Struct) and all(
            isinstance(member, str) for member in value.values()
        )
        keys = sorted(value) if is_string_map else list(value)
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(member) for member in value]
    return value


def print_value(value: Any) -> str:
    """Return a value as a field error prints it: strings quoted, everything else as JSON."""
    return quote(value) if isinstance(value, str) else to_json(value)
