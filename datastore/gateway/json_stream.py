"""A stream of bytes cut into JSON values, without parsing them: the bodies of bidi calls. Pure.

    values = JsonValues(limit=1 << 20)
    values.feed(b'{"a": 1} {"b"')  ->  [b'{"a": 1}']
    values.feed(b': "}"}')         ->  [b'{"b": "}"}']

Only objects are values here; anything else between them is malformed, as is one that is longer
than `limit` bytes. Memory is bounded by `limit` and one chunk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = b" \t\r\n"
_MARK = re.compile(rb'["\\{}\[\]]')
_OPEN, _CLOSE = b"{[", b"}]"


class Malformed(ValueError):
    """What was read is no JSON object; the text says why."""


class TooLong(ValueError):
    """A value is longer than the limit."""


class JsonValues:
    """Collects chunks and gives back whole objects."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self._scanned = 0  # bytes of `_data` whose marks are counted
        self._depth = 0
        self._in_string = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a chunk and yield the objects it completes; Malformed or TooLong end the stream."""
        self._data += chunk
        while self._skip_space():
            end = self._find_end()
            if max(end, self._scanned) > self._limit:
                raise TooLong
            if not end:
                return
            value = bytes(self._data[:end])
            del self._data[:end]
            self._scanned = 0
            yield value

    @property
    def held(self) -> int:
        """The bytes of an object that has begun and not ended; 0 if there is none."""
        return len(self._data)

    def _skip_space(self) -> bool:
        """Say whether there is something to look at, standing at its first byte."""
        if not self._scanned:
            del self._data[: len(self._data) - len(self._data.lstrip(_SPACE))]
            if self._data and self._data[0] != _OPEN[0]:
                raise Malformed(
                    f"invalid character {chr(self._data[0])!r} looking for beginning of value"
                )
        return bool(self._data)

    def _find_end(self) -> int:
        """Return the length of the object at the start of the data, 0 if it has not ended."""
        position = self._scanned
        while found := _MARK.search(self._data, position):
            mark, position = found.group(), found.end()
            if mark == b"\\":
                position += 1  # whatever is escaped, it ends nothing
            elif mark == b'"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if mark in _OPEN else -1
                if not self._depth:
                    return position
        self._scanned = max(position, len(self._data))
        return 0
